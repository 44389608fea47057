import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { COLUMN_TYPES } from '../../../src/protocol/data-set.ts'
import type { ReleaseValue } from '../../../src/protocol/release.ts'
import type { BoundQuery, Expr } from '../../../src/site/query/bound/bound-query.ts'
import { CALL_IDS, catalogueRow } from '../../../src/site/query/catalogue/catalogue.ts'
import { call, literal } from '../../../src/site/query/bind/expression/build-expression.ts'
import { checkedQuery } from '../../../src/site/query/check-question.ts'
import { ARITHMETIC, computeHere } from '../../../src/site/query/run/compute-here.ts'
import { planRows } from '../../../src/site/query/plan/plan-rows.ts'
import { runRows } from '../../../src/site/query/run/run-rows.ts'
import { askEngine } from './ask-engine.ts'
import { callOf, edgeDataSet, expressionOf } from './arbitrary-expression.ts'
import { twoEngines } from './two-engines.ts'
import type { TestEngine } from './two-engines.ts'

/*
 * One meaning on two engines: every row of the catalogue, and expressions made of many, over values at which engines
 * overflow, divide by zero, or disagree. A statement that fails on either engine fails the test, so this is also the
 * proof that no value in the data can make a statement fail.
 */

const engines = await twoEngines()
after(() => engines[Symbol.asyncDispose]())
const data = edgeDataSet()
const people = data.rows.map(([person]) => person)
const relations = {
  duckdb: await engines.duckdb.relations([data], people),
  postgres: await engines.postgres.relations([data], people),
}

function asQuestion(exprs: readonly Expr[]): BoundQuery {
  const byPerson: Expr = { kind: 'column', source: 0, column: 'integer_a', type: 'integer', size: 1 }
  return {
    mode: 'rows',
    sources: [{ kind: 'data-set', dataSet: data.manifest.dataSet }],
    where: [],
    keys: [],
    measures: [],
    outputs: exprs.map((expr, index) => ({ name: `e${index}`, expr })),
    orderBy: [{ expr: byPerson, isDescending: false, nullsFirst: true }],
  }
}

/** Rows by person: ties may come in any order. */
async function answer(engine: TestEngine, query: BoundQuery): Promise<readonly (readonly ReleaseValue[])[]> {
  const plan = planRows(checkedQuery(query, new Map([[data.manifest.dataSet, data.manifest]])), {
    dialect: engine.dialect,
    relations: relations[engine.dialect],
  })
  const result = await runRows(plan, engine.runner)
  if (!result.ok)
    throw new Error(`${engine.dialect}: ${result.error.code} ${result.error.operatorNote ?? ''}`)
  return result.value.people
    .map((person, index) => ({ person, row: result.value.rows[index] ?? [] }))
    .toSorted((a, b) => a.person - b.person)
    .map(({ row }) => row)
}

/** Doubles of functions that no standard rounds may differ in the last places; what is next to nothing may be nothing. */
function isSame(a: ReleaseValue | undefined, b: ReleaseValue | undefined): boolean {
  if (typeof a !== 'number' || typeof b !== 'number') return a === b
  return (
    a === b ||
    Math.abs(a - b) <= 1e-12 * Math.max(Math.abs(a), Math.abs(b)) ||
    Math.max(Math.abs(a), Math.abs(b)) < 1e-280
  )
}

test('people whose rows are alike come in an order that two secret numbers make, on either engine', async () => {
  const question: BoundQuery = {
    ...asQuestion([{ kind: 'person', source: 0, type: 'person', size: 1 }]),
    orderBy: [],
  }
  const checked = checkedQuery(question, new Map([[data.manifest.dataSet, data.manifest]]))
  for (const engine of [engines.duckdb, engines.postgres]) {
    const listed = async (factor: number) => {
      const context = { dialect: engine.dialect, relations: relations[engine.dialect] }
      const order = { factor, addend: 2_147_483_646 }
      const result = await runRows(planRows(checked, { ...context, order }), engine.runner)
      return result.ok ? result.value.people : []
    }
    const [one, other] = [await listed(1_234_567_891), await listed(2_147_483_646)]
    const sorted = people.toSorted((a, b) => a - b)
    assert.deepEqual(
      one.toSorted((a, b) => a - b),
      sorted,
    )
    assert.notDeepEqual(one, sorted)
    assert.notDeepEqual(one, other)
  }
})

