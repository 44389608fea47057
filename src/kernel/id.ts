import type { Clock } from './clock.ts'
import type { Random } from './random.ts'

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** Where new ids come from: time and randomness are handed in, so that a simulation can drive them. */
export interface IdSource {
  /** `prefix_` and 26 characters that sort by time of making, for example `ask_01J9ZQ…`. */
  next(prefix: string): string
}

/**
 * Ids that sort by time: the 128 bits of a UUIDv7 (RFC 9562 §5.7) in Crockford's base 32, as ULIDs are written.
 */
export function idSource(clock: Clock, random: Random): IdSource {
  return { next: (prefix) => `${prefix}_${encodeCrockford(uuidV7(clock.now(), random))}` }
}

function uuidV7(epochMs: number, random: Random): Uint8Array {
  const bytes = new Uint8Array(16)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, Math.floor(epochMs / 2 ** 32))
  view.setUint32(2, epochMs % 2 ** 32)
  bytes.set(random.bytes(10), 6)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  return bytes
}

/** 16 bytes as 26 digits of five bits, the first of which has two bits more than there are. */
function encodeCrockford(bytes: Uint8Array): string {
  let text = ''
  let bits = 0
  let held = 2
  for (const byte of bytes) {
    bits = (bits << 8) | byte
    held += 8
    while (held >= 5) {
      held -= 5
      text += CROCKFORD[(bits >> held) & 31]
    }
    bits &= (1 << held) - 1
  }
  return text
}
