import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { canonicalJson } from '../canonical-json.ts'
import { sha256 } from '../digest.ts'
import { Secret } from '../secret.ts'
import { isWeakPoint } from './weak-points.ts'

/** A public key of RFC 8037: Ed25519 to verify signatures, X25519 to seal to its owner. */
export interface PublicJwk {
  readonly kty: 'OKP'
  readonly crv: 'Ed25519' | 'X25519'
  /** 32 bytes, base64url. */
  readonly x: string
}

/** The private form of the same; it only ever stands inside a `Secret` or in a file with mode 0600. */
export interface PrivateJwk extends PublicJwk {
  readonly d: string
}

/** A key pair ready for use. `keyId` is the thumbprint of the public key (RFC 7638). */
export interface KeyPair {
  readonly keyId: string
  readonly publicJwk: PublicJwk
  readonly privateJwk: Secret<PrivateJwk>
  readonly privateKey: Secret<KeyObject>
}

const thumbprints = new Map<string, string>()
const THUMBPRINTS_MAX = 10_000

/** The thumbprint of a public key (RFC 7638, SHA-256, base64url): its name everywhere. Kept: every request asks for some. */
export function keyIdOf({ crv, kty, x }: PublicJwk): string {
  const name = `${kty}.${crv}.${x}`
  const known = thumbprints.get(name)
  if (known !== undefined) return known
  const keyId = Buffer.from(sha256(canonicalJson({ crv, kty, x }))).toString('base64url')
  if (thumbprints.size >= THUMBPRINTS_MAX) thumbprints.clear()
  thumbprints.set(name, keyId)
  return keyId
}

/** Makes a new pair from the machine's entropy. */
export function generateKeyPair(curve: PublicJwk['crv']): KeyPair {
  const { privateKey } = curve === 'Ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('x25519')
  return keyPairOf(privateKey.export({ format: 'jwk' }) as PrivateJwk)
}

/** A pair from its private JWK. Throws when the JWK is not one of the two curves. */
export function keyPairOf(jwk: PrivateJwk): KeyPair {
  const publicJwk: PublicJwk = { kty: 'OKP', crv: jwk.crv, x: jwk.x }
  return {
    keyId: keyIdOf(publicJwk),
    publicJwk,
    privateJwk: new Secret({ ...publicJwk, d: jwk.d }),
    privateKey: new Secret(createPrivateKey({ key: { ...publicJwk, d: jwk.d }, format: 'jwk' })),
  }
}

const verifiers = new Map<string, KeyObject>()
const VERIFIERS_MAX = 10_000

/**
 * The form of a public key that verifying and sealing use; kept, because parsing a key costs as much as using it. `undefined` for a
 * weak one, which may have been registered before such were refused: nothing is signed by it, and nothing sealed to it.
 */
export function publicKeyObject(jwk: PublicJwk): KeyObject | undefined {
  const name = `${jwk.crv}.${jwk.x}`
  const known = verifiers.get(name)
  if (known) return known
  if (isWeakPoint(jwk)) return undefined
  const key = createPublicKey({ key: { kty: jwk.kty, crv: jwk.crv, x: jwk.x }, format: 'jwk' })
  if (verifiers.size >= VERIFIERS_MAX) verifiers.clear()
  verifiers.set(name, key)
  return key
}
