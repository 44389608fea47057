import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { GROUP_SHAPES } from './arbitrary-group-question.ts'
import { ask as askGate, verdict } from './gate-data.ts'
import { finishGroups, finishNoisy } from '../../../src/site/query/run/finish-groups.ts'
import { POPULATIONS, questionWorld } from './question-world.ts'
import { twoEngines } from './two-engines.ts'

/*
 * What is computed over groups: the same on both engines as PostgreSQL computes of a database that never held the others,
 * and of the groups that are shown alone.
 */

const world = await questionWorld()
const engines = await twoEngines()
after(() => Promise.all([world[Symbol.asyncDispose](), engines[Symbol.asyncDispose]()]))

for (const [name, shape] of Object.entries(GROUP_SHAPES)) {
  test(`${name}: both engines and the oracle agree`, async () => {
    const population = fc.integer({ min: 0, max: POPULATIONS - 1 })
    const property = fc.asyncProperty(shape, population, (sql, one) => world.check(sql, one))
    await fc.assert(property, { numRuns: 25, seed: 20_261_127 })
  })
}

const ASKED = `select sex, count(*) as n, sum(count(*)) over () as total, rank() over (order by count(*) desc) as r
  from athletes group by sex order by sex`

/** As the guard hands them over. */
function groupOf(sex: string | null, count: number) {
  const measure = { kind: 'count', sum: 0, sumOfSquares: 0, largestShare: 1 } as const
  return {
    keys: [sex],
    people: new Set<number>(),
    measures: [{ ...measure, count, absoluteSum: count, people: new Set<number>() }],
  }
}

test('a group that is not shown is in no total and has no place, and the remainder has neither', async () => {
  const checked = askGate(ASKED)
  assert.ok(checked.ok)
  const [women, men, rest] = [groupOf('female', 30), groupOf('male', 50), groupOf(null, 40)]
  for (const engine of [engines.duckdb, engines.postgres]) {
    const plan = { checked: checked.value, dialect: engine.dialect }
    const safe = { released: [women, men], remainder: rest } as unknown as Parameters<typeof finishGroups>[1]
    const shown = await finishGroups(plan, safe, engine.runner)
    assert.ok(shown.ok)
    assert.deepEqual(shown.value.rows, [
      ['female', 30, 80, 2],
      ['male', 50, 80, 1],
    ])
    assert.deepEqual(shown.value.remainder, [null, 40, null, null])
  }
})

test('a group that is not shown is in no sum over groups, and neither is the remainder', async () => {
  const checked = askGate(
    'select n > 35 as big, sum(n) as n, count(*) as groups from (select sex, count(*) as n from athletes group by sex) t group by 1',
  )
  assert.ok(checked.ok)
  const released = [groupOf('female', 30), groupOf('male', 50), groupOf('other', 60)]
  for (const engine of [engines.duckdb, engines.postgres]) {
    const plan = { checked: checked.value, dialect: engine.dialect }
    const safe = { released, remainder: groupOf(null, 40) } as unknown as Parameters<typeof finishGroups>[1]
    const shown = await finishGroups(plan, safe, engine.runner)
    assert.ok(shown.ok)
    assert.deepEqual(
      shown.value.rows.toSorted((one, other) => Number(one[0]) - Number(other[0])),
      [
        [false, 30, 1],
        [true, 110, 2],
      ],
    )
    assert.equal(shown.value.remainder, undefined)
  }
})

test('of no group that is shown there is one row of all of them, and none by keys', async () => {
  const inner = '(select sex, count(*) as n from athletes group by sex) t'
  const asked: readonly (readonly [string, readonly unknown[]])[] = [
    [`select count(*) as groups, sum(n) as n from ${inner}`, [[0, null]]],
    [`select count(*) as groups from ${inner} having count(*) > 0`, []],
    [`select n > 1, count(*) from ${inner} group by 1`, []],
  ]
  for (const [sql, rows] of asked) {
    for (const engine of [engines.duckdb, engines.postgres]) {
      const checked = askGate(sql)
      assert.ok(checked.ok)
      const safe = { released: [], remainder: groupOf(null, 40) } as unknown as Parameters<
        typeof finishGroups
      >[1]
      const shown = await finishGroups(
        { checked: checked.value, dialect: engine.dialect },
        safe,
        engine.runner,
      )
      assert.ok(shown.ok)
      assert.deepEqual(shown.value.rows, rows)
    }
    const noisy = askGate(sql, 'private')
    assert.ok(noisy.ok)
    const shown = await finishNoisy(noisy.value, [], engines.duckdb.runner)
    assert.deepEqual(shown.ok && shown.value.rows, rows)
  }
})

test('with noise it is computed of noisy values', async () => {
  const checked = askGate(ASKED, 'private')
  assert.ok(checked.ok)
  const groups = [
    { keys: ['female'], values: [31] },
    { keys: ['male'], values: [-2] },
  ]
  const shown = await finishNoisy(checked.value, groups, engines.duckdb.runner)
  assert.ok(shown.ok)
  assert.deepEqual(shown.value.rows, [
    ['female', 31, 29, 1],
    ['male', -2, 29, 2],
  ])
})

