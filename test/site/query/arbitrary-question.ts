import fc from 'fast-check'
import {
  aggregateOfSessions,
  bySubQuery,
  conditionOfAthlete,
  ofSessionAndAthlete,
} from './arbitrary-condition.ts'
import { FURTHER_SHAPES } from './arbitrary-further-question.ts'
import { GROUP_SHAPES } from './arbitrary-group-question.ts'
import { oneOf } from './one-of.ts'

/* Questions over `athletes` (a row a person) and `sessions` (several), of every shape that the gate takes. */

/** The question that is asked; smaller ones come first wherever one is chosen, so that a failure shrinks. */
export interface ArbitraryQuestion {
  readonly sql: string
  /** What shape it is of, for what is printed. */
  readonly shape: string
}

const keyOfAthlete = fc.oneof(
  {
    weight: 3,
    arbitrary: oneOf(
      'sex',
      'sport',
      'extract(year from born)::int',
      "case when height < 1.8 then 'short' when height >= 1.8 then 'tall' end",
      'gold',
      "coalesce(sport, 'none')",
      'round(height)::int',
      "date_trunc('year', born)",
    ),
  },
  bySubQuery,
)

const measureOfAthlete = fc.oneof(
  {
    weight: 4,
    arbitrary: oneOf(
      'count(*)',
      'count(height)',
      'count(distinct id)',
      "count(distinct case when sport = 'golf' then id end)",
      'sum(power(height, 2) * gold)',
      "avg((date '2026-03-01' - born) / 365.25)",
      "stddev_pop(date '2026-03-01' - born)",
      'sum(gold)',
      'avg(height)',
      'sum(height * gold)',
      'avg(gold) * 2 + 1',
      'sum(gold + 1)',
      'avg(height * 10 + gold - 3)',
      'sum((gold + height) / 2.0)',
      "sum(gold + case when sport = 'golf' then 2 end)",
      'sum(gold + height * gold) filter (where born is not null)',
      'stddev_samp(2 * height - 1)',
      'stddev_samp(gold)',
      'var_pop(height)',
      'sum(gold) / count(*)',
      "count(*) filter (where sex = 'f')",
      "sum(height) filter (where sport like 'g%')",
      "avg(case when sport = 'golf' then height end)",
      'sum(case when gold > 0 then 1 else 0 end)',
      'round((avg(height) * 100)::numeric)',
      'coalesce(sum(gold) filter (where height is null), -1)',
      'greatest(avg(height), 1.7)',
    ),
  },
  bySubQuery.map((condition) => `count(*) filter (where ${condition})`),
  bySubQuery.map((condition) => `avg(case when ${condition} then height end)`),
  fc
    .tuple(oneOf('sum', 'avg', 'count'), aggregateOfSessions, ofSessionAndAthlete)
    .map(
      ([outer, inner, where]) =>
        `${outer}((select ${inner} from sessions s where s.id = a.id and (${where})))`,
    ),
)

const having = oneOf('', 'having count(*) > 1', 'having avg(height) > 1.6 or sum(gold) > 2')

const plain = fc
  .tuple(
    fc.uniqueArray(keyOfAthlete, { maxLength: 2 }),
    fc.array(measureOfAthlete, { minLength: 1, maxLength: 4 }),
    conditionOfAthlete,
    having,
  )
  .map(
    ([keys, measures, where, filter]) =>
      `select ${[...keys, ...measures].map((text, index) => `${text} as o${index}`).join(', ')} from athletes a where ${where} ${keys.length === 0 ? '' : `group by ${keys.map((_, index) => index + 1).join(', ')}`} ${keys.length === 0 ? '' : filter}`,
  )

const joined = fc
  .tuple(
    oneOf('a.sex', 's.place', "date_trunc('month', s.started)"),
    oneOf('sum(s.minutes)', 'avg(s.minutes)', 'count(distinct a.id)', 'count(*)', 'count(s.minutes)'),
    conditionOfAthlete,
    fc.oneof(
      oneOf('true'),
      oneOf(
        's.minutes > (select avg(i.minutes) from sessions i where i.id = s.id)',
        'exists (select 1 from sessions i where i.id = s.id and i.started > s.started)',
      ),
    ),
  )
  .map(
    ([key, aggregate, where, more]) =>
      `select ${key} as k, ${aggregate} as m from athletes a join sessions s using (id) where ${where} and ${more} group by 1`,
  )

const perPerson = fc
  .tuple(
    aggregateOfSessions,
    oneOf('avg(t.v)', 'sum(t.v)', 'count(t.v)'),
    conditionOfAthlete,
    oneOf('', 'having count(*) > 1', 'having avg(s.minutes) > 10 or max(s.minutes) is null'),
  )
  .map(
    ([inner, outer, where, filter]) =>
      `with t as (select s.id, ${inner} as v from sessions s where minutes is not null group by s.id ${filter}) select a.sex, ${outer} as m, count(*) as n from t join athletes a on a.id = t.id where ${where} group by a.sex`,
  )

