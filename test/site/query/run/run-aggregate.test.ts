import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { LIMITS } from '../../../../src/kernel/limits.ts'
import { ok } from '../../../../src/kernel/result.ts'
import type { Manifest } from '../../../../src/protocol/data-set.ts'
import type { Outcome } from '../../../../src/protocol/reason.ts'
import type { CollectedGroup } from '../../../../src/site/guard/collected-group.ts'
import { checkQuestion } from '../../../../src/site/query/check-question.ts'
import type { PlanRelation } from '../../../../src/site/query/plan/plan-context.ts'
import { planAggregate, SETS_AT_ONCE } from '../../../../src/site/query/plan/plan-aggregate.ts'
import { collectGroups } from '../../../../src/site/query/run/run-aggregate.ts'
import { askEngine } from '../ask-engine.ts'
import { testManifest, twoEngines } from '../two-engines.ts'
import type { TestDataSet } from '../two-engines.ts'

/* What is collected for the guard: who stands behind a group, behind each measure, and how much one of them gives. */

const engines = await twoEngines()
after(() => engines[Symbol.asyncDispose]())

const manifest = testManifest('people', {
  rowsMax: 3,
  columns: [
    { name: 'town', type: 'text' },
    { name: 'paid', type: 'number', bounds: [0, 100] },
    { name: 'steps', type: 'integer', bounds: [-10, 10] },
    { name: 'always', type: 'number', bounds: [1, 5], isRequired: true },
  ],
})
const rows: TestDataSet['rows'] = [
  [0, 'Cork', 10, 0, 1],
  [0, 'Cork', 20, 3, 1],
  [1, 'Cork', 0, -3, 2],
  [2, 'Cork', null, null, 3],
  [3, 'Cork', 900, 0, 4],
  [4, 'Galway', 0, 0, 5],
  [5, 'Galway', 0, 0, 9],
  [5, 'Cork', 1, 1, 1],
]
const data = { manifest, rows }
const all = [0, 1, 2, 3, 4, 5]

function checkedOf(sql: string, asked: Manifest = manifest, mode: 'aggregate' | 'private' = 'aggregate') {
  const checked = checkQuestion(sql, { mode, dataSets: new Map([[asked.dataSet, asked]]) })
  assert.ok(checked.ok, JSON.stringify(checked))
  return checked.value
}

async function collect(
  sql: string,
  change: Partial<PlanRelation> = {},
): Promise<readonly (readonly CollectedGroup[])[]> {
  const checked = checkedOf(sql)
  const collected: (readonly CollectedGroup[])[] = []
  for (const engine of [engines.duckdb, engines.postgres]) {
    const relations = await engine.relations([data], all)
    const changed = new Map([...relations].map(([name, relation]) => [name, { ...relation, ...change }]))
    const groups: Outcome<readonly CollectedGroup[]> = await collectGroups(
      planAggregate(checked, { dialect: engine.dialect, relations: changed }),
      engine.runner,
      { dominanceBp: 1_000 },
    )
    assert.ok(groups.ok, JSON.stringify(groups))
    collected.push(groups.value)
  }
  return collected
}

function describe(groups: readonly CollectedGroup[]): readonly unknown[] {
  return groups.map(({ keys, people, measures }) => [
    ...keys,
    [...people].join(),
    ...measures.map(
      (measure) =>
        `${measure.kind} ${measure.count} ${measure.sum} [${[...measure.people].join()}] ${measure.largestShare}/${measure.absoluteSum}`,
    ),
  ])
}

test('each measure has the people whose own value changes it: neither null nor 0, and past the filter', async () => {
  for (const groups of await collect(
    'select town, count(*), sum(paid), sum(steps), count(distinct id) filter (where paid > 0) from people group by town',
  )) {
    assert.deepEqual(describe(groups), [
      [
        'Cork',
        '0,1,2,3,5',
        'count 6 0 [0,1,2,3,5] 2/6',
        'count 5 0 [0,1,3,5] 2/5',
        'sum 5 131 [0,3,5] 100/131',
        'count 5 0 [0,1,3,5] 2/5',
        'sum 5 1 [0,1,5] 3/7',
        'people 4 0 [0,3,5] 1/4',
      ],
      [
        'Galway',
        '4,5',
        'count 2 0 [4,5] 1/2',
        'count 2 0 [4,5] 1/2',
        'sum 2 0 [] 0/0',
        'count 2 0 [4,5] 1/2',
        'sum 2 0 [] 0/0',
        'people 0 0 [] 1/0',
      ],
    ])
  }
})

