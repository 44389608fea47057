import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LIMITS } from '../../../src/kernel/limits.ts'
import { declineInNames } from '../../../src/site/asks/decline-in-names.ts'
import { ask, gateManifests, verdict } from './gate-data.ts'

/* What can be asked, what cannot, and what the answer says then. */

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

const manifests = new Map(gateManifests.map((manifest) => [String(manifest.dataSet), manifest]))

/** Each with the code and the words that tell the asker what it was. */
const DECLINED: readonly (readonly [sql: string, code: string, detail: RegExp])[] = [
  ['', 'declined.sql_syntax', /empty/],
  ['selec 1', 'declined.sql_syntax', /^Syntax error, at character 1$/],
  ["select 'é' , count(*) frm athletes", 'declined.sql_syntax', /at character 27$/],
  ["select count(*) from athletes where sex = 'f", 'declined.sql_syntax', /quoted and never closed/],
  ['select 1', 'declined.sql_not_supported', /SELECT without FROM/],
  [
    'select count(*) from athletes; select count(*) from athletes',
    'declined.sql_not_supported',
    /more than one statement/,
  ],
  ['insert into athletes values (1)', 'declined.sql_not_supported', /other than SELECT/],
  ['explain select count(*) from athletes', 'declined.sql_not_supported', /other than SELECT/],
  ['select count(*) into x from athletes', 'declined.sql_not_supported', /SELECT INTO/],
  ['select count(*) from athletes for update', 'declined.sql_not_supported', /locking/],
  [
    'select count(*) from (select id from athletes union all select id from sessions) t',
    'declined.sql_not_supported',
    /UNION ALL, INTERSECT ALL and EXCEPT ALL as a relation/,
  ],
  [
    'select count(*) from athletes where id in (select id from athletes except all select id from sessions)',
    'declined.sql_not_supported',
    /EXCEPT ALL/,
  ],
  [
    "select count(*) from athletes a where 'x' in (select sex from athletes b where b.id = a.id union select place from sessions s where s.id = a.id)",
    'declined.sql_not_supported',
    /but of person keys/,
  ],
  [
    "with t as (select a.id, count(*) as n from athletes a left join sessions s on s.id = a.id and a.sex = 'x' group by a.id) select sum(n) from t",
    'declined.sql_not_supported',
    /within a sub-query, that may find several rows/,
  ],
  [
    'select count(*) from athletes b left join (select a.id, s.place from athletes a left join sessions s using (id)) t on t.id = b.id',
    'declined.sql_not_supported',
    /within a sub-query, that may find several rows/,
  ],
  ['select distinct on (sex) sex from athletes', 'declined.sql_not_supported', /DISTINCT ON/],
  [
    'select distinct count(*) from athletes group by sex',
    'declined.sql_not_supported',
    /DISTINCT over groups whose keys are not all shown/,
  ],
  [
    'select count(*) from (select distinct sex from athletes) t',
    'declined.sql_not_supported',
    /DISTINCT in a sub-select or CTE without exactly one person key/,
  ],
  [
    "select count(*) from athletes where sex = any ('{f}')",
    'declined.sql_not_supported',
    /ANY and ALL of anything but/,
  ],
  [
    'select count(*) from athletes where gold + any (array[1, 2])',
    'declined.sql_not_supported',
    /what is no comparison/,
  ],
  [
    "select count(*) from athletes where (sex, gold) = ('f', 1, 2)",
    'declined.sql_not_supported',
    /different lengths/,
  ],
  [
    "select count(*) from athletes where (sex, gold) < ('f', 1)",
    'declined.sql_not_supported',
    /a row value but with/,
  ],
  [
    "select count(*) from athletes where replace(sex, 'f', 'female') = 'x'",
    'declined.sql_function',
    /"replace" of/,
  ],
  [
    "select count(*) from athletes where split_part(sex, '', 1) = 'x'",
    'declined.sql_function',
    /"split_part" of/,
  ],
  ["select to_char(born, 'Day'), count(*) from athletes group by 1", 'declined.sql_function', /date pattern/],
  [
    "select to_char(born, 'YYYY-MM'), count(*) from athletes group by 1",
    'declined.column',
    /bins of at least year/,
  ],
  [
    "select extract(year from age('2026-01-01', born)), extract(year from age('2026-01-02', born)), count(*) from athletes group by 1, 2",
    'declined.column',
    /one way only/,
  ],
  [
    "select sum(extract(year from age('2026-01-01', born))) from athletes",
    'declined.sql_not_supported',
    /sum, average or variance/,
  ],
  ["select age(born, '2020-01-01') from athletes", 'declined.sql_function', /"age"/],
  [
    'select count(*) from athletes union select count(*) from sessions',
    'declined.sql_not_supported',
    /UNION/,
  ],
  ['select count(*) over () from athletes', 'declined.sql_not_supported', /OVER/],
  [
    'select count(*) from (select id, row_number() over (order by height) as n from athletes) t where n = 1',
    'declined.sql_not_supported',
    /not PARTITION BY <person key>/,
  ],
  [
    'select count(*) from (select id, row_number() over (partition by sex order by height) as n from athletes) t where n = 1',
    'declined.sql_not_supported',
    /not PARTITION BY <person key>/,
  ],
  ['select (select count(*) from athletes)', 'declined.sql_not_supported', /without FROM|sub-query/],
  [
    'select count(*) from athletes where exists (select 1 from sessions)',
    'declined.sql_not_supported',
    /not of the person of its row; .*, at character 37/,
  ],
  [
    'select count(*) from athletes where height > (select avg(height) from athletes)',
    'declined.sql_not_supported',
    /not of the person of its row/,
  ],
  [
    'select count(*) from athletes a where exists (select 1 from wages w where w.id = a.id)',
    'declined.sql_not_supported',
    /different issuers/,
  ],
  [
    'select count(*) from athletes a where 5 > (select minutes from sessions s where s.id = a.id)',
    'declined.sql_not_supported',
    /may find several rows/,
  ],
  [
    'select count(*) from athletes a where a.id in (select place from sessions s where s.id = a.id)',
    'declined.column',
    /looked for among person keys/,
  ],
  [
    'select avg(height), (select sum(minutes) from sessions s where s.id = a.id) from athletes a',
    'declined.column',
    /must stand in GROUP BY/,
  ],
  [
    'select sum(s.minutes * (select height from athletes a where a.id = s.id)) from sessions s',
    'declined.sql_not_supported',
    /repeats for each row/,
  ],
  ['select count(*) from athletes a, sessions s', 'declined.sql_not_supported', /not on the person keys/],
  [
    'select count(*) from athletes cross join sessions',
    'declined.sql_not_supported',
    /not on the person keys/,
  ],
  [
    'select count(*) from athletes a full join sessions s on a.id = s.id and a.height > 1.8',
    'declined.sql_not_supported',
    /FULL JOIN on more than a person key/,
  ],
  [
    'select count(*) from athletes a left join sessions s on a.id = s.id and s.minutes > 5 full join sessions t on t.id = s.id',
    'declined.sql_not_supported',
    /FULL JOIN on more than a person key/,
  ],
  [
    'select count(*) from athletes a left join sessions s on s.minutes > 5',
    'declined.sql_not_supported',
    /not on the person keys/,
  ],
  [
    'select count(*) from athletes a left join sessions s on a.id = s.id and exists (select 1 from sessions t where t.id = s.id)',
    'declined.sql_not_supported',
    /sub-query here/,
  ],
  [
    'select count(*) from (select s.id as sid from athletes a left join athletes s on a.id = s.id and s.gold > 0) t left join athletes b on b.id = t.sid',
    'declined.column',
    /may be missing in a row of its sub-select/,
  ],
  [
    'select count(*) from athletes a left join sessions s on a.id = s.id where s.id in (select id from athletes)',
    'declined.sql_not_supported',
    /may be missing in a row; use EXISTS/,
  ],
  [
    'select count(*) from athletes a join lateral (select * from sessions) s using (id)',
    'declined.sql_not_supported',
    /LATERAL/,
  ],
  [
    'select count(*) from athletes a join sessions s on a.gold = s.minutes',
    'declined.sql_not_supported',
    /not on the person keys/,
  ],
  [
    'select count(*) from athletes a join sessions s on a.id = s.id or true',
    'declined.sql_not_supported',
    /not on the person keys/,
  ],
  [
    'select count(*) from (select id from athletes intersect select id from wages) t',
    'declined.sql_not_supported',
    /different issuers/,
  ],
  [
    'with t as (select a.id, sum(a.height) as h from athletes a join sessions s using (id) group by a.id) select sum(h) from t',
    'declined.sql_not_supported',
    /repeats for each row/,
  ],
  [
    'select count(*) from ((select id from athletes union select id from sessions limit 3) union select id from athletes) t',
    'declined.sql_not_supported',
    /LIMIT and OFFSET of a set operation/,
  ],
  [
    'select count(*) from (select id, height from athletes union select id, height from athletes) t',
    'declined.sql_not_supported',
    /anything but one person key/,
  ],
  [
    'select count(*) from athletes a join wages w using (id)',
    'declined.sql_not_supported',
    /different issuers/,
  ],
  [
    'with recursive t as (select id from athletes) select count(*) from t',
    'declined.sql_not_supported',
    /RECURSIVE/,
  ],
  [
    'select count(*) from (select id from athletes order by height limit 1) t',
    'declined.sql_not_supported',
    /LIMIT and OFFSET over rows of different people/,
  ],
  [
    'select count(*) from athletes group by cube (sex, active, gold)',
    'declined.column',
    /grouped by 3 dimensions; 2 are allowed/,
  ],
  [
    'select count(*) from athletes group by cube (sex, active), cube (sex, active), cube (sex, active)',
    'declined.too_large',
    /more than 16 sets/,
  ],
  ['select count(*) from athletes tablesample bernoulli (10)', 'declined.sql_not_supported', /TABLESAMPLE/],
  ['select count(*) from generate_series(1, 10)', 'declined.sql_not_supported', /function as a relation/],
  ['select count(*) from main.athletes', 'declined.sql_not_supported', /name with a schema/],
  ['select count(*) from people', 'declined.sql_not_supported', /"people": it is no data set/],
  ['select count(*) from athletes where born < current_date', 'declined.sql_not_supported', /CURRENT_DATE/],
  ['select sum(1 + gold) from athletes', 'declined.sql_not_supported', /sum, average or variance/],
  [
    'select avg(a.height) from athletes a join sessions s using (id)',
    'declined.sql_not_supported',
    /repeats for each row/,
  ],
  [
    'select max(height) from athletes',
    'declined.sql_function',
    /^Not allowed: "max" \(it would be one person’s value; .*\), at character 8$/,
  ],
  ['select sum(distinct gold) from athletes', 'declined.sql_function', /distinct/],
  ['select now(), count(*) from athletes', 'declined.sql_function', /"now"/],
  ['select pg_catalog.count(*) from athletes', 'declined.sql_function', /function with a schema/],
  [
    'select count(*) from athletes where height operator(pg_catalog.>) 1',
    'declined.sql_function',
    /operator with a schema/,
  ],
  ["select count(*) from athletes where sex ~* 'ÉF'", 'declined.sql_function', /pattern written out/],
  ["select count(*) from athletes where sex ~ '(?i)f'", 'declined.sql_function', /pattern written out/],
  ["select count(*) from athletes where sex ~ '\\mf'", 'declined.sql_function', /pattern written out/],
  ['select count(*) from athletes where sex ~ sex', 'declined.sql_function', /pattern written out/],
  ['select count(*) from athletes where gold ~ 4', 'declined.sql_function', /^Not allowed: ~ of/],
  [
    "select count(*) from athletes where regexp_replace(sex, 'f|m', 'm') = 'm'",
    'declined.sql_function',
    /no alternatives/,
  ],
  [
    'select count(*) from athletes where gold like 4',
    'declined.sql_function',
    /^Not allowed: LIKE of \(integer/,
  ],
  [
    'select count(*) from athletes where sex not ilike sex',
    'declined.sql_function',
    /^Not allowed: NOT ILIKE/,
  ],
  ['select count(*) from athletes where trim(gold) is null', 'declined.sql_function', /^Not allowed: trim/],
  [
    'select count(*) from athletes where born at time zone sex is null',
    'declined.sql_function',
    /^Not allowed: AT TIME ZONE/,
  ],
  [
    'select max(*) from athletes',
    'declined.sql_function',
    /^Not allowed: the aggregate "max" in mode aggregate, at/,
  ],
  [
    'select avg(distinct gold) from athletes',
    'declined.sql_function',
    /^Not allowed: "avg" of distinct values/,
  ],
  [
    'select count(*) from athletes where born::timestamp with time zone is null',
    'declined.sql_function',
    /^Not allowed: the type timestamp with time zone, at/,
  ],
  ['select count(*) from athletes where height::real > 1', 'declined.sql_function', /the type real, at/],
  [
    'select count(*) from athletes where height::json is null',
    'declined.sql_function',
    /the type "json", at/,
  ],
  ['select count(*) from athletes where height[1] > 1', 'declined.sql_function', /of \(number, integer\)/],
  ['select count(*) from athletes where gold', 'declined.sql_function', /integer as boolean in a condition/],
  ['select id from athletes where id > id', 'declined.column', /in mode rows, shown/],
  ['select count(*) from athletes where sex like sex', 'declined.sql_function', /pattern written out/],
  ["select count(*) from athletes where sex like 'f\\'", 'declined.sql_function', /pattern/],
  [
    "select count(*) from athletes where height::text = '1.8'",
    'declined.sql_function',
    /cast from number to text/,
  ],
  [
    'select count(*) from athletes where sex::timestamp is null',
    'declined.sql_function',
    /cast from text to timestamp/,
  ],
  ['select count(*) from athletes where sex = 1', 'declined.sql_function', /: = of \(text, integer\)/],
  ["select count(*) from athletes where born = 'yesterday'", 'declined.sql_function', /: = of/],
  [
    "select date_trunc('century', born), count(*) from athletes group by 1",
    'declined.sql_function',
    /expected date unit: one of day, week/,
  ],
  ['select name from athletes group by name', 'declined.column', /"name" identifies people directly/],
  ['select count(notes) from athletes', 'declined.column', /"notes" is free text/],
  ['select count(*) from athletes where nme = 1', 'declined.column', /no column "nme", at character 37/],
  ['select height from athletes', 'declined.column', /"height" must stand in GROUP BY/],
  ['select avg(elo) from athletes', 'declined.column', /"elo" has no declared bounds/],
  ['select id, count(*) from athletes group by id', 'declined.column', /grouped by the person key/],
  ["select count(*) from athletes where id = '5'", 'declined.column', /person key may only be counted/],
  ['select id from athletes group by id', 'declined.column', /person key/],
  ['select height, count(*) from athletes group by 1', 'declined.column', /bins of at least 0.1/],
  ['select born, count(*) from athletes group by 1', 'declined.column', /bins of at least year/],
  ['select started, count(*) from sessions group by 1', 'declined.column', /bins of at least hour/],
  ['select weight, count(*) from athletes group by 1', 'declined.column', /only be grouped by in bins/],
  [
    'select sex, active, gold, count(*) from athletes group by 1, 2, 3',
    'declined.column',
    /3 dimensions; 2 are allowed/,
  ],
  [
    'select minutes from athletes a join sessions s using (id) group by id',
    'declined.column',
    /person key|GROUP BY/,
  ],
  [`select count(*) from athletes where ${'('.repeat(70)}true${')'.repeat(70)}`, 'approved', /^$/],
  [
    `select count(*) from athletes where ${'not '.repeat(70)}active`,
    'declined.too_large',
    /nested more than 64/,
  ],
  [`select ${'count(*), '.repeat(64)} count(*) from athletes`, 'declined.too_large', /more than 64 columns/],
  [
    `select count(*) from athletes ${Array.from({ length: 9 }, (_, index) => `join athletes a${index} using (id)`).join(' ')}`,
    'declined.too_large',
    /joins more than 9/,
  ],
]

for (const [sql, code, detail] of DECLINED) {
  test(`${code}: ${sql.length > 100 ? `${sql.slice(0, 60)}…` : sql}`, () => {
    const checked = ask(sql)
    assert.equal(checked.ok ? 'approved' : checked.error.code, code, JSON.stringify(checked))
    if (checked.ok) return
    assert.match(checked.error.detail ?? '', detail)
    // What travels hides what was quoted in the question, and so must not take our own words for it.
    if (!/['"$]/.test(sql)) {
      const travelling = declineInNames(checked.error, { text: sql, manifests })
      assert.equal(travelling.detail, checked.error.detail)
    }
  })
}

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
