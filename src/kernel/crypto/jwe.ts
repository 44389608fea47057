import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
} from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { parseJsonBytes } from '../parse-json.ts'
import { systemRandom } from '../random.ts'
import { decodeBase64url, encodeBase64url } from './base64url.ts'
import type { KeyPair, PublicJwk } from './keys.ts'
import { keyIdOf, publicKeyObject } from './keys.ts'

/**
 * Sealing: compact JWE (RFC 7516) with ECDH-ES over X25519 (RFC 8037 §3.2) and A256GCM. Only the owner of the
 * private key can open it; whoever carries it sees its length and the key id. Synchronous, for the reason of `jws.ts`
 * (ADR 0004).
 */
export function sealTo(
  recipient: PublicJwk,
  { plaintext, typ }: { plaintext: Uint8Array | string; typ: string },
): string {
  const publicKey = publicKeyObject(recipient)
  if (!publicKey) throw new TypeError('Cannot seal to a key of small order: anybody could open it')
  const ephemeral = generateKeyPairSync('x25519')
  const { kty, crv, x } = ephemeral.publicKey.export({ format: 'jwk' })
  const header = encodeBase64url(
    JSON.stringify({ alg: ALG, enc: ENC, typ, kid: keyIdOf(recipient), epk: { kty, crv, x } }),
  )
  const key = agreedKey({ privateKey: ephemeral.privateKey, publicKey })
  const iv = systemRandom.bytes(IV_BYTES)
  const cipher = createCipheriv(CIPHER, key, iv)
  // RFC 7516 §5.1 step 14: what is authenticated with the text is the header as it stands in the result.
  cipher.setAAD(Buffer.from(header, 'ascii'))
  const sealed = Buffer.concat([cipher.update(plaintext), cipher.final()])
  // The second part is empty: the key was agreed upon and none is carried (RFC 7516 §5.1 step 5).
  return `${header}..${encodeBase64url(iv)}.${encodeBase64url(sealed)}.${encodeBase64url(cipher.getAuthTag())}`
}

/** Opens a sealed text of the expected kind; `undefined` when it is not for this key, was changed or is another kind. */
export function openSealed(
  sealed: string,
  { key, typ }: { key: KeyPair; typ: string },
): Uint8Array | undefined {
  const [protectedHeader = '', ...others] = sealed.split('.', 6)
  const [header, carriedKey, iv, ciphertext, tag] = [protectedHeader, ...others].map(decodeBase64url)
  if (others.length !== 4 || carriedKey?.length !== 0 || !header || !ciphertext) return undefined
  if (iv?.length !== IV_BYTES || tag?.length !== TAG_BYTES) return undefined
  const read = readHeader(header)
  if (read?.typ !== typ) return undefined
  try {
    // Not kept as other public keys are: it is of this one text.
    const publicKey = createPublicKey({ key: read.epk, format: 'jwk' })
    const agreed = agreedKey({ ...read, privateKey: key.privateKey.reveal(), publicKey })
    const decipher = createDecipheriv(CIPHER, agreed, iv, { authTagLength: TAG_BYTES })
    decipher.setAAD(Buffer.from(protectedHeader, 'ascii'))
    decipher.setAuthTag(tag)
    return Buffer.concat([decipher.update(ciphertext), decipher.final()])
  } catch {
    return undefined
  }
}

const ALG = 'ECDH-ES'
const ENC = 'A256GCM'
const CIPHER = 'aes-256-gcm'
const IV_BYTES = 12
const TAG_BYTES = 16
const KEY_BITS = 256

/** What of a header the key depends on; `apu` and `apv` name the parties, where the sealing side wanted that. */
interface SealedHeader {
  readonly typ: string
  readonly epk: PublicJwk
  readonly apu: Uint8Array
  readonly apv: Uint8Array
}

function readHeader(bytes: Buffer): SealedHeader | undefined {
  const value = parseJsonBytes(bytes) as Partial<Record<string, unknown>> | null | undefined
  if (value?.['alg'] !== ALG || value['enc'] !== ENC || typeof value['typ'] !== 'string') return undefined
  // What is critical and not understood makes it invalid (RFC 7516 §4.1.13), and what was compressed is not for us.
  if ('crit' in value || 'zip' in value) return undefined
  const [apu, apv] = [value['apu'], value['apv']].map(partyInfo)
  const epk = ephemeralKey(value['epk'])
  return apu && apv && epk && { typ: value['typ'], epk, apu, apv }
}

function partyInfo(value: unknown): Uint8Array | undefined {
  if (value === undefined) return new Uint8Array()
  return typeof value === 'string' ? decodeBase64url(value) : undefined
}

function ephemeralKey(value: unknown): PublicJwk | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { kty, crv, x } = value as Partial<Record<string, unknown>>
  return kty === 'OKP' && crv === 'X25519' && typeof x === 'string' ? { kty, crv, x } : undefined
}

/**
 * The key that both sides come to: X25519, then one round of the Concat KDF (RFC 7518 §4.6.2). OpenSSL refuses a public
 * key that would give zeros whatever the private one is, as RFC 8037 §3.2 asks.
 */
function agreedKey({
  privateKey,
  publicKey,
  apu = new Uint8Array(),
  apv = new Uint8Array(),
}: {
  privateKey: KeyObject
  publicKey: KeyObject
} & Partial<Pick<SealedHeader, 'apu' | 'apv'>>): Buffer {
  return createHash('sha256')
    .update(uint32(1))
    .update(diffieHellman({ privateKey, publicKey }))
    .update(withLength(Buffer.from(ENC)))
    .update(withLength(apu))
    .update(withLength(apv))
    .update(uint32(KEY_BITS))
    .digest()
}

function withLength(bytes: Uint8Array): Buffer {
  return Buffer.concat([uint32(bytes.length), bytes])
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