/** A sub-select of the person's groups, and sub-queries about each of them. */
const perGroup = fc
  .tuple(
    oneOf("f.t0 + interval '20 days'", "f.t0 + interval '3 months'"),
    oneOf('sum(f.n)', 'avg(f.n)', 'count(distinct f.id)'),
  )
  .map(
    ([until, measure]) =>
      `with f as (select id, place, min(started) as t0, count(*) as n from sessions group by id, place) select f.place, count(*) as n, ${measure} as m, count(*) filter (where exists (select 1 from sessions s where s.id = f.id and s.started > f.t0 and s.started < ${until})) as back from f group by f.place`,
  )

/** Sides of an outer join that have the columns `id`, `minutes` and `place`. */
const sideOfSessions = oneOf(
  'sessions',
  "(select * from sessions where place = 'gym')",
  '(select id, minutes, place from sessions where minutes > 10)',
  "(select id, sum(minutes) as minutes, 'all' as place from sessions group by id)",
  '(select id, count(*) as minutes, max(place) as place from sessions group by id having count(*) > 2)',
)

const outerJoined = fc
  .tuple(
    oneOf(
      'left join * s on s.id = a.id',
      'left join * s using (id)',
      'left join * s on s.id = a.id and s.minutes > 15',
      "left join * s on s.id = a.id and s.place = 'gym' and a.gold > 0",
      'right join * s on s.id = a.id',
      'right join * s on a.id = s.id and a.gold > 1 and s.minutes > 5',
      'full join * s on s.id = a.id',
      'join athletes r using (id) left join * s on s.id = r.id and s.minutes > r.gold * 5',
      'left join (athletes b join * s using (id)) on b.id = a.id and b.gold > 0',
      'left join athletes b on b.id = a.id and b.gold > 1 right join * s on s.id = b.id',
      'full join athletes b using (id) left join * s on s.id = a.id',
    ),
    sideOfSessions,
    oneOf('a.sex', 's.place', 's.minutes is null', 'a.sex is not null', 'coalesce(a.sport, s.place)'),
    fc.array(
      oneOf(
        'count(*)',
        'count(s.id)',
        'count(distinct s.id)',
        'count(distinct a.id)',
        'count(a.sex)',
        'sum(s.minutes)',
        'avg(s.minutes) filter (where a.id is not null)',
        'count(*) filter (where s.id is null)',
      ),
      { minLength: 1, maxLength: 4 },
    ),
    oneOf(
      'true',
      's.id is null',
      's.minutes is null or s.minutes > 12',
      'a.gold > 0',
      'a.id is not null and s.id is not null',
      'exists (select 1 from sessions t where t.id = a.id and t.minutes > 20)',
      'not exists (select 1 from sessions t where t.id = s.id and t.minutes > s.minutes)',
    ),
  )
  .map(
    ([join, side, key, measures, where]) =>
      `select ${key} as k, ${measures.map((measure, index) => `${measure} as m${index}`).join(', ')} from athletes a ${join.replace('*', side)} where ${where} group by 1`,
  )

/** Sources side by side, and sub-selects of joins. */
const sideBySide = fc
  .tuple(oneOf(',', 'cross join'), conditionOfAthlete, oneOf('a.sex', 's.place'))
  .map(
    ([by, where, key]) =>
      `select ${key}, count(*) as n, sum(s.minutes) as m, count(distinct a.id) as p from athletes a ${by} sessions s where (${where}) and s.id = a.id group by 1`,
  )
const ofJoins = oneOf(
  'select x.sex, count(*) as n, count(x.minutes) as m from (select a.id, a.sex, s.minutes from athletes a left join sessions s on s.id = a.id and s.minutes > 10) x join athletes b using (id) where b.gold > 0 group by 1',
  'select count(*) from (select s.id as sid from athletes a left join sessions s on a.id = s.id and s.minutes > 15) x join athletes b on b.id = x.sid',
)

const distinct = fc
  .tuple(
    oneOf(
      'select distinct sex, sport from athletes a where *',
      'select distinct place from sessions s join athletes a using (id) where *',
      'select place, count(*) as n, count(distinct id) as p from (select distinct id, place from sessions) s join athletes a using (id) where * group by place',
      'select distinct sex, count(*) as n from athletes a where * group by sex',
      'with t as (select id, count(distinct place) as places, count(distinct minutes) filter (where minutes > 9) as m, bool_or(minutes > 40) as long, every(minutes > 3) as short from sessions group by id) select long, short, sum(places) as s, avg(t.m) as m from t join athletes a using (id) where * group by long, short',
    ),
    conditionOfAthlete,
  )
  .map(([text, where]) => text.replace('where *', `where (${where})`))

