import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { FURTHER_SHAPES } from './arbitrary-further-question.ts'
import { ask, verdict } from './gate-data.ts'
import { POPULATIONS, questionWorld } from './question-world.ts'

/* Relations whose values are written out: VALUES, SELECT without FROM, and set operations of them. */

const ANSWERED: readonly string[] = [
  // Whoever has a weight is a set, and so is whoever has another: the sum is of counts of both.
  "select sum(v.weight) from athletes a join (values ('f', 1), ('m', 1000)) v(sex, weight) on v.sex = a.sex",
  "select v.label, count(*) from athletes a join (values ('female', 'F'), ('male', 'M')) v(sex, label) on v.sex = a.sex group by v.label",
  "with v(sex, label) as (values ('female', 'F'), ('male', 'M')) select label, count(*) from athletes join v using (sex) group by label",
  "select v.label, count(*) from athletes a left join (select 'female' as sex, 'F' as label union all select 'male', 'M') v on v.sex = a.sex group by 1",
  "select v.label, count(*) from (values ('female', 'F'), ('male', 'M')) v(sex, label), athletes a where a.sex = v.sex group by 1",
  "with p as (select 1.8 as tall, date '1990-01-01' as since) select sex, count(*) from athletes, p where height > p.tall and born >= since group by sex",
  'select sex, count(*) from athletes cross join (values (1.8)) p(tall) where height > tall group by sex',
  "select b.name, count(*) from athletes a join (values (0, 2, 'few'), (3, 10, 'many')) b(least, most, name) on a.gold between b.least and b.most group by 1",
  "select b.name, count(*) from athletes a join (values (null, date '1980-01-01', 'old'), (date '1980-01-01', null, 'young')) b(since, until, name) on a.born >= b.since and a.born < b.until group by 1",
  "select count(*) from athletes where sex in (select sex from (values ('female'), ('male')) v(sex))",
  "with v(sex) as (values ('female') union values ('x') except select 'x') select count(*) from athletes where sex not in (select sex from v)",
  'with p(tall) as (values (1.8)) select count(*) from athletes where height > (select tall from p)',
  "select count(*) from (select a.id, v.label from athletes a join (values ('female', 'F')) v(sex, label) on v.sex = a.sex) t join sessions s on s.id = t.id where t.label = 'F'",
  "select v.label, count(*) from athletes a left join sessions s on s.id = a.id join (values ('x', 'Hall')) v(place, label) on v.place = s.place group by 1",
  "select w.name, count(*) from athletes a, (values ('female', 1), ('male', 2)) v(sex, n), (values (1, 'one'), (2, 'two')) w(n, name) where v.sex = a.sex and w.n = v.n group by 1",
]

for (const sql of ANSWERED) {
  test(`answered: ${sql}`, () => {
    assert.equal(verdict(sql), 'approved', JSON.stringify(ask(sql)))
  })
}

