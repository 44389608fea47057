import type { Span } from './expression-type.ts'

/**
 * Pieces of engine text from which the catalogue's forms are made. Together they keep one promise: no value in the
 * data can make a statement fail. Numbers stay below 1e150 in magnitude, and results are 0 or above 1e-287; whole
 * numbers stay within ±2^53, dates between the years 1 and 9999; what would leave that domain becomes null, and so do NaN and
 * the infinities.
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

/** A text up to which DuckDB may be given it several times. */
const SHORT_CHARACTERS = 64

/**
 * DuckDB reads `nullif(x, y)` as `case when x = y then null else x end` and looks at x twice, and again twice within that: a sum of ten numbers
 * took it minutes to plan. So what is longer than a column is given a name. A list of one is no dearer for each row than the comparisons are. Some of DuckDB's functions are such texts themselves.
 */
export function duckdbNamed(text: Text, body: (name: Text) => Text): Text {
  return text.length <= SHORT_CHARACTERS ? body(text) : `list_transform([${text}], lambda v: ${body('v')})[1]`
}

/** Null for a value that is written out. */
export function duckdbNullif(text: Text, value: Text): Text {
  return duckdbNamed(text, (name) => `nullif(${name}, ${value})`)
}

/** The same for whatever value. */
export function duckdbNullifOf(text: Text, value: Text): Text {
  return text.length <= SHORT_CHARACTERS
    ? `nullif(${text}, ${value})`
    : `list_transform([{'a': ${text}, 'b': ${value}}], lambda v: nullif(v.a, v.b))[1]`
}

/** Null for what is not between two values. */
export function duckdbBetween(text: Text, low: Text, high: Text): Text {
  return duckdbNamed(text, (name) => between(name, low, high))
}

const BETWEEN = { duckdb: duckdbBetween, postgres: between } as const

/**
 * 2^-900. A double plus and minus it is itself, but for magnitudes near 0, which become multiples of 2^-952: no result
 * is so small that computing with it could fail for being too small, as it does in PostgreSQL.
 */
const GRAIN = 2 ** -900

/** A double that is 0 or above 1e-287 in magnitude. */
export const duckdbGrained = (text: Text): Text => `((${text} + ${GRAIN}) - ${GRAIN})`
export const postgresGrained = (text: Text): Text =>
  `((${text} + ${postgresDouble(`${GRAIN}`)}) - ${postgresDouble(`${GRAIN}`)})`

/** In the domain of results: null outside of ±1e150, 0 below 1e-287. */
export const duckdbFinite = (text: Text): Text =>
  duckdbGrained(duckdbBetween(text, `-${NUMBER_MAX}`, NUMBER_MAX))
export const postgresFinite = (text: Text): Text =>
  postgresGrained(between(text, postgresDouble(`-${NUMBER_MAX}`), postgresDouble(NUMBER_MAX)))

/** A double that holds a whole number, as one; null outside of ±2^53. */
export const duckdbWhole = (text: Text): Text =>
  `cast(${duckdbBetween(text, `-${INTEGER_MAX}`, INTEGER_MAX)} as bigint)`
export const postgresWhole = (text: Text): Text =>
  `cast(${between(text, postgresDouble(`-${INTEGER_MAX}`), postgresDouble(INTEGER_MAX))} as bigint)`

/** Days that can be added to any date and taken from it: 1.5 million, because PostgreSQL's dates begin in 4713 BC. */
export const days = (text: Text, dialect: keyof typeof BETWEEN): Text =>
  `cast(${BETWEEN[dialect](text, '-1500000', '1500000')} as integer)`

/** Null outside of the years 1 to 9999. */
export const inDates = (text: Text, dialect: keyof typeof BETWEEN): Text =>
  BETWEEN[dialect](text, "date '0001-01-01'", "date '9999-12-31'")
export const inTimestamps = (text: Text, dialect: keyof typeof BETWEEN): Text =>
  BETWEEN[dialect](text, "timestamp '0001-01-01 00:00:00'", "timestamp '9999-12-31 00:00:00'")

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

/** Rounds half away from zero for PostgreSQL, whose `round` of a double goes to the even neighbour. */
export function roundHalfAway(value: Text): Text {
  return naming({ a: value }, 'trunc("a") + case when abs("a" - trunc("a")) >= 0.5 then sign("a") else 0 end')
}

/** The day of the year `"a"`, month `"b"` and day `"c"` for PostgreSQL, which fails where there is none. */
export const POSTGRES_DATE = `case when "a" between 1 and 9999 and "b" between 1 and 12 and "c" between 1 and
case when "b" in (4, 6, 9, 11) then 30 when "b" <> 2 then 31 when "a" % 4 = 0 and ("a" % 100 <> 0 or "a" % 400 = 0) then 29 else 28 end
then make_date(cast("a" as integer), cast("b" as integer), cast("c" as integer)) end`
