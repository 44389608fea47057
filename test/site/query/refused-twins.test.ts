import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask } from './gate-data.ts'

/* Where a shape ends that the gate takes: beside each text that is taken one that differs from it in what makes it unsafe. */

interface Twin {
  readonly taken: string
  readonly refused: string
  readonly because: RegExp
  readonly mode?: 'rows' | 'private'
}

const hours = (made: string): string =>
  `select avg(extract(hour from q)) from (select id, ${made} as q from sessions group by id) t`
const repeated = (made: string): string =>
  `select avg(g) from (select a.id, ${made} as g from athletes a join sessions s on s.id = a.id group by a.id) t`
const joined = (made: string): string =>
  `select count(*) from (select id, string_agg(distinct ${made}) as g from athletes group by id) t where g = 'x'`
const kept = (groups: string): string =>
  `select v.label, count(*) from athletes a right join (values ('female', 'F'), ('male', 'M')) v(sex, label) on v.sex = a.sex group by ${groups}`
const longest = (times: number): string =>
  `select count(*) from athletes a where repeat((select max(repeat(s.place, 30)) from sessions s where s.id = a.id), ${times}) = 'x'`
const quantiles = (count: number): string =>
  `select percentile_cont(array[${Array.from({ length: count }, (_, one) => (one + 1) / 100).join()}]) within group (order by height) from athletes`
const groups = '(select sex, gold, count(*) as n from athletes group by sex, gold) t'

