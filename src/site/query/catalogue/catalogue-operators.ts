import { both, each } from './catalogue-row.ts'
import type { CatalogueRow } from './catalogue-row.ts'
import {
  days,
  duckdbDouble,
  duckdbFinite,
  duckdbNullif,
  duckdbWhole,
  inDates,
  inTimestamps,
  naming,
  postgresDouble,
  postgresFinite,
  postgresWhole,
} from './forms.ts'
import type { Text } from './forms.ts'
import { corners, magnitude, quotient, range } from './ranges.ts'

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
    names: ['/', 'div'],
    takes: ['integer', 'integer'],
    gives: 'integer',
    says: 'whole part, as in PostgreSQL; null for division by zero',
    duckdb: ({ a, b }) => duckdbWhole(`trunc(${duckdbDouble(a)} / ${duckdbNullif(duckdbDouble(b), '0e0')})`),
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
    duckdb: ({ a, b }) => duckdbFinite(`${a} / ${duckdbNullif(b, '0e0')}`),
    postgres: ({ a, b }) => guardedByMagnitude(a, b, '/'),
    range: ([a, b]) => quotient(a, b),
  },
  mod_integer: {
    kind: 'operator',
    names: ['%', 'mod'],
    takes: ['integer', 'integer'],
    gives: 'integer',
    says: 'has the sign of the dividend; null for a divisor of zero and beyond ±2^53',
    duckdb: ({ a, b }) =>
      `(${duckdbWhole(duckdbDouble(a))} % ${duckdbNullif(duckdbWhole(duckdbDouble(b)), '0')})`,
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
    ...each(({ a, b }, dialect) => inDates(`${a} + ${days(b, dialect)}`, dialect)),
  },
  add_days_date: {
    kind: 'operator',
    names: ['+'],
    takes: ['integer', 'date'],
    gives: 'date',
    ...each(({ a, b }, dialect) => inDates(`${b} + ${days(a, dialect)}`, dialect)),
  },
  sub_date_days: {
    kind: 'operator',
    names: ['-'],
    takes: ['date', 'integer'],
    gives: 'date',
    ...each(({ a, b }, dialect) => inDates(`${a} - ${days(b, dialect)}`, dialect)),
  },
  sub_dates: {
    kind: 'operator',
    names: ['-'],
    takes: ['date', 'date'],
    gives: 'integer',
    says: 'days between',
    ...both(({ a, b }) => `cast(${a} - ${b} as bigint)`),
    range: () => range(-3_652_058, 3_652_058),
  },
  add_timestamp_span: {
    kind: 'operator',
    names: ['+'],
    takes: ['timestamp', 'interval'],
    gives: 'timestamp',
    says: 'months first, then days, then the rest; null outside of the years 1 to 9999',
    ...each(({ a, b }, dialect) => inTimestamps(`${a} + (${b})`, dialect)),
  },
  add_span_timestamp: {
    kind: 'operator',
    names: ['+'],
    takes: ['interval', 'timestamp'],
    gives: 'timestamp',
    ...each(({ a, b }, dialect) => inTimestamps(`${b} + (${a})`, dialect)),
  },
  sub_timestamp_span: {
    kind: 'operator',
    names: ['-'],
    takes: ['timestamp', 'interval'],
    gives: 'timestamp',
    ...each(({ a, b }, dialect) => inTimestamps(`${a} - (${b})`, dialect)),
  },
} as const satisfies Readonly<Record<string, CatalogueRow>>
