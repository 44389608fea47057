import { sign, verify } from 'node:crypto'
import { publicKeyObject } from './keys.ts'
import type { KeyPair, PublicJwk } from './keys.ts'

/** An Ed25519 signature (RFC 8032) of bytes as they are: for formats that bring their own framing, such as signed notes. */
export function signBytes(bytes: Uint8Array, key: KeyPair): Uint8Array {
  return sign(null, bytes, key.privateKey.reveal())
}

/** Whether `signature` is one of `bytes` by this key. */
export function verifyBytes(bytes: Uint8Array, signature: Uint8Array, key: PublicJwk): boolean {
  const verifier = key.crv === 'Ed25519' ? publicKeyObject(key) : undefined
  return verifier !== undefined && signature.length === 64 && verify(null, bytes, verifier, signature)
}