/** Functions of dates and texts. */
const computed = fc
  .tuple(
    oneOf(
      "extract(year from age(timestamp '2026-03-01', born))",
      "to_char(born, 'YYYY-MM')",
      "to_char(born, 'IYYY/IW')",
      "split_part(sport, 'o', 1)",
      "replace(sport, 'ow', 'x')",
      "position('o' in sport)",
      "upper(left(sport, 2)) || '-' || coalesce(sex, '?')",
      'substring(sport from 2 for 3)',
    ),
    oneOf(
      "starts_with(sport, 'r')",
      'gold = any (array[1, 2])',
      "sport <> all (array['golf', 'none'])",
      "extract(epoch from (born + interval '1 day') - born) > 0",
      "date_part('year', age(timestamp '2026-01-01', born)) > 38",
      'length(trim(sport)) > 4 or sport is null',
    ),
    oneOf('count(*)', 'avg(height)', 'sum(gold)'),
  )
  .map(
    ([key, where, measure]) => `select ${key} as k, ${measure} as m from athletes where ${where} group by 1`,
  )

/** Several sets of groups; with a number, so that rows of different sets are told apart. */
const groupingSets = fc
  .tuple(
    oneOf(
      'rollup (sex, sport)',
      'cube (sex, sport)',
      'grouping sets ((sex), (sport), ())',
      'grouping sets ((sex, sport), (sex))',
      'sex, rollup (sport)',
      'rollup ((sex, sport))',
      'grouping sets (rollup (sex), cube (sport))',
      'grouping sets ((sex), (sport), (sex), ())',
    ),
    fc.array(measureOfAthlete, { minLength: 1, maxLength: 3 }),
    conditionOfAthlete,
    // Of nobody there are no groups; PostgreSQL has the one of all nobody.
    oneOf('having count(*) > 0', 'having count(*) > 1', 'having avg(height) > 1.6 or sum(gold) > 2'),
  )
  .map(
    ([sets, measures, where, filter]) =>
      `select sex, sport, ${measures.map((text, index) => `${text} as o${index}`).join(', ')} from athletes a where ${where} group by ${sets} ${filter}`,
  )

/** Window functions over the rows of each person. Sessions of one person began at different times. */
const windowed = fc
  .tuple(
    oneOf(
      'row_number() over (partition by id order by started)',
      'row_number() over (partition by id order by started desc)',
      'rank() over (partition by id order by place, minutes nulls first)',
      'dense_rank() over (partition by id order by place desc)',
      'lag(minutes) over (partition by id order by started)',
      'lead(minutes, 2) over (partition by id order by started)',
      'count(*) over (partition by id)',
      'count(minutes) over (partition by id, place order by started)',
      'sum(minutes) over (partition by id order by started)',
      'max(minutes) over (partition by id)',
      'minutes - lag(minutes) over w',
      'avg(minutes) over w',
    ),
    oneOf(
      'select w.place as k, count(*) as n, count(w.v) as v, count(distinct w.id) as p from * w group by 1',
      'select w.place as k, sum(w.minutes) as m from * w where w.v = 1 group by 1',
      'select a.sex as k, avg(w.minutes) as m from * w join athletes a using (id) where w.v > 1 group by 1',
      'select a.sex as k, count(*) as n, count(w.v) as v from athletes a left join * w on w.id = a.id and w.v > 2 group by 1',
      'with p as (select id, max(v) as most from * w group by id) select count(*) as n, count(most) filter (where most > 2) as m from p',
      'select a.sex as k, count(*) filter (where a.id in (select id from * w where w.v >= 3)) as n from athletes a group by 1',
    ),
  )
  .map(([value, text]) =>
    text.replace(
      '* w',
      `(select id, place, minutes, ${value} as v from sessions${value.includes(' w') ? ' window w as (partition by id order by started)' : ''}) w`,
    ),
  )

/** Every shape. */
export const arbitraryQuestion: fc.Arbitrary<ArbitraryQuestion> = fc.oneof(
  { weight: 4, arbitrary: plain.map((sql) => ({ sql, shape: 'plain' })) },
  { weight: 2, arbitrary: joined.map((sql) => ({ sql, shape: 'joined' })) },
  { weight: 1, arbitrary: perPerson.map((sql) => ({ sql, shape: 'per person' })) },
  { weight: 3, arbitrary: outerJoined.map((sql) => ({ sql, shape: 'outer join' })) },
  { weight: 1, arbitrary: sideBySide.map((sql) => ({ sql, shape: 'side by side' })) },
  { weight: 1, arbitrary: ofJoins.map((sql) => ({ sql, shape: 'of joins' })) },
  { weight: 1, arbitrary: distinct.map((sql) => ({ sql, shape: 'distinct' })) },
  { weight: 1, arbitrary: computed.map((sql) => ({ sql, shape: 'computed' })) },
  { weight: 1, arbitrary: groupingSets.map((sql) => ({ sql, shape: 'grouping sets' })) },
  { weight: 2, arbitrary: windowed.map((sql) => ({ sql, shape: 'window' })) },
  { weight: 1, arbitrary: perGroup.map((sql) => ({ sql, shape: 'per group' })) },
  ...Object.entries({ ...FURTHER_SHAPES, ...GROUP_SHAPES }).map(([shape, texts]) => ({
    weight: 1,
    arbitrary: texts.map((sql) => ({ sql, shape })),
  })),
)
