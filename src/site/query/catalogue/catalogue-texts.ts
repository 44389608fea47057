import { both, together } from './catalogue-row.ts'
import type { CatalogueRow } from './catalogue-row.ts'
import { inDates, naming, POSTGRES_DATE } from './forms.ts'
import type { Text } from './forms.ts'
import { range } from './ranges.ts'
import { PARTS } from './text-parts.ts'

/** Parts of `to_char` patterns by what DuckDB's `strftime` calls them, the longer of two that begin alike first. */
const PATTERN_PARTS: Readonly<Record<string, Text>> = {
  YYYY: '%Y',
  IYYY: '%G',
  HH24: '%H',
  DDD: '%j',
  MM: '%m',
  DD: '%d',
  IW: '%V',
  ID: '%u',
  MI: '%M',
  SS: '%S',
}

function strftimePattern(pattern: Text): Text {
  return pattern.replaceAll(/YYYY|IYYY|HH24|DDD|MM|DD|IW|ID|MI|SS/g, (part) => PATTERN_PARTS[part] ?? part)
}

/** Without a separator one engine would part a text into its signs, the other not at all. */
function duckdbParts(text: Text, separator: Text): Text {
  return `case when ${separator} is not null then string_split(${text}, ${separator}) end`
}

function postgresParts(text: Text, separator: Text): Text {
  return `case when ${separator} is not null then string_to_array(${text}, ${separator}) end`
}

