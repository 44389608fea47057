import { strict as assert } from 'node:assert'
import { after, before, test } from 'node:test'
import { DuckDBInstance } from '@duckdb/node-api'
import type { DuckDBConnection } from '@duckdb/node-api'
import fc from 'fast-check'
import { sha256 } from '../../../src/kernel/digest.ts'
import { LIMITS } from '../../../src/kernel/limits.ts'
import { ok } from '../../../src/kernel/result.ts'
import type { Manifest } from '../../../src/protocol/data-set.ts'
import { manifestSchema } from '../../../src/protocol/data-set.ts'
import { exactChance } from '../../../src/site/privacy/exact-chance.ts'
import { exactFigure, makeNoisy, placeRuns } from '../../../src/site/privacy/make-noisy.ts'
import { planPrivacy } from '../../../src/site/privacy/plan-privacy.ts'
import { pureLoss } from '../../../src/site/privacy/privacy-loss.ts'
import { seededBytes } from '../../../src/testing/seeded-bytes.ts'
import { checkQuestion } from '../../../src/site/query/check-question.ts'
import type { QueryRunner } from '../../../src/site/query/plan/plan-context.ts'
import { planPrivate } from '../../../src/site/query/plan/plan-private.ts'
import { designPrivate, sensitivityOf } from '../../../src/site/query/plan/private-design.ts'
import type { PrivateDesign } from '../../../src/site/query/plan/private-design.ts'
import type { PrivateGroup } from '../../../src/site/query/plan/private-group.ts'
import { collectPrivate, groupsMaxOf } from '../../../src/site/query/run/run-private.ts'
import { convertResult } from '../../../src/site/vault/convert-result.ts'

const EPSILON = 0.1

/** Visits of people: several rows each, values past their bounds, nulls, nonsense numbers. */
const manifest: Manifest = manifestSchema.parse({
  dataSet: 'visits',
  title: 'Visits',
  issuer: 'federation',
  person: { key: 'id', rowsMax: 40 },
  columns: [
    { name: 'id', type: 'text', sensitivity: 'direct_identifier' },
    { name: 'ward', type: 'text' },
    { name: 'kind', type: 'text', values: ['a', 'b'] },
    { name: 'days', type: 'integer', bounds: [0, 30] },
    { name: 'cost', type: 'number', bounds: [-5, 1000.5] },
    { name: 'rate', type: 'number', bounds: [1e9, 1.000_001e9] },
  ],
  legalBasis: 'eu-gdpr:A6-1-a',
  purposes: ['dpv:ResearchAndDevelopment'],
  modes: ['private'],
  perimeter: { store: { within: ['EEA'] }, process: { within: ['EEA'] }, release: { within: ['EEA'] } },
  retention: { period: 'P50Y', from: '2020-01-01' },
  tariff: { currency: 'EUR', capMinor: 1_000 },
  splits: { issuer: 4_000, custodian: 2_500, network: 500, subjects: 3_000 },
})
const manifests = new Map([['visits', manifest]])

