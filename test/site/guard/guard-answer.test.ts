import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import type { Bitset } from '../../../src/kernel/bitset.ts'
import type { CollectedGroup } from '../../../src/site/guard/collected-group.ts'
import { partitionAfter } from '../../../src/site/guard/differencing.ts'
import { guardAnswer } from '../../../src/site/guard/guard-answer.ts'
import type { GuardedAnswer } from '../../../src/site/guard/guard-answer.ts'
import { EMPTY_PARTITION } from '../../../src/site/guard/partition.ts'
import type { Partition } from '../../../src/site/guard/partition.ts'
import { groupOf, range, sumOver } from './released-history.ts'

/* What a guarded answer says beside its rows, by which it is decided what it costs, and how many rows are merged. */

const k = 10

function guarded(groups: readonly CollectedGroup[], partition: Partition = EMPTY_PARTITION): GuardedAnswer {
  const answer = guardAnswer(groups, {
    settings: { minimumGroup: k, dominanceBp: 1_000, groupsMax: 1_000 },
    partitions: [{ dataSet: 'secrets', partition, eligible: range(0, 400) }],
    rowShapes: new Map(),
  })
  assert.ok(answer.ok)
  return answer.value
}

/** A row that one of its people gives half of. */
function dominated(key: string, people: Bitset): CollectedGroup {
  return { keys: [key], people, measures: [sumOver(people, { largestShare: people.count() / 2 })] }
}

/** The partition after these rows were shown. */
function after(...sets: readonly Bitset[]): Partition {
  let partition = EMPTY_PARTITION
  for (const set of sets)
    for (const { plan } of guarded([groupOf('all', set)], partition).plans) partition = partitionAfter(plan)
  return partition
}

test('an answer is minor when its rows show less than half of the people that rows could show', () => {
  const showing = (shown: number, ...hidden: readonly number[]) => {
    let from = shown
    const rows = hidden.map((count) => dominated(`h${from}`, range(from, (from += count))))
    const { isDear, withheld, released } = guarded([groupOf('shown', range(0, shown)), ...rows])
    assert.deepEqual([released.length, withheld], [1, rows.length + (rows.length > 1 ? 1 : 0)])
    return isDear
  }
  assert.equal(showing(50, 50), undefined)
  assert.equal(showing(50, 51), true)
  // A row of exactly a minimum group is one that could be shown; one of fewer is not.
  assert.equal(showing(49, 40, k), true)
  const small = [groupOf('a', range(0, 30)), dominated('b', range(30, 60)), groupOf('c', range(60, 69))]
  assert.equal(guarded(small).isDear, undefined)
  assert.equal(guarded([groupOf('a', range(0, 30))]).isDear, undefined)
})

test('a remainder is hidden because of a few unless a minimum group stands in two rows', () => {
  const hiddenWith = (shared: number) => {
    const small = [groupOf('b', range(0, 9)), groupOf('c', range(59 - shared, 68 - shared))]
    const { hidesRest, withheld, remainder } = guarded([groupOf('a', range(0, 59)), ...small])
    assert.deepEqual([remainder, withheld], [undefined, hidesRest ? 1 : 0])
    return hidesRest
  }
  assert.equal(hiddenWith(0), true)
  assert.equal(hiddenWith(k - 9), undefined)
})

test('rows that have to be merged go one by one, then two, then four at a time, from the smallest on', () => {
  // Two cells. The few are of the first; the smallest row, of the second, hides nobody of the first.
  const partition = after(range(0, 100), range(100, 200))
  const groups = [
    groupOf('few', range(97, 100)),
    groupOf('second', range(100, 112)),
    groupOf('first', range(84, 97)),
    groupOf('next', range(112, 130)),
    groupOf('large', range(0, 84)),
    groupOf('largest', range(130, 200)),
  ]
  const { released, remainder } = guarded(groups, partition)
  assert.deepEqual(
    released.map(({ keys }) => keys[0]),
    ['large', 'largest'],
  )
  assert.equal(remainder?.people.count(), 3 + 12 + 13 + 18)
})