async function assertSame(exprs: readonly Expr[]): Promise<void> {
  const query = asQuestion(exprs)
  const [duckdb, postgres] = [await answer(engines.duckdb, query), await answer(engines.postgres, query)]
  for (const [row, values] of duckdb.entries()) {
    for (const [column, value] of values.entries()) {
      const other = postgres[row]?.[column]
      if (!isSame(value, other))
        assert.fail(
          `${JSON.stringify(exprs[column])} over row ${row} (${JSON.stringify(data.rows[row])}): DuckDB ${JSON.stringify(value)}, PostgreSQL ${JSON.stringify(other)}`,
        )
    }
  }
}

const ORDERED: readonly (readonly [mode: 'aggregate' | 'rows', sql: string])[] = [
  [
    'aggregate',
    'select text_a, count(*), rank() over (order by text_a) from edges group by 1 order by 1 desc',
  ],
  [
    'aggregate',
    "select lower(text_a) between 'B' and 'é', text_a > text_b, count(*) from edges group by 1, 2 order by 1, 2",
  ],
  [
    'aggregate',
    'select f, m, count(*) from (select id, min(text_a) as f, mode() within group (order by upper(text_b)) as m from edges group by id) t group by 1, 2 order by 2, 1',
  ],
  [
    'aggregate',
    'select number_a = 0, number_a > 1e140, count(number_a), count(number_b) from edges group by 1, 2 order by 1, 2',
  ],
  ['aggregate', 'select floor(number_a), count(*) from edges group by 1 order by 1'],
  [
    'rows',
    'select id, text_a, number_a, number_b from edges order by text_a, number_a desc, text_b, number_b, integer_a, integer_b',
  ],
]

test('texts past ASCII, no numbers, infinities and both zeros stand in one order on both engines', async () => {
  for (const [mode, sql] of ORDERED) {
    const told: string[] = []
    for (const engine of [engines.duckdb, engines.postgres]) {
      const asked = { sql, mode, dataSets: [data], eligible: people, relations: relations[engine.dialect] }
      const answered = await askEngine(engine, asked)
      assert.ok(answered.ok, `${sql}: ${JSON.stringify(answered)}`)
      assert.ok(answered.value.rows.length > 2)
      told.push(JSON.stringify([answered.value.rows, answered.value.people]))
    }
    assert.equal(told[0], told[1], sql)
  }
})

/** What this process makes of the values that an engine gives for the columns, beside what that engine makes of them. */
async function assertSameHere(exprs: readonly Expr[]): Promise<number> {
  const columns = ['integer_a', 'integer_b', 'number_a', 'number_b'] as const
  const read = columns.map((column): Expr => {
    const type = column.startsWith('integer') ? 'integer' : 'number'
    return { kind: 'column', source: 0, column, type, size: 1 }
  })
  let computed = 0
  for (const row of await answer(engines.duckdb, asQuestion([...read, ...exprs]))) {
    const valueOf = (leaf: Expr) =>
      leaf.kind === 'column' ? row[columns.findIndex((column) => column === leaf.column)] : undefined
    for (const [index, expr] of exprs.entries()) {
      const here = computeHere(expr, valueOf)
      if (here === undefined) continue
      computed += 1
      assert.ok(
        Object.is(here, row[columns.length + index]),
        `${JSON.stringify(expr)} over ${JSON.stringify(row.slice(0, columns.length))}: here ${here}, DuckDB ${row[columns.length + index]}`,
      )
    }
  }
  return computed
}

const ARITHMETIC_IDS = CALL_IDS.filter((id) => ARITHMETIC[id] !== undefined)

test('arithmetic that is done here is what an engine does, to the last bit', async () => {
  for (const id of ARITHMETIC_IDS) {
    const calls = fc.sample(callOf(id, { type: 'number', depth: 0 }), { seed: 20_261_126, numRuns: 12 })
    assert.ok((await assertSameHere(calls)) > 100, id)
  }
  const nested = fc.array(arithmeticOf('number', 2), { minLength: 8, maxLength: 12 })
  const property = fc.asyncProperty(nested, async (exprs) => void (await assertSameHere(exprs)))
  await fc.assert(property, { seed: 20_261_126, numRuns: 12 })
})

