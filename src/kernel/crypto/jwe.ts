import { CompactEncrypt, compactDecrypt } from 'jose'
import type { KeyPair, PublicJwk } from './keys.ts'
import { keyIdOf, publicKeyObject } from './keys.ts'

/**
 * Sealing: compact JWE (RFC 7516) with ECDH-ES over X25519 (RFC 8037 §3.2) and A256GCM. Only the owner of the
 * private key can open it; whoever carries it sees its length and the key id.
 */
export async function sealTo(
  recipient: PublicJwk,
  { plaintext, typ }: { plaintext: Uint8Array | string; typ: string },
): Promise<string> {
  const bytes = typeof plaintext === 'string' ? new TextEncoder().encode(plaintext) : plaintext
  return new CompactEncrypt(bytes)
    .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', typ, kid: keyIdOf(recipient) })
    .encrypt(publicKeyObject(recipient))
}

/** Opens a sealed text of the expected kind; `undefined` when it is not for this key, was changed or is another kind. */
export async function openSealed(
  sealed: string,
  { key, typ }: { key: KeyPair; typ: string },
): Promise<Uint8Array | undefined> {
  try {
    const { plaintext, protectedHeader } = await compactDecrypt(sealed, key.privateKey.reveal(), {
      keyManagementAlgorithms: ['ECDH-ES'],
      contentEncryptionAlgorithms: ['A256GCM'],
    })
    return protectedHeader.typ === typ ? plaintext : undefined
  } catch {
    return undefined
  }
}
