import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LIMITS } from '../../../src/kernel/limits.ts'
import { ask, verdict } from './gate-data.ts'

/* What can be asked, and what is read off a question. What cannot: `declines-all.ts` and the tables that use it. */

const ANSWERED: readonly string[] = [
  'select count(*) from athletes',
  'SELECT Sex, COUNT(*) AS "How many" FROM Athletes GROUP BY sex ORDER BY 2 DESC NULLS LAST LIMIT 10 OFFSET 1',
  'select sex, avg(height), stddev(weight), sum(gold), count(distinct id), count(weight) from athletes group by sex',
  'select round(avg(height)::numeric, 2) * 100 as cm from athletes having count(*) > 20',
  "select count(*) filter (where born >= '1990-01-01' and sex in ('female')) from athletes",
  'select width_bucket(weight, 40, 120, 8), count(*) from athletes group by 1',
  'select floor(height / 0.1) * 0.1 as h, count(*) from athletes group by h',
  "select case when weight < 60 then 'light' when weight < 90 then 'middle' else 'heavy' end as class, count(*) from athletes group by class",
  "select extract(year from born) as year, date_trunc('year', born), count(*) from athletes group by 1, 2",
  "select count(*) from athletes where height between 1.5 and 2 and sex not like 'f%' and coalesce(weight, 70) > 60 and not (gold = 0) and active is not false",
  "select count(*) from sessions where started + interval '7 days' < timestamp '2026-11-24' and extract(epoch from started - timestamp '2026-01-01') > 3600",
  "select upper(left(place, 3)) || '-' || place, count(*) from sessions group by 1",
  'select a.sex, avg(s.minutes) from athletes a join sessions s on s.id = a.id and s.minutes > 5 group by a.sex',
  'select sex, sum(minutes) from athletes join sessions using (id) group by sex',
  'with tall as (select id, weight from athletes where height > 1.8), heavy as (select * from tall where weight > 90) select count(*), avg(weight) from heavy',
  'select avg(kg) from (select weight as kg from athletes) t',
  'with t as (select id, avg(minutes) as mean from sessions group by id) select sex, avg(mean) from athletes join t using (id) group by sex',
  'select sex from athletes group by sex',
  'select sex, count(*) from athletes a where exists (select 1 from sessions s where s.id = a.id and s.minutes > a.gold) group by sex',
  'select count(*) from athletes where id not in (select id from sessions group by id having count(*) > 3)',
  'select avg((select sum(minutes) from sessions s where s.id = a.id)) from athletes a',
  'select (select max(minutes) from sessions s where s.id = a.id) > 60 as long, count(*) from athletes a group by 1',
  "with f as (select id, place, min(started) as t0 from sessions group by id, place) select f.place, count(*), count(*) filter (where exists (select 1 from sessions s where s.id = f.id and s.started > f.t0 + interval '7 days')) from f group by 1",
  'select a.sex, count(*), count(s.id), count(distinct s.id), sum(s.minutes) from athletes a left join sessions s on s.id = a.id and s.minutes > 5 group by 1',
  'select count(*) from athletes a left join sessions s using (id) where s.id is null',
  'select place, count(*), count(distinct id) from (select * from athletes where weight > 55) a right join sessions s using (id) group by 1',
  'select count(a.id), count(distinct id) from athletes a full join (select id from sessions where minutes > 50) s using (id)',
  'select count(*) from athletes a, sessions s where a.id = s.id and s.minutes > 100',
  'select count(*) from athletes a cross join sessions s where a.id = s.id',
  'select distinct sex, active from athletes',
  'select distinct sex, count(*) from athletes group by sex',
  'select place, count(*) from (select distinct id, place from sessions) t group by place',
  'with t as (select id, count(distinct place) as places, every(minutes > 5) as long from sessions group by id) select long, avg(places) from t group by long',
  "select count(*) from athletes where gold = any (array[1, 2]) and sex <> all (array['x'])",
  "select extract(year from age(timestamp '2026-01-01', born)) as age, count(*) from athletes group by 1",
  "select to_char(started, 'YYYY-MM'), count(*) from sessions where position('gym' in place) > 0 and starts_with(place, 'g') and split_part(place, '-', 2) = '' group by 1",
  'select sex, active, count(*), avg(height) from athletes group by rollup (sex, active) having count(*) > 3 order by 1 nulls last',
  'select sex, active, count(*) from athletes group by grouping sets ((sex), (active), ())',
  'select place, count(*) from (select id, place, row_number() over (partition by id order by started) as n from sessions) t where n = 1 group by 1',
  "select count(*) from athletes where id in (select id from sessions where place = 'gym' union select id from sessions where minutes > 100 except select id from athletes where active)",
  '/* a comment */ select count(*) -- another\n from athletes;',
  "select count(*) from athletes where sex = $$female$$ or sex = U&'f\\0065male' or sex = E'fe\\x6dale'",
  'select count(*) from "athletes" where "height" > +1.5e0 and weight <> -70',
]

