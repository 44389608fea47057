import fc from 'fast-check'
import { conditionOfAthlete } from './arbitrary-condition.ts'
import { oneOf } from './one-of.ts'

/* Questions over relations of rarer shapes: sub-queries that look at the row before them, first rows, sets of people, tables written out. */

/** Sub-queries after FROM that look at the row before them. */
export const lateral = fc
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
export const lateralRows = fc
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
export const firstRows = fc
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

export const distinctOn = fc
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
export const personSets = fc
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

/** Different people, of whom some come again and again. */
export const peopleOfAll = fc
  .tuple(
    oneOf('union all', 'union', 'intersect'),
    oneOf('select id from athletes where gold > 0', "select id from sessions where place = 'gym'"),
    oneOf(
      'select id from sessions where minutes > 10',
      'select s.id from sessions s join athletes using (id)',
    ),
    oneOf(
      'select count(distinct id) as p from (INNER) u',
      'with u as (INNER) select a.sex as k, count(distinct a.id) as n, count(distinct case when a.gold > 1 then u.id end) as m from athletes a join u using (id) group by 1',
      'with u as (INNER) select s.place as k, count(distinct u.id) as n from sessions s join u on u.id = s.id where s.minutes > 5 group by 1',
    ),
  )
  .map(([by, one, other, text]) =>
    text.replace('INNER', `${one} union all ${other} ${by} select id from athletes where sex = 'm'`),
  )

export const natural = fc
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

/** Relations that are written out, tied to rows of people. */
export const written = fc
  .tuple(
    oneOf(
      "join (values ('f', 'women'), ('m', 'men')) v(sex, label) on v.sex = a.sex",
      "join (values ('f', 'women'), ('x', null)) v(sex, label) using (sex)",
      "left join (values ('f', 'women'), ('m', 'men')) v(sex, label) on v.sex = a.sex and power(a.gold, 2) > 1",
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
export const writtenElsewhere = fc
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

/** Written relations whose rows stay where they meet nobody: groups of nobody, which are not shown. */
export const writtenKept = fc
  .tuple(
    oneOf(
      "(values ('f', 1, 'women'), ('m', 2, 'men'), ('q', 3, 'none')) v(sex, least, label) left join athletes a on a.sex = v.sex",
      "athletes a right join (values (-1, 1, 'few'), (2, 3, 'some'), (7, 9, 'none')) v(least, most, label) on a.gold between v.least and v.most",
      "athletes a full join (values ('f', 4, 'women'), ('q', 5, 'none')) v(sex, least, label) on a.sex = v.sex",
      '(select n as least, n as label from generate_series(-1, 6) n) v left join athletes a on a.gold = v.label',
      "(select w as label, w as least from generate_series(date '1985-01-01', date '1990-12-01', interval '6 months') as g(w)) v left join athletes a on a.born >= v.label and a.born < v.label + interval '6 months'",
      '(select n as least, n as label from (select generate_series(6, -1, -2) as n) g) v left join athletes a on a.gold = v.label',
      "(select w as label, w as least from (select generate_series(date '1985-01-01', date '1990-12-01', interval '1 year')::date as w) g) v left join athletes a on make_date(extract(year from a.born)::int, 1, 1) = v.label",
      "(values ('golf', 1, 'G'), ('rowing', 2, 'R'), ('chess', 3, 'C')) v(sport, least, label) left join athletes a on v.sport = a.sport left join sessions s on s.id = a.id",
    ),
    oneOf('count(*)', 'count(a.id)', 'avg(a.height)', 'count(distinct a.id) filter (where a.gold > 0)'),
    oneOf('', ', max(v.least)::text as l, min(v.least) is null as i'),
    conditionOfAthlete,
  )
  .map(([from, measure, more, where]) => {
    const condition = `(${where.replaceAll(/\b(gold|height|sex|sport|born)\b(?![.'])/g, (name, _, at: number, text: string) => (text[at - 1] === '.' ? name : `a.${name}`))})`
    const [label, extra] = from.includes('date') ? ["to_char(v.label, 'YYYY-MM')", ''] : ['v.label', more]
    const made = from.includes('sessions') ? measure.replace('avg(a.height)', 'avg(s.minutes)') : measure
    return `select ${label} as k, ${made} as m${extra} from ${from} where ${condition} group by v.label having count(a.id) > 0`
  })