const QUESTIONS = [
  'select count(*), count(distinct id) from visits',
  'select ward, count(*), sum(days), avg(cost) from visits group by ward',
  'select ward, count(days) filter (where cost > 3), count(distinct id) filter (where days > 9) from visits group by ward',
  'select ward, sum(days) from visits group by ward',
  'select kind, avg(cost) filter (where days > 3) from visits group by kind',
  'select kind, sum(cost), var_pop(cost), stddev_samp(days) from visits group by kind',
  'select ward, corr(cost, days), regr_intercept(days, cost) from visits group by ward',
  'select kind, covar_samp(rate, cost) filter (where days > 3), regr_count(cost, days), avg((cost - 497.75) * (days - 15.0)) from visits group by kind',
  'select ward, kind, avg(rate), sum(rate) from visits group by ward, kind',
  'select sum(case when days > 10 then cost * days else cost - 1 end), sum(abs(cost)) from visits',
  'select ward, percentile_cont(0.9) within group (order by cost), median(days) from visits where days is not null group by ward',
  'select kind, percentile_disc(0.25) within group (order by days desc) filter (where cost > 0) from visits group by kind',
  'with p as (select id, ward, sum(cost) as cost, count(*) as n from visits group by id, ward) select ward, avg(cost), sum(n) from p group by ward',
  'select a.ward, count(*), sum(b.days) from (select id, ward from visits where days > 9) a full join (select id, days from visits where days < 20) b on a.id = b.id group by a.ward',
  'select ward, kind, grouping(ward), count(*), sum(days), count(distinct id) from visits group by rollup (ward, kind)',
  'select kind, avg(cost), median(days) from visits group by grouping sets ((kind), (), (ward))',
  'with u as (select id from visits where days > 3 union select id from visits where cost < 5) select v.ward, sum(v.cost) from visits v join u using (id) group by v.ward',
  'select a.ward, sum(x.cost), count(*) from visits a cross join lateral (select cost from visits b where b.id = a.id and b.days > a.days) x group by a.ward',
  'select ward, sum(days) from (select distinct on (id) id, ward, days from visits order by id, days desc, ward) t group by ward',
  'select a.kind, avg(a.cost), count(b.days) from visits a left join visits b on a.id = b.id and b.cost > 0 group by a.kind',
]

interface Visit {
  readonly person: number
  readonly ward: string | null
  readonly kind: string | null
  readonly days: number | null
  readonly cost: number | null
  readonly rate: number | null
}

let instance: DuckDBInstance
let connection: DuckDBConnection
before(async () => {
  instance = await DuckDBInstance.create(':memory:', { threads: '1' })
  connection = await instance.connect()
  await connection.run('set integer_division = true')
})
after(() => {
  connection.closeSync()
  instance.closeSync()
})

const runner: QueryRunner = {
  async run({ sql, parameters = [] }) {
    const prepared = await connection.prepare(sql)
    for (const [index, { value }] of parameters.entries()) prepared.bindVarchar(index + 1, String(value))
    const result = await prepared.run()
    const chunks = await result.fetchAllChunks()
    const columns = result
      .columnNames()
      .map((name, index) => ({ name, type: String(result.columnType(index)) }))
    return ok(convertResult(columns, chunks))
  },
}

function literal(value: string | number | null): string {
  if (value === null) return 'null'
  if (typeof value === 'string') return `'${value}'`
  return Number.isNaN(value) ? "'nan'::double" : value === Infinity ? "'inf'::double" : String(value)
}

async function fill(visits: readonly Visit[]): Promise<void> {
  await connection.run(
    'create or replace table ds_visits (_p integer, ward varchar, kind varchar, days bigint, cost double, rate double)',
  )
  const rows = visits.map(
    ({ person, ward, kind, days, cost, rate }) =>
      `(${[person, ward, kind, days, cost, rate].map(literal).join(', ')})`,
  )
  if (rows.length > 0) await connection.run(`insert into ds_visits values ${rows.join(', ')}`)
  await connection.run('create or replace table e_1 as select distinct _p from ds_visits')
}

interface Asked {
  readonly question: string
  readonly rowsPerPerson: number
  readonly groupsPerPerson: number
}

function designOf({ question, rowsPerPerson, groupsPerPerson }: Asked): PrivateDesign {
  const checked = checkQuestion(question, { mode: 'private', dataSets: manifests })
  assert.ok(checked.ok, checked.ok ? '' : `${checked.error.code} ${checked.error.detail}`)
  return designPrivate(checked.value, {
    privacy: { epsilon: EPSILON, rowsPerPerson, groupsPerPerson },
    // Every group is looked at, the small ones too.
    minimumGroup: 1,
  })
}

/** How groups may be collected: each way is taken where the ones before it are not. */
const WAYS = ['plain', 'listed', 'bounded'] as const
type Way = (typeof WAYS)[number]

