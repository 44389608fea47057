import { sign, verify } from 'node:crypto'
import { err, ok } from '../result.ts'
import type { Result } from '../result.ts'
import { publicKeyObject } from './keys.ts'
import type { KeyPair, PublicJwk } from './keys.ts'

/**
 * Compact JWS (RFC 7515) with EdDSA over Ed25519 (RFC 8037), synchronous. A library does this too, but only through
 * the thread pool: measured 2.8k signatures a second one after another against 14k here (ADR 0004).
 */

/** The protected header of everything Hedgerow signs. `typ` keeps a signature from being used as another kind. */
export interface JwsHeader {
  readonly alg: 'EdDSA'
  readonly typ: string
  readonly kid: string
}

/** Why a text is not a good signature of the expected kind. */
export type JwsProblem = 'malformed' | 'wrong-type' | 'unknown-key' | 'bad-signature'

/** Signs a text (usually canonical JSON); gives `header.payload.signature`. */
export function signJws(payload: string, { typ, key }: { typ: string; key: KeyPair }): string {
  const header: JwsHeader = { alg: 'EdDSA', typ, kid: key.keyId }
  const input = `${encode(JSON.stringify(header))}.${encode(payload)}`
  return `${input}.${sign(null, Buffer.from(input), key.privateKey.reveal()).toString('base64url')}`
}

/** The header and payload of a text that looks like a JWS, nothing verified; `undefined` when it does not. */
export function peekJws(jws: string): { readonly header: JwsHeader; readonly payload: string } | undefined {
  const parts = jws.split('.')
  if (parts.length !== 3 || parts.some((part) => !/^[A-Za-z0-9_-]+$/.test(part))) return undefined
  const header = parseHeader(decode(parts[0] ?? ''))
  return header && { header, payload: decode(parts[1] ?? '') }
}

/**
 * Verifies a compact JWS and gives its payload's text.
 *
 * `keyFor` names the public key of a key id; `undefined` means the key is not known. Only `alg: EdDSA` and exactly
 * the expected `typ` are accepted; there are no other algorithms to be confused by (RFC 8725 §3.1, §3.11).
 */
export function verifyJws(
  jws: string,
  { typ, keyFor }: { typ: string; keyFor: (keyId: string) => PublicJwk | undefined },
): Result<{ readonly payload: string; readonly keyId: string }, JwsProblem> {
  const seen = peekJws(jws)
  if (!seen) return err('malformed')
  if (seen.header.typ !== typ) return err('wrong-type')
  const jwk = keyFor(seen.header.kid)
  if (!jwk || jwk.crv !== 'Ed25519') return err('unknown-key')
  const end = jws.lastIndexOf('.')
  const signature = Buffer.from(jws.slice(end + 1), 'base64url')
  const isGood = verify(null, Buffer.from(jws.slice(0, end)), publicKeyObject(jwk), signature)
  return isGood ? ok({ payload: seen.payload, keyId: seen.header.kid }) : err('bad-signature')
}

function parseHeader(text: string): JwsHeader | undefined {
  try {
    const value = JSON.parse(text) as Partial<JwsHeader> | null
    if (value?.alg !== 'EdDSA' || typeof value.typ !== 'string' || typeof value.kid !== 'string')
      return undefined
    return { alg: value.alg, typ: value.typ, kid: value.kid }
  } catch {
    return undefined
  }
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64url')
}

function decode(part: string): string {
  return Buffer.from(part, 'base64url').toString()
}