/** Expressions of nothing but arithmetic. */
function arithmeticOf(type: 'integer' | 'number', depth: number): fc.Arbitrary<Expr> {
  const calls = ARITHMETIC_IDS.filter((id) => catalogueRow(id).gives === type)
  return fc.constantFrom(...calls).chain((id) =>
    callOf(id, { type, depth: 0 }).chain((made) => {
      if (depth === 0 || made.kind !== 'call') return fc.constant(made)
      const args = made.args.map((arg) =>
        arg.type === 'integer' || arg.type === 'number'
          ? arithmeticOf(arg.type, depth - 1)
          : fc.constant(arg),
      )
      return fc.tuple(...args).map((filled): Expr => ({ ...made, args: filled }))
    }),
  )
}

for (const id of CALL_IDS) {
  test(`catalogue: ${id} (${catalogueRow(id).names.join(', ')}) gives the same on both engines`, async () => {
    const calls = fc.sample(callOf(id, { type: 'number', depth: 1 }), { seed: 20_261_124, numRuns: 24 })
    const others = fc.sample(callOf(id, { type: 'text', depth: 1 }), { seed: 20_261_125, numRuns: 8 })
    await assertSame([...calls, ...others])
  })
}

/** Functions whose last digits depend on the machine's mathematics: a step function on top of them may fall either way. */
const INEXACT = new Set([
  'exp',
  'ln',
  'log10',
  'power',
  'sin',
  'cos',
  'tan',
  'asin',
  'acos',
  'atan',
  'atan2',
  'cbrt',
  'degrees',
  'radians',
])

function isExact(expr: Expr): boolean {
  if (expr.kind === 'case')
    return [
      ...expr.whens.flatMap(({ when, value }) => [when, value]),
      ...(expr.otherwise ? [expr.otherwise] : []),
    ].every(isExact)
  return expr.kind !== 'call' || (!INEXACT.has(expr.call) && expr.args.every(isExact))
}

test('a number is written as PostgreSQL writes a numeric by the same pattern', async () => {
  const patterns = [
    '999',
    'FM999',
    '000',
    '990.0',
    '999.9',
    'FM999.9',
    'FM999.99',
    'FM990.09',
    'FM9.9%',
    '9,990',
    '0,000',
    'FM9,999,999.00',
    '990.0 %',
    'FM990.0" kg"',
    '9,999,999.999999',
  ]
  const values = [
    0, 0.5, 5, -5.25, 0.04, -0.001, 12, 999.5, 99.96, -999.96, 1234567.891, -1234567, 0.0625, 1e9,
  ]
  for (const pattern of patterns) {
    const exprs = values.map((value): Expr => call('to_char_number', [literal('number', value)], [pattern]))
    const own = values.map((value) => `to_char(${value}::numeric, '${pattern}')`).join(', ')
    const { rows } = await engines.postgres.runner
      .run({ sql: `select array[${own}]` })
      .then((result) => ({ rows: result.ok ? result.value.rows() : [] }))
    for (const engine of [engines.duckdb, engines.postgres])
      assert.deepEqual(
        (await answer(engine, asQuestion(exprs)))[0],
        rows[0]?.[0],
        `${engine.dialect} ${pattern}`,
      )
  }
})

test('expressions of many rows of the catalogue give the same on both engines', async () => {
  const type = fc.constantFrom(...COLUMN_TYPES)
  const exprs = fc.array(type.chain((one) => expressionOf(one, 3)).filter(isExact), {
    minLength: 8,
    maxLength: 16,
  })
  await fc.assert(fc.asyncProperty(exprs, assertSame), { seed: 20_261_124, numRuns: 40 })
})

/** Within one another, so that a form that names its argument twice would be as long as 2 to the power of this many. */
const WITHIN = 24

for (const [id, operand] of [
  ['add_number', 0.5],
  ['mul_number', 1.5],
  ['div_number', 1.5],
  ['add_integer', 1],
  ['mod_integer', 1000],
  ['nullif', 1.5],
  ['add_date_days', 1],
  ['split_part', 'a'],
  ['part_at', 'a'],
] as const)
  test(`${id} within itself ${WITHIN} times is planned at once on both engines`, async () => {
    const type = catalogueRow(id).takes[0]
    const first = type === 'date' || type === 'integer' || type === 'text' ? type : 'number'
    const value = literal(id === 'add_date_days' ? 'integer' : first, operand)
    const constants = first === 'text' ? [1] : []
    let expr: Expr = { kind: 'column', source: 0, column: `${first}_a`, type: first, size: 1 }
    for (let count = 0; count < WITHIN; count += 1) expr = call(id, [expr, value], constants)
    const startedMs = performance.now()
    await assertSame([expr])
    const tookMs = performance.now() - startedMs
    assert.ok(tookMs < 5_000, `${tookMs} ms`)
  })
