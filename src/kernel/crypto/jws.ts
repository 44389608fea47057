import { sign, verify } from 'node:crypto'
import { promisify } from 'node:util'
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
  const input = `${encodeHeader(typ, key)}.${encode(payload)}`
  return `${input}.${sign(null, Buffer.from(input, 'latin1'), key.privateKey.reveal()).toString('base64url')}`
}

/** From here on handing signatures to the thread pool costs less than making them one after another. */
const POOL_WORTH = 16

/** Signs many texts of one kind: the same as `signJws` for each, on all cores. */
export async function signManyJws(
  payloads: readonly string[],
  { typ, key }: { typ: string; key: KeyPair },
): Promise<readonly string[]> {
  if (payloads.length < POOL_WORTH) return payloads.map((payload) => signJws(payload, { typ, key }))
  const header = encodeHeader(typ, key)
  const privateKey = key.privateKey.reveal()
  return Promise.all(
    payloads.map(async (payload) => {
      const input = `${header}.${encode(payload)}`
      const signature = await signInPool(null, Buffer.from(input, 'latin1'), privateKey)
      return `${input}.${signature.toString('base64url')}`
    }),
  )
}

const signInPool = promisify(sign)

function encodeHeader(typ: string, key: KeyPair): string {
  const header: JwsHeader = { alg: 'EdDSA', typ, kid: key.keyId }
  return encode(JSON.stringify(header))
}

/** The header and payload of a text that looks like a JWS, nothing verified; `undefined` when it does not. */
export function peekJws(jws: string): { readonly header: JwsHeader; readonly payload: string } | undefined {
  const parts = jws.split('.')
  if (parts.length !== 3 || !parts.every(isCanonical)) return undefined
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
    // RFC 7515 §4.1.11: what is marked critical and not understood makes the signature invalid; we understand nothing.
    if ('crit' in value) return undefined
    return { alg: value.alg, typ: value.typ, kid: value.kid }
  } catch {
    return undefined
  }
}

/** Base64url with no stray bits at its end: else one signature would have several texts, and so several digests. */
function isCanonical(part: string): boolean {
  return (
    /^[A-Za-z0-9_-]+$/.test(part) && part.length % 4 !== 1 && (part.length % 4 === 0 || hasNoStrayBits(part))
  )
}

function hasNoStrayBits(part: string): boolean {
  const end = part.slice(part.length - (part.length % 4))
  return Buffer.from(end, 'base64url').toString('base64url') === end
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64url')
}

function decode(part: string): string {
  return Buffer.from(part, 'base64url').toString()
}