for (const sql of ANSWERED) {
  test(`aggregate: ${sql}`, () => {
    assert.equal(verdict(sql), 'approved', JSON.stringify(ask(sql)))
  })
}

const ROWS: readonly string[] = [
  'select * from athletes',
  'select a.*, minutes from athletes a join sessions using (id)',
  "select id, height * 100 as cm, born + 30, sqrt(weight) from athletes where sex = 'female' order by height desc limit 5",
]

for (const sql of ROWS) {
  test(`rows: ${sql}`, () => {
    assert.equal(verdict(sql, 'rows'), 'approved', JSON.stringify(ask(sql, 'rows')))
  })
}

test('* stands for the columns that may be used, and the person for a pseudonym', () => {
  const checked = ask('select * from athletes', 'rows')
  assert.ok(checked.ok)
  assert.deepEqual(
    checked.value.outputs.map(({ name, type }) => `${name} ${type}`),
    [
      'id person',
      'sex text',
      'height number',
      'weight number',
      'elo number',
      'gold integer',
      'born date',
      'active boolean',
    ],
  )
})

test('rows: no aggregates, no groups, and the person neither compared nor ordered by', () => {
  assert.equal(verdict('select count(*) from athletes', 'rows'), 'declined.sql_function')
  assert.equal(verdict('select sex from athletes group by sex', 'rows'), 'declined.sql_not_supported')
  assert.equal(verdict("select sex from athletes where id = '7'", 'rows'), 'declined.column')
  assert.equal(verdict('select sex from athletes order by id', 'rows'), 'declined.column')
  assert.equal(verdict('select name from athletes', 'rows'), 'declined.column')
})

test('parameters are values of the question, never text of it', () => {
  const checked = ask(
    'select count(*) from athletes where sex = $1 and height > $2 and active = $3 and weight is distinct from $4',
    'aggregate',
    ["x' or true --", 1.5, true, null],
  )
  assert.ok(checked.ok)
  assert.equal(ask('select count(*) from athletes where sex = $2', 'aggregate', ['a']).ok, false)
  assert.equal(
    ask('select count(*) from athletes where height > $1', 'aggregate', [Number.POSITIVE_INFINITY]).ok,
    false,
  )
})

test('a parameter that the question does not name is declined as a missing one is', () => {
  const missing = ask('select count(*) from athletes where sex = $2', 'aggregate', ['SECRET'])
  assert.ok(!missing.ok)
  for (const [sql, parameters, names] of [
    ['select count(*) from athletes', ['SECRET'], /\$1/],
    ['select count(*) from athletes where sex = $1', ['male', 'SECRET', 'SECRET'], /\$2/],
    ['select count(*) from athletes where sex = $2', ['SECRET', 'male'], /\$1/],
    // Neither a comment nor a text names one.
    ["select count(*) from athletes where sex = '$1' -- $1", ['SECRET'], /\$1/],
  ] as const) {
    const declined = ask(sql, 'aggregate', [...parameters])
    assert.ok(!declined.ok, sql)
    assert.equal(declined.error.code, missing.error.code)
    assert.match(declined.error.detail ?? '', names)
    assert.doesNotMatch(JSON.stringify(declined.error), /SECRET/)
  }
  assert.ok(ask('select count(*) from athletes where sex = $01 or $1 = sex', 'aggregate', ['male']).ok)
  assert.ok(ask("select count(*) from athletes where 'ß🦆' <> sex and sex = $1", 'aggregate', ['male']).ok)
})

