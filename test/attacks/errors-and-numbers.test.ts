import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { askUnguarded, stopEngines } from './marked-people.ts'
import { askEngine } from '../site/query/ask-engine.ts'
import { testManifest, twoEngines } from '../site/query/two-engines.ts'

/* Errors as a channel: a statement that fails for one person's value tells it. None fails. */

const engines = await twoEngines()
after(async () => {
  await stopEngines()
  await engines[Symbol.asyncDispose]()
})

const conditions: readonly string[] = [
  '1 / (count - 3) > 0',
  '1.0 / (score - 7.5) > 0',
  "case when town = 'MARKER' then 1 / 0 else 1 end = 1",
  'case when score = 7.5 then sqrt(-1) else 1 end = 1',
  'sqrt(score - 100000) > 0',
  'ln(score - 7.5) > 0',
  'count * 9223372036854775807 > 0',
  'count + 9223372036854775807 > 0',
  '-count - 9223372036854775807 < 0',
  'abs(-9223372036854775807 - count) > 0',
  'power(score, 1e100) > 0',
  'power(-score, 0.5) > 0',
  'exp(score * 1e100) > 0',
  '1e149 * score * 1e10 > 0',
  '1e-149 * score * 1e-149 * 1e-149 >= 0',
  'count % (count - 3) > 0',
  "born + (count * 1000000)::int > '1900-01-01'",
  "born + interval '300000 days' + interval '300000 days' > '1900-01-01'",
  'round(score, -15) >= 0',
  'width_bucket(score, 0, 10, 5) >= 0',
  "nullif(town, 'Cork') || '' > ''",
  '(score * 1e140)::int > 0',
]

for (const condition of conditions) {
  test(`no value fails: ${condition}`, async () => {
    const counted = await askUnguarded(`select count(*) from people where ${condition}`)
    assert.equal(counted.declined, undefined, JSON.stringify(counted.declined))
    const shown = await askUnguarded(
      `select town, ${condition.replace(/ (>=|>|<|=) [^=<>]*$/, '')} as v from people`,
      'rows',
    )
    assert.equal(shown.declined, undefined, JSON.stringify(shown.declined))
    assert.equal(shown.rows.length, 50)
  })
}

test('NaN, the infinities and values past the bounds neither poison nor show in a sum', async () => {
  const manifest = testManifest('odd', {
    columns: [
      { name: 'x', type: 'number', bounds: [1, 10] },
      { name: 'n', type: 'integer', bounds: [0, 10] },
    ],
  })
  const rows = (
    [
      ['nan', '9223372036854775807'],
      ['infinity', '-9223372036854775808'],
      ['-infinity', 5],
      [1e300, 5],
      [-5, -5],
      [50, 50],
      [4, 4],
      [null, null],
    ] as const
  ).map((cells, person) => [person, ...cells] as const)
  for (const engine of [engines.duckdb, engines.postgres]) {
    const answer = await askEngine(engine, {
      sql: 'select count(*), count(x), sum(x), avg(x), sum(x * x / x), sum(n), var_pop(x) from odd',
      dataSets: [{ manifest, rows }],
      eligible: rows.map(([person]) => person),
    })
    assert.ok(answer.ok, JSON.stringify(answer))
    // Of x, -5, 50 and 4 are numbers that can be computed with; they count as 1, 10 and 4.
    assert.deepEqual(answer.value.rows[0], [8, 3, 15, 5, 15, 34, 14])
  }
})

test('a sum of nothing is null, of nobody too', async () => {
  const { rows } = await askUnguarded(
    'select sum(score), avg(score), count(score), stddev(score) from people where score is null',
  )
  assert.deepEqual(rows, [[null, null, 0, null]])
})
