import { both, infix } from './catalogue-row.ts'
import type { CatalogueRow } from './catalogue-row.ts'
import {
  days,
  duckdbDouble,
  duckdbFinite,
  duckdbWhole,
  inDates,
  inTimestamps,
  naming,
  postgresDouble,
  postgresFinite,
  postgresWhole,
} from './forms.ts'
import type { Text } from './forms.ts'
import { corners, hull, magnitude, quotient, range, rising, widened } from './ranges.ts'

/**
 * A table: operators. Whole numbers are added, subtracted and multiplied as doubles, which are exact to ±2^53, and
 * what goes past is null, so that nothing overflows. Dividing by zero gives null.
 */

/** `a` times or through `b` for PostgreSQL, which fails where a result of doubles is too large or too small to be told from 0. */
function guardedByMagnitude(a: Text, b: Text, sign: '*' | '/'): Text {
  const size = `log(abs("a")) ${sign === '*' ? '+' : '-'} log(abs("b"))`
  return postgresFinite(
    naming(
      { a, b },
      `case when "a" is null or "b" is null then null${sign === '/' ? ' when "b" = 0 then null' : ''} when "a" = 0 or "b" = 0 then cast(0 as float8) when ${size} < -290 then cast(0 as float8) when ${size} > 151 then null else "a" ${sign} "b" end`,
    ),
  )
}

function wholeArithmetic(sign: string): Pick<CatalogueRow, 'duckdb' | 'postgres'> {
  return {
    duckdb: ({ a, b }) => duckdbWhole(`${duckdbDouble(a)} ${sign} ${duckdbDouble(b)}`),
    postgres: ({ a, b }) => postgresWhole(`${postgresDouble(a)} ${sign} ${postgresDouble(b)}`),
  }
}

