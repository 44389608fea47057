import { both, infix } from './catalogue-row.ts'
import type { CatalogueRow } from './catalogue-row.ts'
import { LIMITS } from '../../../kernel/limits.ts'
import { range } from './ranges.ts'

/** How what is asked of a list is written, where it is no function and no operator alone. */
export const LISTS = { at: '(list)[n]', has: 'x = any (list)', of: 'ARRAY[…]' } as const

/** A table: what may be asked of columns that are lists, whose values are never null. */
export const LIST_CALLS = {
  list_at: {
    kind: 'syntax',
    names: [LISTS.at],
    takes: ['list', { constant: 'from' }],
    gives: 'item',
    says: 'from 1; null where there are fewer',
    ...both(({ a, constants: [from = 1] }) => `(${a})[${from}]`),
  },
  list_length: {
    kind: 'function',
    names: ['cardinality'],
    takes: ['list'],
    gives: 'integer',
    duckdb: ({ a }) => `cast(len(${a}) as bigint)`,
    postgres: ({ a }) => `cast(cardinality(${a}) as bigint)`,
    range: () => range(0, LIMITS.listItemsMax),
  },
  list_length_of_dimension: {
    kind: 'function',
    names: ['array_length'],
    takes: ['list', { constant: 'dimension' }],
    gives: 'integer',
    says: 'null of an empty list, as in PostgreSQL',
    duckdb: ({ a }) => `cast(nullif(len(${a}), 0) as bigint)`,
    postgres: ({ a }) => `cast(array_length(${a}, 1) as bigint)`,
    range: () => range(0, LIMITS.listItemsMax),
  },
  list_has: {
    kind: 'syntax',
    names: [LISTS.has],
    takes: ['item', 'list'],
    gives: 'boolean',
    says: 'also `<> all`; of an empty list false, for null too',
    prints: 2,
    duckdb: ({ a, b }) => `case when len(${b}) = 0 then false else list_contains(${b}, ${a}) end`,
    postgres: ({ a, b }) => `(${a} = any(${b}))`,
  },
  lists_overlap: {
    kind: 'operator',
    names: ['&&'],
    takes: ['list', 'list'],
    gives: 'boolean',
    duckdb: ({ a, b }) => `list_has_any(${a}, ${b})`,
    postgres: infix('&&').postgres,
  },
  list_has_all: {
    kind: 'operator',
    names: ['@>'],
    takes: ['list', 'list'],
    gives: 'boolean',
    duckdb: ({ a, b }) => `list_has_all(${a}, ${b})`,
    postgres: infix('@>').postgres,
  },
  list_is_within: {
    kind: 'operator',
    names: ['<@'],
    takes: ['list', 'list'],
    gives: 'boolean',
    duckdb: ({ a, b }) => `list_has_all(${b}, ${a})`,
    postgres: infix('<@').postgres,
  },
  list_of_booleans: {
    kind: 'syntax',
    names: [],
    takes: ['boolean'],
    isVariadic: true,
    gives: 'boolean[]',
    duckdb: ({ all }) => `list_value(${all.join(', ')})`,
    postgres: ({ all }) => `array[${all.join(', ')}]`,
  },
  list_of_integers: {
    kind: 'syntax',
    names: [],
    takes: ['integer'],
    isVariadic: true,
    gives: 'integer[]',
    duckdb: ({ all }) => `list_value(${all.join(', ')})`,
    postgres: ({ all }) => `array[${all.join(', ')}]`,
  },
  list_of_numbers: {
    kind: 'syntax',
    names: [],
    takes: ['number'],
    isVariadic: true,
    gives: 'number[]',
    duckdb: ({ all }) => `list_value(${all.join(', ')})`,
    postgres: ({ all }) => `array[${all.join(', ')}]`,
  },
  list_of_texts: {
    kind: 'syntax',
    names: [],
    takes: ['text'],
    isVariadic: true,
    gives: 'text[]',
    says: 'of values that are written out, beside an operator of lists',
    duckdb: ({ all }) => `list_value(${all.join(', ')})`,
    postgres: ({ all }) => `array[${all.join(', ')}]`,
  },
} as const satisfies Readonly<Record<string, CatalogueRow>>
