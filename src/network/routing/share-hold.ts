/** What one site may cost: its minimum fee and its cap, in minor units. */
export interface PriceRange {
  readonly leastMinor: bigint
  readonly mostMinor: bigint
}

/** The highest price of an ask over its sites: the sum of the caps, but not more than the asker would pay. */
export function highestPriceMinor(ranges: readonly PriceRange[], maxMinor: bigint): bigint {
  const caps = ranges.reduce((sum, { mostMinor }) => sum + mostMinor, 0n)
  return caps < maxMinor ? caps : maxMinor
}

/** The least an ask can cost over its sites. */
export function leastPriceMinor(ranges: readonly PriceRange[]): bigint {
  return ranges.reduce((sum, { leastMinor }) => sum + leastMinor, 0n)
}

/**
 * Shares a hold among the sites: each gets its minimum fee, what is left goes by how much more each could cost, and
 * single units that rounding leaves over go to the first that still have room. Shares add up to the hold and none is
 * above its cap. The hold must be between the sum of the minimum fees and the sum of the caps.
 */
export function shareHold(ranges: readonly PriceRange[], holdMinor: bigint): readonly bigint[] {
  const spare = holdMinor - leastPriceMinor(ranges)
  const room = ranges.reduce((sum, { leastMinor, mostMinor }) => sum + mostMinor - leastMinor, 0n)
  const shares = ranges.map(({ leastMinor, mostMinor }) =>
    room === 0n ? leastMinor : leastMinor + (spare * (mostMinor - leastMinor)) / room,
  )
  let left = holdMinor - shares.reduce((sum, share) => sum + share, 0n)
  for (const [index, { mostMinor }] of ranges.entries()) {
    if (left === 0n) break
    const share = shares[index] ?? 0n
    if (share >= mostMinor) continue
    shares[index] = share + 1n
    left -= 1n
  }
  return shares
}