export const OPERATORS = {
  add_integer: {
    kind: 'operator',
    names: ['+'],
    takes: ['integer', 'integer'],
    gives: 'integer',
    says: 'exact within ±2^53, null beyond',
    ...wholeArithmetic('+'),
    range: ([a, b]) => corners(a, b, (x, y) => x + y),
  },
  add_number: {
    kind: 'operator',
    names: ['+'],
    takes: ['number', 'number'],
    gives: 'number',
    says: 'null beyond ±1e150',
    duckdb: ({ a, b }) => duckdbFinite(`${a} + ${b}`),
    postgres: ({ a, b }) => postgresFinite(`${a} + ${b}`),
    range: ([a, b]) => corners(a, b, (x, y) => x + y),
  },
  sub_integer: {
    kind: 'operator',
    names: ['-'],
    takes: ['integer', 'integer'],
    gives: 'integer',
    says: 'exact within ±2^53, null beyond',
    ...wholeArithmetic('-'),
    range: ([a, b]) => corners(a, b, (x, y) => x - y),
  },
  sub_number: {
    kind: 'operator',
    names: ['-'],
    takes: ['number', 'number'],
    gives: 'number',
    says: 'null beyond ±1e150',
    duckdb: ({ a, b }) => duckdbFinite(`${a} - ${b}`),
    postgres: ({ a, b }) => postgresFinite(`${a} - ${b}`),
    range: ([a, b]) => corners(a, b, (x, y) => x - y),
  },
  mul_integer: {
    kind: 'operator',
    names: ['*'],
    takes: ['integer', 'integer'],
    gives: 'integer',
    says: 'exact within ±2^53, null beyond',
    ...wholeArithmetic('*'),
    range: ([a, b]) => corners(a, b, (x, y) => x * y),
  },
  mul_number: {
    kind: 'operator',
    names: ['*'],
    takes: ['number', 'number'],
    gives: 'number',
    says: 'null beyond ±1e150, 0 below 1e-287',
    duckdb: ({ a, b }) => duckdbFinite(`${a} * ${b}`),
    postgres: ({ a, b }) => guardedByMagnitude(a, b, '*'),
    range: ([a, b]) => corners(a, b, (x, y) => x * y),
  },
  div_integer: {
    kind: 'operator',
    names: ['/'],
    takes: ['integer', 'integer'],
    gives: 'integer',
    says: 'whole part, as in PostgreSQL; null for division by zero',
    duckdb: ({ a, b }) => duckdbWhole(`trunc(${duckdbDouble(a)} / nullif(${duckdbDouble(b)}, 0e0))`),
    postgres: ({ a, b }) =>
      postgresWhole(`trunc(${postgresDouble(a)} / nullif(${postgresDouble(b)}, ${postgresDouble('0')}))`),
    range: ([a, b]) => {
      const r = quotient(a, b)
      return r && range(Math.trunc(r.least), Math.trunc(r.greatest))
    },
  },
  div_number: {
    kind: 'operator',
    names: ['/'],
    takes: ['number', 'number'],
    gives: 'number',
    says: 'null for division by zero and beyond ±1e150',
    duckdb: ({ a, b }) => duckdbFinite(`${a} / nullif(${b}, 0e0)`),
    postgres: ({ a, b }) => guardedByMagnitude(a, b, '/'),
    range: ([a, b]) => quotient(a, b),
  },
  mod_integer: {
    kind: 'operator',
    names: ['%', 'mod'],
    takes: ['integer', 'integer'],
    gives: 'integer',
    says: 'has the sign of the dividend; null for a divisor of zero and beyond ±2^53',
    duckdb: ({ a, b }) => `(${duckdbWhole(duckdbDouble(a))} % nullif(${duckdbWhole(duckdbDouble(b))}, 0))`,
    postgres: ({ a, b }) =>
      `(${postgresWhole(postgresDouble(a))} % nullif(${postgresWhole(postgresDouble(b))}, 0))`,
    range: ([, b]) => {
      const m = magnitude(b)
      return m && range(-m.greatest, m.greatest)
    },
  },
  neg_integer: {
    kind: 'operator',
    names: ['-'],
    takes: ['integer'],
    gives: 'integer',
    duckdb: ({ a }) => duckdbWhole(`-${duckdbDouble(a)}`),
    postgres: ({ a }) => postgresWhole(`-${postgresDouble(a)}`),
    range: ([a]) => a && range(-a.greatest, -a.least),
  },
  neg_number: {
    kind: 'operator',
    names: ['-'],
    takes: ['number'],
    gives: 'number',
    ...both(({ a }) => `(-${a})`),
    range: ([a]) => a && range(-a.greatest, -a.least),
  },
  plus_integer: {
    kind: 'operator',
    names: ['+'],
    takes: ['integer'],
    gives: 'integer',
    ...both(({ a }) => a),
    range: ([a]) => a,
  },
  plus_number: {
    kind: 'operator',
    names: ['+'],
    takes: ['number'],
    gives: 'number',
    ...both(({ a }) => a),
    range: ([a]) => a,
  },

  add_date_days: {
    kind: 'operator',
    names: ['+'],
    takes: ['date', 'integer'],
    gives: 'date',
    says: 'days, at most 1.5 million; null outside of the years 1 to 9999',
    ...both(({ a, b }) => inDates(`${a} + ${days(b)}`)),
  },
  add_days_date: {
    kind: 'operator',
    names: ['+'],
    takes: ['integer', 'date'],
    gives: 'date',
    ...both(({ a, b }) => inDates(`${b} + ${days(a)}`)),
  },
  sub_date_days: {
    kind: 'operator',
    names: ['-'],
    takes: ['date', 'integer'],
    gives: 'date',
    ...both(({ a, b }) => inDates(`${a} - ${days(b)}`)),
  },
  sub_dates: {
    kind: 'operator',
    names: ['-'],
    takes: ['date', 'date'],
    gives: 'integer',
    says: 'days between',
    ...both(({ a, b }) => `cast(${a} - ${b} as bigint)`),
  },
  add_timestamp_span: {
    kind: 'operator',
    names: ['+'],
    takes: ['timestamp', 'interval'],
    gives: 'timestamp',
    says: 'months first, then days, then the rest; null outside of the years 1 to 9999',
    ...both(({ a, b }) => inTimestamps(`${a} + (${b})`)),
  },
  add_span_timestamp: {
    kind: 'operator',
    names: ['+'],
    takes: ['interval', 'timestamp'],
    gives: 'timestamp',
    ...both(({ a, b }) => inTimestamps(`${b} + (${a})`)),
  },
  sub_timestamp_span: {
    kind: 'operator',
    names: ['-'],
    takes: ['timestamp', 'interval'],
    gives: 'timestamp',
    ...both(({ a, b }) => inTimestamps(`${a} - (${b})`)),
  },

  eq: {
    kind: 'operator',
    names: ['='],
    takes: ['any', 'any'],
    gives: 'boolean',
    says: 'texts are compared code point by code point',
    ...infix('='),
  },
  ne: { kind: 'operator', names: ['<>'], takes: ['any', 'any'], gives: 'boolean', ...infix('<>') },
  lt: { kind: 'operator', names: ['<'], takes: ['any', 'any'], gives: 'boolean', ...infix('<') },
  le: { kind: 'operator', names: ['<='], takes: ['any', 'any'], gives: 'boolean', ...infix('<=') },
  gt: { kind: 'operator', names: ['>'], takes: ['any', 'any'], gives: 'boolean', ...infix('>') },
  ge: { kind: 'operator', names: ['>='], takes: ['any', 'any'], gives: 'boolean', ...infix('>=') },
  concat: {
    kind: 'operator',
    names: ['||'],
    takes: ['text', 'text'],
    gives: 'text',
    says: 'null when either side is',
    ...infix('||'),
  },

  distinct: {
    kind: 'syntax',
    names: ['IS DISTINCT FROM'],
    takes: ['any', 'any'],
    gives: 'boolean',
    ...infix('is distinct from'),
  },
  not_distinct: {
    kind: 'syntax',
    names: ['IS NOT DISTINCT FROM'],
    takes: ['any', 'any'],
    gives: 'boolean',
    ...infix('is not distinct from'),
  },
  between: {
    kind: 'syntax',
    names: ['BETWEEN'],
    takes: ['any', 'any', 'any'],
    gives: 'boolean',
    ...both(({ a, b, c }) => `(${a} between ${b} and ${c})`),
  },
  not_between: {
    kind: 'syntax',
    names: ['NOT BETWEEN'],
    takes: ['any', 'any', 'any'],
    gives: 'boolean',
    ...both(({ a, b, c }) => `(${a} not between ${b} and ${c})`),
  },
  in: {
    kind: 'syntax',
    names: ['IN'],
    takes: ['any', 'any'],
    isVariadic: true,
    gives: 'boolean',
    ...both(({ a, all }) => `(${a} in (${all.slice(1).join(', ')}))`),
  },
  not_in: {
    kind: 'syntax',
    names: ['NOT IN'],
    takes: ['any', 'any'],
    isVariadic: true,
    gives: 'boolean',
    ...both(({ a, all }) => `(${a} not in (${all.slice(1).join(', ')}))`),
  },
  like: {
    kind: 'syntax',
    names: ['LIKE', '~~'],
    takes: ['text', 'pattern'],
    gives: 'boolean',
    says: 'the pattern is written out; backslash escapes',
    ...both(({ a, b }) => `(${a} like ${b} escape '\\')`),
  },
  not_like: {
    kind: 'syntax',
    names: ['NOT LIKE', '!~~'],
    takes: ['text', 'pattern'],
    gives: 'boolean',
    ...both(({ a, b }) => `(${a} not like ${b} escape '\\')`),
  },
  ilike: {
    kind: 'syntax',
    names: ['ILIKE', '~~*'],
    takes: ['text', 'pattern'],
    gives: 'boolean',
    says: 'compares lower-case forms',
    duckdb: ({ a, b }) => `(lower(${a}) like lower(${b}) escape '\\')`,
    postgres: ({ a, b }) =>
      `(lower(${a} collate "pg_c_utf8") like lower(${b} collate "pg_c_utf8") escape '\\')`,
  },
  not_ilike: {
    kind: 'syntax',
    names: ['NOT ILIKE', '!~~*'],
    takes: ['text', 'pattern'],
    gives: 'boolean',
    duckdb: ({ a, b }) => `(lower(${a}) not like lower(${b}) escape '\\')`,
    postgres: ({ a, b }) =>
      `(lower(${a} collate "pg_c_utf8") not like lower(${b} collate "pg_c_utf8") escape '\\')`,
  },
  and: {
    kind: 'syntax',
    names: ['AND'],
    takes: ['boolean', 'boolean'],
    isVariadic: true,
    gives: 'boolean',
    ...both(({ all }) => `(${all.join(' and ')})`),
  },
  or: {
    kind: 'syntax',
    names: ['OR'],
    takes: ['boolean', 'boolean'],
    isVariadic: true,
    gives: 'boolean',
    ...both(({ all }) => `(${all.join(' or ')})`),
  },
  not: {
    kind: 'syntax',
    names: ['NOT'],
    takes: ['boolean'],
    gives: 'boolean',
    ...both(({ a }) => `(not ${a})`),
  },
  is_null: {
    kind: 'syntax',
    names: ['IS NULL'],
    takes: ['any'],
    gives: 'boolean',
    ...both(({ a }) => `(${a} is null)`),
  },
  is_not_null: {
    kind: 'syntax',
    names: ['IS NOT NULL'],
    takes: ['any'],
    gives: 'boolean',
    ...both(({ a }) => `(${a} is not null)`),
  },
  is_true: {
    kind: 'syntax',
    names: ['IS TRUE'],
    takes: ['boolean'],
    gives: 'boolean',
    ...both(({ a }) => `(${a} is not distinct from true)`),
  },
  is_not_true: {
    kind: 'syntax',
    names: ['IS NOT TRUE'],
    takes: ['boolean'],
    gives: 'boolean',
    ...both(({ a }) => `(${a} is distinct from true)`),
  },
  is_false: {
    kind: 'syntax',
    names: ['IS FALSE'],
    takes: ['boolean'],
    gives: 'boolean',
    ...both(({ a }) => `(${a} is not distinct from false)`),
  },
  is_not_false: {
    kind: 'syntax',
    names: ['IS NOT FALSE'],
    takes: ['boolean'],
    gives: 'boolean',
    ...both(({ a }) => `(${a} is distinct from false)`),
  },

  coalesce: {
    kind: 'syntax',
    names: ['COALESCE'],
    takes: ['any'],
    isVariadic: true,
    gives: 'any',
    ...both(({ all }) => `coalesce(${all.join(', ')})`),
    range: hull,
  },
  nullif: {
    kind: 'syntax',
    names: ['NULLIF'],
    takes: ['any', 'any'],
    gives: 'any',
    ...both(({ a, b }) => `nullif(${a}, ${b})`),
    range: ([a]) => a,
  },
  least: {
    kind: 'syntax',
    names: ['LEAST'],
    takes: ['any'],
    isVariadic: true,
    gives: 'any',
    says: 'nulls are left out',
    ...both(({ all }) => `least(${all.join(', ')})`),
    range: hull,
  },
  greatest: {
    kind: 'syntax',
    names: ['GREATEST'],
    takes: ['any'],
    isVariadic: true,
    gives: 'any',
    says: 'nulls are left out',
    ...both(({ all }) => `greatest(${all.join(', ')})`),
    range: hull,
  },

  cast_integer_number: {
    kind: 'cast',
    names: ['integer as number'],
    takes: ['integer'],
    gives: 'number',
    duckdb: ({ a }) => duckdbDouble(a),
    postgres: ({ a }) => postgresDouble(a),
    range: ([a]) => a,
  },
  cast_number_integer: {
    kind: 'cast',
    names: ['number as integer'],
    takes: ['number'],
    gives: 'integer',
    says: 'rounds half away from zero; null beyond ±2^53',
    duckdb: ({ a }) => duckdbWhole(`round(${a})`),
    postgres: ({ a }) => postgresWhole(roundHalfAway(a)),
    range: ([a]) => widened(rising(a, Math.round), 1),
  },
  cast_boolean_integer: {
    kind: 'cast',
    names: ['boolean as integer'],
    takes: ['boolean'],
    gives: 'integer',
    ...both(({ a }) => `cast(cast(${a} as integer) as bigint)`),
    range: () => range(0, 1),
  },
  cast_integer_boolean: {
    kind: 'cast',
    names: ['integer as boolean'],
    takes: ['integer'],
    gives: 'boolean',
    ...both(({ a }) => `(${a} <> 0)`),
  },
  cast_integer_text: {
    kind: 'cast',
    names: ['integer as text'],
    takes: ['integer'],
    gives: 'text',
    ...both(({ a }) => `cast(${a} as text)`),
  },
  cast_boolean_text: {
    kind: 'cast',
    names: ['boolean as text'],
    takes: ['boolean'],
    gives: 'text',
    ...both(({ a }) => `cast(${a} as text)`),
  },
  cast_date_text: {
    kind: 'cast',
    names: ['date as text'],
    takes: ['date'],
    gives: 'text',
    says: '`2026-01-31`',
    duckdb: ({ a }) => `strftime(${a}, '%Y-%m-%d')`,
    postgres: ({ a }) => `to_char(${a}, 'YYYY-MM-DD')`,
  },
  cast_date_timestamp: {
    kind: 'cast',
    names: ['date as timestamp'],
    takes: ['date'],
    gives: 'timestamp',
    says: 'midnight',
    ...both(({ a }) => `cast(${a} as timestamp)`),
  },
  cast_timestamp_date: {
    kind: 'cast',
    names: ['timestamp as date'],
    takes: ['timestamp'],
    gives: 'date',
    ...both(({ a }) => `cast(${a} as date)`),
  },
} as const satisfies Readonly<Record<string, CatalogueRow>>

/** Rounds half away from zero for PostgreSQL, whose `round` of a double goes to the even neighbour. */
export function roundHalfAway(value: Text): Text {
  return naming({ a: value }, 'trunc("a") + case when abs("a" - trunc("a")) >= 0.5 then sign("a") else 0 end')
}
