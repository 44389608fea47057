import { both } from './catalogue-row.ts'
import type { CatalogueRow } from './catalogue-row.ts'
import {
  duckdbDouble,
  duckdbWhole,
  inDates,
  naming,
  POSTGRES_DATE,
  postgresDouble,
  postgresWhole,
  roundHalfAway,
} from './forms.ts'
import type { Text } from './forms.ts'
import { range, rising, widened } from './ranges.ts'

/** As PostgreSQL reads them: `o` alone is neither. */
const TRUE_WORDS = "'t', 'tr', 'tru', 'true', 'y', 'ye', 'yes', 'on', '1'"
const FALSE_WORDS = "'f', 'fa', 'fal', 'fals', 'false', 'n', 'no', 'of', 'off', '0'"

/** A table: casts. None can fail: what a value has no counterpart for in the other type becomes null. */
export const CASTS = {
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
  cast_text_integer: {
    kind: 'cast',
    names: ['text as integer'],
    takes: ['text'],
    gives: 'integer',
    says: 'up to 15 digits, with a sign and spaces around; anything else is null',
    duckdb: ({ a }) => `try_cast(regexp_extract(${a}, '^ *([+-]?[0-9]{1,15}) *$', 1) as bigint)`,
    postgres: ({ a }) => `cast(substring(${a} from '^ *([+-]?[0-9]{1,15}) *$') as bigint)`,
  },
  cast_text_number: {
    kind: 'cast',
    names: ['text as number'],
    takes: ['text'],
    gives: 'number',
    says: 'up to 15 digits before and after a point, with a sign and spaces around; anything else is null',
    duckdb: ({ a }) =>
      `try_cast(regexp_extract(${a}, '^ *([+-]?[0-9]{1,15}([.][0-9]{1,15})?) *$', 1) as double)`,
    postgres: ({ a }) => postgresDouble(`substring(${a} from '^ *([+-]?[0-9]{1,15}(?:[.][0-9]{1,15})?) *$')`),
  },
  cast_text_date: {
    kind: 'cast',
    names: ['text as date'],
    takes: ['text'],
    gives: 'date',
    says: '`2026-01-31`, with spaces around; anything else is null',
    duckdb: ({ a }) =>
      inDates(`try_cast(regexp_extract(${a}, '^ *([0-9]{4}-[0-9]{2}-[0-9]{2}) *$', 1) as date)`, 'duckdb'),
    postgres: ({ a }) => {
      const part = (from: number, length: number): Text => `cast(substr("t", ${from}, ${length}) as bigint)`
      const day = naming({ a: part(1, 4), b: part(6, 2), c: part(9, 2) }, POSTGRES_DATE)
      return inDates(
        naming({ t: `substring(${a} from '^ *([0-9]{4}-[0-9]{2}-[0-9]{2}) *$')` }, day),
        'postgres',
      )
    },
  },
  cast_text_boolean: {
    kind: 'cast',
    names: ['text as boolean'],
    takes: ['text'],
    gives: 'boolean',
    says: '`true`, `yes`, `on`, `1`, their opposites and beginnings of these words, with spaces around; anything else is null',
    prints: 2,
    ...both(({ a }) => {
      const word = `lower(trim(${a}))`
      return `case when ${word} in (${TRUE_WORDS}) then true when ${word} in (${FALSE_WORDS}) then false end`
    }),
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
