/**
 * Pearson's chi-square of counts against what was expected, as a standard normal value (Wilson, Hilferty 1931): above
 * 4 happens by chance once in 30,000 times. Cells in which fewer than 5 are expected are put together.
 */
export function misfit(observed: ReadonlyMap<number, number>, expected: (value: number) => number): number {
  const values = [...observed.keys()].toSorted((a, b) => a - b)
  const [least = 0, greatest = 0] = [values[0], values.at(-1)]
  const total = [...observed.values()].reduce((sum, count) => sum + count, 0)
  const cells: { seen: number; meant: number }[] = []
  let [seen, meant, all] = [0, 0, 0]
  for (let value = least - 50; value <= greatest + 50; value += 1) {
    seen += observed.get(value) ?? 0
    meant += expected(value) * total
    all += expected(value) * total
    if (meant < 5) continue
    cells.push({ seen, meant })
    ;[seen, meant] = [0, 0]
  }
  // The far tails, with what is beyond the range looked at.
  cells.push({ seen, meant: meant + Math.max(0, total - all) })
  const tail = cells.at(-1)
  if (tail && tail.meant < 5 && cells.length > 1) {
    cells.pop()
    const before = cells.at(-1)
    if (before) cells[cells.length - 1] = { seen: before.seen + tail.seen, meant: before.meant + tail.meant }
  }
  const square = cells.reduce((sum, { seen: o, meant: e }) => sum + (o - e) ** 2 / e, 0)
  return normalOf(square, cells.length - 1)
}

/** A chi-square of some degrees of freedom as a standard normal value. */
export function normalOf(square: number, degrees: number): number {
  const spread = 2 / (9 * degrees)
  return (Math.cbrt(square / degrees) - (1 - spread)) / Math.sqrt(spread)
}

/** How often each value came. */
export function tally(count: number, draw: () => bigint | number): Map<number, number> {
  const counts = new Map<number, number>()
  for (let index = 0; index < count; index += 1) {
    const value = Number(draw())
    counts.set(value, (counts.get(value) ?? 0) + 1)
  }
  return counts
}