test('a position counts characters, not bytes', () => {
  const declined = ask("select count(*) from athletes where sex = 'ßé🦆' and nme = 1")
  assert.ok(!declined.ok)
  assert.equal(declined.error.position, 53)
})

test('a decline never repeats a literal of the question', () => {
  for (const sql of [
    "select count(*) from athletes where sex = 'SECRET' +",
    "select count(*) from athletes where born = 'SECRET'",
    "select count(*) from athletes where sex like 'SECRET\\'",
    "select foo('SECRET') from athletes",
    "select count(*) from athletes where id = 'SECRET'",
  ]) {
    const declined = ask(sql)
    assert.ok(!declined.ok)
    assert.doesNotMatch(JSON.stringify(declined.error), /SECRET/)
  }
})

test('equal questions have equal digests, however they are written; another literal is another question', () => {
  const digest = (sql: string): string => {
    const checked = ask(sql)
    assert.ok(checked.ok)
    return checked.value.digest
  }
  const one = digest('select sex, count(*) from athletes where height > 1.5 group by sex')
  assert.equal(
    digest(
      'SELECT a.sex, count( * ) /* c */ FROM (select sex, height as h from "athletes") AS a WHERE (a.h) > 1.50 GROUP BY 1',
    ),
    one,
  )
  assert.notEqual(digest('select sex, count(*) from athletes where height > 1.6 group by sex'), one)
})

test('uses: every column with its clause and the outputs that depend on it', () => {
  const checked = ask(
    "with t as (select id, sex, weight / 2 as half from athletes where active) select sex, avg(half), count(*) filter (where sex = 'male') from t join sessions s using (id) where s.minutes > 3 group by sex having count(*) > 5 order by 2",
  )
  assert.ok(!checked.ok, 'weights are repeated by the sessions')
  const allowed = ask(
    'with t as (select id, sex, weight / 2 as half from athletes where active) select sex, avg(half), count(*) filter (where gold > 1) from (select t.*, gold from t join athletes b using (id)) x group by sex having avg(half) > 5 order by 2',
  )
  assert.ok(allowed.ok, JSON.stringify(allowed))
  assert.deepEqual(
    allowed.value.uses.map(
      ({ dataSet, column, clause, outputs }) => `${dataSet}.${column} ${clause} ${outputs.join()}`,
    ),
    [
      'athletes.active where ',
      'athletes.gold filter 2',
      'athletes.sex select 0',
      'athletes.sex group ',
      'athletes.weight select 1',
      'athletes.weight having ',
      'athletes.weight order ',
    ],
  )
})

test('size is bounded before anything is read, and the answer comes at once', () => {
  const hostile = [
    'x'.repeat(10_000_000),
    `select ${'('.repeat(10_000)}`,
    `select 1${'+1'.repeat(30_000)}`,
    `select ${'not '.repeat(2_900)}true from athletes`,
    `select count(*) from athletes where height in (${'1,'.repeat(1_400)}1)`,
    'select "'.padEnd(60_000, 'a'),
    `select ${'case when active then '.repeat(900)}1`,
    "select '\0'",
    "select '\ud800'",
  ]
  for (const sql of hostile) {
    const timesMs = Array.from({ length: 5 }, () => {
      const before = process.cpuUsage()
      assert.match(verdict(sql), /^(declined\.(too_large|sql_syntax|sql_not_supported)|approved)$/)
      const { user, system } = process.cpuUsage(before)
      return (user + system) / 1_000
    })
    // The least of some, because the machine does other things too.
    assert.ok(Math.min(...timesMs) < 50, `${sql.slice(0, 30)}: ${timesMs.join(', ')} ms of processor`)
  }
  assert.equal(verdict(`select ${'a'.repeat(LIMITS.queryTextBytesMax)}`), 'declined.too_large')
})

test('a count over an outer join also tells for whom it found rows', () => {
  const checked = ask("select count(*) from athletes a left join sessions s on s.id = a.id and a.sex = 'x'")
  assert.ok(checked.ok)
  const { measures } = checked.value.query
  const told = measures.find(({ filter }) => filter === undefined)?.tells ?? []
  assert.equal(told.length, 1)
  assert.equal(measures[told[0] ?? -1]?.filter?.kind, 'call')
})
