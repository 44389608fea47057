import { createHmac, hash, timingSafeEqual } from 'node:crypto'
import { canonicalJson } from './canonical-json.ts'

/** A SHA-256 digest on the wire: `sha-256:` and 64 hexadecimal digits. */
export type Digest = `sha-256:${string}`

/** SHA-256 of bytes or of a text's UTF-8. */
export function sha256(data: Uint8Array | string): Uint8Array {
  // Through a text: measured 0.9 µs against 2.5 µs for a buffer of its own; trees hash millions of nodes.
  return Buffer.from(hash('sha256', data, 'latin1'), 'latin1')
}

/** The same in hexadecimal digits. */
export function hexDigestOf(data: Uint8Array | string): string {
  return hash('sha256', data, 'hex')
}

/** The digest of bytes or of a text's UTF-8, as written on the wire. */
export function digestOf(data: Uint8Array | string): Digest {
  return `sha-256:${hexDigestOf(data)}`
}

/** The digest of a value's canonical JSON (RFC 8785). */
export function digestOfJson(value: unknown): Digest {
  return digestOf(canonicalJson(value))
}

/** HMAC-SHA-256 (RFC 2104). */
export function hmacSha256(key: Uint8Array, data: Uint8Array | string): Uint8Array {
  return createHmac('sha256', key).update(data).digest()
}

/** Compares in a time that depends on the lengths only. */
export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && timingSafeEqual(left, right)
}
