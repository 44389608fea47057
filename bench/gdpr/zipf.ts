/** The exponent that YCSB uses. */
const THETA = 0.99

/**
 * Draws places from 0 up to below a count, a few far more often than the rest: Gray et al., "Quickly generating
 * billion-record synthetic databases" (SIGMOD 1994), as YCSB has it, scattered over all places.
 */
export function zipfian(count: number): (part: number) => number {
  let zeta = 0
  for (let place = 1; place <= count; place += 1) zeta += 1 / place ** THETA
  const alpha = 1 / (1 - THETA)
  const zetaOfTwo = 1 + 0.5 ** THETA
  const eta = (1 - (2 / count) ** (1 - THETA)) / (1 - zetaOfTwo / zeta)
  const rankOf = (part: number): number => {
    if (part * zeta < 1) return 0
    if (part * zeta < zetaOfTwo) return 1
    return Math.min(count - 1, Math.floor(count * (eta * part - eta + 1) ** alpha))
  }
  // A multiplication by a number that shares no factor with the count goes through all places.
  return (part) => (rankOf(part) * 7_919) % count
}