test('more groups than there may be are refused before anything more is asked about them', async () => {
  const { dialect, runner } = engines.duckdb
  const relations = await engines.duckdb.relations([data], all)
  const planOf = (values: readonly string[]) =>
    planAggregate(checkedOf(`select town, ${values.join(', ')} from people group by town`), {
      dialect,
      relations,
    })
  const plan = planOf(['sum(paid)'])
  let statements = 0
  const groups = await collectGroups(
    plan,
    {
      run: async (statement) => {
        statements += 1
        const result = await runner.run(statement)
        // The two groups there are, said to be as many as may not be.
        return result.ok ? ok({ ...result.value, rowCount: plan.groupsMax + 1 }) : result
      },
    },
    { dominanceBp: 1_000 },
  )
  assert.equal(!groups.ok && groups.error.code, 'declined.too_large')
  assert.equal(statements, 1)
  assert.equal(plan.groupsMax, LIMITS.queryGroupsMax)
  // Of 50 sums fewer groups may be than of one: something is kept of each for each.
  const many = planOf(Array.from({ length: 50 }, (_, i) => `sum(paid) filter (where paid > ${i})`))
  assert.equal(many.groupsMax, LIMITS.queryFiguresMax / 50)
  assert.ok(many.collect.sql.endsWith(`limit ${many.groupsMax + 1}`))
})

test('where the counts say so, the people of a measure are those of the row, and no set is asked for', async () => {
  engines.duckdb.statements.length = 0
  const [groups = []] = await collect('select town, avg(always) from people group by town')
  for (const group of groups) for (const measure of group.measures) assert.equal(measure.people, group.people)
  const [statement] = engines.duckdb.statements
  assert.equal(statement?.sql.split('list(').length, 2)
})

test('no set is asked for of a column that the conditions want a value of, and of another one is', async () => {
  const listsOf = async (where: string): Promise<number> => {
    engines.duckdb.statements.length = 0
    const [groups = []] = await collect(`select town, count(paid) from people where ${where} group by town`)
    assert.deepEqual(
      groups.map(({ measures }) => [...(measures[0]?.people ?? [])]),
      [
        [0, 1, 3, 5],
        [4, 5],
      ],
    )
    return (engines.duckdb.statements[0]?.sql.split('list(').length ?? 0) - 1
  }
  assert.equal(await listsOf('paid is not null'), 1)
  assert.equal(await listsOf("town <> 'Clare' and paid >= 0"), 1)
  assert.equal(await listsOf('paid >= 0 or steps is null'), 2)
  assert.equal(engines.duckdb.statements.filter(({ sql }) => sql.includes('list(')).length, 1)
})

