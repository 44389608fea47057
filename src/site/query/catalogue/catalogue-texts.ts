import { LIST_OF_PARTS, both, storedTexts, together } from './catalogue-row.ts'
import type { CatalogueRow } from './catalogue-row.ts'
import { duckdbWritten } from './date-pattern.ts'
import {
  POSTGRES_DATE,
  duckdbDouble,
  duckdbNamed,
  duckdbNullif,
  inDates,
  inTimestamps,
  naming,
  postgresDouble,
} from './forms.ts'
import type { Text } from './forms.ts'
import { duckdbPatterned, postgresPatterned } from './number-pattern.ts'
import { range } from './ranges.ts'
import { PARTS } from './text-parts.ts'

/** The seconds of a span of years, months, days and time, with 30 days a month. */
function secondsOfAge(
  age: Text,
  seconds: (age: Text) => Text,
  double: (text: Text) => Text = duckdbDouble,
): Text {
  const field = (name: string, times: number): Text =>
    `${double(`extract(${name} from ${age})`)} * ${double(String(times))}`
  const parts = [
    field('year', 360 * 86_400),
    field('month', 30 * 86_400),
    field('day', 86_400),
    field('hour', 3_600),
    field('minute', 60),
    double(seconds(age)),
  ]
  return `(${parts.join(' + ')})`
}

/** A pattern of a day: as an expression with groups, in which group and from which sign year, month and day are. */
function readDayPattern(pattern: Text): {
  readonly expression: Text
  readonly order: readonly number[]
  readonly from: readonly (readonly [at: number, length: number])[]
} {
  const parts = ['YYYY', 'MM', 'DD'] as const
  const inOrder = parts.toSorted((one, other) => pattern.indexOf(one) - pattern.indexOf(other))
  return {
    expression: `^${pattern.replaceAll('.', '[.]').replaceAll(/YYYY|MM|DD/g, (part) => `([0-9]{${part.length}})`)}$`,
    order: parts.map((part) => inOrder.indexOf(part) + 1),
    from: parts.map((part) => [pattern.indexOf(part) + 1, part.length] as const),
  }
}

