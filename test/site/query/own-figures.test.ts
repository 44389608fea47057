import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask } from './gate-data.ts'

/* Figures of a person's own rows, spans, and groups that are nobody's: what is taken of them, and what is declined with which words. */

const perPerson = (value: string, outer: string): string =>
  `with t as (select id, ${value} as v from sessions group by id) select a.sex, ${outer} from athletes a join t on t.id = a.id group by a.sex`

const TAKEN: readonly string[] = [
  perPerson('stddev(minutes)', 'avg(t.v)'),
  perPerson('var_pop(minutes) filter (where minutes > 3)', 'sum(t.v)'),
  perPerson('median(minutes)', 'avg(t.v)'),
  perPerson('mode() within group (order by minutes)', 'avg(t.v)'),
  perPerson('percentile_cont(0.9) within group (order by minutes)', 'count(*) filter (where t.v > 60)'),
  perPerson('stddev(minutes * minutes + 3)', 'count(*) filter (where t.v > 60)'),
  "select sex, avg((date '2026-01-01' - born) / 365.25), sum(power(height, 2)) from athletes group by sex",
  'select count(distinct case when active then id end), count(case when active then id else null end) from athletes',
]

for (const sql of TAKEN)
  test(`taken: ${sql}`, () => {
    const checked = ask(sql)
    assert.ok(checked.ok, JSON.stringify(checked))
  })

const DECLINED: readonly (readonly [sql: string, says: RegExp, at: string])[] = [
  // Each fraction, each constant and each power would be another equation about the same people.
  [
    perPerson('percentile_cont(0.9) within group (order by minutes)', 'avg(t.v)'),
    /a sum, average or variance/,
    'avg(',
  ],
  [perPerson('stddev(minutes * minutes)', 'avg(t.v)'), /a sum, average or variance/, 'avg('],
  [perPerson('median(minutes - 30)', 'avg(t.v)'), /a sum, average or variance/, 'avg('],
  ['select sum(power(height, 3)) from athletes', /a sum, average or variance/, 'sum('],
  ['select sum(power(height, 1.5)) from athletes', /a sum, average or variance/, 'sum('],
  [
    "select avg(extract(year from age(date '2026-01-01', born))) from athletes",
    /of ages take the days, as in avg\(\(date/,
    'avg(',
  ],
  // How long a text may be is known before.
  [perPerson("string_agg(distinct place, ',')", 'count(*)'), /more than 32 different values/, 'string_agg('],
  [perPerson("string_agg(place, ',')", 'count(*)'), /without DISTINCT/, 'string_agg('],
  [perPerson('string_agg(distinct place, place)', 'count(*)'), /a written text/, 'string_agg('],
  [perPerson('mode() within group (order by place desc)', 'count(*)'), /a falling order/, 'mode('],
  [
    perPerson('percentile_cont(minutes / 600.0) within group (order by minutes)', 'count(*)'),
    /written out between 0 and 1/,
    '/ 600.0',
  ],
  // Spans are compared, and never shown.
  [
    "select age(date '2026-01-01', born), count(*) from athletes group by 1",
    /"age" \(a span of time/,
    'age(',
  ],
  ["select count(*) from athletes where age(born) > interval '3 years'", /"age" \(a span of time/, 'age('],
  ['select sum(started - minutes) from sessions', /- of \(timestamp, integer\)/, '- minutes)'],
  [
    "select count(*) from sessions where started - timestamp '2026-01-01' > interval '900 years'",
    /two hundred years/,
    '> interval',
  ],
  [
    'select count(*) from sessions where (started, place) overlaps (started, started)',
    /text as timestamp/,
    'overlaps',
  ],
  ["select count(*) from athletes where format(sex, 'x') = 'y'", /"format" by anything but/, 'format('],
  ["select count(*) from athletes where format('%s %s', sex) = 'y'", /fewer values than/, 'format('],
  ["select count(*) from athletes where format('%I', sex) = 'y'", /"format" by anything but/, 'format('],
  // Rows of nobody stand in no group with people.
  [
    "select v.n, count(*) from (values (1, 'a'), (1, 'b')) v(n, l) left join athletes a on a.gold = v.n and a.sex = v.l group by v.n",
    /without GROUP BY of what tells those rows apart/,
    "1, 'a'",
  ],
  [
    'select v.n, count(*) from athletes a full join (values (1), (null)) v(n) on a.gold = v.n group by v.n',
    /without GROUP BY of what tells those rows apart/,
    '1)',
  ],
  [
    'select count(*) from athletes a join (select a.id from (values (1)) v(n) left join athletes a on a.gold = v.n) b using (id)',
    /keeps rows of a relation that is written out/,
    'athletes a on',
  ],
  [
    "select v.l, max(v.n) from athletes a join (values (1, 'a'), (2, 'a')) v(n, l) on a.gold = v.n group by v.l",
    /must stand in GROUP BY/,
    'max(',
  ],
]

for (const [sql, says, at] of DECLINED)
  test(`declined at "${at}": ${sql}`, () => {
    const checked = ask(sql)
    assert.ok(!checked.ok)
    const { position = 0, detail = '' } = checked.error
    assert.match(detail, says)
    assert.ok(sql.slice(position - 1).startsWith(at), `${position}: ${detail}`)
  })

test('questions that differ in a fraction, a separator or what is shown of groups are told apart', () => {
  const texts = [
    perPerson('percentile_cont(0.9) within group (order by minutes)', 'count(t.v)'),
    perPerson('percentile_cont(0.8) within group (order by minutes)', 'count(t.v)'),
    perPerson('percentile_disc(0.8) within group (order by minutes)', 'count(t.v)'),
    perPerson("string_agg(distinct active::text, ',')", 'count(t.v)').replaceAll('sessions', 'athletes'),
    perPerson("string_agg(distinct active::text, ';')", 'count(t.v)').replaceAll('sessions', 'athletes'),
    'select sex, sum(n) from (select sex, gold, count(*) as n from athletes group by sex, gold) t group by sex',
    'select sex, sum(n) over (partition by sex) from (select sex, gold, count(*) as n from athletes group by sex, gold) t',
  ]
  const digests = texts.map((sql) => {
    const checked = ask(sql)
    assert.ok(checked.ok, JSON.stringify(checked))
    return checked.value.digest
  })
  assert.equal(new Set(digests).size, texts.length)
})