/** The exact groups, collected in this way at best. */
async function collect(
  design: PrivateDesign,
  visits: readonly Visit[],
  way: Way,
): Promise<readonly PrivateGroup[]> {
  const groups = await collectUpTo(undefined, { design, visits, way })
  assert.ok(groups.ok)
  return groups.value
}

/** The same where there are no more groups than this. */
async function collectUpTo(
  groupsMax: number | undefined,
  {
    design,
    visits,
    way,
    run = runner,
  }: { design: PrivateDesign; visits: readonly Visit[]; way: Way; run?: QueryRunner },
): ReturnType<typeof collectPrivate> {
  await fill(visits)
  const rows = new Map<number, number>()
  for (const { person } of visits) rows.set(person, (rows.get(person) ?? 0) + 1)
  const relation = {
    table: 'ds_visits',
    eligible: 'e_1',
    personCount: 20,
    rowsPerPerson: Math.max(1, ...rows.values()),
  }
  const plan = planPrivate(design, {
    dialect: 'duckdb',
    relations: new Map([['visits', relation]]),
    choiceKey: 'k',
  })
  const ways = {
    ...plan,
    ...(way === 'plain' ? {} : { plain: undefined }),
    ...(way === 'bounded' ? { listed: undefined } : {}),
  }
  return collectPrivate(ways, run, groupsMax)
}

/** What comes first is said to have more rows than may be, and fails when it is read. */
function tooManyAtFirst(): QueryRunner {
  const unreadable = { rowCount: LIMITS.releaseRowsMax + 1, column: () => assert.fail('A column was read') }
  let statements = 0
  return {
    run: async (statement) => {
      const result = await runner.run(statement)
      statements += 1
      return result.ok && statements === 1 ? ok({ ...result.value, ...unreadable }) : result
    },
  }
}

/** Every figure of every group, by its name; for a quantile the loss of every place. */
function vectorOf(
  groups: readonly PrivateGroup[],
  design: PrivateDesign,
): ReadonlyMap<string, readonly bigint[]> {
  const vector = new Map<string, readonly bigint[]>()
  for (const group of groups) {
    let places = 0
    for (const [index, figure] of design.figures.entries()) {
      const name = JSON.stringify([group.keys, index])
      if (figure.kind === 'whole') continue
      if (figure.kind === 'people') vector.set(name, [group.people])
      else if (figure.kind === 'place') {
        vector.set(name, lossesOf(group.places[places] ?? [], figure))
        places += 1
      } else vector.set(name, [exactFigure(group, figure, design)])
    }
  }
  return vector
}

function lossesOf(
  weights: PrivateGroup['places'][number],
  figure: Extract<PrivateDesign['figures'][number], { kind: 'place' }>,
): readonly bigint[] {
  const losses: bigint[] = []
  for (const { from, to, loss } of placeRuns(weights, figure))
    for (let place = from; place <= to; place += 1) losses.push(loss)
  assert.equal(losses.length, figure.places.count)
  return losses
}

/** One of them comes more often: with many rows in a group, more than count. */
const personArbitrary = fc.constantFrom(0, 0, 0, 0, 1, 2, 3, 4, 5)

const visitArbitrary: fc.Arbitrary<Visit> = fc.record({
  person: personArbitrary,
  ward: fc.constantFrom('north', 'north', 'south', 'east', null),
  kind: fc.constantFrom('a', 'a', 'b', 'other', null),
  days: fc.oneof(fc.integer({ min: -10, max: 60 }), fc.constantFrom(0, 30, null)),
  cost: fc.oneof(
    fc.double({ min: -2000, max: 2000, noNaN: true }),
    fc.constantFrom(null, NaN, Infinity, 1e300, -5, 1000.5, 2000),
  ),
  rate: fc.oneof(fc.double({ min: 0.9e9, max: 1.1e9, noNaN: true }), fc.constantFrom(null, 1e9, 1.000_001e9)),
})

const askedArbitrary: fc.Arbitrary<Asked> = fc.record({
  question: fc.constantFrom(...QUESTIONS),
  rowsPerPerson: fc.constantFrom(1, 1, 2, 3, 6),
  groupsPerPerson: fc.constantFrom(1, 1, 2, 3),
})

