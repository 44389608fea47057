import fc from 'fast-check'
import { PAIR_AGGREGATES } from '../../../src/site/query/bind/bind-pair.ts'
import { conditionOfAthlete } from './arbitrary-condition.ts'

/* Questions of rarer shapes over `athletes` (a row a person) and `sessions` (several; of one person at different times). */

const oneOf = (...texts: readonly string[]): fc.Arbitrary<string> => fc.constantFrom(...texts)

/** Sub-queries after FROM that look at the row before them. */
const lateral = fc
  .tuple(
    oneOf(
      'cross join lateral (select count(*) as n, max(s.minutes) as m from sessions s where s.id = a.id) x',
      ', lateral (select count(*) filter (where minutes > 9) as n, sum(minutes) as m from sessions s where s.id = a.id and s.minutes > a.gold * 9) x',
      "left join lateral (select count(*) as n, min(minutes) as m from sessions s where a.id = s.id and s.place = 'gym') x on true",
      "join lateral (select count(*) as n, avg(minutes) as m from sessions s where a.id = s.id and s.place = 'gym') x on x.n > 1",
      'cross join lateral (select a.gold + 1 as n, height * 2 as m) x',
      'join lateral (select gold as n, height as m where height > 1.6) x on true',
      'cross join lateral (select extract(year from a.born)::int as y) z cross join lateral (select z.y % 3 as n, gold as m) x',
    ),
    oneOf('a.sex', 'x.n > 2', 'x.n'),
    oneOf('count(*)', 'count(x.n)', 'count(*) filter (where x.m > 20)', 'count(distinct a.id)'),
    conditionOfAthlete,
  )
  .map(
    ([join, key, measure, where]) =>
      `select ${key} as k, ${measure} as m from athletes a ${join} where (${where}) group by 1`,
  )

/** The same with several rows for the row before them. */
const lateralRows = fc
  .tuple(
    oneOf(
      'cross join lateral (select minutes, place, id from sessions s where s.id = a.id) x',
      ', lateral (select * from sessions s where s.id = a.id and s.minutes > a.gold * 7) x',
      "join lateral (select * from sessions where sessions.id = a.id and place <> 'home') x on x.minutes > 5",
      'left join lateral (select minutes, place, s.id from sessions s where s.id = a.id and s.minutes > a.gold * 9) x on true',
      'left join lateral (select minutes * 2 as minutes, place, s.id from sessions s where s.id = a.id and s.minutes > 15) x on true',
      'cross join lateral (select minutes, place, s.id from sessions s where s.id = a.id order by started desc limit 2) x',
      'left join lateral (select minutes, place, s.id from sessions s where s.id = a.id order by started limit 1 offset 1) x on true',
      'join athletes b using (id) cross join lateral (select minutes, place, s.id from sessions s where s.id = b.id and s.minutes > b.gold) x',
    ),
    oneOf('a.sex', 'x.place'),
    oneOf('count(*)', 'sum(x.minutes)', 'avg(x.minutes)', 'count(distinct x.id)', 'count(x.minutes)'),
    conditionOfAthlete,
  )
  .map(
    ([join, key, measure, where]) =>
      `select ${key} as k, ${measure} as m from athletes a ${join} where (${where.replaceAll(/\b(gold|height|sex|sport|born)\b(?![.'])/g, (name, _, at: number, text: string) => (text[at - 1] === '.' ? name : `a.${name}`))}) group by 1`,
  )

/** The first rows of a person by an order. */
const firstRows = fc
  .tuple(
    oneOf(
      '(select minutes from sessions s where s.id = a.id order by started * limit 1)',
      "(select minutes from sessions s where s.id = a.id and s.place = 'gym' order by started * limit 1 offset 1)",
      '(select s.minutes from sessions s where s.id = a.id order by s.minutes * nulls last, s.started limit 1)',
    ),
    oneOf('asc', 'desc'),
    oneOf(
      'select a.sex as k, count(VALUE) as n from athletes a where CONDITION group by 1',
      'select a.sex as k, sum(VALUE) as n, count(*) as m from athletes a where CONDITION group by 1',
      'select VALUE > 15 as k, count(*) as n from athletes a where CONDITION group by 1',
    ),
    conditionOfAthlete,
  )
  .map(([value, way, text, where]) =>
    text.replaceAll('VALUE', value.replace('*', way)).replace('CONDITION', `(${where})`),
  )

