import type { Span } from './bound-query.ts'

/**
 * Pieces of engine text from which the catalogue's forms are made. Together they keep one promise: no value in the
 * data can make a statement fail. Numbers stay below 1e150 in magnitude, whole numbers within ±2^53, dates between
 * the years 1 and 9999; what would leave that domain becomes null, and so do NaN and the infinities.
 *
 * Both engines leave nulls out of `least` and `greatest`, and sort NaN above all numbers: `least(greatest(x, -M), M)`
 * therefore takes whatever is outside, NaN and null to one of the two ends, which `nullif` then turns into null.
 */
export type Text = string

const NUMBER_MAX = '1e150'
/** 2^53: whole numbers below are exact as doubles. */
const INTEGER_MAX = '9007199254740992e0'

export const duckdbDouble = (text: Text): Text => `cast(${text} as double)`
export const postgresDouble = (text: Text): Text => `cast(${text} as float8)`

function between(text: Text, low: Text, high: Text): Text {
  return `nullif(nullif(least(greatest(${text}, ${low}), ${high}), ${high}), ${low})`
}

/** Null outside of ±1e150. */
export const duckdbFinite = (text: Text): Text => between(text, `-${NUMBER_MAX}`, NUMBER_MAX)
export const postgresFinite = (text: Text): Text =>
  between(text, postgresDouble(`-${NUMBER_MAX}`), postgresDouble(NUMBER_MAX))

/** A double that holds a whole number, as one; null outside of ±2^53. */
export const duckdbWhole = (text: Text): Text =>
  `cast(${between(text, `-${INTEGER_MAX}`, INTEGER_MAX)} as bigint)`
export const postgresWhole = (text: Text): Text =>
  `cast(${between(text, postgresDouble(`-${INTEGER_MAX}`), postgresDouble(INTEGER_MAX))} as bigint)`

/** The same within narrower ends, which are themselves outside. */
export const duckdbWholeWithin = (text: Text, end: number): Text =>
  `cast(${between(text, `-${end}e0`, `${end}e0`)} as bigint)`
export const postgresWholeWithin = (text: Text, end: number): Text =>
  `cast(${between(text, postgresDouble(`-${end}`), postgresDouble(`${end}`))} as bigint)`

/** Whole number of days that can be added to any date. */
export const days = (text: Text): Text => `cast(${between(text, '-4000000', '4000000')} as integer)`

/** Null outside of the years 1 to 9999. */
export const inDates = (text: Text): Text => between(text, "date '0001-01-01'", "date '9999-12-31'")
export const inTimestamps = (text: Text): Text =>
  between(text, "timestamp '0001-01-01 00:00:00'", "timestamp '9999-12-31 00:00:00'")

/**
 * Names values for PostgreSQL, so that a form may use them more than once without printing them twice. `offset 0`
 * keeps the planner from putting them back and from evaluating a guarded branch ahead of its guard.
 */
export function naming(values: Readonly<Record<string, Text>>, body: Text): Text {
  const list = Object.entries(values).map(([name, text]) => `${text} as "${name}"`)
  return `(select ${body} from (select ${list.join(', ')} offset 0) as "v")`
}

/** A constant span of time. */
export function duckdbSpan({ months, days: dayCount, microseconds }: Span): Text {
  return `to_months(${months}) + to_days(${dayCount}) + to_microseconds(${microseconds})`
}

export function postgresSpan({ months, days: dayCount, microseconds }: Span): Text {
  return `interval '${months} months ${dayCount} days ${microseconds} microseconds'`
}
