import { sha256 } from '../kernel/digest.ts'

/** Numbers in [0, 1) that are the same for the same seed, whatever was drawn for others before. */
export interface SeededRandom {
  next(): number
}

/** Draws for one thing of a seeded world, for example one person (mulberry32, seeded by SHA-256). */
export function seededRandom(seed: string, thing: string): SeededRandom {
  let state = Buffer.from(sha256(`${seed}\0${thing}`)).readUInt32LE(0)
  return {
    next() {
      state = (state + 0x6d2b79f5) | 0
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
    },
  }
}