/** A table: functions that search in texts and write dates. What they search for is written out and is not empty. */
export const TEXTS = {
  position: {
    kind: 'function',
    names: ['strpos', 'position'],
    takes: ['text', 'written text'],
    gives: 'integer',
    says: 'code points from 1, 0 where it is not',
    ...both(({ a, b }) => `cast(strpos(${a}, ${b}) as bigint)`),
    range: () => range(0, 1e9),
  },
  starts_with: {
    kind: 'function',
    names: ['starts_with'],
    takes: ['text', 'written text'],
    gives: 'boolean',
    ...both(({ a, b }) => `starts_with(${a}, ${b})`),
  },
  split_part: {
    kind: 'function',
    names: ['split_part'],
    takes: ['text', 'written text', { constant: 'from' }],
    gives: 'text',
    says: 'from the left',
    ...both(({ a, b, constants: [from = 1] }) => `split_part(${a}, ${b}, ${from})`),
  },
  part_at: {
    kind: 'function',
    names: [PARTS.at],
    takes: ['text', 'written text', { constant: 'from' }],
    gives: 'text',
    says: 'null where there are fewer',
    duckdb: ({ a, b, constants: [from = 1] }) => `(${duckdbParts(`nullif(${a}, '')`, b)})[${from}]`,
    postgres: ({ a, b, constants: [from = 1] }) => `(${postgresParts(a, b)})[${from}]`,
  },
  part_count: {
    kind: 'function',
    names: [PARTS.count],
    takes: ['text', 'written text'],
    gives: 'integer',
    says: 'null of an empty text, as in PostgreSQL',
    duckdb: ({ a, b }) => `cast(len(${duckdbParts(`nullif(${a}, '')`, b)}) as bigint)`,
    postgres: ({ a, b }) => `cast(array_length(${postgresParts(a, b)}, 1) as bigint)`,
    range: () => range(1, 1e9),
  },
  has_part: {
    kind: 'function',
    names: [PARTS.has],
    takes: ['text', 'text', 'written text'],
    gives: 'boolean',
    says: 'also `<> all`',
    prints: 2,
    duckdb: ({ a, b, c }) =>
      `case when ${c} is not null then (list_contains(string_split(${b}, ${c}), ${a}) and ${b} <> '') end`,
    postgres: ({ a, b, c }) => `(${a} = any(${postgresParts(b, c)}))`,
  },
  replace: {
    kind: 'function',
    names: ['replace'],
    takes: ['text', 'written text', 'shorter text'],
    gives: 'text',
    says: 'the replacement is written out and no longer than what it replaces, so that no text grows',
    ...both(({ a, b, c }) => `replace(${a}, ${b}, ${c})`),
  },
  translate: {
    kind: 'function',
    names: ['translate'],
    takes: ['text', 'written text', 'shorter text'],
    gives: 'text',
    says: 'sign by sign; what has no counterpart is taken out',
    ...both(({ a, b, c }) => `translate(${a}, ${b}, ${c})`),
  },
  lpad: {
    kind: 'function',
    names: ['lpad'],
    takes: ['text', { constant: 'width' }, 'written text'],
    gives: 'text',
    ...both(({ a, b, constants: [width = 0] }) => `lpad(${a}, ${width}, ${b})`),
  },
  lpad_spaces: {
    kind: 'function',
    names: ['lpad'],
    takes: ['text', { constant: 'width' }],
    gives: 'text',
    ...both(({ a, constants: [width = 0] }) => `lpad(${a}, ${width}, ' ')`),
  },
  rpad: {
    kind: 'function',
    names: ['rpad'],
    takes: ['text', { constant: 'width' }, 'written text'],
    gives: 'text',
    ...both(({ a, b, constants: [width = 0] }) => `rpad(${a}, ${width}, ${b})`),
  },
  rpad_spaces: {
    kind: 'function',
    names: ['rpad'],
    takes: ['text', { constant: 'width' }],
    gives: 'text',
    ...both(({ a, constants: [width = 0] }) => `rpad(${a}, ${width}, ' ')`),
  },
  repeat: {
    kind: 'function',
    names: ['repeat'],
    takes: ['text', { constant: 'repeats' }],
    gives: 'text',
    copies: ([one = 1], [repeats = 0]) => one * Number(repeats),
    ...both(({ a, constants: [repeats = 0] }) => `repeat(${a}, ${repeats})`),
  },
  concat_ws: {
    kind: 'function',
    names: ['concat_ws'],
    takes: ['written text', 'text'],
    isVariadic: true,
    gives: 'text',
    says: 'nulls are left out, and what would stand between',
    copies: (args) => together(args) * 2,
    ...both(({ all }) => `concat_ws(${all.join(', ')})`),
  },
  make_date: {
    kind: 'function',
    names: ['make_date'],
    takes: ['integer', 'integer', 'integer'],
    gives: 'date',
    says: 'null where there is no such day, and outside of the years 1 to 9999',
    duckdb: ({ a, b, c }) => inDates(`try_cast(printf('%d-%d-%d', ${a}, ${b}, ${c}) as date)`),
    postgres: ({ a, b, c }) => inDates(naming({ a, b, c }, POSTGRES_DATE)),
  },
  to_char_date: {
    kind: 'function',
    names: ['to_char'],
    takes: ['date', { constant: 'date pattern' }],
    gives: 'text',
    duckdb: ({ a, constants: [pattern = ''] }) => `strftime(${a}, '${strftimePattern(String(pattern))}')`,
    postgres: ({ a, constants: [pattern = ''] }) => `to_char(${a}, '${pattern}')`,
  },
  to_char_timestamp: {
    kind: 'function',
    names: ['to_char'],
    takes: ['timestamp', { constant: 'date pattern' }],
    gives: 'text',
    duckdb: ({ a, constants: [pattern = ''] }) => `strftime(${a}, '${strftimePattern(String(pattern))}')`,
    postgres: ({ a, constants: [pattern = ''] }) => `to_char(${a}, '${pattern}')`,
  },
  age_years: {
    kind: 'function',
    names: ['extract(year from age(a, b))'],
    takes: ['timestamp', 'timestamp'],
    gives: 'integer',
    says: 'whole years from the second to the first',
    ...both(({ a, b }) => `cast(extract(year from age(${a}, ${b})) as bigint)`),
    range: () => range(-10_000, 10_000),
  },
} as const satisfies Readonly<Record<string, CatalogueRow>>