test('removing one person moves every figure by no more than the claimed bounds, in L1 and L2', async () => {
  await fc.assert(
    fc.asyncProperty(
      askedArbitrary,
      fc.array(visitArbitrary, { maxLength: 30, size: 'max' }),
      personArbitrary,
      fc.constantFrom(...WAYS),
      async (asked, visits, gone, way) => {
        const design = designOf(asked)
        const withAll = vectorOf(await collect(design, visits, way), design)
        const without = vectorOf(
          await collect(
            design,
            visits.filter(({ person }) => person !== gone),
            way,
          ),
          design,
        )
        for (const [index, figure] of design.figures.entries()) {
          if (figure.kind === 'whole') continue
          const bound = sensitivityOf(figure, design)
          const names = [...new Set([...withAll.keys(), ...without.keys()])].filter(
            (name) => (JSON.parse(name) as unknown[])[1] === index,
          )
          const moves = names.map((name) => movedBy(withAll.get(name), without.get(name)))
          const groups = BigInt(design.bounds.groupsMax)
          const told = `${asked.question}: ${figure.kind} moved by ${moves.join()}, bound ${bound}`
          assert.ok(
            moves.every((move) => move <= bound),
            told,
          )
          assert.ok(moves.reduce((sum, move) => sum + move, 0n) <= groups * bound, told)
          assert.ok(moves.reduce((sum, move) => sum + move * move, 0n) <= groups * bound * bound, told)
        }
      },
    ),
    { numRuns: 300 },
  )
})

/** The largest move of any of the numbers; what is not there is 0. */
function movedBy(left: readonly bigint[] | undefined, right: readonly bigint[] | undefined): bigint {
  let most = 0n
  for (let index = 0; index < Math.max(left?.length ?? 0, right?.length ?? 0); index += 1) {
    const difference = (left?.[index] ?? 0n) - (right?.[index] ?? 0n)
    const size = difference < 0n ? -difference : difference
    if (size > most) most = size
  }
  return most
}

const sorted = (vector: ReadonlyMap<string, readonly bigint[]>) =>
  [...vector].toSorted(([a], [b]) => (a < b ? -1 : 1))

test('how it is collected makes no difference', async () => {
  await fc.assert(
    fc.asyncProperty(askedArbitrary, fc.array(visitArbitrary, { maxLength: 24 }), async (asked, visits) => {
      // Nobody stands in so many groups: which of them count would be chosen by another hash in another way.
      const design = withGroups(designOf(asked), 1_000)
      const [plain, listed, bounded] = await inTurn(WAYS, async (way) =>
        vectorOf(await collect(design, visits, way), design),
      )
      assert.ok(plain && listed && bounded)
      assert.deepEqual(sorted(listed), sorted(bounded))
      assert.deepEqual(sorted(plain), sorted(bounded))
    }),
    { numRuns: 150 },
  )
})

test('too many groups are refused however they are collected, and the most there may be is another for each question', async () => {
  const visits = ['north', 'south', 'east'].map((ward, person) => ({
    person,
    ward,
    kind: 'a',
    days: 1,
    cost: 1,
    rate: 1e9,
  }))
  const question = 'select ward, count(*) from visits group by ward'
  const design = designOf({ question, rowsPerPerson: 1, groupsPerPerson: 1 })
  for (const way of WAYS) {
    const few = await collectUpTo(3, { design, visits, way })
    assert.equal(few.ok && few.value.length, 3)
    const many = await collectUpTo(2, { design, visits, way })
    assert.equal(!many.ok && many.error.code, 'declined.too_large')
    // More than may be read are not: another way is taken, if there is one.
    const unread = await collectUpTo(3, { design, visits, way, run: tooManyAtFirst() })
    assert.equal(unread.ok, way !== 'bounded')
  }
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (chance) => {
      const most = groupsMaxOf(chance)
      assert.ok(Number.isInteger(most) && most >= 75_000 && most <= 100_000)
    }),
  )
  assert.equal(
    new Set(Array.from({ length: 200 }, (_, index) => groupsMaxOf(sha256(`${index}`)))).size > 150,
    true,
  )
})

