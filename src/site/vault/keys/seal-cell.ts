import { createCipheriv, createDecipheriv } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { Random } from '../../../kernel/random.ts'

/**
 * AES-256-GCM (NIST SP 800-38D) over single values: nonce, ciphertext, tag in one run of bytes. The nonce is 96
 * random bits; one key seals far fewer than 2^32 values, the bound of §8.3 there.
 */

const NONCE_BYTES = 12
const TAG_BYTES = 16
const NONCES_AT_ONCE = 4_096

/** Seals a text or bytes; `context` (what it is and where it belongs) must be given again to open it. */
export function seal(
  value: Uint8Array | string,
  { key, nonce, context }: { key: KeyObject | Uint8Array; nonce: Uint8Array; context: Uint8Array },
): Uint8Array {
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
  cipher.setAAD(context)
  const body = typeof value === 'string' ? cipher.update(value, 'utf8') : cipher.update(value)
  cipher.final()
  const sealed = new Uint8Array(NONCE_BYTES + body.length + TAG_BYTES)
  sealed.set(nonce)
  sealed.set(body, NONCE_BYTES)
  sealed.set(cipher.getAuthTag(), NONCE_BYTES + body.length)
  return sealed
}

/** Opens what `seal` made; `undefined` when the key or the context is another, or a bit was changed. */
export function open(
  sealed: Uint8Array,
  { key, context }: { key: KeyObject; context: Uint8Array },
): Uint8Array | undefined {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) return undefined
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  })
  decipher.setAAD(context)
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES))
  try {
    const body = decipher.update(sealed.subarray(NONCE_BYTES, sealed.length - TAG_BYTES))
    decipher.final()
    return body
  } catch {
    return undefined
  }
}

/** Fresh nonces, drawn many at a time: asking the machine for twelve bytes costs as much as sealing. */
export function nonceSource(random: Random): () => Uint8Array {
  let drawn = new Uint8Array()
  let used = 0
  return () => {
    if (used >= drawn.length) {
      drawn = new Uint8Array(random.bytes(NONCE_BYTES * NONCES_AT_ONCE))
      used = 0
    }
    used += NONCE_BYTES
    return drawn.subarray(used - NONCE_BYTES, used)
  }
}
