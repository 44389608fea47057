import fc from 'fast-check'
import { ATHLETES, SESSIONS, PER_PERSON, JOINED, WITH_PER_PERSON } from './arbitrary-columns.ts'
import type { Columns } from './arbitrary-columns.ts'
import { value } from './arbitrary-value.ts'

/* FROM clauses: relations, joins, windows, sub-queries and tables written out, and some that there must not be. */

/** What stands after FROM, the columns behind it, and what must stand before SELECT for it. */
export interface From {
  readonly sql: string
  readonly columns: Columns
  readonly withClause?: string
}

const perPersonSelect = (where: string): string =>
  `select id, count(*) as n, max(minutes) as most, sum(load) as total, min(day) as first from sessions${where} group by id`

/** Every shape of it. */
export function fromClauses(): fc.Arbitrary<From> {
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
