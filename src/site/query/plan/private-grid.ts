import type { Range } from '../catalogue/expression-type.ts'

/** Steps into which declared bounds are divided at most: what noise hides anyway is not worth more. */
const STEPS_MAX = 2 ** 20
/** Places on the grid of a quantile. */
const PLACES_MAX = 1_024
/** A whole number with fewer values than this keeps all of them as places. */
const WHOLE_PLACES_MAX = 4_096

/**
 * How values become whole numbers, so that sums are exact and one person's share of them is bounded exactly: sums of
 * doubles depend on their order, and can move by more than the person's value (Casacuberta et al. 2022).
 * A value is `origin + y` units, with y a whole number from `least` to `greatest`.
 */
export interface Grid {
  /** A power of two. */
  readonly unit: number
  /** The middle of the bounds, a whole number of units, in units and as a value. */
  readonly origin: bigint
  readonly centre: number
  readonly least: bigint
  readonly greatest: bigint
}

/** The grid of declared bounds: whole numbers are kept whole, others are rounded to a millionth of the width or less. */
export function gridOf({ least, greatest }: Range, isWhole: boolean): Grid {
  const finest = 2 ** Math.ceil(Math.log2(Math.max(greatest - least, Number.MIN_VALUE) / STEPS_MAX))
  // A unit so small beside the bounds themselves that doubles cannot tell it would round everything to one side.
  const distinct = Math.max(Math.abs(least), Math.abs(greatest)) * 2 ** -51
  const unit = 2 ** Math.ceil(Math.log2(Math.max(finest, distinct, isWhole ? 1 : 2 ** -400)))
  const middle = Math.round((least / 2 + greatest / 2) / unit)
  const centre = middle * unit
  return {
    unit,
    origin: BigInt(middle),
    centre,
    least: BigInt(Math.floor((least - centre) / unit)),
    greatest: BigInt(Math.ceil((greatest - centre) / unit)),
  }
}

/** The places that a quantile may take: `step` units apart, from the least on. */
export interface Places {
  readonly step: bigint
  readonly count: number
}

export function placesOf({ least, greatest }: Grid, isWhole: boolean): Places {
  const width = greatest - least + 1n
  const most = BigInt(isWhole ? WHOLE_PLACES_MAX : PLACES_MAX)
  const step = width <= most ? 1n : (width + most - 1n) / most
  return { step, count: Number((width + step - 1n) / step) }
}

/** The value of a place: itself where it is one step wide, else its middle. */
export function valueOfPlace({ unit, origin, least }: Grid, { step }: Places, place: number): number {
  const from = origin + least + BigInt(place) * step
  return step === 1n ? Number(from) * unit : (Number(2n * from + step - 1n) / 2) * unit
}

/** The largest magnitude of a value, and of its distance to the middle, in units. */
export function reachOf({ origin, least, greatest }: Grid): {
  readonly value: bigint
  readonly distance: bigint
} {
  return {
    value: larger(magnitude(origin + least), magnitude(origin + greatest)),
    distance: larger(magnitude(least), magnitude(greatest)),
  }
}

function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value
}

function larger(left: bigint, right: bigint): bigint {
  return left > right ? left : right
}
