import fc from 'fast-check'
import { once } from './arbitrary-columns.ts'
import type { Columns, Type, Sql } from './arbitrary-columns.ts'
import { STRANGE } from './strange-expressions.ts'

/* Values of every type over columns, in PostgreSQL's grammar: what the gate takes, and what it must not. */

const LITERALS: Readonly<Record<Type, readonly string[]>> = {
  text: [
    "'Galway'",
    "'Cork'",
    "'Mq7xMARKER'",
    "'f'",
    "''",
    "'pool'",
    "U&'\\0047alway'",
    "E'Co\\x72k'",
    '$x$Cork$x$',
  ],
  integer: ['0', '1', '-1', '7', '50', '987654321', '9223372036854775807', '2147483648', '100'],
  number: ['0.0', '1.5', '2.5', '-0.5', '1e149', '1e-149', '987654.125', '1e308', '3.0'],
  date: [
    "date '1985-01-01'",
    "date '1904-04-04'",
    "date '1999-09-09'",
    "date '2026-05-03'",
    "date '9999-12-31'",
  ],
  timestamp: ["timestamp '2026-03-01 12:00:00'", "timestamp '1904-04-04 04:04:04'"],
  boolean: ['true', 'false', 'null::boolean'],
}

/** A value of a type, within a depth, over some columns. */
export function value(type: Type, columns: Columns, depth: number): Sql {
  return once(columns, `${type} ${depth}`, () => makeValue(type, columns, depth))
}

function makeValue(type: Type, columns: Columns, depth: number): Sql {
  const own = columns[type]
  const leaf =
    own.length > 0
      ? fc.oneof(
          { weight: 4, arbitrary: fc.constantFrom(...own) },
          { weight: 1, arbitrary: fc.constantFrom(...LITERALS[type]) },
        )
      : fc.constantFrom(...LITERALS[type])
  if (depth <= 0) return leaf
  const next = (inner: Type): Sql => value(inner, columns, depth - 1)
  return fc.oneof(
    { weight: 3, arbitrary: leaf },
    { weight: 4, arbitrary: OF_TYPE[type](next) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(next('boolean'), next(type), next(type))
        .map(([when, one, other]) => `case when ${when} then ${one} else ${other} end`),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(next(type), next(type)).map(([one, other]) => `coalesce(${one}, ${other})`),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(next(type), next(type)).map(([one, other]) => `nullif(${one}, ${other})`),
    },
    { weight: 1, arbitrary: strange(next, type) },
  )
}

type Next = (type: Type) => Sql

function binary(next: Next, type: Type, signs: readonly string[]): Sql {
  return fc
    .tuple(next(type), fc.constantFrom(...signs), next(type))
    .map(([one, sign, other]) => `(${one} ${sign} ${other})`)
}

/** A call of one of these names. */
export function call(names: readonly string[], ...args: readonly Sql[]): Sql {
  return fc
    .tuple(fc.constantFrom(...names), fc.tuple(...args))
    .map(([name, values]) => `${name}(${values.join(', ')})`)
}

/** What is found by a pattern in a text. */
const FINDING = [
  "regexp_replace(*, '[A-Z]', '')",
  "regexp_replace(*, '(M)(q)', '\\2\\1', 'g')",
  "regexp_replace(*, 'm.', '', 'gi')",
  "regexp_replace(*, 'a|b', '')",
  "regexp_replace(*, '.', 'longer', 'g')",
  "substring(* from 'M.*')",
  "substring(* from 'q(7)x')",
] as const