test('the order of the rows makes no difference, nor does it to what is chosen', async () => {
  await fc.assert(
    fc.asyncProperty(
      askedArbitrary,
      fc.array(visitArbitrary, { maxLength: 16 }),
      fc.constantFrom(...WAYS),
      async (asked, visits, way) => {
        const design = designOf(asked)
        const forwards = vectorOf(await collect(design, visits, way), design)
        const backwards = vectorOf(await collect(design, visits.toReversed(), way), design)
        assert.deepEqual(sorted(backwards), sorted(forwards))
      },
    ),
    { numRuns: 100 },
  )
})

/** One after another: they share a connection and its tables. */
async function inTurn<T, U>(items: readonly T[], act: (item: T) => Promise<U>): Promise<readonly U[]> {
  const results: U[] = []
  for (const item of items) results.push(await act(item))
  return results
}

function withGroups(design: PrivateDesign, groupsMax: number): PrivateDesign {
  return { ...design, bounds: { ...design.bounds, groupsMax } }
}

test('a covariance whose figures have no noise to speak of is that of the values within their bounds', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          days: fc.option(fc.integer({ min: -5, max: 40 })),
          cost: fc.option(fc.double({ min: -100, max: 1500, noNaN: true })),
        }),
        { maxLength: 18 },
      ),
      async (values) => {
        const design = designOf({
          question:
            'select covar_pop(cost, days), regr_count(cost, days), avg((cost - 497.75) * (days - 15.0)) from visits',
          rowsPerPerson: 1,
          groupsPerPerson: 1,
        })
        const visits = values.map((value, person) => ({ person, ward: 'w', kind: 'a', rate: null, ...value }))
        const scale = { numerator: 1n, denominator: 1_000n }
        const figures = design.figures.map(() => ({ kind: 'laplace' as const, scale }))
        const [group] = makeNoisy(await collect(design, visits, 'listed'), {
          design,
          noise: { kind: 'laplace', loss: pureLoss(1_000_000), delta: 0, figures },
          chance: exactChance(seededBytes('pairs')),
        })
        const pairs = values.flatMap(({ days, cost }) =>
          days === null || cost === null
            ? []
            : [[Math.min(Math.max(cost, -5), 1000.5), Math.min(Math.max(days, 0), 30)] as const],
        )
        const valueOf = (kind: string) =>
          group?.values[design.checked.query.measures.findIndex((measure) => measure.kind === kind)]
        if (pairs.length === 0) return assert.equal(valueOf('covar_pop') ?? null, null)
        assert.equal(valueOf('count'), pairs.length)
        const average = (of: (pair: readonly [number, number]) => number) =>
          pairs.reduce((sum, pair) => sum + of(pair), 0) / pairs.length
        const expected = average(([y, x]) => y * x) - average(([y]) => y) * average(([, x]) => x)
        const told = valueOf('covar_pop')
        assert.ok(Math.abs(Number(told) - expected) < 0.1, `${told} for ${expected}`)
      },
    ),
    { numRuns: 60 },
  )
})

test('the error that is told of a covariance is as wide as all of its figures make it', () => {
  const question = 'select covar_pop(cost, days), avg(cost) filter (where days is not null) from visits'
  const checked = checkQuestion(question, { mode: 'private', dataSets: manifests })
  assert.ok(checked.ok)
  const { note } = planPrivacy(checked.value, { privacy: undefined, minimumGroup: 20 })
  const [covariance] = note.figures
  // Half of each width, from the middles of the bounds.
  const reach = (1005.5 / 2) * 15
  assert.ok(covariance && covariance.measure === 'covar_pop' && covariance.of === 'figure / rows')
  assert.ok(Math.abs(covariance.sensitivity / (reach * note.rowsPerPerson) - 1) < 0.01)
  assert.ok(covariance.halfWidth95 > covariance.sensitivity)
})
