import type { ExactChance, Fraction } from './exact-chance.ts'

/**
 * A whole number with P(x) in proportion to exp(-|x| / scale): noise of the discrete Laplace mechanism. Sampled
 * exactly (Canonne, Kamath, Steinke 2020, Algorithm 2).
 */
export function discreteLaplace(
  { numerator: scale, denominator: parts }: Fraction,
  chance: ExactChance,
): bigint {
  for (;;) {
    const start = chance.below(scale)
    if (!chance.expMinus({ numerator: start, denominator: scale })) continue
    let turns = 0n
    while (chance.expMinus(ONE)) turns += 1n
    const magnitude = (start + scale * turns) / parts
    const isNegative = chance.coin()
    // Otherwise 0 would come twice.
    if (isNegative && magnitude === 0n) continue
    return isNegative ? -magnitude : magnitude
  }
}

const ONE: Fraction = { numerator: 1n, denominator: 1n }

/**
 * A whole number with P(x) in proportion to exp(-x² / 2 variance): noise of the discrete Gaussian mechanism. Sampled
 * exactly, by rejection from the discrete Laplace (Canonne, Kamath, Steinke 2020, Algorithm 3).
 */
export function discreteGaussian(variance: Fraction, chance: ExactChance): bigint {
  const { numerator, denominator } = variance
  const scale = rootOf(numerator / denominator) + 1n
  for (;;) {
    const candidate = discreteLaplace({ numerator: scale, denominator: 1n }, chance)
    // (|y| - variance / scale)² / 2 variance, over one denominator.
    const magnitude = candidate < 0n ? -candidate : candidate
    const distance = magnitude * denominator * scale - numerator
    const exponent = {
      numerator: distance * distance,
      denominator: 2n * numerator * denominator * scale * scale,
    }
    if (chance.expMinus(exponent)) return candidate
  }
}

/** The greatest whole number whose square is not above `value` (Newton). */
export function rootOf(value: bigint): bigint {
  if (value < 2n) return value
  let root = 1n << BigInt(Math.ceil(value.toString(2).length / 2))
  for (;;) {
    const next = (root + value / root) / 2n
    if (next >= root) return root
    root = next
  }
}