const TWINS: Readonly<Record<string, readonly Twin[]>> = {
  'a product is told apart by edges that are a bin of each column apart': [
    {
      taken:
        'select weight / (height * height) < 25 and weight / (height * height) < 40, count(*) from athletes group by 1',
      refused:
        'select weight / (height * height) < 25 and weight / (height * height) < 26, count(*) from athletes group by 1',
      because: /"height" may only be grouped by in bins of at least 0.1/,
    },
    {
      taken: 'select weight / (height * height) < 25, floor(weight), count(*) from athletes group by 1, 2',
      refused:
        'select weight / (height * height) < 25, floor(height * 10), count(*) from athletes group by 1, 2',
      because: /"height" may be grouped by in one way only/,
    },
  ],
  'a span of time stands beside spans': [
    {
      taken:
        "select sum(started - timestamp '2026-01-01') filter (where started - timestamp '2026-01-01' > '20 days') from sessions",
      refused: 'select count(*) from athletes a join sessions s using (id) where s.started - a.born > 20',
      because: /a span of time beside integer in >; compare it with a span/,
    },
    {
      taken: "select extract(epoch from avg(started - timestamp '2026-01-01')) / 3600 from sessions",
      refused: "select extract(day from avg(started - timestamp '2026-01-01')) from sessions",
      because: /a field of a span of time but epoch/,
    },
    {
      taken:
        "select count(*) from sessions where (started - timestamp '2026-01-01') / 2 > interval '1 month'",
      refused:
        "select count(*) from sessions where started - timestamp '2026-01-01' + interval '1 month' > interval '2 months'",
      because: /months added to a span/,
    },
    {
      taken: "select avg(coalesce(started - timestamp '2026-01-01', interval '0 days')) from sessions",
      refused: "select avg(coalesce(started - timestamp '2026-01-01', interval '1 day')) from sessions",
      because: /anything but columns/,
    },
    {
      taken: "select avg(case when minutes > 5 then started - timestamp '2026-01-01' end) from sessions",
      refused:
        "select avg(case when minutes > 5 then started - timestamp '2026-01-01' else 0 end) from sessions",
      because: /a span of time beside integer in CASE/,
    },
    {
      taken: "select round(extract(epoch from started - timestamp '2026-01-01')) as s from sessions",
      refused: "select round(started - timestamp '2026-01-01') as s from sessions",
      because: /take its seconds/,
      mode: 'rows',
    },
    {
      taken: "select (started - timestamp '2026-01-01')::interval as s from sessions",
      refused: "select (started - timestamp '2026-01-01')::int as s from sessions",
      because: /the cast of a span of time/,
      mode: 'rows',
    },
  ],
  'what a person is grouped by is no aggregate of the groups': [
    {
      taken: 'select avg(n) from (select id, count(*) as n from sessions group by id) t',
      refused: 'select avg(n) from (select id, count(*) as n from sessions group by id, 2) t',
      because: /an aggregate in GROUP BY/,
    },
    {
      taken: 'select id, count(*) from sessions group by id, place',
      refused: 'select id, count(*) + 1 from sessions group by id, 2',
      because: /an aggregate in GROUP BY/,
      mode: 'rows',
    },
    {
      taken: 'select distinct id, place from sessions',
      refused: 'select distinct id, count(*) from sessions',
      because: /an aggregate in GROUP BY or beside DISTINCT/,
      mode: 'rows',
    },
  ],
  'a row of mode rows is made of the rows of one person': [
    {
      taken: 'select id, place, count(*) from sessions group by id, place',
      refused: 'select place, count(*) from sessions group by place',
      because: /without the person key in mode rows/,
      mode: 'rows',
    },
    {
      taken: 'select distinct id, place from sessions',
      refused: 'select distinct place from sessions',
      because: /without the person key in mode rows/,
      mode: 'rows',
    },
    {
      taken: 'select id, count(*) as n from sessions group by id order by n',
      refused: 'select id, count(*) as n from sessions group by id order by id',
      because: /The person key may only be counted/,
      mode: 'rows',
    },
    {
      taken: 'select id, rank() over (partition by id order by started) as n from sessions order by n, place',
      refused: 'select id, rank() over (order by started) as n from sessions order by n, place',
      because: /a window that is not PARTITION BY <person key>/,
      mode: 'rows',
    },
    {
      taken: 'select a.id, count(*) from athletes a join sessions s using (id) group by a.id',
      refused: 'select s.id, count(*) from athletes a left join sessions s on s.id = a.id group by s.id',
      because: /an outer join, within a sub-query, that may find several rows/,
      mode: 'rows',
    },
    {
      taken: 'select distinct id, place from sessions order by place',
      refused: 'select distinct id, place from sessions order by minutes',
      because: /ORDER BY beside DISTINCT of what is not shown/,
      mode: 'rows',
    },
  ],
  'people of a UNION ALL are counted as different ones': [
    {
      taken:
        'select a.sex, count(distinct a.id) from athletes a join (select id from sessions union all select id from athletes where gold > 0) u using (id) group by 1',
      refused:
        'select a.sex, count(*) from athletes a join (select id from sessions union all select id from athletes where gold > 0) u using (id) group by 1',
      because: /write UNION for a set of people/,
    },
    {
      taken: 'select count(distinct id) from (select id from sessions union all select id from athletes) u',
      refused:
        'select count(distinct id) from (select id from sessions union all select id from athletes) u having count(*) > 30',
      because: /under nothing but count/,
    },
    {
      taken: 'select id from (select id from sessions union select id from athletes) u',
      refused: 'select id from (select id from sessions union all select id from athletes) u',
      because: /under nothing but count/,
      mode: 'rows',
    },
    {
      taken:
        'select count(*) from (select id from (select id from sessions union select id from athletes) u group by id having count(*) > 1) t',
      refused:
        'select count(distinct id) from (select id from (select id from sessions union all select id from athletes) u group by id having count(*) > 1) t',
      because: /under nothing but count/,
    },
    {
      taken: 'select count(distinct id) from (select id from sessions union all select id from athletes) u',
      refused:
        'select count(distinct id) from (select id from sessions except all select id from athletes) u',
      because: /under nothing but count/,
    },
  ],
  'whole numbers without 0 may be divided by': [
    {
      taken: 'select avg(height / nullif(gold, 0)) from athletes',
      refused: 'select avg(height / nullif(gold, 1)) from athletes',
      because: /bounds cannot be told/,
    },
    {
      taken: 'select avg(height / nullif(gold, 0) / 2) from athletes',
      refused: 'select avg(height / nullif(gold::numeric, 0)) from athletes',
      because: /bounds cannot be told/,
    },
  ],
  'a field of a quantile of moments is another quantity for each fraction': [
    {
      taken: hours('min(started)'),
      refused: hours('percentile_disc(0.25) within group (order by started)'),
      because: /anything but columns/,
    },
  ],
  'a value that a join repeats is counted once': [
    'sum(a.gold)',
    'avg(a.gold)',
    'stddev(a.gold)',
    'median(a.gold)',
    'mode() within group (order by a.gold)',
    'percentile_disc(0.5) within group (order by a.gold)',
  ].map((made) => ({
    taken: repeated('max(a.gold)'),
    refused: repeated(made),
    because: /that the join repeats/,
  })),
  'rows of nobody are told apart in every set of groups': [
    { taken: kept('v.label'), refused: kept('rollup (v.label)'), because: /nobody stands behind them/ },
    {
      taken: kept('grouping sets ((v.label), (v.label, a.gold))'),
      refused: kept('grouping sets ((v.label), (a.gold))'),
      because: /nobody stands behind them/,
    },
  ],
  'a row of mode rows is of somebody': [
    {
      taken: "select a.height from athletes a left join (values ('female')) v(sex) on v.sex = a.sex",
      refused: "select a.height from athletes a right join (values ('female')) v(sex) on v.sex = a.sex",
      because: /nobody stands behind them/,
      mode: 'rows',
    },
  ],
  'texts stay about as long as stored ones': [
    {
      taken: joined(`sex, '${'-'.repeat(16)}'`),
      refused: joined(`sex, '${'-'.repeat(17)}'`),
      because: /at most 16 bytes/,
    },
    {
      taken: joined("repeat(sex, 32), ','"),
      refused: joined("repeat(sex, 33), ','"),
      because: /more than 32 different values/,
    },
    { taken: longest(2), refused: longest(3), because: /longer than 64 stored ones/ },
  ],
  'a list of quantiles is short': [
    { taken: quantiles(16), refused: quantiles(17), because: /more than 16/, mode: 'private' },
  ],
  'what is different of groups of groups is not asked beside what is computed of them': [
    {
      taken: `select sum(n) from ${groups} group by sex`,
      refused: `select distinct sum(n) from ${groups} group by sex`,
      because: /DISTINCT beside an aggregate/,
    },
    {
      taken: `select distinct sex from ${groups}`,
      refused: `select distinct sum(n) from ${groups}`,
      because: /DISTINCT beside an aggregate/,
    },
  ],
}

for (const [name, twins] of Object.entries(TWINS))
  test(name, () => {
    for (const { taken, refused, because, mode } of twins) {
      const one = ask(taken, mode)
      assert.ok(one.ok, `${taken}: ${JSON.stringify(one)}`)
      const other = ask(refused, mode)
      assert.ok(!other.ok, refused)
      assert.match(other.error.detail ?? '', because, refused)
    }
  })