const DECLINED: readonly (readonly [sql: string, code: string, detail: RegExp])[] = [
  // Who meets no row has null for its keys too, and then the other column is not what the keys say.
  [
    "select v.label, v.least, count(*) from athletes a left join (values (0, 2, null), (3, 10, 'many')) v(least, most, label) on a.gold between v.least and v.most group by v.label",
    'declined.column',
    /must stand in GROUP BY/,
  ],
  [
    'select t.x, count(*) from athletes cross join lateral unnest(tags) as t(x) group by 1',
    'declined.sql_not_supported',
    /a function as a relation.*at character 55$/,
  ],
  [
    'select sex from athletes union all values (1)',
    'declined.sql_not_supported',
    /values that are written out; .*; else ask each branch as a question of its own, at character 8$/,
  ],
  [
    "select v.x, count(*) from (values ('a')) v(x) group by 1",
    'declined.sql_not_supported',
    /nobody stands behind/,
  ],
  [
    "select v.label, count(*) from athletes a join (values ('f', 'F'), ('f', 'G')) v(sex, label) on v.sex = a.sex group by 1",
    'declined.sql_not_supported',
    /may meet several rows.*at character 56/,
  ],
  [
    'select count(*) from athletes cross join (values (1), (2)) v(n)',
    'declined.sql_not_supported',
    /may meet several/,
  ],
  [
    'select count(*) from athletes a join (values (0, 2), (2, 4)) b(least, most) on a.gold between b.least and b.most',
    'declined.sql_not_supported',
    /may meet several/,
  ],
  [
    "select count(*) from athletes a right join (values ('f')) v(sex) on v.sex = a.sex",
    'declined.sql_not_supported',
    /nobody stands behind them/,
  ],
  [
    "select count(*) from athletes a full join (values ('f')) v(sex) on v.sex = a.sex",
    'declined.sql_not_supported',
    /nobody stands behind them/,
  ],
  ["select count(*) from athletes natural join (values ('f')) v(sex)", 'declined.sql_not_supported', /USING/],
  [
    "select count(*) from athletes a join (values ('7')) v(id) on v.id = a.id",
    'declined.column',
    /person key/,
  ],
  ["select count(*) from athletes join (values ('7')) v(id) using (id)", 'declined.column', /person key/],
  [
    "select count(*) from athletes where id in (select id from (values ('7')) v(id))",
    'declined.column',
    /person key/,
  ],
  [
    "select sum(sqrt(v.weight)) from athletes a join (values ('f', 1), ('m', 1000)) v(sex, weight) on v.sex = a.sex",
    'declined.sql_not_supported',
    /sum, average or variance/,
  ],
  [
    "select v.name, count(*) from athletes a join (values (date '1990-01-01', 'x'), (date '1990-01-02', 'y')) v(born, name) using (born) group by 1",
    'declined.column',
    /"born" may only be grouped by in bins/,
  ],
  [
    'select sex, count(*) from (select id, sex from athletes union all values (1, $$f$$)) t group by 1',
    'declined.sql_not_supported',
    /anything but one person key/,
  ],
  [
    'select count(*) from athletes a join (values (1), (true)) v(n) on v.n = a.gold',
    'declined.sql_not_supported',
    /different types/,
  ],
  ['select count(*) from athletes, (values (random())) v(n)', 'declined.sql_function', /random/],
  [
    'select count(*) from athletes where height > (select n from (values (1), (2)) v(n))',
    'declined.sql_not_supported',
    /several rows/,
  ],
  [
    `select count(*) from athletes a join (values ${Array.from({ length: 201 }, (_, n) => `(${n})`).join(', ')}) v(n) on v.n = a.gold`,
    'declined.too_large',
    /200 rows/,
  ],
]

for (const [sql, code, detail] of DECLINED) {
  test(`${code}: ${sql.slice(0, 150)}`, () => {
    const checked = ask(sql)
    assert.equal(checked.ok ? 'approved' : checked.error.code, code, JSON.stringify(checked))
    assert.match(checked.ok ? '' : (checked.error.detail ?? ''), detail)
  })
}

test('what is tied to a written relation is a use of the column, in the clause of the join and of the output', () => {
  const checked = ask(
    "select v.label, count(*) from athletes a join (values ('female', 'F'), ('male', 'M')) v(sex, label) on v.sex = a.sex group by v.label",
  )
  assert.deepEqual(
    checked.ok ? checked.value.uses.map(({ column, clause }) => `${column} ${clause}`) : checked.error,
    ['sex select', 'sex join', 'sex group'],
  )
})

test('in private what is summed of a written relation is bounded by what is written', () => {
  const sql =
    "select sum(v.w) from athletes a join (values ('female', 1), ('male', 3)) v(sex, w) on v.sex = a.sex"
  assert.equal(verdict(sql, 'private'), 'approved', JSON.stringify(ask(sql, 'private')))
})

test('on both engines they mean what the text means where the others never were', async () => {
  const world = await questionWorld()
  after(() => world[Symbol.asyncDispose]())
  const { written, 'written elsewhere': elsewhere, found } = FURTHER_SHAPES
  assert.ok(written && elsewhere && found)
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(written, written, elsewhere, found),
      fc.nat({ max: POPULATIONS - 1 }),
      (sql, population) => world.check(sql, population),
    ),
    { seed: 20_261_127, numRuns: 120 },
  )
})