const distinctOn = fc
  .tuple(
    oneOf(
      'select distinct on (id) id, place, minutes from sessions order by id, started',
      'select distinct on (id) * from sessions order by id, started desc',
      'select distinct on (s.id, place) s.id, place, minutes from sessions s order by place, s.id, started desc',
      "select distinct on (id) id, 'all' as place, minutes from sessions where minutes > 9 order by id, minutes desc, started",
      'select distinct on (id) id, place, minutes from (select id, place, minutes, started from sessions where minutes is not null) i order by id, started desc',
    ),
    oneOf(
      'select t.place as k, count(*) as n, sum(t.minutes) as m from (INNER) t group by 1',
      'select a.sex as k, count(t.minutes) as n from athletes a join (INNER) t using (id) group by 1',
      'with t as (INNER) select a.sex as k, count(*) as n from athletes a left join t on t.id = a.id and t.minutes > 12 group by 1',
      'with t as (INNER) select count(*) as n from athletes a where a.id in (select id from t where minutes > 20)',
    ),
  )
  .map(([inner, outer]) => outer.replace('INNER', inner))

/** Sets of people as relations. */
const personSets = fc
  .tuple(
    oneOf('union', 'intersect', 'except'),
    oneOf('union', 'intersect', 'except'),
    oneOf(
      'select id from athletes where gold > 0',
      "select id from sessions where place = 'gym'",
      'select s.id from sessions s where s.minutes > 20',
      'select id from sessions group by id having count(*) > 2',
    ),
    oneOf(
      'select id from athletes where height > 1.7',
      '(select id from sessions where minutes > 10 intersect select id from athletes where gold > 1)',
      "select distinct id from sessions where place = 'home'",
    ),
    oneOf(
      'select count(*) as n, count(distinct id) as p from (INNER) u',
      'with u as (INNER) select a.sex as k, count(*) as n, avg(a.height) as h from athletes a join u using (id) group by 1',
      'with u as (INNER) select a.sex as k, count(u.id) as n, count(*) as m from athletes a left join u on u.id = a.id group by 1',
      'with u(who) as (INNER) select s.place as k, sum(s.minutes) as n from sessions s join u on u.who = s.id group by 1',
    ),
  )
  .map(([one, other, a, b, text]) =>
    text.replace('INNER', `${a} ${one} ${b} ${other} select id from athletes where sex = 'm'`),
  )

const FRAMES = [
  'rows between 2 preceding and current row',
  'rows between unbounded preceding and 1 preceding',
  'rows between 1 preceding and 1 following',
  'rows between 3 preceding and 2 preceding',
  'rows between 1 following and unbounded following',
  'rows 1 preceding',
  'range between unbounded preceding and unbounded following',
  'range between current row and unbounded following',
  'groups between unbounded preceding and current row',
]

const frames = fc
  .tuple(
    oneOf('sum(minutes)', 'count(*)', 'count(minutes)', 'avg(minutes)', 'min(minutes)', 'max(minutes)'),
    fc.constantFrom(...FRAMES),
    oneOf('started', 'started desc', 'place, started'),
  )
  .map(([value, frame, order]) => `${value} over (partition by id order by ${order} ${frame})`)

/** Frames by what is ordered by, and without some rows. */
const distances = fc
  .tuple(
    oneOf('sum(minutes)', 'count(*)', 'count(minutes)', 'avg(minutes)', 'min(minutes)', 'max(minutes)'),
    oneOf(
      "order by started range between interval '30 days' preceding and current row",
      "order by started desc range between interval '1 month' preceding and interval '20 days 3 hours' following",
      "order by started::date range interval '45 days' preceding exclude current row",
      'order by minutes range between 5 preceding and 3 following',
      'order by minutes::float8 desc nulls last range between 2.5 preceding and current row exclude ties',
      'order by minutes * 0.5 nulls first range between 1 following and 10 following',
      'order by place groups between 1 preceding and current row',
      'order by place, minutes groups between 1 following and 2 following',
      'order by place groups between unbounded preceding and 1 following exclude group',
      'order by minutes groups 1 preceding exclude ties',
      'order by started rows between 2 preceding and 1 following exclude current row',
      'order by place range between unbounded preceding and unbounded following exclude group',
    ),
  )
  .map(([value, rest]) => `${value} over (partition by id ${rest})`)

