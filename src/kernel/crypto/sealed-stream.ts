import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'
import { Fault } from '../faults.ts'
import type { Random } from '../random.ts'
import type { Secret } from '../secret.ts'

/**
 * Sealing of what is too long for memory: the streaming AEAD of Tink, AES256_GCM_HKDF_1MB
 * (developers.google.com/tink/streaming-aead, "AES-GCM-HKDF streaming"). A header of 40 bytes (its length, a salt, seven
 * bytes of nonce), then segments of a mebibyte, each sealed under a key derived for this text alone. The nonce of a
 * segment says its place and whether it is the last, so that none can be left out, moved or added, nor the end cut off
 * (Hoang, Reyhanitabar, Rogaway, Vizár 2015: "STREAM").
 */

/** The key, and what the text is: it opens as nothing else. */
export interface StreamSeal {
  readonly key: Secret<Uint8Array>
  readonly context: string
}

const CIPHER = 'aes-256-gcm'
const KEY_BYTES = 32
const PREFIX_BYTES = 7
const HEADER_BYTES = 1 + KEY_BYTES + PREFIX_BYTES
const TAG_BYTES = 16
const SEGMENT_BYTES = 1024 * 1024

/** Seals a text as it comes. */
export async function* sealStream(
  plain: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { key, context, random }: StreamSeal & { readonly random: Random },
): AsyncGenerator<Uint8Array> {
  const salt = random.bytes(KEY_BYTES)
  const prefix = random.bytes(PREFIX_BYTES)
  yield Buffer.concat([Buffer.of(HEADER_BYTES), salt, prefix])
  const derived = keyOf({ key, context }, salt)
  for await (const { bytes, index, isLast } of segments(plain, TAG_BYTES)) {
    const cipher = createCipheriv(CIPHER, derived, nonceOf(prefix, index, isLast))
    yield Buffer.concat([cipher.update(bytes), cipher.final(), cipher.getAuthTag()])
  }
}

/**
 * Opens what `sealStream` sealed. A segment is given only once it is known to be right, and a text that was cut off
 * fails at its end: whoever reads takes nothing for whole before this has ended.
 *
 * @throws Fault `fault.backup_damaged` when a byte was changed, or the key or the context is another
 */
export async function* openStream(
  sealed: AsyncIterable<Uint8Array>,
  seal: StreamSeal,
): AsyncGenerator<Uint8Array> {
  let header: { derived: Uint8Array; prefix: Uint8Array } | undefined
  for await (const { bytes, index, isLast } of segments(sealed, 0)) {
    let body = bytes
    if (!header) {
      if (bytes.length < HEADER_BYTES || bytes[0] !== HEADER_BYTES) throw unreadable(seal)
      const salt = bytes.subarray(1, 1 + KEY_BYTES)
      const prefix = Buffer.from(bytes.subarray(1 + KEY_BYTES, HEADER_BYTES))
      header = { derived: keyOf(seal, salt), prefix }
      body = bytes.subarray(HEADER_BYTES)
    }
    const opened = openSegment(body, { ...header, index, isLast })
    if (!opened) throw unreadable(seal)
    yield opened
  }
}

function openSegment(
  body: Uint8Array,
  {
    derived,
    prefix,
    index,
    isLast,
  }: { derived: Uint8Array; prefix: Uint8Array; index: number; isLast: boolean },
): Uint8Array | undefined {
  if (body.length < TAG_BYTES) return undefined
  const end = body.length - TAG_BYTES
  const decipher = createDecipheriv(CIPHER, derived, nonceOf(prefix, index, isLast), {
    authTagLength: TAG_BYTES,
  })
  decipher.setAuthTag(body.subarray(end))
  try {
    return Buffer.concat([decipher.update(body.subarray(0, end)), decipher.final()])
  } catch {
    return undefined
  }
}

interface Segment {
  readonly bytes: Uint8Array
  readonly index: number
  readonly isLast: boolean
}

/**
 * Cuts a text into segments. In plain the first is shorter by the header, and each by its tag (`spared` bytes); sealed
 * ones are whole, the first with its header. An empty text is one empty segment.
 */
async function* segments(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  spared: number,
): AsyncGenerator<Segment> {
  let held: Uint8Array[] = []
  let heldBytes = 0
  let index = 0
  for await (const chunk of source) {
    held.push(chunk)
    heldBytes += chunk.length
    // The last segment is known only when nothing follows, so one more byte is waited for.
    while (heldBytes > roomOf(index, spared)) {
      const all = Buffer.concat(held, heldBytes)
      const room = roomOf(index, spared)
      yield { bytes: all.subarray(0, room), index, isLast: false }
      index += 1
      held = [all.subarray(room)]
      heldBytes -= room
    }
  }
  yield { bytes: Buffer.concat(held, heldBytes), index, isLast: true }
}

function roomOf(index: number, spared: number): number {
  return SEGMENT_BYTES - spared - (index === 0 && spared > 0 ? HEADER_BYTES : 0)
}

function nonceOf(prefix: Uint8Array, index: number, isLast: boolean): Uint8Array {
  const nonce = Buffer.alloc(PREFIX_BYTES + 5)
  nonce.set(prefix)
  nonce.writeUInt32BE(index, PREFIX_BYTES)
  nonce[PREFIX_BYTES + 4] = isLast ? 1 : 0
  return nonce
}

function keyOf({ key, context }: StreamSeal, salt: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key.reveal(), salt, Buffer.from(context), KEY_BYTES))
}

function unreadable({ context }: StreamSeal): Fault {
  return new Fault('fault.backup_damaged', {
    what: `Cannot open "${context}": its bytes were changed, or the key is not the one it was sealed with`,
  })
}
