import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Bitset } from '../../../src/kernel/bitset.ts'
import type { CollectedGroup } from '../../../src/site/guard/collected-group.ts'
import { planNarrowing } from '../../../src/site/guard/narrow-answer.ts'
import { groupOf, guardOrNarrow, History, range, sumOver } from './released-history.ts'

const k = 10
const PEOPLE = 100
const everybody = range(0, PEOPLE)
const settings = { minimumGroup: k, dominanceBp: 1_000, groupsMax: 10_000 }

function after(...sets: readonly Bitset[]) {
  const acquirer = new History({ personCount: PEOPLE, minimumGroup: k })
  for (const people of sets)
    assert.equal(acquirer.ask({ eligible: everybody, groups: [groupOf('', people)] }).reason, 'approved')
  const partitions = [{ dataSet: 'secrets', partition: acquirer.partition, eligible: everybody }]
  return { settings, partitions, rowShapes: new Map<string, string>() }
}

/** What came of an ask: how many of its rows, how many people in them, and how much is noted as held back. */
function told(groups: readonly CollectedGroup[], context: ReturnType<typeof after>) {
  const answer = guardOrNarrow(groups, context)
  if (!answer.ok) return answer.error.code
  const { released, withheld, isNarrowed = false } = answer.value
  return { rows: released.length, people: released.map(({ people }) => people.count()), withheld, isNarrowed }
}

test('an answer about fewer people is one thing held back, even where no cell is covered and no part is thin', () => {
  // That three of them lack a value is told by the answer's being narrowed, so it is counted: else it could be asked of any set.
  const average = { keys: [], people: everybody, measures: [sumOver(range(3, PEOPLE), { kind: 'avg' })] }
  assert.deepEqual(told([average], after()), { rows: 1, people: [97], withheld: 1, isNarrowed: true })
  // So is that there are three beside those who were in an answer.
  assert.deepEqual(told([groupOf('', range(0, 53))], after(range(0, 50))), {
    rows: 1,
    people: [50],
    withheld: 1,
    isNarrowed: true,
  })
})

test('each row with people enough that an answer about fewer people no longer has is one more', () => {
  // Of "b" only three of each cell remain inside, so no part of it stays.
  const first = [range(0, 40), range(40, 56), range(56, 72)] as const
  const groups = [groupOf('a', range(0, 40)), groupOf('b', range(50, 62))]
  assert.deepEqual(told(groups, after(...first)), { rows: 1, people: [40], withheld: 2, isNarrowed: true })
})

test('an answer that would show less than half of the people asked about is given whole or not at all', () => {
  const cells = [
    range(0, 45),
    ...Array.from({ length: 11 }, (_, index) => range(45 + index * 5, 50 + index * 5)),
  ]
  const context = after(range(0, 45), range(45, 72), range(72, PEOPLE))
  const groups = cells.map((people, index) => groupOf(`${index}`, people))
  assert.deepEqual(told(groups.slice(0, 1), context), {
    rows: 1,
    people: [45],
    withheld: 0,
    isNarrowed: false,
  })
  // All of the second and third cell but a few: 45 and what is left beside the cover are more than half.
  const most = groupOf('', everybody.difference(Bitset.of([50, 80])))
  assert.deepEqual(told([most], context), { rows: 1, people: [80], withheld: 2, isNarrowed: true })
  // Of three parts only the smallest can stay.
  const thin = groupOf('', everybody, range(0, 10).union(Bitset.of([46, 73])))
  assert.equal(told([thin], context), 'declined.differencing')
})

test('where an answer about fewer people shows no more of them, it is the whole answer', () => {
  // One gives most of "b", whoever is left out; ten of "a" have no value, and would only be missing.
  const averageOf = (people: Bitset, counted: Bitset, largestShare = 0): CollectedGroup => ({
    keys: [],
    people,
    measures: [sumOver(counted, { kind: 'avg', largestShare })],
  })
  const groups = [averageOf(range(0, 70), range(10, 70)), averageOf(range(70, 100), range(70, 100), 20)]
  assert.deepEqual(told(groups, after()), { rows: 1, people: [70], withheld: 1, isNarrowed: false })
})

test('nobody is left out for what no number of people changes: closed, another choice of rows, a group that is small', () => {
  const context = after(everybody)
  const lacking = { keys: [], people: everybody, measures: [sumOver(range(3, PEOPLE), { kind: 'avg' })] }
  for (const code of ['declined.too_large', 'declined.group_too_small'] as const)
    assert.equal(
      planNarrowing({ groups: [lacking], context, whole: { ok: false, error: { code } } }),
      undefined,
    )
  const refused = (operatorNote: string) =>
    planNarrowing({
      groups: [lacking],
      context,
      whole: { ok: false, error: { code: 'declined.differencing', operatorNote } },
    })
  for (const note of ['closed', 'row_shape']) assert.equal(refused(note), undefined)
  for (const note of ['cut', 'drift']) assert.equal(refused(note)?.people.count(), k)
})