const OF_TYPE: Readonly<Record<Type, (next: Next) => Sql>> = {
  text: (next) =>
    fc.oneof(
      call(['lower', 'upper', 'trim', 'ltrim', 'rtrim'], next('text')),
      call(['left', 'right', 'substr'], next('text'), fc.constantFrom('1', '2', '100', '-2')),
      call(['concat'], next('text'), next('integer'), next('date')),
      call(['btrim', 'ltrim', 'rtrim'], next('text'), fc.constantFrom("'Mq'", "''", "'x7'")),
      next('date').map((inner) => `to_char(${inner}, 'FMMonth YY')`),
      binary(next, 'text', ['||']),
      fc
        .tuple(next('text'), fc.constantFrom(...FINDING))
        .map(([inner, call]) => call.replace('*', () => inner)),
      next('integer').map((inner) => `${inner}::text`),
      next('date').map((inner) => `(${inner})::text`),
      fc.constantFrom(
        "a.profile ->> 'team'",
        "a.profile #>> '{likes,0}'",
        "a.profile -> 'likes' ->> 1",
        'a.tags[1]',
        'jsonb_typeof(a.profile)',
        'a.profile::text',
        'a.tags::text',
      ),
    ),
  integer: (next) =>
    fc.oneof(
      fc.constantFrom(
        "(a.profile ->> 'age')::int",
        "jsonb_array_length(a.profile -> 'likes')",
        'cardinality(a.tags)',
        'array_length(a.tags, 1)',
        'a.marks[1]',
      ),
      binary(next, 'integer', ['+', '-', '*', '/', '%']),
      call(['abs', 'sign'], next('integer')),
      call(['length', 'octet_length', 'num_nulls'], next('text')),
      call(['gcd', 'div'], next('integer'), next('integer')),
      next('number').map((inner) => `width_bucket(${inner}, array[1.5, 2, 987654])`),
      fc
        .tuple(fc.constantFrom('year', 'month', 'day', 'dow', 'quarter'), next('date'))
        .map(([field, inner]) => `extract(${field} from ${inner})::int`),
      next('number').map((inner) => `(${inner})::int`),
      next('boolean').map((inner) => `(${inner})::int`),
      call(['greatest', 'least'], next('integer'), next('integer')),
    ),
  number: (next) =>
    fc.oneof(
      binary(next, 'number', ['+', '-', '*', '/', '^']),
      call(['sqrt', 'ln', 'exp', 'abs', 'floor', 'ceil', 'trunc', 'round', 'log'], next('number')),
      call(['power', 'log'], next('number'), next('number')),
      next('integer').map((inner) => `(${inner})::float8`),
      call(['width_bucket'], next('number'), fc.constant('0'), fc.constant('10'), fc.constant('5')),
    ),
  date: (next) =>
    fc.oneof(
      fc
        .tuple(next('date'), fc.constantFrom('+', '-'), next('integer'))
        .map(([one, sign, days]) => `(${one} ${sign} ${days})`),
      next('timestamp').map((inner) => `(${inner})::date`),
      next('text').map((inner) => `to_date(${inner}, 'DD/MM/YYYY')`),
    ),
  timestamp: (next) =>
    fc.oneof(
      fc
        .tuple(fc.constantFrom('hour', 'day', 'month', 'year'), next('timestamp'))
        .map(([unit, inner]) => `date_trunc('${unit}', ${inner})`),
      next('timestamp').map((inner) => `date_bin('7 days', ${inner}, timestamp '2000-01-01')`),
      fc
        .tuple(
          next('timestamp'),
          fc.constantFrom("interval '1 day'", "interval '300000 days'", "interval '-7 hours'"),
        )
        .map(([one, span]) => `(${one} + ${span})`),
    ),
  boolean: (next) =>
    fc.oneof(
      fc.constantFrom(
        "a.profile ? 'team'",
        `a.profile @> '{"team": "Mq7xMARKER"}'`,
        `a.profile -> 'likes' @> '["swim"]'`,
        "a.tags && array['b', 'lone']",
        "a.tags @> '{Mq7xMARKER}'",
      ),
      next('text').map((inner) => `${inner} = any (a.tags)`),
      next('integer').map((inner) => `${inner} <> all (a.marks)`),
      ...(['text', 'integer', 'number', 'date', 'timestamp'] as const).map((type) =>
        binary(next, type, ['=', '<>', '<', '<=', '>', '>=']),
      ),
      binary(next, 'boolean', ['and', 'or']),
      next('boolean').map((inner) => `not (${inner})`),
      fc
        .tuple(next('text'), fc.constantFrom("'G%'", "'%a%'", "'Mq7x%'", "'_'"))
        .map(([inner, pattern]) => `${inner} like ${pattern}`),
      fc
        .tuple(next('integer'), next('integer'), next('integer'))
        .map(([one, low, high]) => `${one} between ${low} and ${high}`),
      fc
        .tuple(next('text'), next('text'), next('text'))
        .map(([one, two, three]) => `${one} in (${two}, ${three})`),
      fc
        .constantFrom<Type>('text', 'number', 'date')
        .chain((type) => next(type))
        .map((inner) => `(${inner}) is not null`),
    ),
}

/** Things that the gate must not take, or takes only when it knows exactly what they do. */
function strange(next: Next, type: Type): Sql {
  return fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...STRANGE) },
    {
      weight: 1,
      arbitrary: next(type).map(
        (inner) => `(select max(${inner.replaceAll(/\b[asv]\./g, '')}) from athletes)`,
      ),
    },
    { weight: 1, arbitrary: next(type).map((inner) => `first_value(${inner}) over (order by ${inner})`) },
    { weight: 1, arbitrary: next(type).map((inner) => `(array_agg(${inner}))[1]`) },
    {
      weight: 1,
      arbitrary: next('text').map((inner) => `(${inner})::${type === 'text' ? 'regclass' : 'int'}`),
    },
    { weight: 1, arbitrary: next('boolean').map((inner) => `case when ${inner} then 1/0 else 1 end`) },
  )
}
