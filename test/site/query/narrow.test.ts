import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dropOutputs } from '../../../src/site/query/narrow.ts'
import { ask } from './gate-data.ts'

/* A question goes on without what is not granted, as long as it stays the question that was asked. */

function narrowed(
  sql: string,
  ...columns: readonly string[]
):
  | { readonly outputs: readonly string[]; readonly dropped: readonly string[]; readonly measures: number }
  | string {
  const checked = ask(sql)
  assert.ok(checked.ok, JSON.stringify(checked))
  const result = dropOutputs(
    checked.value,
    columns.map((column) => ({ dataSet: 'athletes', column })),
    sql,
  )
  if (!result.ok) return result.error.code
  const { checked: left, dropped } = result.value
  for (const { column } of left.uses) assert.ok(!columns.includes(column), `${column} is still used`)
  return { outputs: left.outputs.map(({ name }) => name), dropped, measures: left.query.measures.length }
}

test('outputs over a missing column go, with their measures; the others stay as they are', () => {
  const sql =
    'select sex, count(*) as n, avg(height) as h, avg(weight) / avg(height) as ratio, sum(gold) as gold from athletes group by sex order by n'
  assert.deepEqual(narrowed(sql, 'height'), {
    outputs: ['sex', 'n', 'gold'],
    dropped: ['height'],
    measures: 3,
  })
  assert.deepEqual(narrowed(sql, 'height', 'gold'), {
    outputs: ['sex', 'n'],
    dropped: ['gold', 'height'],
    measures: 1,
  })
})

test('a filter within an aggregate goes with the outputs that show it', () => {
  assert.deepEqual(
    narrowed('select count(*) as n, count(*) filter (where active) as active from athletes', 'active'),
    { outputs: ['n'], dropped: ['active'], measures: 1 },
  )
})

const bound: readonly string[] = [
  'select sex, count(*) from athletes where height > 1.8 group by sex',
  'select floor(height / 0.1), count(*) from athletes group by 1',
  'select sex, count(*) from athletes group by sex having avg(height) > 1.8',
  'select sex, count(*) from athletes group by sex order by avg(height)',
  'select a.sex, count(*) from athletes a join sessions s on s.id = a.id and s.minutes > a.height group by a.sex',
  'with t as (select id, count(*) as n from athletes where height > 1.8 group by id) select sum(n) from t',
  'with t as (select id, height, count(*) as n from athletes group by id, height) select sum(n) from t',
  'with t as (select id, count(*) filter (where height > 1.8) as n from athletes group by id) select count(*) from t where n > 0',
  'select avg(height) from athletes',
]

for (const sql of bound) {
  test(`declined, because another question would be left: ${sql}`, () => {
    assert.equal(narrowed(sql, 'height'), 'declined.column')
  })
}

/** What is declined, and how the text goes on where the position says. */
const PLACES: readonly (readonly [sql: string, column: string, at: string])[] = [
  ['select sex, count(*) from athletes where height > 1.8 group by sex', 'height', 'height > 1.8'],
  ['select sex as height, count(*) from athletes x where x.height > 1.8 group by sex', 'height', 'x.height'],
  [
    'select count(*) from sessions s join (select id, "weight" as w from athletes) a using (id) where w > 9',
    'weight',
    '"weight"',
  ],
  [
    'select * from (select sex, count(*) as n from athletes where gold > 0 group by sex) t',
    'gold',
    'gold > 0',
  ],
  [
    'select count(*) from (select * from athletes) a natural join (select id, true as active from athletes) b',
    'active',
    '* from athletes) a',
  ],
  ['select avg(height) from athletes', 'height', 'height)'],
]

for (const [sql, column, at] of PLACES) {
  test(`what is not granted is declined at "${at}": ${sql}`, () => {
    const checked = ask(sql)
    assert.ok(checked.ok, JSON.stringify(checked))
    const result = dropOutputs(checked.value, [{ dataSet: 'athletes', column }], sql)
    assert.ok(!result.ok)
    const { position = 0, detail = '' } = result.error
    assert.equal(sql.slice(position - 1, position - 1 + at.length), at, detail)
    assert.ok(detail.endsWith(`at character ${position}`), detail)
  })
}
