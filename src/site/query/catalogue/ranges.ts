import type { Range } from './expression-type.ts'

/**
 * Interval arithmetic over declared bounds: the least and greatest value an expression takes while its columns keep
 * to theirs. `undefined` means that it is not known. Measures are clamped to the result, so a range that is too wide
 * only costs precision of the dominance rule, and one that is too narrow would cut values: both stay safe.
 */
export type MaybeRange = Range | undefined

/** Past this nothing is a measure any more; sums of squares of it stay finite. */
const BOUND_MAX = 1e100

/** A range, or `undefined` when an end is no usable number. */
export function range(least: number, greatest: number): MaybeRange {
  return least <= greatest && Math.abs(least) <= BOUND_MAX && Math.abs(greatest) <= BOUND_MAX
    ? { least, greatest }
    : undefined
}

/** The least range that holds all of them. */
export function hull(ranges: readonly MaybeRange[]): MaybeRange {
  let [all] = ranges
  for (const one of ranges) {
    if (one === undefined || all === undefined) return undefined
    all = { least: Math.min(all.least, one.least), greatest: Math.max(all.greatest, one.greatest) }
  }
  return all
}

/** The range of a function that is monotone in each argument: its extremes lie at the corners. */
export function corners(a: MaybeRange, b: MaybeRange, compute: (a: number, b: number) => number): MaybeRange {
  if (!a || !b) return undefined
  const values = [
    compute(a.least, b.least),
    compute(a.least, b.greatest),
    compute(a.greatest, b.least),
    compute(a.greatest, b.greatest),
  ]
  return range(Math.min(...values), Math.max(...values))
}

/** The range of a rising function of one argument. */
export function rising(a: MaybeRange, compute: (value: number) => number): MaybeRange {
  return a && range(compute(a.least), compute(a.greatest))
}

/** Division, where the divisor keeps away from 0. */
export function quotient(a: MaybeRange, b: MaybeRange): MaybeRange {
  return b && b.least <= 0 && b.greatest >= 0 ? undefined : corners(a, b, (x, y) => x / y)
}

/** Distance from 0. */
export function magnitude(a: MaybeRange): MaybeRange {
  if (!a) return undefined
  const [low, high] = [Math.abs(a.least), Math.abs(a.greatest)]
  return a.least <= 0 && a.greatest >= 0
    ? range(0, Math.max(low, high))
    : range(Math.min(low, high), Math.max(low, high))
}

/** Wider by `by` on both sides: for what rounds. */
export function widened(a: MaybeRange, by: number): MaybeRange {
  return a && range(a.least - by, a.greatest + by)
}

/** The middle of bounds. */
export function middleOf({ least, greatest }: Range): number {
  return least / 2 + greatest / 2
}

/**
 * Of whole numbers without one of them at an end, which becomes null: `nullif(steps, 0)` of 0 to 40000 is at least 1, so that something may be divided
 * by it.
 */
export function withoutEnd(a: MaybeRange, b: MaybeRange): MaybeRange {
  if (!a || !b || b.least !== b.greatest || a.least === a.greatest) return a
  if (b.least === a.least) return range(a.least + 1, a.greatest)
  return b.least === a.greatest ? range(a.least, a.greatest - 1) : a
}
