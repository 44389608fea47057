import { randomBytes } from 'node:crypto'

/** Randomness as a port. The system source is cryptographic; a simulation gives a seeded one. */
export interface Random {
  bytes(length: number): Uint8Array
}

/** Bytes that are fetched at once: one call of the operating system for a hundred ids. */
const POOL_BYTES = 4096
let pool = Buffer.alloc(0)
let used = 0

/** The machine's cryptographic source. The only place where entropy is read. */
export const systemRandom: Random = {
  bytes(length) {
    if (length > POOL_BYTES / 8) return randomBytes(length)
    if (used + length > pool.length) {
      pool = randomBytes(POOL_BYTES)
      used = 0
    }
    const bytes = Buffer.from(pool.subarray(used, used + length))
    // What was given once must not be found here later.
    pool.fill(0, used, used + length)
    used += length
    return bytes
  },
}
