import type { Bitset } from '../../kernel/bitset.ts'
import type { ReleaseValue } from '../../protocol/release.ts'

/** What a measure is; each can be merged from parts, so that a remainder row can be made. */
export type MeasureKind =
  | 'people'
  | 'count'
  | 'sum'
  | 'avg'
  | 'var_samp'
  | 'var_pop'
  | 'stddev_samp'
  | 'stddev_pop'
  | 'covar_pop'

/** One aggregate of one group as the engine gave it, before anything was decided about it. */
export interface CollectedMeasure {
  readonly kind: MeasureKind
  /** Rows that counted: with a value that is not null, after the filter. */
  readonly count: number
  /** Sum of the clamped values, and of their squares where the kind needs it; 0 for `people` and `count`. */
  readonly sum: number
  readonly sumOfSquares: number
  /** Those whose own value changes the answer: neither null nor the neutral element, after the filter. */
  readonly people: Bitset
  /**
   * Those who are counted in the divisor of an average, a variance or a deviation: with a value that is not null, be
   * it 0. Absent where nothing is divided, and where they are `people`.
   */
  readonly counted?: Bitset | undefined
  /** Largest sum of |clamped value| that one person gives, and that sum over all people; for dominance. For counts: rows. */
  readonly largestShare: number
  readonly absoluteSum: number
  /** Largest sum of squares that one person gives; absent where none are summed. */
  readonly largestSquares?: number | undefined
  /** Of a covariance, whose values are products: where in the group the averages of the two factors over the same rows are. */
  readonly margins?: readonly [number, number] | undefined
}

/** One group before guarding: its keys, everybody behind it, and its measures. */
export interface CollectedGroup {
  readonly keys: readonly ReleaseValue[]
  readonly people: Bitset
  readonly measures: readonly CollectedMeasure[]
}
