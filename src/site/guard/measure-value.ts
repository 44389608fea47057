import type { CollectedMeasure } from './collected-group.ts'

/** Digits that leave: an engine adds in any order, and the last bits of a double would tell which. */
const SIGNIFICANT_DIGITS = 12
/** Below this share of the mean square a variance is only what cancellation left over, so it is 0; a covariance likewise. */
const VARIANCE_NOISE = 1e-13

/**
 * The value of a measure from its mergeable state, as SQL would give it: a sum or an average over nothing is null, a
 * sample variance needs two rows. Rounded to 12 significant digits. A state that is not finite gives null. `measures` are
 * those of its group, among which a covariance finds the averages of its factors.
 */
export function measureValue(
  measure: CollectedMeasure,
  measures: readonly CollectedMeasure[] = [],
): number | null {
  const { kind, count, sum } = measure
  switch (kind) {
    case 'people':
      return measure.people.count()
    case 'count':
      return count
    case 'sum':
      return count === 0 ? null : roundSignificant(sum)
    case 'avg':
      return count === 0 ? null : roundSignificant(sum / count)
    case 'var_pop':
      return variance(measure, count)
    case 'var_samp':
      return variance(measure, count - 1)
    case 'stddev_pop':
      return squareRoot(variance(measure, count))
    case 'stddev_samp':
      return squareRoot(variance(measure, count - 1))
    case 'covar_pop':
      return covariance(measure, measures)
  }
}

/** Rounds to 12 significant digits; null for what is not finite. */
export function roundSignificant(value: number): number | null {
  if (!Number.isFinite(value)) return null
  const rounded = Number(value.toPrecision(SIGNIFICANT_DIGITS))
  return rounded === 0 ? 0 : rounded
}

function squareRoot(value: number | null): number | null {
  return value === null ? null : roundSignificant(Math.sqrt(value))
}

/** (Q - S²/n) / d, with the difference taken in twice the precision, because Q and S²/n share most of their digits. */
function variance({ count, sum, sumOfSquares }: CollectedMeasure, divisor: number): number | null {
  if (divisor <= 0 || !Number.isFinite(sum) || !Number.isFinite(sumOfSquares)) return null
  const left = product(sumOfSquares, count)
  const right = product(sum, sum)
  const difference = left.high - right.high + (left.low - right.low)
  const isNoise = difference <= VARIANCE_NOISE * left.high
  return roundSignificant(isNoise ? 0 : difference / count / divisor)
}

/** (P - S·T/n) / n for a sum P of products of what S and T are the sums of over the same rows. */
function covariance(
  { count, sum, absoluteSum, margins: [first, second] = [-1, -1] }: CollectedMeasure,
  measures: readonly CollectedMeasure[],
): number | null {
  const [one, other] = [measures[first], measures[second]]
  if (one?.count !== count || other?.count !== count)
    throw new Error('Cannot compute a covariance: its averages are of other rows')
  if (count <= 0 || ![sum, one.sum, other.sum].every(Number.isFinite)) return null
  const left = product(sum, count)
  const right = product(one.sum, other.sum)
  const difference = left.high - right.high + (left.low - right.low)
  const isNoise = Math.abs(difference) <= VARIANCE_NOISE * Math.max(absoluteSum * count, Math.abs(right.high))
  return roundSignificant(isNoise ? 0 : difference / count / count)
}

/** The exact product of two doubles as a sum of two (Dekker 1971). */
function product(left: number, right: number): { readonly high: number; readonly low: number } {
  const high = left * right
  const [leftHigh, leftLow] = halves(left)
  const [rightHigh, rightLow] = halves(right)
  const low = leftLow * rightLow - (high - leftHigh * rightHigh - leftLow * rightHigh - leftHigh * rightLow)
  return Number.isFinite(low) ? { high, low } : { high, low: 0 }
}

function halves(value: number): readonly [number, number] {
  const spread = 134_217_729 * value
  const high = spread - (spread - value)
  return [high, value - high]
}
