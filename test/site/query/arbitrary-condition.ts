import fc from 'fast-check'
import { oneOf } from './one-of.ts'

/* Conditions on `athletes a`, some of which ask about the person's `sessions`. */

export const aggregateOfSessions = oneOf(
  'count(*)',
  'sum(s.minutes)',
  'avg(s.minutes)',
  'max(s.minutes)',
  'min(s.minutes)',
  'count(s.minutes)',
  "count(*) filter (where s.place = 'gym')",
  "count(case when s.place <> 'gym' then s.id end)",
  'stddev_pop(s.minutes)',
  "variance(s.minutes) filter (where s.place = 'gym')",
  'percentile_cont(0.5) within group (order by s.minutes)',
  'mode() within group (order by s.minutes)',
)

const ofSession = oneOf(
  'true',
  's.minutes > 20',
  "s.place = 'gym'",
  "s.started >= '2026-03-01'",
  's.minutes is not null and s.minutes % 2 = 0',
  "s.place <> 'home' or s.minutes < 10",
)

/** The same, or about the row of `athletes` around it as well. */
export const ofSessionAndAthlete = fc.oneof(
  ofSession,
  oneOf('s.minutes > a.gold * 10', "s.started > a.born + interval '41 years'", 's.minutes > a.height * 10'),
)

/** Conditions that a sub-query of the person makes. */
export const bySubQuery = fc.oneof(
  ofSessionAndAthlete.map((where) => `exists (select 1 from sessions s where s.id = a.id and (${where}))`),
  ofSessionAndAthlete.map(
    (where) => `not exists (select * from sessions s where a.id = s.id and (${where}))`,
  ),
  ofSession.map((where) => `a.id in (select s.id from sessions s where ${where})`),
  ofSession.map((where) => `a.id not in (select id from sessions s where ${where})`),
  fc
    .tuple(aggregateOfSessions, ofSession)
    .map(
      ([aggregate, where]) =>
        `a.id in (select s.id from sessions s where ${where} group by s.id having ${aggregate} > 2)`,
    ),
  fc
    .tuple(aggregateOfSessions, ofSessionAndAthlete, oneOf('> 1', 'is null', '<= 20', '= 2'))
    .map(
      ([aggregate, where, compared]) =>
        `(select ${aggregate} from sessions s where s.id = a.id and (${where})) ${compared}`,
    ),
  ofSessionAndAthlete.map(
    (where) =>
      `coalesce(a.sport, 'gym') in (select s.place from sessions s where s.id = a.id and (${where}))`,
  ),
  fc
    .tuple(oneOf('union', 'union all', 'intersect', 'except'), ofSession, ofSession)
    .map(
      ([by, one, other]) =>
        `a.id in (select s.id from sessions s where ${one} ${by} select s.id from sessions s where ${other})`,
    ),
  ofSession.map(
    (where) => `a.gold * 7 not in (select s.minutes from sessions s where s.id = a.id and (${where}))`,
  ),
  oneOf(
    'exists (select 1 from sessions s where s.id = a.id and not exists (select 1 from sessions t where t.id = s.id and t.minutes > s.minutes))',
    '(select b.gold from athletes b where b.id = a.id and b.height > 1.7) > 1',
  ),
)

export const conditionOfAthlete = fc.oneof(
  {
    weight: 2,
    arbitrary: oneOf(
      'true',
      'height > 1.7',
      "sex <> 'f'",
      "born between '1986-01-01' and '1989-12-31'",
      'gold in (0, 1, 3)',
      'height is null or gold < 2',
      "sport ilike 'R%'",
      'extract(month from born) % 2 = 0',
      "not (sport = 'golf')",
      "born + interval '3 months' > '1987-01-01'",
    ),
  },
  bySubQuery,
  fc
    .tuple(bySubQuery, oneOf('gold > 0', "sex = 'm'"), oneOf('and', 'or'))
    .map(([one, other, by]) => `(${other} ${by} ${one})`),
)
