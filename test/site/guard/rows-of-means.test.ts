import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Bitset } from '../../../src/kernel/bitset.ts'
import type { CollectedMeasure } from '../../../src/site/guard/collected-group.ts'
import { rowsOfMeans } from '../../../src/site/guard/rows-of-means.ts'
import { groupOf, History, range, sumOver } from './released-history.ts'

const k = 10
const PEOPLE = 100
const everybody = range(0, PEOPLE)

function rowOf(people: Bitset, ...measures: readonly CollectedMeasure[]) {
  return { keys: [], people, measures }
}

function meanOf(counted: Bitset, changing = counted): CollectedMeasure {
  return sumOver(changing, { kind: 'avg', counted })
}

/** The people of the only row, and of its measures. */
function sizesOf(group: ReturnType<typeof rowOf>): readonly number[] {
  const [row] = rowsOfMeans([group], { minimumGroup: k })
  return [row?.people.count() ?? 0, ...(row?.measures.map(({ people }) => people.count()) ?? [])]
}

test('a row of means is about those who have a value', () => {
  const having = range(3, PEOPLE)
  const [row] = rowsOfMeans([rowOf(everybody, sumOver(having.clone(), { kind: 'count' }), meanOf(having))], {
    minimumGroup: k,
  })
  assert.equal(row?.people.count(), PEOPLE - 3)
  // One and the same set, so that nobody looks at it twice.
  for (const measure of row?.measures ?? []) assert.equal(measure.people, row?.people)
  // Those whose value is 0 have one.
  assert.deepEqual(sizesOf(rowOf(everybody, meanOf(having, range(50, PEOPLE)))), [PEOPLE - 3, PEOPLE - 50])
})

test('a row of two means is about those who have one of both values', () => {
  const [first, second] = [range(0, 60), range(40, 90)]
  assert.deepEqual(sizesOf(rowOf(everybody, meanOf(first), meanOf(second))), [90, 60, 50])
})

test('a row that tells of the others as well stays as it is, and so do sums and counts', () => {
  const having = range(3, PEOPLE)
  assert.deepEqual(sizesOf(rowOf(everybody, sumOver(everybody), meanOf(having))), [
    PEOPLE,
    PEOPLE,
    PEOPLE - 3,
  ])
  const equal = sumOver(everybody.clone(), { kind: 'people' })
  assert.deepEqual(sizesOf(rowOf(everybody, equal, meanOf(having))), [PEOPLE, PEOPLE, PEOPLE - 3])
  assert.deepEqual(sizesOf(rowOf(everybody, sumOver(having))), [PEOPLE, PEOPLE - 3])
})

test('a row of which too few or none have a value stays as it is: which of both it is, is told by it', () => {
  for (const having of [new Bitset(), range(0, k - 1)])
    assert.deepEqual(sizesOf(rowOf(everybody, meanOf(having))), [PEOPLE, having.count()])
  assert.deepEqual(sizesOf(rowOf(everybody, meanOf(range(0, k)))), [k, k])
})

test('beside the number of everybody a mean of all but three is not given, and beside their own it is', () => {
  const acquirer = new History({ personCount: PEOPLE, minimumGroup: k })
  const mean = rowOf(everybody, meanOf(range(3, PEOPLE)))
  assert.equal(acquirer.ask({ eligible: everybody, groups: [groupOf('', everybody)] }).reason, 'approved')
  assert.equal(acquirer.ask({ eligible: everybody, groups: [mean] }).reason, 'declined.differencing')
  const other = new History({ personCount: PEOPLE, minimumGroup: k })
  assert.equal(other.ask({ eligible: everybody, groups: [mean] }).reason, 'approved')
  // Then the three wait for others, as those of a suppressed group do.
  assert.equal(
    other.ask({ eligible: everybody, groups: [groupOf('', everybody)] }).reason,
    'declined.differencing',
  )
  assert.equal(other.ask({ eligible: everybody, groups: [groupOf('', range(3, PEOPLE))] }).reason, 'approved')
})
