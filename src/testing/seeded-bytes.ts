import type { Random } from '../kernel/random.ts'
import { sha256 } from '../kernel/digest.ts'

/** Bytes that are the same for the same seed: SHA-256 over the seed and a counter. Only for tests: whoever knows the seed knows them. */
export function seededBytes(seed: string): Random {
  let block = 0
  let pool: Uint8Array = new Uint8Array(0)
  return {
    bytes(length) {
      const bytes = new Uint8Array(length)
      for (let at = 0; at < length;) {
        if (pool.length === 0) {
          pool = sha256(`${seed}\0${block}`)
          block += 1
        }
        const taken = pool.subarray(0, length - at)
        bytes.set(taken, at)
        pool = pool.subarray(taken.length)
        at += taken.length
      }
      return bytes
    },
  }
}
