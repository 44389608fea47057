import fc from 'fast-check'
import { PAIR_AGGREGATES } from '../../src/site/query/bind/bind-pair.ts'
import { STRANGE } from './strange-expressions.ts'

/*
 * Random SELECTs in PostgreSQL's grammar over the data sets of `worlds.ts`: about half of what the gate takes, half of
 * everything else that an attacker would try. They shrink like any arbitrary of fast-check.
 */

/** Columns that stand behind a FROM, by type. */
interface Columns {
  readonly text: readonly string[]
  readonly integer: readonly string[]
  readonly number: readonly string[]
  readonly date: readonly string[]
  readonly timestamp: readonly string[]
  readonly boolean: readonly string[]
}

type Type = keyof Columns
type Sql = fc.Arbitrary<string>

export interface RandomQuestion {
  readonly sql: string
  readonly mode: 'aggregate' | 'rows'
}

const ATHLETES: Columns = {
  text: ['a.town', 'a.sex'],
  integer: ['a.score', 'a.medals'],
  number: ['a.height'],
  date: ['a.born'],
  timestamp: ['a.seen'],
  boolean: ['a.smokes'],
}
const SESSIONS: Columns = {
  text: ['s.place'],
  integer: ['s.minutes'],
  number: ['s.load'],
  date: ['s.day'],
  timestamp: ['s.at'],
  boolean: [],
}
const PER_PERSON: Columns = {
  text: [],
  integer: ['v.n', 'v.most'],
  number: ['v.total'],
  date: ['v.first'],
  timestamp: [],
  boolean: [],
}

function together(...parts: readonly Columns[]): Columns {
  const all = (type: Type) => parts.flatMap((columns) => columns[type])
  return {
    text: all('text'),
    integer: all('integer'),
    number: all('number'),
    date: all('date'),
    timestamp: all('timestamp'),
    boolean: all('boolean'),
  }
}

const JOINED = together(ATHLETES, SESSIONS)
const WITH_PER_PERSON = together(ATHLETES, PER_PERSON)

/** Arbitraries by what they are made of: a grammar is a graph, and building it as a tree takes longer than all else. */
const made = new Map<Columns, Map<string, Sql>>()

