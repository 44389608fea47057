import { isUtf8 } from 'node:buffer'
import { sign, verify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { MadeLately } from '../made-lately.ts'
import { parseJson } from '../parse-json.ts'
import { err, ok } from '../result.ts'
import type { Result } from '../result.ts'
import { decodeBase64url, encodeBase64url } from './base64url.ts'
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
  const input = `${encodeHeader(typ, key)}.${encodeBase64url(payload)}`
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
      const input = `${header}.${encodeBase64url(payload)}`
      const signature = await signInPool(null, Buffer.from(input, 'latin1'), privateKey)
      return `${input}.${signature.toString('base64url')}`
    }),
  )
}

const signInPool = promisify(sign)

function encodeHeader(typ: string, key: KeyPair): string {
  const header: JwsHeader = { alg: 'EdDSA', typ, kid: key.keyId }
  return encodeBase64url(JSON.stringify(header))
}

/** What can be seen of a text that looks like a JWS, nothing verified. */
export interface PeekedJws {
  readonly header: JwsHeader
  readonly payload: string
  readonly signature: Uint8Array
}

/** Looks into a text; `undefined` when it is no JWS. */
export function peekJws(jws: string): PeekedJws | undefined {
  const [head = '', ...parts] = jws.split('.', 4)
  const [payload, signature, ...others] = parts.map(decode)
  if (!payload || !signature || others.length > 0) return undefined
  // Bytes that are no text would be read as the same text as others.
  if (!isUtf8(payload)) return undefined
  const header = headerOf(head)
  return header && { header, payload: payload.toString(), signature }
}

/** The public key of a key id; `undefined` means the key is not known. */
export type KeyFor = (keyId: string) => PublicJwk | undefined

/**
 * Verifies a compact JWS and gives its payload's text.
 *
 * Only `alg: EdDSA` and exactly the expected `typ` are accepted; there are no other algorithms to be confused by
 * (RFC 8725 §3.1, §3.11).
 */
export function verifyJws(
  jws: string,
  { typ, keyFor }: { typ: string; keyFor: KeyFor },
): Result<{ readonly payload: string; readonly keyId: string }, JwsProblem> {
  const seen = peekJws(jws)
  if (!seen) return err('malformed')
  const key = keyOf(seen, { typ, keyFor })
  if (!key.ok) return key
  const isGood = verify(null, signedBytes(jws), key.value, seen.signature)
  return isGood ? ok({ payload: seen.payload, keyId: seen.header.kid }) : err('bad-signature')
}

/** The same on other cores: for several that came together, on which somebody waits. */
export async function verifyJwsInPool(
  jws: string,
  expected: { typ: string; keyFor: KeyFor },
): Promise<ReturnType<typeof verifyJws>> {
  const seen = peekJws(jws)
  if (!seen) return err('malformed')
  const key = keyOf(seen, expected)
  if (!key.ok) return key
  const isGood = await verifyInPool(null, signedBytes(jws), key.value, seen.signature)
  return isGood ? ok({ payload: seen.payload, keyId: seen.header.kid }) : err('bad-signature')
}

/** Whether a text that was looked into has a good signature of the expected kind: the same as `verifyJws`. */
export function isGoodJws(
  jws: string,
  { seen, ...expected }: { seen: PeekedJws; typ: string; keyFor: KeyFor },
): boolean {
  const key = keyOf(seen, expected)
  return key.ok && verify(null, signedBytes(jws), key.value, seen.signature)
}

/** The same on another core, for when the calling thread has other things to do. */
export async function isGoodJwsInPool(
  jws: string,
  { seen, ...expected }: { seen: PeekedJws; typ: string; keyFor: KeyFor },
): Promise<boolean> {
  const key = keyOf(seen, expected)
  return key.ok && verifyInPool(null, signedBytes(jws), key.value, seen.signature)
}

const verifyInPool = promisify(verify)

function keyOf(
  { header }: PeekedJws,
  { typ, keyFor }: { typ: string; keyFor: KeyFor },
): Result<KeyObject, JwsProblem> {
  if (header.typ !== typ) return err('wrong-type')
  const jwk = keyFor(header.kid)
  const key = jwk?.crv === 'Ed25519' ? publicKeyObject(jwk) : undefined
  return key ? ok(key) : err('unknown-key')
}

/** Header and payload as they stand in the text: base64url and a dot. */
function signedBytes(jws: string): Buffer {
  return Buffer.from(jws.slice(0, jws.lastIndexOf('.')), 'latin1')
}

/** As long as ours are at most; only such are kept. */
const HEADER_LENGTH_KEPT_MAX = 256

/** Headers of the keys that are met; a key and a kind have one, and reading it takes longer than all else of a text. */
const HEADERS_KEPT = 1_024
const headers = new MadeLately((head) => ({ header: readHeader(head) }), HEADERS_KEPT)

function headerOf(head: string): JwsHeader | undefined {
  return head.length > HEADER_LENGTH_KEPT_MAX ? readHeader(head) : headers.of(head).header
}

function readHeader(head: string): JwsHeader | undefined {
  const bytes = decode(head)
  return bytes && isUtf8(bytes) ? parseHeader(bytes.toString()) : undefined
}

function parseHeader(text: string): JwsHeader | undefined {
  // RFC 7515 §4: a member that is there twice makes it invalid.
  const value = parseJson(text) as Partial<JwsHeader> | null | undefined
  if (value?.alg !== 'EdDSA' || typeof value.typ !== 'string' || typeof value.kid !== 'string')
    return undefined
  // RFC 7515 §4.1.11: what is marked critical and not understood makes the signature invalid; we understand nothing.
  return 'crit' in value ? undefined : Object.freeze({ alg: value.alg, typ: value.typ, kid: value.kid })
}

function decode(part: string): Buffer | undefined {
  return part === '' ? undefined : decodeBase64url(part)
}
