import type { Random } from '../../kernel/random.ts'

/** A number as a fraction of whole numbers; the denominator is above 0. */
export interface Fraction {
  readonly numerator: bigint
  readonly denominator: bigint
}

/** Decisions by chance with probabilities that hold exactly: no floating point, so no low bits that give data away (Mironov 2012). */
export interface ExactChance {
  /** A whole number from 0 up to, not including, `bound`, each equally likely. */
  below(bound: bigint): bigint
  /** True with a probability of one half. */
  coin(): boolean
  /** True with probability exp(-x), for an x of 0 or more (Canonne, Kamath, Steinke 2020, Algorithm 1). */
  expMinus(x: Fraction): boolean
}

/** Bytes that are fetched at once. */
const POOL_BYTES = 256

/** Exact chance from a source of uniform bytes: the cryptographic one of the machine, or a seeded one in tests. */
export function exactChance(random: Random): ExactChance {
  let pool: Uint8Array = new Uint8Array(0)
  let used = 0
  const byte = (): number => {
    if (used === pool.length) {
      pool = random.bytes(POOL_BYTES)
      used = 0
    }
    used += 1
    return pool[used - 1] ?? 0
  }
  let coins = 1
  const chance: ExactChance = {
    below: (bound) => uniformBelow(bound, byte),
    coin: () => {
      // A byte with a leading 1: it is used up when only that is left.
      if (coins === 1) coins = 256 | byte()
      const isHeads = (coins & 1) === 1
      coins >>>= 1
      return isHeads
    },
    expMinus: (x) => expMinus(x, chance),
  }
  return chance
}

/** Bits as many as the bound has, again and again until they are below it. */
function uniformBelow(bound: bigint, byte: () => number): bigint {
  if (bound < 1n) throw new RangeError('Cannot choose below a bound that is not above 0')
  if (bound <= 256n) return BigInt(smallBelow(Number(bound), byte))
  const bits = (bound - 1n).toString(2).length
  const byteCount = Math.ceil(bits / 8)
  const topMask = 0xff >>> (byteCount * 8 - bits)
  for (;;) {
    let value = BigInt(byte() & topMask)
    for (let index = 1; index < byteCount; index += 1) value = (value << 8n) | BigInt(byte())
    if (value < bound) return value
  }
}

function smallBelow(bound: number, byte: () => number): number {
  if (bound === 1) return 0
  const mask = 0xff >>> (Math.clz32(bound - 1) - 24)
  for (;;) {
    const value = byte() & mask
    if (value < bound) return value
  }
}

/** exp(-x) is exp(-1) as often as x holds it, and then exp of what is left. */
function expMinus({ numerator, denominator }: Fraction, chance: ExactChance): boolean {
  let left = numerator
  while (left > denominator) {
    if (!expMinusSmall(1n, 1n, chance)) return false
    left -= denominator
  }
  return expMinusSmall(left, denominator, chance)
}

/** For x of at most 1: how far a row of coins with chances x, x/2, x/3, … goes before the first tails; even is a yes. */
function expMinusSmall(numerator: bigint, denominator: bigint, chance: ExactChance): boolean {
  let index = 1n
  while (chance.below(denominator * index) < numerator) index += 1n
  return (index & 1n) === 1n
}