function once(columns: Columns, name: string, make: () => Sql): Sql {
  const known = made.get(columns) ?? new Map<string, Sql>()
  made.set(columns, known)
  const arbitrary = known.get(name) ?? make()
  known.set(name, arbitrary)
  return arbitrary
}

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
function value(type: Type, columns: Columns, depth: number): Sql {
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

function call(names: readonly string[], ...args: readonly Sql[]): Sql {
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

interface From {
  readonly sql: string
  readonly columns: Columns
  readonly withClause?: string
}

const perPersonSelect = (where: string): string =>
  `select id, count(*) as n, max(minutes) as most, sum(load) as total, min(day) as first from sessions${where} group by id`

function fromClauses(): fc.Arbitrary<From> {
  const inner = fc.constantFrom(
    '',
    ' where minutes > 20',
    " where place = 'pool'",
    " where place = 'Mq7xMARKER'",
    " where day < '2026-05-05'",
  )
  return fc.oneof(
    { weight: 8, arbitrary: fc.constant({ sql: 'athletes a', columns: ATHLETES }) },
    { weight: 4, arbitrary: fc.constant({ sql: 'sessions s', columns: SESSIONS }) },
    {
      weight: 4,
      arbitrary: fc
        .tuple(
          fc.constantFrom('join', 'join', 'join', 'left join', 'full join', 'natural join', 'cross join'),
          value('boolean', JOINED, 1),
        )
        .map(([join, on]) => ({
          sql:
            join === 'natural join' || join === 'cross join'
              ? `athletes a ${join} sessions s`
              : `athletes a ${join} sessions s on a.id = s.id and ${on}`,
          columns: JOINED,
        })),
    },
    {
      weight: 3,
      arbitrary: inner.map((where) => ({
        sql: `athletes a join (${perPersonSelect(where)}) v using (id)`,
        columns: WITH_PER_PERSON,
      })),
    },
    {
      weight: 3,
      arbitrary: fc
        .tuple(
          fc.constantFrom('cross join lateral', 'left join lateral', 'join lateral', ', lateral'),
          value('boolean', JOINED, 1),
          fc.constantFrom(
            '',
            ' order by at',
            ' order by at desc limit 2',
            ' order by minutes limit 1 offset 1',
          ),
        )
        .map(([join, where, tail]) => ({
          sql: `athletes a ${join} (select * from sessions s where s.id = a.id${tail.includes('limit') ? '' : ` and ${where}`}${tail}) s${join === 'left join lateral' || join === 'join lateral' ? ' on true' : ''}`,
          columns: JOINED,
        })),
    },
    {
      weight: 2,
      arbitrary: fc
        .tuple(
          fc.constantFrom('asc', 'desc'),
          fc.constantFrom(
            'rows between 1 preceding and 1 following',
            'rows 2 preceding',
            "range between interval '3 days' preceding and interval '1 day' following",
            'groups 1 preceding exclude current row',
            'rows 3 preceding exclude current row',
            '',
          ),
        )
        .map(([way, frame]) => ({
          sql: `(select place, minutes, load, day, at, id, row_number() over (partition by id order by at ${way}) as r, sum(minutes) over (partition by id order by at ${frame}) as w from sessions) s`,
          columns: { ...SESSIONS, integer: ['s.minutes', 's.r'], number: ['s.load', 's.w'] },
        })),
    },
    {
      weight: 2,
      arbitrary: inner.map((where) => ({
        sql: 'v',
        columns: PER_PERSON,
        withClause: `with v as (${perPersonSelect(where)}) `,
      })),
    },
    {
      weight: 2,
      arbitrary: value('boolean', ATHLETES, 1).map((where) => ({
        sql: `(select * from athletes a where ${where}) a`,
        columns: ATHLETES,
      })),
    },
    {
      weight: 1,
      arbitrary: fc
        .constantFrom(
          '(select distinct on (id) * from athletes order by id, seen) a',
          '(select distinct on (town) * from athletes order by town, score desc) a',
          'athletes a cross join lateral (select a.score + 1 as more) x',
          "athletes a join (values ('Galway', 'G'), ('Cork', 'C'), ('Mq7xMARKER', 'M')) w(town, label) on w.town = a.town",
          "athletes a left join (values ('Galway', 'G'), ('Galway', 'H')) w(town, label) using (town)",
          "athletes a join (values (0, 6, 'few'), (7, null, 'many')) w(least, most, label) on a.score >= w.least and a.score <= w.most",
          "athletes a left join (select date '1999-09-09' as born, 1 as n union all select date '1904-04-04', 2) w on w.born = a.born",
          'athletes a cross join (values (7, true)) w(score, flag)',
          '(values (1)) w(n), athletes a',
          'athletes a cross join lateral (select max(score) as m from athletes b where b.town = a.town) x',
          '(select id from athletes union select id from sessions) u join athletes a using (id)',
          "(select id from athletes except select id from athletes where town = 'Mq7xMARKER') u join athletes a using (id)",
          '(select id, score from athletes union select id, medals from athletes) u join athletes a using (id)',
          '(select id from athletes order by score desc limit 1) u join athletes a using (id)',
          'athletes a natural join (select id, town from athletes) n',
          'athletes a, sessions s',
          'athletes a cross join lateral (select * from sessions s where s.id = a.id) s',
          'ds_athletes a',
          'pg_class a',
          "read_csv('/etc/passwd') a",
          'only athletes a',
          'athletes a tablesample system (10)',
          'public.athletes a',
          'generate_series(1, 10) a(score)',
          '(table athletes union all table athletes) a',
        )
        .map((sql) => ({ sql, columns: ATHLETES })),
    },
  )
}

function measure(columns: Columns): Sql {
  return once(columns, 'measure', () => makeMeasure(columns))
}

function makeMeasure(columns: Columns): Sql {
  const quantities = [...columns.integer, ...columns.number]
  const quantity = fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(...quantities) },
    { weight: 1, arbitrary: value('number', columns, 1) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(value('boolean', columns, 1), fc.constantFrom(...quantities))
        .map(([when, one]) => `case when ${when} then ${one} end`),
    },
  )
  const bare = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom('count(*)', 'count(distinct id)') },
    { weight: 5, arbitrary: call(['sum', 'avg', 'stddev', 'variance', 'count'], quantity) },
    { weight: 1, arbitrary: call(Object.keys(PAIR_AGGREGATES), quantity, quantity) },
    {
      weight: 1,
      arbitrary: call(['max', 'min', 'array_agg', 'median', 'bool_or', 'any_value', 'listagg'], quantity),
    },
    { weight: 1, arbitrary: value('text', columns, 1).map((inner) => `count(${inner})`) },
  )
  return fc.oneof(
    { weight: 5, arbitrary: bare },
    {
      weight: 2,
      arbitrary: fc
        .tuple(bare, value('boolean', columns, 1))
        .map(([one, filter]) => `${one} filter (where ${filter})`),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(bare, fc.constantFrom('+', '-', '*', '/'), bare)
        .map(([one, sign, other]) => `${one} ${sign} ${other}`),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom('sqrt', 'round', 'ln', 'exp'), bare)
        .map(([name, one]) => `${name}(${one})`),
    },
  )
}

