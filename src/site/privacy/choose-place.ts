import type { ExactChance, Fraction } from './exact-chance.ts'

/** Places from `from` to `to`, both included, all of which serve equally well: the less, the better. */
export interface PlaceRun {
  readonly from: number
  readonly to: number
  /** How far off: a whole number of 0 or more. */
  readonly loss: bigint
}

/**
 * The exponential mechanism over places on a declared grid: a place with probability in proportion to
 * exp(-loss · rate), sampled exactly (McSherry, Talwar 2007). With `rate = epsilon / 2Δ`, where nobody moves a loss by
 * more than Δ, it is epsilon-differentially private.
 *
 * A place is drawn uniformly and kept with probability exp(-(loss - least loss) · rate); so that a run of places that
 * are hopeless costs no more than one, losses are taken relative to the least. At least one place in all of them is
 * kept at once, so the number of draws is at most the number of places on average.
 */
export function choosePlace(runs: readonly PlaceRun[], rate: Fraction, chance: ExactChance): number {
  const [first] = runs
  const last = runs.at(-1)
  if (!first || !last) throw new RangeError('Cannot choose among no places')
  const least = runs.reduce((low, { loss }) => (loss < low ? loss : low), first.loss)
  const count = BigInt(last.to - first.from + 1)
  for (;;) {
    const place = first.from + Number(chance.below(count))
    const { loss } = runAt(runs, place)
    const exponent = { numerator: (loss - least) * rate.numerator, denominator: rate.denominator }
    if (chance.expMinus(exponent)) return place
  }
}

/** Runs follow one another without gaps, so a place is found by halving. */
function runAt(runs: readonly PlaceRun[], place: number): PlaceRun {
  let low = 0
  let high = runs.length - 1
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((runs[middle]?.to ?? 0) < place) low = middle + 1
    else high = middle
  }
  const found = runs[low]
  if (!found) throw new RangeError('Cannot choose a place outside of the grid')
  return found
}
