import { both } from './catalogue-row.ts'
import type { CatalogueRow } from './catalogue-row.ts'
import type { Text } from './forms.ts'
import { range } from './ranges.ts'

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
  replace: {
    kind: 'function',
    names: ['replace'],
    takes: ['text', 'written text', 'shorter text'],
    gives: 'text',
    says: 'the replacement is written out and no longer than what it replaces, so that no text grows',
    ...both(({ a, b, c }) => `replace(${a}, ${b}, ${c})`),
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