test('many measures have the people that they have when few are asked for: no sum has a FILTER, and of sets few at a time', async () => {
  const asked = Array.from({ length: 20 }, (_, i) => `sum(paid) filter (where steps > ${i - 12})`)
  const measuresOf = async (values: readonly string[]) =>
    (await collect(`select town, ${values.join(', ')} from people group by town`)).map((groups) =>
      groups.map(({ measures }) =>
        measures.map(({ people, ...measure }) => ({ ...measure, people: [...people] })),
      ),
    )
  const [few, others] = [await measuresOf(asked.slice(0, 10)), await measuresOf(asked.slice(10))]
  engines.duckdb.statements.length = 0
  const both = few.map((groups, engine) =>
    groups.map((measures, group) => [...measures, ...(others[engine]?.[group] ?? [])]),
  )
  assert.deepEqual(await measuresOf(asked), both)
  const [first = '', ...sets] = engines.duckdb.statements.map(({ sql }) => sql)
  assert.doesNotMatch(first, / filter \(/)
  const filters = sets.map((sql) => sql.split(' filter (').length - 1)
  assert.ok(filters.length > 1 && filters.every((count) => count <= 2 * SETS_AT_ONCE), String(filters))
})

test('a column that is called required and is not is noticed by its counts, and its people are asked for', async () => {
  const nullable: TestDataSet = {
    manifest,
    rows: [
      [0, 'Cork', 1, 1, null],
      [1, 'Cork', 1, 1, 2],
    ],
  }
  for (const engine of [engines.duckdb, engines.postgres]) {
    const answer = await askEngine(engine, {
      sql: 'select avg(always) from people',
      dataSets: [nullable],
      eligible: [0, 1],
    })
    assert.ok(answer.ok)
    assert.deepEqual(
      answer.value.groups.map(({ people, measures }) => [
        [...people],
        measures.map((measure) => [...measure.people]),
      ]),
      [
        [
          [0, 1],
          [[1], [1]],
        ],
      ],
    )
  }
})

test('bit strings tell the same as lists, where there are too many rows for these', async () => {
  const [lists = []] = await collect('select town, count(*), sum(paid) from people group by town')
  engines.duckdb.statements.length = 0
  const [bits = []] = await collect('select town, count(*), sum(paid) from people group by town', {
    personCount: 40_000_003,
  })
  assert.match(engines.duckdb.statements[0]?.sql ?? '', /bitstring_agg\("q"\."_p", 0, 40000007\)/)
  assert.deepEqual(describe(bits), describe(lists))
})

test('no person gives more rows than the manifest says, whoever asks, where the vault does not know it', async () => {
  const capped = testManifest('people', { rowsMax: 2, columns: manifest.columns.slice(1) })
  const many: TestDataSet = {
    manifest: capped,
    rows: Array.from({ length: 9 }, (_, row): TestDataSet['rows'][number] => [
      row % 3 === 0 ? 1 : 0,
      'Cork',
      1,
      1,
      1,
    ]),
  }
  const checked = checkedOf('select count(*), sum(paid) from people', capped)
  for (const engine of [engines.duckdb, engines.postgres]) {
    for (const rowsPerPerson of [undefined, 6]) {
      const relations = new Map(
        [...(await engine.relations([many], [0, 1]))].map(([name, relation]) => [
          name,
          { ...relation, rowsPerPerson },
        ]),
      )
      const groups = await collectGroups(
        planAggregate(checked, { dialect: engine.dialect, relations }),
        engine.runner,
        { dominanceBp: 1_000 },
      )
      assert.ok(groups.ok)
      assert.deepEqual(
        groups.value[0]?.measures.map(({ count }) => count),
        [4, 4, 4],
      )
    }
  }
})

/** Of one measure over people with these values, a row each: the most that one of them gives, of rows, of sums or of squares; or how many give any. */
async function mostOfOne(
  asked: string,
  values: readonly (readonly number[])[],
  [least, greatest]: readonly [number, number],
): Promise<ReadonlySet<number | undefined>> {
  const call = asked.replace('people of ', '')
  const isOfPeople = call !== asked
  const rowsMax = Math.max(...values.map((own) => own.length))
  const kept = testManifest('values_of_people', {
    rowsMax,
    columns: [{ name: 'x', type: 'number', bounds: [least, greatest] }],
  })
  const stored = values.flatMap((own, person) => own.map((x): TestDataSet['rows'][number] => [person, x]))
  const checked = checkedOf(`select ${call} from values_of_people`, kept)
  const found = new Set<number | undefined>()
  for (const engine of [engines.duckdb, engines.postgres]) {
    const people = [...values.keys()]
    const relations = await engine.relations([{ manifest: kept, rows: stored }], people)
    const plan = planAggregate(checked, { dialect: engine.dialect, relations })
    const groups = await collectGroups(plan, engine.runner, { dominanceBp: 1_000 })
    assert.ok(groups.ok)
    const measure = groups.value[0]?.measures.find(({ kind }) => call.startsWith(kind))
    const most = call.startsWith('var') ? measure?.largestSquares : measure?.largestShare
    found.add(isOfPeople ? measure?.people.count() : most)
  }
  return found
}

test('who gives most is found where the bounds alone do not settle it, and the bounds are never below it', async () => {
  const alike = (count: number, x: number) => Array.from({ length: count }, () => [x])
  const balances = [...alike(59, -3), [-100]]
  // Bounds reach further below 0 than above it.
  assert.deepEqual(await mostOfOne('sum(x)', balances, [-100, 4]), new Set([100]))
  assert.deepEqual(await mostOfOne('sum(x)', alike(60, -3), [-100, 4]), new Set([3]))
  // Three rows of one person would be too many of these; nobody has more than two that count.
  const counted = 'count(*) filter (where x < 4)'
  assert.deepEqual(await mostOfOne(counted, [...alike(15, 1), [1, 1, 5]], [0, 5]), new Set([2]))
  assert.deepEqual(await mostOfOne('sum(x)', [...alike(60, 1), [5, 5, 5]], [0, 5]), new Set([15]))
  // Bounds that end at 0 hold it: whoever has 0 gives nothing, so that one stands alone here.
  assert.deepEqual(await mostOfOne('people of sum(x)', [...alike(59, 0), [-3]], [-5, 0]), new Set([1]))
  // The sum is settled by its bounds, and the squares are not.
  assert.deepEqual(await mostOfOne('var_pop(x)', alike(60, 1), [0, 5]), new Set([1]))
  assert.deepEqual(await mostOfOne('var_pop(x)', [...alike(150, 2), [5, 5, 5]], [0, 5]), new Set([75]))
})

test('HAVING, ORDER BY and LIMIT look at groups that were let through, and at nothing else', async () => {
  for (const engine of [engines.duckdb, engines.postgres]) {
    const asked = {
      dataSets: [data],
      eligible: all,
      guard: ({ keys }: CollectedGroup) => keys[0] === 'Galway',
    }
    const first = await askEngine(engine, {
      ...asked,
      sql: 'select town, count(*) from people group by town order by count(*) desc limit 1',
    })
    assert.ok(first.ok)
    assert.deepEqual(first.value.rows, [['Galway', 2]])
    const none = await askEngine(engine, {
      ...asked,
      sql: 'select town from people group by town having sum(paid) > 50',
    })
    assert.ok(none.ok)
    assert.deepEqual(none.value.rows, [])
  }
})

test('a variance and a covariance have the largest squares and products of one person', async () => {
  const text = "select var_pop(steps), covar_pop(paid, steps) from people where town = 'Cork'"
  for (const [group] of await collect(text)) {
    const [variance, covariance] = ['var_pop', 'covar_pop'].map((kind) =>
      group?.measures.find((measure) => measure.kind === kind),
    )
    // Squares 0, 9, 9, 0 and 1; products 0, 60, 0, 0 and 1.
    assert.deepEqual([variance?.sumOfSquares, variance?.largestSquares], [19, 9])
    assert.deepEqual([covariance?.sum, covariance?.absoluteSum, covariance?.largestShare], [61, 61, 60])
    assert.deepEqual([...(covariance?.people ?? [])], [0, 5])
    assert.deepEqual([...(covariance?.counted ?? [])], [0, 1, 3, 5])
    assert.equal(covariance?.largestSquares, undefined)
    assert.deepEqual(
      covariance?.margins?.map((margin) => group?.measures[margin]?.sum),
      [131, 1],
    )
  }
})

/** What PostgreSQL makes of values, null among them. */
const orNull =
  (made: (...values: readonly number[]) => number | null) =>
  (...values: readonly (number | null)[]): number | null => {
    const there = values.filter((value) => value !== null)
    return there.length === values.length ? made(...there) : null
  }
const extreme =
  (of: (...values: readonly number[]) => number) =>
  (...values: readonly (number | null)[]): number | null => {
    const there = values.filter((value) => value !== null)
    return there.length > 0 ? of(...there) : null
  }
const [least, greatest] = [extreme(Math.min), extreme(Math.max)]

/** What is summed, and what it is of one row: of `paid`, `steps` and `always` within their bounds, and of `paid` as it is stored. */
const OF_BOUNDED: Readonly<Record<string, (row: BoundedRow) => number | null>> = {
  'abs(paid - 200)': ({ paid }) => orNull((x) => Math.abs(x - 200))(paid),
  'abs(paid - 60) * steps': ({ paid, steps }) => orNull((x, y) => Math.abs(x - 60) * y)(paid, steps),
  'least(paid, 150)': ({ paid }) => least(paid, 150),
  'least(paid, 60)': ({ paid }) => least(paid, 60),
  'greatest(paid, 150)': ({ paid }) => greatest(paid, 150),
  'greatest(paid, always * 30)': ({ paid, always }) => greatest(paid, always * 30),
  'least(abs(paid - 200), 120)': ({ paid }) => least(orNull((x) => Math.abs(x - 200))(paid), 120),
  'sign(paid - 150)': ({ paid }) => orNull((x) => Math.sign(x - 150))(paid),
  'sign(paid - 100)': ({ paid }) => orNull((x) => Math.sign(x - 100))(paid),
  'nullif(paid, 100)': ({ paid }) => (paid === 100 ? null : paid),
  'nullif(paid, 900) + 1': ({ paid }) => orNull((x) => x + 1)(paid),
  'coalesce(nullif(paid, 100), 7)': ({ paid }) => (paid === 100 ? 7 : (paid ?? 7)),
  'coalesce(nullif(paid, 900), 7)': ({ paid }) => paid ?? 7,
  '(paid - 150) * (paid - steps)': ({ paid, steps }) => orNull((x, y) => (x - 150) * (x - y))(paid, steps),
  // A condition sees what is stored, as it does in FILTER.
  '(paid > 150)::int': ({ stored }) => orNull((x) => (x > 150 ? 1 : 0))(stored),
  'case when paid > 150 then paid when steps < 0 then 3 else 1 end': ({ paid, stored, steps }) =>
    stored !== null && stored > 150 ? paid : steps !== null && steps < 0 ? 3 : 1,
  'least(case when paid > 150 then paid else 7 end, 150)': ({ paid, stored }) =>
    stored !== null && stored > 150 ? least(paid, 150) : 7,
}

interface BoundedRow {
  readonly paid: number | null
  readonly stored: number | null
  readonly steps: number | null
  readonly always: number
}

test('what conditions decide in a sum is decided by values within their bounds, as what is summed is', async () => {
  const within = (value: unknown, low: number, high: number) =>
    value === null ? null : Math.min(Math.max(Number(value), low), high)
  const known = rows.map(([, , stored, steps, always]): BoundedRow => ({
    paid: within(stored, 0, 100),
    stored: stored === null ? null : Number(stored),
    steps: within(steps, -10, 10),
    always: within(always, 1, 5) ?? 1,
  }))
  for (const engine of [engines.duckdb, engines.postgres]) {
    const asked = { dataSets: [data], eligible: all, relations: await engine.relations([data], all) }
    for (const [name, made] of Object.entries(OF_BOUNDED)) {
      const values = known.map(made).filter((value) => value !== null)
      const sum = values.reduce((total, value) => total + value, 0)
      const sql = `select sum(${name}), avg(${name}) from people`
      const answer = await askEngine(engine, { ...asked, sql })
      assert.ok(answer.ok, `${name}: ${JSON.stringify(answer)}`)
      const [[total, mean] = []] = answer.value.rows
      assert.ok(
        Math.abs(Number(total) - sum) < 1e-9 && Math.abs(Number(mean) - sum / values.length) < 1e-9,
        `${engine.dialect}: ${name} is ${String(total)}, ${String(mean)}, not ${sum}, ${sum / values.length}`,
      )
    }
  }
})

test('with noise the same is summed: values within their bounds, and what a condition says of them as they are', () => {
  const argumentOf = (value: string) => {
    const asked: Manifest = { ...manifest, modes: ['private'] }
    const { measures } = checkedOf(`select sum(${value}) from people`, asked, 'private').query
    return JSON.stringify(measures[0]?.argument)
  }
  assert.match(argumentOf('abs(paid - 200)'), /clamp_number/)
  for (const condition of ['(paid > 150)::int', 'case when paid > 150 then 1 else 0 end'])
    assert.doesNotMatch(argumentOf(condition), /clamp_number/)
})