function groupKey(columns: Columns): Sql {
  return once(columns, 'key', () => makeGroupKey(columns))
}

function makeGroupKey(columns: Columns): Sql {
  const plain = [...columns.text, ...columns.boolean]
  return fc.oneof(
    ...(plain.length > 0 ? [{ weight: 6, arbitrary: fc.constantFrom(...plain) }] : []),
    {
      weight: 3,
      arbitrary: fc
        .tuple(fc.constantFrom(...columns.integer, ...columns.number), fc.constantFrom('10', '50', '2'))
        .map(([one, by]) => `floor(${one} / ${by})`),
    },
    {
      weight: 2,
      arbitrary:
        columns.date.length > 0
          ? fc.constantFrom(...columns.date).map((one) => `extract(year from ${one})`)
          : fc.constant('1'),
    },
    { weight: 2, arbitrary: value('boolean', columns, 1) },
    { weight: 1, arbitrary: value('text', columns, 1) },
  )
}

function optional(word: string, clause: Sql, freq: number): Sql {
  return fc
    .option(clause, { nil: undefined, freq })
    .map((sql) => (sql === undefined ? '' : ` ${word} ${sql}`))
}

const TAIL = fc.oneof(
  { weight: 8, arbitrary: fc.constant('') },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      ' limit 3',
      ' limit 1 offset 1',
      ' order by 1 limit 2',
      ' order by 1 desc',
      ' order by 2 desc nulls last limit 1',
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      ' for update',
      ' fetch first 1 rows with ties',
      ' union select null',
      ' intersect select 1',
      ' except select town from athletes',
    ),
  },
)

function groupedQuestion({ sql: from, columns, withClause = '' }: From): Sql {
  return fc
    .record({
      keys: fc.array(groupKey(columns), { maxLength: 2 }),
      measures: fc.array(measure(columns), { minLength: 1, maxLength: 3 }),
      where: optional('where', value('boolean', columns, 2), 1),
      having: optional(
        'having',
        fc.oneof(
          fc.constantFrom('count(*) > 1', 'count(*) = 1', 'sum(score) > 900000'),
          measure(columns).map((one) => `${one} > 5`),
        ),
        5,
      ),
      sets: fc.oneof(
        { weight: 12, arbitrary: fc.constant('plain') },
        { weight: 1, arbitrary: fc.constantFrom('rollup', 'cube', 'grouping sets') },
      ),
      tail: TAIL,
    })
    .map(({ keys, measures, where, having, sets, tail }) => {
      const list = keys.map((key, index) => `${key} as k${index}`)
      const names = keys.map((_, index) => `${index + 1}`).join(', ')
      const groups = keys.length === 0 ? '' : ` group by ${sets === 'plain' ? names : `${sets} (${names})`}`
      return `${withClause}select ${[...list, ...measures].join(', ')} from ${from}${where}${groups}${having}${tail}`
    })
}

function rowsQuestion({ sql: from, columns, withClause = '' }: From): Sql {
  const types = (['text', 'integer', 'number', 'date', 'timestamp', 'boolean'] as const).filter(
    (type) => columns[type].length > 0,
  )
  const output = fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(...types).chain((type) => value(type, columns, 2)) },
    { weight: 1, arbitrary: fc.constantFrom('*', 'id', 'count(*)') },
  )
  return fc
    .record({
      distinct: fc.oneof(
        { weight: 10, arbitrary: fc.constant('') },
        { weight: 1, arbitrary: fc.constantFrom('distinct ', 'distinct on (id) ') },
      ),
      outputs: fc.array(output, { minLength: 1, maxLength: 4 }),
      where: optional('where', value('boolean', columns, 3), 1),
      tail: TAIL,
    })
    .map(
      ({ distinct, outputs, where, tail }) =>
        `${withClause}select ${distinct}${outputs.join(', ')} from ${from}${where}${tail}`,
    )
}

/** A question of either mode. */
export const arbitrarySelect: fc.Arbitrary<RandomQuestion> = fromClauses().chain((from) =>
  fc.oneof(
    {
      weight: 3,
      arbitrary: groupedQuestion(from).map((sql): RandomQuestion => ({ sql, mode: 'aggregate' })),
    },
    { weight: 1, arbitrary: rowsQuestion(from).map((sql): RandomQuestion => ({ sql, mode: 'rows' })) },
  ),
)
