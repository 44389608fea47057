import type { Range } from '../catalogue/expression-type.ts'
import { range } from '../catalogue/ranges.ts'

/** How far values of one person, or of groups, are from each other. */
export type Spread = 'var_samp' | 'var_pop' | 'stddev_samp' | 'stddev_pop'

/** A table: what each is called, and which variance it is made of. */
export const SPREADS: Readonly<Record<Spread, 'var_samp' | 'var_pop'>> = {
  var_samp: 'var_samp',
  var_pop: 'var_pop',
  stddev_samp: 'var_samp',
  stddev_pop: 'var_pop',
}

/** Whether a function tells of a spread. */
export function isSpreadOf(name: string): name is Spread {
  return Object.hasOwn(SPREADS, name)
}

/** Of values that lie within bounds: half of them at each end, or two of them where it is divided by n - 1. */
export function rangeOfSpread(made: Spread, bounds: Range | undefined): Range | undefined {
  if (bounds === undefined) return undefined
  const width = bounds.greatest - bounds.least
  const square = (width * width) / (SPREADS[made] === 'var_samp' ? 2 : 4)
  // A little more, for what rounding adds.
  return range(0, (SPREADS[made] === made ? square : Math.sqrt(square)) * (1 + 1e-9))
}