const places = oneOf(
  'first_value(minutes) over (partition by id order by started desc)',
  'last_value(minutes) over (partition by id order by started rows between current row and unbounded following)',
  'first_value(minutes) over (partition by id order by started rows 2 preceding)',
  'last_value(minutes) over (partition by id order by started range between unbounded preceding and unbounded following)',
  'nth_value(minutes, 2) over (partition by id order by started rows between unbounded preceding and unbounded following)',
  'nth_value(minutes, 2) over (partition by id order by started rows between 1 preceding and 2 following exclude current row)',
  'ntile(2) over (partition by id order by started)',
  'lag(minutes, 1, -1) over (partition by id order by started)',
  'round(sqrt(minutes + coalesce(lag(minutes) over (partition by id order by started), row_number() over (partition by id order by started))))::int',
  'lead(minutes, 2, 7) over (partition by id, place order by started)',
  'lag(minutes, 1, extract(day from started)::int) over (partition by id order by started desc)',
  '(100 * percent_rank() over (partition by id order by minutes))::int',
  '(60 * percent_rank() over (partition by id order by place, minutes desc nulls last))::int',
  '(60 * cume_dist() over (partition by id order by place))::int',
  '(60 * cume_dist() over (partition by id))::int',
  "count(*) filter (where place = 'gym') over (partition by id)",
  'sum(minutes) filter (where minutes > 9) over (partition by id order by started)',
  "max(minutes) filter (where place <> 'home') over (partition by id order by started rows between 1 preceding and 1 following)",
  'bool_or(minutes > 30) over (partition by id order by started)::int',
  'every(minutes > 5) over (partition by id, place)::int',
  'sum(minutes) over (o rows between 1 preceding and current row)',
  'nth_value(minutes, 2) over (p order by started rows between unbounded preceding and unbounded following)',
  'count(minutes) over (g range between unbounded preceding and current row)',
  'lead(minutes) over (partition by id order by started rows 2 preceding)',
)

const framed = fc
  .tuple(
    fc.oneof(
      { weight: 3, arbitrary: frames },
      { weight: 3, arbitrary: distances },
      { weight: 3, arbitrary: places },
    ),
    oneOf(
      'select w.place as k, count(*) as n, count(w.v) as v from * w group by 1',
      'select a.sex as k, count(*) as n from * w join athletes a using (id) where w.v > 20 group by 1',
      // A window over a window, and over a join.
      'select count(*) as n, count(*) filter (where z.w < 30) as m from (select id, v, row_number() over (partition by id order by v desc nulls last) as r, max(v) over (partition by id) as w from * w) z where z.r <= 2',
      'select count(*) as n from (select b.id, lag(w.v) over (partition by b.id order by w.started) as before from * w join athletes b using (id)) y where y.before > 15',
    ),
  )
  .map(([value, text]) => text.replace('* w', () => `(${withWindow(value)}) w`))

