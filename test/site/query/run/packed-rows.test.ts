import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import fc from 'fast-check'
import { manifestSchema } from '../../../../src/protocol/data-set.ts'
import { boundListed } from '../../../../src/site/query/run/bound-listed.ts'
import { checkQuestion } from '../../../../src/site/query/check-question.ts'
import { NO_STEP, PackedAdder, UnpackedRows } from '../../../../src/site/query/run/packed-rows.ts'
import { designPrivate } from '../../../../src/site/query/plan/private-design.ts'
import type { PrivateDesign } from '../../../../src/site/query/plan/private-design.ts'

interface Row {
  readonly person: number
  /** `NO_STEP` for one that does not count. */
  readonly step: number
}

const PEOPLE = 70

/** What the engine computes by `packedRow`. */
function packed(rows: readonly Row[]): Float64Array {
  return Float64Array.from(rows, ({ person, step }) => person * 4_294_967_296 + (2_147_483_648 + step))
}

const rowsOf = (distance: number): fc.Arbitrary<readonly Row[]> =>
  fc.array(
    fc.record({
      person: fc.oneof(fc.constantFrom(0, 31, 32, PEOPLE - 1), fc.nat({ max: PEOPLE - 1 })),
      step: fc.oneof(
        fc.integer({ min: -distance, max: distance }),
        fc.constantFrom(NO_STEP, distance, -distance),
      ),
    }),
    { minLength: 3, maxLength: 60, size: 'max' },
  )

const distanceAndRows = fc
  .constantFrom(0, 1, 30, 2 ** 19, 2 ** 27, 2 ** 30, 2 ** 31 - 1)
  .chain((distance) => fc.record({ distance: fc.constant(distance), rows: rowsOf(distance) }))

/** One row after another, by person. */
function addedUp(rows: readonly Row[]): readonly (readonly [number, number, number])[] {
  const sums = new Map<number, readonly [number, number]>()
  for (const { person, step } of rows) {
    const [count, sum] = sums.get(person) ?? [0, 0]
    sums.set(person, step === NO_STEP ? [count, sum] : [count + 1, sum + step])
  }
  return [...sums]
    .map(([person, [count, sum]]) => [person, count, sum] as const)
    .toSorted((a, b) => a[0] - b[0])
}

test('PackedAdder adds up the rows of each person, or says that it cannot', () => {
  const adder = new PackedAdder(PEOPLE)
  fc.assert(
    fc.property(distanceAndRows, ({ distance, rows }) => {
      const sums = adder.add(packed(rows), distance)
      const naive = addedUp(rows)
      const mostRows = Math.max(...naive.map(([, count]) => count))
      assert.equal(sums !== undefined, (2 * mostRows + 1) * distance < 2 ** 31)
      if (!sums) return
      const found = Array.from(sums.people, (person, place) => [
        person,
        sums.rows[place],
        sums.distances[place],
      ])
      assert.deepEqual(found, naive)
    }),
    { numRuns: 1_000 },
  )
})

test('PackedAdder leaves a short list, and somebody with a million rows, to be unpacked', () => {
  const short = packed([{ person: 5, step: 1 }])
  assert.equal(new PackedAdder(33).add(short, 1), undefined)
  assert.ok(new PackedAdder(32).add(short, 1))
  const many = new Float64Array(2 ** 20 + 1).fill(short[0] ?? 0)
  assert.equal(new PackedAdder(32).add(many, 1), undefined)
  assert.equal(new PackedAdder(32).add(many.subarray(1), 1)?.rows[0], 2 ** 20)
})

const manifest = manifestSchema.parse({
  dataSet: 'visits',
  title: 'Visits',
  issuer: 'federation',
  person: { key: 'id', rowsMax: 40 },
  columns: [
    { name: 'id', type: 'text', sensitivity: 'direct_identifier' },
    { name: 'ward', type: 'text' },
    { name: 'cost', type: 'number', bounds: [-5, 1000.5] },
  ],
  legalBasis: 'eu-gdpr:A6-1-a',
  purposes: ['dpv:ResearchAndDevelopment'],
  modes: ['private'],
  perimeter: { store: { within: ['EEA'] }, process: { within: ['EEA'] }, release: { within: ['EEA'] } },
  retention: { period: 'P50Y', from: '2020-01-01' },
  tariff: { currency: 'EUR', capMinor: 1_000 },
  splits: { issuer: 4_000, custodian: 2_500, network: 500, subjects: 3_000 },
})

const QUESTIONS = [
  'select ward, avg(cost), count(distinct id) from visits group by ward',
  'select ward, count(*) from visits group by ward',
  'select ward, sum(cost), median(cost) from visits group by ward',
  'select ward, var_pop(cost) from visits group by ward',
  'select ward, count(distinct id) filter (where cost > 3) from visits group by ward',
]

function designOf(question: string, bounds: PrivateDesign['bounds']): PrivateDesign {
  const checked = checkQuestion(question, {
    mode: 'private',
    dataSets: new Map([[manifest.dataSet, manifest]]),
  })
  assert.ok(checked.ok)
  return { ...designPrivate(checked.value, { minimumGroup: 1 }), bounds }
}

/** Long lists and short ones beside so many people. */
const listsArbitrary = fc.record({
  question: fc.constantFrom(...QUESTIONS),
  bounds: fc.record({
    rowsMax: fc.constantFrom(1, 2, 5),
    groupsMax: fc.constantFrom(1, 2, 9),
  }),
  personCount: fc.constantFrom(PEOPLE, 900),
  lists: fc.array(rowsOf(2 ** 10), { maxLength: 4 }),
})

test('boundListed() gives the same of packed rows as of rows column by column', () => {
  fc.assert(
    fc.property(listsArbitrary, ({ question, bounds, personCount, lists }) => {
      const context = { design: designOf(question, bounds), personCount, choiceKey: 'k' }
      const ofPacked = lists.map((rows, at) => ({
        keys: [at],
        readRows: () => ({ doubles: packed(rows) }),
      }))
      const byColumn = lists.map((rows, at) => ({
        keys: [at],
        readRows: () => new UnpackedRows().unpack(packed(rows)),
      }))
      const found = boundListed(ofPacked, context)
      assert.ok(found)
      assert.deepEqual(found, boundListed(byColumn, context))
    }),
    { numRuns: 400 },
  )
})