test('several quantiles are figures of their own, shown as a list', async () => {
  const checked = askGate(
    'select sex, percentile_cont(array[0.25, 0.75]) within group (order by height) as q, (percentile_disc(array[0.5]) within group (order by gold))[1] as g from athletes group by sex',
    'private',
  )
  assert.ok(checked.ok, JSON.stringify(checked))
  assert.deepEqual(
    checked.value.query.measures.map(({ kind, quantileMicro }) => [kind, quantileMicro]),
    [
      ['percentile_cont', 250_000],
      ['percentile_cont', 750_000],
      ['percentile_disc', 500_000],
    ],
  )
  const groups = [{ keys: ['female'], values: [1.6, 1.85, 2] }]
  const shown = await finishNoisy(checked.value, groups, engines.duckdb.runner)
  assert.ok(shown.ok)
  assert.deepEqual(shown.value.rows, [['female', '[1.6,1.85]', 2]])
})

const REFUSED: readonly string[] = [
  // Over rows of different people.
  'select sex, rank() over (order by height) from athletes',
  'select distinct sex, rank() over (order by height) from athletes',
  'select distinct rank() over (order by height) from athletes',
  'select rank() over (order by height), count(*) from athletes group by 1',
  'select sex, sum(height) over (partition by sex) from athletes group by sex',
  'select sex, count(*) over (partition by height) from athletes group by sex',
  'select sex from athletes group by sex having rank() over (order by count(*)) = 1',
  'select sum(rank() over (order by height)) from athletes',
  'select count(*) filter (where rank() over (order by height) = 1) from athletes',
  'select count(*) from athletes where rank() over (order by height) < 3',
  'select sex, count(*) from (select sex, height, rank() over (order by height) as r from athletes) t where r = 1 group by sex',
  'select r from (select rank() over (order by height) as r from athletes) t',
  // Windows of windows, and conditions between them.
  'select sex, rank() over (order by sum(count(*)) over ()) from athletes group by sex',
  'select rank() over (order by r) from (select sex, rank() over (order by count(*)) as r from athletes group by sex) t',
  'select rank() over (order by n) from (select sex, count(*) as n, rank() over (order by count(*)) as r from athletes group by sex) t where r = 1',
  // Groups of groups: what is no key, what a window computed, what would need an order of its own.
  'select sex, n from (select sex, sport, count(*) as n from athletes group by sex, sport) t group by sex',
  'select sex, sum(r) from (select sex, sport, rank() over (order by count(*)) as r from athletes group by sex, sport) t group by sex',
  'select sex, sum(sum(n)) over () from (select sex, sport, count(*) as n from athletes group by sex, sport) t group by sex',
  'select sex, count(distinct sport) from (select sex, sport, count(*) as n from athletes group by sex, sport) t group by sex',
  'select sex, array_agg(n) from (select sex, sport, count(*) as n from athletes group by sex, sport) t group by sex',
  'select sum(n) from (select sex, sport, count(*) as n from athletes group by sex, sport) t group by rollup (sex)',
  'select t.sex, sum(t.n) from (select sex, count(*) as n from athletes group by sex) t join athletes a on a.sex = t.sex group by t.sex',
  // What chooses the rows of a SELECT that groups is computed of windows, or would be after a condition on one.
  'select distinct r from (select sex, gold, rank() over (order by n) as r from (select sex, gold, count(*) as n from athletes group by sex, gold) t) u',
  'select r, sum(n) from (select sex, gold, n, rank() over (order by n) as r from (select sex, gold, count(*) as n from athletes group by sex, gold) t) u group by r',
  'select sex from (select sex, sum(n) over (partition by sex) as s from (select sex, gold, count(*) as n from athletes group by sex, gold) t) u group by sex having max(s) > 3',
  'select sex from (select sex, rank() over (order by n) as r from (select sex, gold, count(*) as n from athletes group by sex, gold) t) u where r = 1 group by sex',
  'select distinct sex from (select sex, rank() over (order by n) as r from (select sex, gold, count(*) as n from athletes group by sex, gold) t) u where r > 2',
  'select distinct s from (select sex as s, sum(n) as n from (select sex, gold, count(*) as n from athletes group by sex, gold) t group by sex having sum(n) > 40) u',
  'select s from (select sex as s, sum(n) as n from (select sex, gold, count(*) as n from athletes group by sex, gold) t group by sex) u group by s',
  'select n > 3, count(*) from (select sex, gold, count(*) as n from athletes group by sex, gold order by n fetch first 2 rows with ties) t group by 1',
  // Limits within would leave out what a limit outside counts.
  'select * from (select sex, count(*) as n from athletes group by sex limit 1) t',
  'select sex, count(*) from athletes group by sex fetch first 1 row with ties',
  'select sex, count(*) from athletes group by sex order by 2 offset 1 fetch first 1 row with ties',
  // The rows around are of nobody.
  'select n from (select sex, count(*) as n from athletes group by sex) t where exists (select 1 from athletes)',
  'select t.n from (select sex, count(*) as n from athletes group by sex) t join athletes a on a.sex = t.sex',
]

for (const sql of REFUSED)
  test(`declined, with noise and without: ${sql}`, () => {
    for (const mode of ['aggregate', 'private'] as const)
      assert.match(verdict(sql, mode), /^declined\.(sql_not_supported|column|sql_syntax)$/)
  })

test('the columns of what is computed over groups are used where it stands', () => {
  const checked = askGate(
    'select s, rank() over (order by m) as r from (select sex as s, avg(height) as m, sum(gold) as g from athletes group by sex) t where g > 1',
  )
  assert.ok(checked.ok)
  assert.deepEqual(
    checked.value.uses.map(({ column, clause, outputs }) => [column, clause, outputs]),
    [
      ['gold', 'having', []],
      ['height', 'select', [1]],
      ['sex', 'select', [0]],
      ['sex', 'group', []],
    ],
  )
})