/** A window that is made from another is named after it. */
function withWindow(value: string): string {
  const isNamed = /over \([opg] /.test(value)
  const windows = 'p as (partition by id), o as (p order by started), g as (p order by place desc)'
  return `select id, place, minutes, started, ${value} as v from sessions${isNamed ? ` window ${windows}` : ''}`
}

/** Comparisons of several values at once. */
const compared = fc
  .tuple(
    oneOf(
      'gold between symmetric 3 and 0',
      'height not between symmetric 1.9 and 1.6',
      'gold > any (array[0, 2])',
      'gold <= all (array[2, 3, 9])',
      "sport like any (array['r%', '%f'])",
      "(sex, gold) in (('f', 1), ('m', 2), ('m', 0))",
      "(sport, gold) not in (('golf', 1), ('rowing', null))",
      "(sex, sport) <> ('f', 'golf')",
      'gold * 9 > any (select minutes from sessions s where s.id = a.id)',
      'gold * 15 >= all (select minutes from sessions s where s.id = a.id)',
      'gold * 7 <> all (select minutes from sessions s where s.id = a.id and s.minutes is not null)',
      'gold * 7 in (select minutes from sessions s where s.id = a.id order by started limit 2)',
      'gold in (values (0), (2), (null))',
      'exists (select 1 from (values (0, 1), (3, null), (2, 9)) v(lo, hi) where gold between v.lo and v.hi)',
      "not exists (select * from (values ('golf', 1.7), ('rowing', 1.8)) v(sport, least) where v.sport = a.sport and a.height > least)",
      'exists (select 1 where gold > 1) or exists (values (1)) and height > 1.6',
      'exists (with v(n) as (values (5), (30)) select n from v where exists (select 1 from sessions s where s.id = a.id and s.minutes > v.n + a.gold))',
      'exists (select 1 from sessions s where s.id = a.id and exists (select 1 from (values (3, 9), (20, 25)) v(lo, hi) where s.minutes + a.gold between lo and hi limit 1))',
      "born > (select date '1987-06-01')",
      'height > (select greatest(a.gold, 1.6) where a.gold is not null)',
      'exists (select 1 from sessions s where s.id = a.id and s.minutes > 9 order by started limit 1)',
    ),
    conditionOfAthlete,
    oneOf('count(*)', 'avg(height)', 'sum(gold)'),
  )
  .map(
    ([one, where, measure]) =>
      `select sex as k, ${measure} as m, count(*) filter (where ${one}) as f from athletes a where ${one} or (${where}) group by 1`,
  )

const natural = fc
  .tuple(
    oneOf(
      'athletes a natural join sessions s',
      'athletes a natural left join (select id, minutes from sessions) s',
      '(select id, gold, sex from athletes) a natural join (select id, sum(minutes) as minutes, count(*) - 1 as gold from sessions group by id) s',
      "(select id, sex, 'gym' as place from athletes) a natural join sessions s",
      '(select id from athletes where gold > 0) p natural join athletes a natural join sessions s',
    ),
    oneOf('sex', 'sex is null'),
  )
  .map(
    ([from, key]) =>
      `select ${key} as k, count(*) as n, count(minutes) as m, count(distinct id) as p from ${from} group by 1`,
  )

const grouping = fc
  .tuple(
    oneOf(
      'rollup (sex, sport)',
      'cube (sex, sport)',
      'grouping sets ((sex), (sport, sex), ())',
      'sex, sport',
    ),
    conditionOfAthlete,
    oneOf('having count(*) > 0', 'having grouping(sport) = 1 and count(*) > 0'),
  )
  .map(
    ([sets, where, having]) =>
      `with a as materialized (select * from athletes order by height) select sex, sport, grouping(sex) as g, grouping(sport, sex) * 10 as h, count(*) as n from a where (${where}) group by ${sets} ${having}`,
  )

/** Texts and dates that are made, and patterns. */
const made = fc
  .tuple(
    oneOf(
      "lpad(sport, 3, 'xy')",
      "rpad(coalesce(sport, ''), 8, '.')",
      'lpad(gold::text, 4)',
      "repeat(sport, 2) || '!'",
      "concat_ws('/', sex, sport)",
      "translate(sport, 'og', 'x')",
      "(string_to_array(sport, 'o'))[2]",
      "array_length(string_to_array(sport, 'o'), 1)",
      'make_date(2000 + gold::int, 2, 24 + gold::int)::text',
      'make_date(extract(year from born)::int, 1, 1)::text',
    ),
    oneOf(
      "sport ~ '^[a-r]+$'",
      "sport !~ 'ow|ol'",
      "regexp_like(sport, 'g.{2}f$')",
      "sport ~ '(^r|f$)' or sport is null",
      "sport similar to '(g|r)o%' or sport not similar to '_owing'",
      "sex::varchar(1) = 'f' and height::numeric(4, 0) = 2",
      "'g' = any (string_to_array(sport, 'o')) or 'wing' <> all (string_to_array(sport, 'o'))",
    ),
    oneOf('count(*)', 'avg(height)'),
  )
  .map(
    ([key, where, measure]) => `select ${key} as k, ${measure} as m from athletes where ${where} group by 1`,
  )

/** Functions that analysts know from PostgreSQL's manual. */
const known = fc
  .tuple(
    oneOf(
      'log(2, gold + 3)',
      'log(gold + 3, 10)',
      'gcd(gold * 6, 9)',
      'div(gold, 2)',
      'num_nulls(height, sport) * 10 + num_nonnulls(sport)',
      'left(sport, -2)',
      'right(sport, -3)',
      "split_part(sport, 'o', -1)",
      "trim(both 'gr' from sport)",
      "trim(leading 'rog' from sport)",
      "rtrim(sport, 'fgn')",
      'octet_length(sport)',
      "to_char(born, 'Mon YY')",
      "to_char(born, 'FMMonth')",
      "to_char(born, 'Dy, FMDay')",
      "'m' || to_char(born, 'YYYYMM')",
      "to_date(to_char(born, 'DD/MM/YYYY'), 'DD/MM/YYYY')::text",
      "to_date(to_char(born, 'YYYYMMDD'), 'YYYYMMDD') - born",
      "concat(sport, '-', gold)",
      "concat_ws('/', sex, gold, born)",
      'sport || gold',
      "gold || ':' || born",
      'width_bucket(height, array[1.55, 1.8, 2])',
      "width_bucket(born, array[date '1986-01-01', date '1988-03-01'])",
      'width_bucket(gold, array[-1, 0, 2])',
      "(date_bin('28 days', born::timestamp, timestamp '1986-01-11'))::date::text",
    ),
    oneOf(
      "sport ^@ 'ro' or sport is null",
      "date_bin('900 days', born::timestamp, timestamp '2000-01-01') < '1988-01-01'",
      'log(3, height::numeric) > 0.5 or num_nulls(height) = 1',
      "to_date(left(born::text, 7) || '-02', 'YYYY-MM-DD') > '1987-03-01'",
    ),
    oneOf('count(*)', 'avg(height)', 'sum(gold)'),
  )
  .map(
    ([key, where, measure]) => `select ${key} as k, ${measure} as m from athletes where ${where} group by 1`,
  )

const knownOfSessions = oneOf(
  "select place as k, count(*) as n from sessions where to_char(started, 'HH12 AM') in ('10 AM', '01 PM', '07 PM') group by 1",
  "select to_char(date_bin('36 hours', started, timestamp '2026-01-01 01:30'), 'YYYYMMDD HH24MI') as k, sum(minutes) as n from sessions group by 1",
)

/** What is taken out of a document or a list of the person's row. */
const documentValue = oneOf(
  "a.profile ->> 'city'",
  "a.profile #>> '{home,zip}'",
  "a.profile -> 'home' ->> 'zip'",
  "a.profile #>> '{likes,0}'",
  "a.profile -> 'likes' ->> -1",
  "a.profile ->> '0'",
  "jsonb_typeof(a.profile -> 'age')",
  "jsonb_array_length(a.profile -> 'likes')",
  "(a.profile -> 'home' ->> 'is_new')::boolean",
  'a.tags[1]',
  'a.tags[2]',
  'cardinality(a.tags)',
  'array_length(a.tags, 1)',
  'a.marks[3]',
  "floor((a.profile ->> 'score')::float8 / 2)",
)
const documentCondition = oneOf(
  "a.profile ->> 'city' = 'Cork'",
  "(a.profile ->> 'age')::int > 25",
  "(a.profile ->> 'score')::float8 between 1.2 and 3.5",
  "a.profile ? 'age'",
  "a.profile -> 'likes' ? 'run'",
  "a.profile ?| array['age', 'nothing']",
  "a.profile ?& '{city,age}'",
  `a.profile @> '{"city": "Cork"}'`,
  `a.profile @> '{"home": {"zip": "Z1", "is_new": false}}'`,
  `a.profile @> '{"likes": ["run", 2]}'`,
  `a.profile -> 'likes' @> '1'`,
  `a.profile @> '{"home": {}, "likes": []}'`,
  `a.profile @> '{"age": null}'`,
  "a.profile -> 'age' is null",
  'a.profile is not null',
  "a.profile #> '{home,is_new}' is not null",
  "'run' = any (a.tags)",
  'a.sport <> all (a.tags)',
  "a.tags && array['run', 'swim']",
  "a.tags @> '{row}'",
  "a.tags <@ array['row', 'swim']",
  'a.gold = any (a.marks)',
  '3 = any (a.marks)',
  'a.marks @> array[3, 1]',
  "a.tags[1] <> 'run' or a.tags is null",
)
const documents = fc
  .tuple(
    documentValue,
    fc.array(
      fc.oneof(
        oneOf(
          'count(*)',
          'sum(cardinality(a.tags))',
          'avg(array_length(a.tags, 1))',
          "count(a.profile ->> 'age')",
          'count(a.profile)',
          'count(a.marks)',
          'avg(a.height)',
        ),
        documentCondition.map((filter) => `count(*) filter (where ${filter})`),
      ),
      { minLength: 1, maxLength: 3 },
    ),
    documentCondition,
    conditionOfAthlete,
    oneOf('and', 'or'),
  )
  .map(
    ([key, measures, one, other, by]) =>
      `select ${key} as k, ${measures.map((measure, index) => `${measure} as m${index}`).join(', ')} from athletes a where (${one}) ${by} (${other}) group by 1`,
  )

/** The same within what is made of each person first, and through names. */
const documentsOfPerson = fc
  .tuple(documentValue, documentCondition)
  .map(
    ([value, condition]) =>
      `with t as (select a.id, a.sex, a.profile as p, a.tags as g, ${value} as v from athletes a where ${condition}), u as (select id, count(v) as n, bool_or(p ? 'age') as has from t group by id) select u.n, u.has, t.p ->> 'city' as c, count(*) as m, count(t.v) as k, count(*) filter (where 'run' = any (t.g)) as r from u join t using (id) group by 1, 2, 3`,
  )

/** Relations that are written out, tied to rows of people. */
const written = fc
  .tuple(
    oneOf(
      "join (values ('f', 'women'), ('m', 'men')) v(sex, label) on v.sex = a.sex",
      "join (values ('f', 'women'), ('x', null)) v(sex, label) using (sex)",
      "left join (values ('golf', 'f', 'G'), ('golf', 'm', 'H'), (null, 'm', 'N')) v(sport, sex, label) on a.sport = v.sport and v.sex = a.sex and a.gold > 0",
      "join (select 'golf' as sport, 'ball' as label union all select 'rowing', 'boat' union select 'golf', 'ball') v on v.sport = a.sport",
      "join (values (-1, 1, 'few'), (2, 3, 'some'), (4, 9, 'many')) v(least, most, label) on a.gold between v.least and v.most",
      "join (values (1.0, 1.7, 'short'), (1.7, 1.9, 'tall'), (1.9, null, 'none')) v(least, most, label) on a.height >= v.least and v.most > a.height",
      "left join (values (date '1987-01-01', 'before'), (null, 'never')) v(until, label) on a.born < v.until",
      ", (values ('f', 'women'), ('m', 'men')) v(sex, label) where v.sex = a.sex and",
      "cross join (values ('one')) v(label)",
    ),
    oneOf('a.sex', 'v.label', 'coalesce(v.label, a.sport)'),
    oneOf(
      'count(*)',
      'count(v.label)',
      "avg(a.height) filter (where v.label <> 'men')",
      "count(distinct a.id) filter (where v.label like '%e%')",
    ),
    conditionOfAthlete,
  )
  .filter(([join, key]) => !join.startsWith('cross') || key === 'a.sex')
  .map(([join, key, measure, where]) => {
    const condition = `(${where.replaceAll(/\b(gold|height|sex|sport|born)\b(?![.'])/g, (name, _, at: number, text: string) => (text[at - 1] === '.' ? name : `a.${name}`))})`
    return `select ${key} as k, ${measure} as m from athletes a ${join}${join.endsWith(' and') ? '' : ' where'} ${condition} group by 1`
  })

/** The same beside rows of several, through CTEs, and as what is looked for. */
const writtenElsewhere = fc
  .tuple(
    oneOf(
      "with v(place, label) as (values ('gym', 'in'), ('home', 'out')) select label as k, count(*) as n, sum(minutes) as m from sessions join v using (place) group by 1",
      "with v as (select 'gym' as place, 12 as least) select s.place as k, count(*) as n from sessions s, v where s.minutes > v.least and s.place = v.place and CONDITION group by 1",
      "with v(place) as (values ('gym'), ('home')), w as (select place from v except select 'gym') select count(*) as n from sessions s where place in (select place from w) and CONDITION",
      'with p as (select 20 as long) select a.sex as k, count(*) as n from athletes a join sessions s using (id) cross join p where s.minutes > p.long and CONDITION group by 1',
      'select count(*) as n from sessions s where minutes > (select n from (values (15)) v(n)) and CONDITION',
      "select count(*) as n from athletes a left join sessions s on s.id = a.id left join (values ('gym', true)) v(place, is_in) on v.place = s.place where v.is_in is null and CONDITION",
      "select t.label as k, count(*) as n from (select s.id, s.minutes, v.label from sessions s join (values ('gym', 1)) v(place, label) on v.place = s.place) t join athletes a on a.id = t.id group by 1",
    ),
    oneOf('true', 's.minutes between 5 and 40', 's.minutes is not null'),
  )
  .map(([text, condition]) => text.replace('CONDITION', condition))

/** Aggregates of two values. */
const pairs = fc
  .tuple(
    fc.array(
      fc
        .tuple(
          fc.constantFrom(...Object.keys(PAIR_AGGREGATES)),
          oneOf(
            '(height, gold)',
            '(gold, height)',
            '(gold, gold)',
            '(gold * height, height)',
            '(height / 4, gold * gold)',
            '(extract(year from born), height)',
            "(case when sport = 'golf' then height end, gold)",
            '(height, 2)',
          ),
          oneOf('', '', " filter (where sex = 'f')", ' filter (where height > 1.6 or gold > 1)'),
        )
        .map((parts) => parts.join('')),
      { minLength: 1, maxLength: 4 },
    ),
    oneOf('sex', 'sport', 'gold', 'extract(month from born)'),
    conditionOfAthlete,
    oneOf('', 'having regr_count(height, gold) > 2', 'having corr(height, gold) is not null'),
  )
  .map(
    ([measures, key, where, having]) =>
      `select ${key} as k, ${measures.map((text, index) => `${text} as m${index}`).join(', ')} from athletes a where (${where}) group by 1 ${having}`,
  )

const pairsOfSessions = oneOf(
  'select place as k, covar_pop(minutes, extract(hour from started)) as c, regr_slope(minutes, extract(day from started)) as s from sessions group by 1',
  'select a.sex as k, corr(s.minutes, extract(hour from s.started)) as c, count(*) as n from athletes a join sessions s using (id) group by 1',
  'with t as (select id, sum(minutes) as m, count(*) as n from sessions group by id) select a.sex as k, regr_intercept(a.gold, t.m) as i, regr_r2(t.m, a.height) as r, corr(t.m, t.n) as c from athletes a left join t using (id) group by 1',
)

/** What patterns find in texts. */
const found = fc
  .tuple(
    oneOf(
      "regexp_replace(sport, '[aeiou]+', '')",
      "regexp_replace(sport, '([a-m])([n-z])', '\\2\\1', 'g')",
      "regexp_replace(sport, 'O.', '-', 'gi')",
      "regexp_substr(sport, '[l-z]{2}')",
      "substring(sport from '^.(.*)g$')",
      "substring(profile ->> 'city' from '[a-z]+')",
      "regexp_count(sport, '[^o]o')",
    ),
    conditionOfAthlete,
  )
  .map(([value, where]) => `select ${value} as k, count(*) as n from athletes a where (${where}) group by 1`)

/** Every shape of this file, with its name. */
export const FURTHER_SHAPES: Readonly<Record<string, fc.Arbitrary<string>>> = {
  lateral,
  'lateral rows': lateralRows,
  'first rows': firstRows,
  'distinct on': distinctOn,
  'sets of people': personSets,
  frames: framed,
  compared,
  natural,
  grouping,
  made,
  documents,
  'documents of a person': documentsOfPerson,
  written,
  'written elsewhere': writtenElsewhere,
  found,
  known,
  'known of sessions': knownOfSessions,
  pairs,
  'pairs of sessions': pairsOfSessions,
}