/** Of UTF-8. */
const SIGN_BYTES_MAX = 4

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
    names: ['starts_with', '^@'],
    takes: ['text', 'written text'],
    gives: 'boolean',
    ...both(({ a, b }) => `starts_with(${a}, ${b})`),
  },
  split_part: {
    kind: 'function',
    names: ['split_part'],
    takes: ['text', 'written text', { constant: 'place' }],
    gives: 'text',
    says: 'from the left, below 0 from the right',
    duckdb: ({ a, b, constants: [from = 1] }) =>
      duckdbNamed(a, (name) => `split_part(${name}, ${b}, ${from})`),
    postgres: ({ a, b, constants: [from = 1] }) => `split_part(${a}, ${b}, ${from})`,
  },
  part_at: {
    kind: 'function',
    names: [PARTS.at],
    takes: ['text', 'written text', { constant: 'from' }],
    gives: 'text',
    says: 'null where there are fewer',
    makes: LIST_OF_PARTS,
    duckdb: ({ a, b, constants: [from = 1] }) => `(${duckdbParts(duckdbNullif(a, "''"), b)})[${from}]`,
    postgres: ({ a, b, constants: [from = 1] }) => `(${postgresParts(a, b)})[${from}]`,
  },
  part_count: {
    kind: 'function',
    names: [PARTS.count],
    takes: ['text', 'written text'],
    gives: 'integer',
    says: 'null of an empty text, as in PostgreSQL',
    makes: LIST_OF_PARTS,
    duckdb: ({ a, b }) => `cast(len(${duckdbParts(duckdbNullif(a, "''"), b)}) as bigint)`,
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
    makes: LIST_OF_PARTS,
    duckdb: ({ a, b, c }) =>
      `case when ${c} is not null then (list_contains(string_split(${b}, ${c}), ${a}) and ${b} <> '') end`,
    postgres: ({ a, b, c }) => `(${a} = any(${postgresParts(b, c)}))`,
  },
  left: {
    kind: 'function',
    names: ['left'],
    takes: ['text', { constant: 'length or but' }],
    gives: 'text',
    says: 'below 0 all but so many',
    ...both(({ a, constants: [length = 0] }) => `left(${a}, ${length})`),
  },
  right: {
    kind: 'function',
    names: ['right'],
    takes: ['text', { constant: 'length or but' }],
    gives: 'text',
    says: 'below 0 all but so many',
    ...both(({ a, constants: [length = 0] }) => `right(${a}, ${length})`),
  },
  btrim_signs: {
    kind: 'function',
    names: ['btrim', 'trim'],
    takes: ['text', 'written text'],
    gives: 'text',
    says: 'any of the signs of the second, also `trim(both … from …)`',
    duckdb: ({ a, b }) => `trim(${a}, ${b})`,
    postgres: ({ a, b }) => `btrim(${a}, ${b})`,
  },
  ltrim_signs: {
    kind: 'function',
    names: ['ltrim'],
    takes: ['text', 'written text'],
    gives: 'text',
    says: 'any of the signs of the second',
    ...both(({ a, b }) => `ltrim(${a}, ${b})`),
  },
  rtrim_signs: {
    kind: 'function',
    names: ['rtrim'],
    takes: ['text', 'written text'],
    gives: 'text',
    says: 'any of the signs of the second',
    ...both(({ a, b }) => `rtrim(${a}, ${b})`),
  },
  octet_length: {
    kind: 'function',
    names: ['octet_length'],
    takes: ['text'],
    gives: 'integer',
    says: 'bytes of UTF-8',
    duckdb: ({ a }) => `cast(strlen(${a}) as bigint)`,
    postgres: ({ a }) => `cast(octet_length(${a}) as bigint)`,
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
    copies: ([one = 1], [width = 0]) => Math.max(one, storedTexts(SIGN_BYTES_MAX * Number(width))),
    ...both(({ a, b, constants: [width = 0] }) => `lpad(${a}, ${width}, ${b})`),
  },
  lpad_spaces: {
    kind: 'function',
    names: ['lpad'],
    takes: ['text', { constant: 'width' }],
    gives: 'text',
    copies: ([one = 1], [width = 0]) => Math.max(one, storedTexts(Number(width))),
    ...both(({ a, constants: [width = 0] }) => `lpad(${a}, ${width}, ' ')`),
  },
  rpad: {
    kind: 'function',
    names: ['rpad'],
    takes: ['text', { constant: 'width' }, 'written text'],
    gives: 'text',
    copies: ([one = 1], [width = 0]) => Math.max(one, storedTexts(SIGN_BYTES_MAX * Number(width))),
    ...both(({ a, b, constants: [width = 0] }) => `rpad(${a}, ${width}, ${b})`),
  },
  rpad_spaces: {
    kind: 'function',
    names: ['rpad'],
    takes: ['text', { constant: 'width' }],
    gives: 'text',
    copies: ([one = 1], [width = 0]) => Math.max(one, storedTexts(Number(width))),
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
    copies: (args) => together(args) + (args[0] ?? 1) * args.length,
    ...both(({ all }) => `concat_ws(${all.join(', ')})`),
  },
  make_date: {
    kind: 'function',
    names: ['make_date'],
    takes: ['integer', 'integer', 'integer'],
    gives: 'date',
    says: 'null where there is no such day, and outside of the years 1 to 9999',
    duckdb: ({ a, b, c }) => inDates(`try_cast(printf('%d-%d-%d', ${a}, ${b}, ${c}) as date)`, 'duckdb'),
    postgres: ({ a, b, c }) => inDates(naming({ a, b, c }, POSTGRES_DATE), 'postgres'),
  },
  to_date: {
    kind: 'function',
    names: ['to_date'],
    takes: ['text', { constant: 'day pattern' }],
    gives: 'date',
    says: 'digits and signs exactly as in the pattern; null for anything else, and where there is no such day',
    prints: 2,
    duckdb: ({ a, constants: [pattern = ''] }) => {
      const { expression, order } = readDayPattern(String(pattern))
      const day = `regexp_replace(${a}, '${expression}', '${order.map((at) => `\\${at}`).join('-')}')`
      return inDates(
        `case when regexp_matches(${a}, '${expression}') then try_cast(${day} as date) end`,
        'duckdb',
      )
    },
    postgres: ({ a, constants: [pattern = ''] }) => {
      const { expression, from } = readDayPattern(String(pattern))
      const [year, month, day] = from.map(([at, length]) => `cast(substr("t", ${at}, ${length}) as bigint)`)
      const made = naming({ a: year ?? '', b: month ?? '', c: day ?? '' }, POSTGRES_DATE)
      return inDates(
        naming({ t: `case when ${a} ~ '${expression.replaceAll('(', '(?:')}' then ${a} end` }, made),
        'postgres',
      )
    },
  },
  date_bin: {
    kind: 'function',
    names: ['date_bin'],
    takes: ['stride', 'timestamp', 'timestamp'],
    gives: 'timestamp',
    says: 'bins from the third on, to both sides',
    duckdb: ({ a, b, c }) => inTimestamps(`time_bucket(${a}, ${b}, ${c})`, 'duckdb'),
    postgres: ({ a, b, c }) => inTimestamps(`date_bin(${a}, ${b}, ${c})`, 'postgres'),
  },
  to_char_date: {
    kind: 'function',
    names: ['to_char'],
    takes: ['date', { constant: 'date pattern' }],
    gives: 'text',
    prints: 5,
    duckdb: ({ a, constants: [pattern = ''] }) => duckdbWritten(a, String(pattern)),
    postgres: ({ a, constants: [pattern = ''] }) => `to_char(${a}, '${pattern}')`,
  },
  to_char_timestamp: {
    kind: 'function',
    names: ['to_char'],
    takes: ['timestamp', { constant: 'date pattern' }],
    gives: 'text',
    prints: 5,
    duckdb: ({ a, constants: [pattern = ''] }) => duckdbWritten(a, String(pattern)),
    postgres: ({ a, constants: [pattern = ''] }) => `to_char(${a}, '${pattern}')`,
  },
  to_char_number: {
    kind: 'function',
    names: ['to_char'],
    takes: ['number', { constant: 'number pattern' }],
    gives: 'text',
    says: 'rounded as `round(x, digits)` is; # where there are more digits than the pattern has places',
    prints: 7,
    duckdb: ({ a, constants: [pattern = ''] }) => duckdbPatterned(a, String(pattern)),
    postgres: ({ a, constants: [pattern = ''] }) => postgresPatterned(a, String(pattern)),
  },
  age_span: {
    kind: 'function',
    names: ['age(a, b)'],
    takes: ['timestamp', 'timestamp'],
    gives: 'number',
    says: 'only beside a span that is written out or another one, compared as PostgreSQL compares spans: in seconds, with 30 days a month',
    prints: 6,
    duckdb: ({ a, b }) => secondsOfAge(`age(${a}, ${b})`, (age) => `extract(microsecond from ${age}) / 1e6`),
    postgres: ({ a, b }) =>
      naming(
        { a: `age(${a}, ${b})` },
        secondsOfAge('"a"', (age) => `extract(second from ${age})`, postgresDouble),
      ),
    range: () => range(-316_000_000_000, 316_000_000_000),
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
  age_months: {
    kind: 'function',
    names: ['extract(month from age(a, b))'],
    takes: ['timestamp', 'timestamp'],
    gives: 'integer',
    says: 'whole months beyond the years, from the second to the first',
    ...both(({ a, b }) => `cast(extract(month from age(${a}, ${b})) as bigint)`),
    range: () => range(-11, 11),
  },
} as const satisfies Readonly<Record<string, CatalogueRow>>
