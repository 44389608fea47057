import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Bitset } from '../../../src/kernel/bitset.ts'
import { NO_PARTS } from '../../../src/site/guard/alike.ts'
import type { CollectedGroup } from '../../../src/site/guard/collected-group.ts'
import { partitionAfter } from '../../../src/site/guard/differencing.ts'
import { leaveOutMore } from '../../../src/site/guard/leave-out-more.ts'
import { whomToLeaveOut } from '../../../src/site/guard/leave-out.ts'
import { FAR_NOTE, planNarrowing } from '../../../src/site/guard/narrow-answer.ts'
import { PartitionDraft } from '../../../src/site/guard/partition-draft.ts'
import { EMPTY_PARTITION } from '../../../src/site/guard/partition.ts'
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

/** A row that shows how many it has, and a mean of those who have a value. */
function averageBesideCount(people: Bitset, counted: Bitset, largestShare = 0): CollectedGroup {
  return { keys: [], people, measures: [sumOver(people), sumOver(counted, { kind: 'avg', largestShare })] }
}

/** What came of an ask: how many of its rows, how many people in them, and how much is noted as held back. */
function told(groups: readonly CollectedGroup[], context: ReturnType<typeof after>) {
  const answer = guardOrNarrow(groups, context)
  if (!answer.ok) return answer.error.code
  const { released, withheld, isNarrowed = false, isDear } = answer.value
  return {
    ...(isDear && { isDear }),
    rows: released.length,
    people: released.map(({ people }) => people.count()),
    withheld,
    isNarrowed,
  }
}

test('an answer about fewer people is one thing held back, even where no cell is covered and no part is thin', () => {
  // That three of them lack a value is told by the answer's being narrowed, so it is counted: else it could be asked of any set.
  const average = averageBesideCount(everybody, range(3, PEOPLE))
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

test('but for a row that is missing because of a part or a cell that is noted itself', () => {
  // Of "b" three count, and everybody leaves.
  const thin = groupOf('b', range(40, 70), range(40, 43))
  const first = [groupOf('a', range(0, 40)), thin]
  const cells = after(range(0, 40), range(40, 70), range(70, 94))
  // Of the cell of "c" and "d" three are in no row, and "d", the smaller, is the cover: it could be the other one, so it is one more.
  const others = [groupOf('c', range(73, 84)), groupOf('d', range(84, 94))]
  assert.deepEqual(told([...first, ...others], cells), {
    rows: 2,
    people: [40, 11],
    withheld: 3,
    isNarrowed: true,
  })
  // So it is where the other part of that row is noted. Of the first cell three are in no row, and covered.
  const also = [
    groupOf('a', range(0, 37)),
    groupOf('b', range(51, 70)),
    groupOf('c', range(73, 84)),
    groupOf('e', range(40, 51).union(range(84, 94)), range(40, 43).union(range(84, 94))),
  ]
  assert.deepEqual(told(also, cells), { rows: 3, people: [30, 19, 11], withheld: 4, isNarrowed: true })
  // "e" has eleven of one cell, of whom three count, and nine of another, who are too few anyway.
  const both = groupOf('e', range(31, 51), range(40, 43))
  const beside = [groupOf('a', range(0, 31)), both, groupOf('b', range(51, 70))]
  assert.deepEqual(told(beside, cells), { rows: 2, people: [30, 19], withheld: 2, isNarrowed: true })
})

test('a row that is missing is one more where people stand in two rows, and where two data sets are joined', () => {
  // Of the second row three count, so it leaves; of the last cell three are in no row.
  const rows = [range(0, 40), range(40, 70), range(73, PEOPLE)].map((people, at) =>
    groupOf(`${at}`, people, at === 1 ? range(40, 43) : people),
  )
  const context = after(range(0, 40), range(40, 70), range(70, PEOPLE))
  const narrowed = { rows: 2, people: [40, 20], isNarrowed: true }
  assert.deepEqual(told(rows, context), { ...narrowed, withheld: 2 })
  const twice = [...rows, groupOf('again', range(0, 40))]
  assert.deepEqual(told(twice, context), { ...narrowed, rows: 3, people: [40, 20, 40], withheld: 3 })
  // The part is thin in each of both, and noted in each.
  const other = { dataSet: 'others', partition: EMPTY_PARTITION, eligible: everybody }
  const joined = { ...context, partitions: [...context.partitions, other] }
  assert.deepEqual(told(rows, joined), { ...narrowed, withheld: 4 })
})

test('a row that is missing because its people are not alike others of their cell is told by that cell', () => {
  const three = range(50, 53)
  const apart = {
    ...NO_PARTS,
    apart: [everybody.difference(three), three],
    decided: new Map([['secrets', new Set(['x'])]]),
  }
  const cells = [range(0, 50), range(50, 70), range(70, PEOPLE)]
  const context = { ...after(...cells), parts: apart }
  const asked = (rows: readonly Bitset[]) => {
    const groups = rows.map((people, at) => groupOf(`${at}`, people))
    return told(groups, context)
  }
  assert.deepEqual(asked(cells), { rows: 2, people: [50, 30], withheld: 1, isNarrowed: true })
  // Nine are of that cell, and nine of the next: too few of each. Of the next cell one is covered.
  const rows = [range(0, 50), range(61, 79), range(79, PEOPLE)]
  assert.deepEqual(asked(rows), { rows: 2, people: [50, 20], withheld: 3, isNarrowed: true })
})

test('a row of which nobody has a value is shown, with no mean, whoever is left out of the others', () => {
  const context = after(range(0, 40), range(40, 70), range(70, PEOPLE))
  const mean = (people: Bitset, having: Bitset) => averageBesideCount(people, having.intersection(people))
  const rows = (having: Bitset) =>
    [range(0, 40), range(40, 70), range(70, PEOPLE)].map((row) => mean(row, having))
  // Three of the first row lack one, and seven leave with them.
  assert.deepEqual(told(rows(range(3, 70)), context), {
    rows: 3,
    people: [30, 30, 30],
    withheld: 1,
    isNarrowed: true,
  })
  // If two of the last had one there would be a mean of two, so it is missing, and that is told.
  assert.deepEqual(told(rows(range(3, 72)), context), {
    rows: 2,
    people: [30, 30],
    withheld: 2,
    isNarrowed: true,
  })
})

test('so is the row of all small groups where one person gives most of it, in an answer about everybody or about fewer', () => {
  const small = [range(60, 66), range(66, 72)].map((people, index) => ({
    keys: [`${index}`],
    people,
    measures: [sumOver(people, { largestShare: index === 0 ? 6 : 0 })],
  }))
  const whole = { rows: 1, people: [50], withheld: 1, isNarrowed: false }
  assert.deepEqual(told([groupOf('a', range(0, 50)), ...small], after(range(0, 50))), whole)
  // Three of the cell are missing, and seven with them.
  const fewer = { rows: 1, people: [40], withheld: 2, isNarrowed: true }
  assert.deepEqual(told([groupOf('a', range(0, 47)), ...small], after(range(0, 50))), fewer)
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

test('where those without whom it could be given leave others who are not alike, it is looked again, for more of them', () => {
  // Three are told apart from the others of their cell: beside seven who are covered they are not alike, so all of the cell goes.
  const asked = (three: Bitset, ...cells: readonly Bitset[]) => {
    const context = {
      ...after(...cells),
      parts: {
        ...NO_PARTS,
        apart: [everybody.difference(three), three],
        decided: new Map([['secrets', new Set(['x'])]]),
      },
    }
    return told([groupOf('', everybody.difference(three))], context)
  }
  const three = range(0, 3)
  // One cell is covered, one leaves whole, and it was looked twice.
  assert.deepEqual(asked(three, range(0, 30), range(30, PEOPLE)), {
    rows: 1,
    people: [70],
    withheld: 3,
    isNarrowed: true,
    isDear: true,
  })
  // Sixty would be more than half of them, but not enough for what is cut.
  assert.equal(asked(three, range(0, 40), range(40, PEOPLE)), 'declined.differencing')
})

test('what is left out in the first look, and what in those after it, is all noted', () => {
  // Of the first cell three were told apart: in the row they are outside, and seven are covered; then the others are too few.
  const three = range(0, 3)
  const apart = new PartitionDraft(EMPTY_PARTITION, PEOPLE)
  for (const set of [three, everybody.difference(three)]) apart.cut(set)
  const before = after(range(0, 30), range(30, PEOPLE))
  const context = {
    ...before,
    partitions: before.partitions.map((one) => ({
      ...one,
      apart: partitionAfter({ draft: apart, rowShapes: new Map(), isEmpty: false }),
    })),
    parts: { ...NO_PARTS, decided: new Map([['secrets', new Set(['x'])]]) },
  }
  const groups = [groupOf('', everybody.difference(three))]
  const first = whomToLeaveOut(groups, context)
  assert.ok(first)
  assert.deepEqual([first.people.count(), first.coveredCells, first.lost.get('secrets')], [7, 1, []])
  const facts = { ...first, thinParts: 2, lost: new Map([['secrets', [7]]]) }
  const { people, explained, ...noted } =
    leaveOutMore(groups, context, { first: facts, leastShown: 50 }) ?? {}
  assert.deepEqual([...(people ?? [])], [...range(0, 30)])
  // The part that was left of the cell after the first look leaves with it.
  assert.deepEqual([...(explained ?? [])], [...range(3, 30).difference(first.people)])
  assert.deepEqual(noted, { coveredCells: 2, thinParts: 2, lost: new Map([['secrets', [7, 1]]]), looks: 2 })
})

test('where an answer about fewer people shows no more of them, it is the whole answer', () => {
  // One gives most of "b", whoever is left out; ten of "a" have no value, and would only be missing.
  const groups = [
    averageBesideCount(range(0, 70), range(10, 70)),
    averageBesideCount(range(70, 100), range(70, 100), 20),
  ]
  assert.deepEqual(told(groups, after()), { rows: 1, people: [70], withheld: 1, isNarrowed: false })
})

test('nobody is left out for what no number of people changes: closed, another choice of rows, a group that is small', () => {
  const context = after(everybody)
  const lacking = averageBesideCount(everybody, range(3, PEOPLE))
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

test('what no few people decide is not noted: neither a refusal nor that an answer is about fewer', () => {
  // Of each cell of twenty three or four in each of six rows: nothing is left that could be shown.
  const cells = Array.from({ length: 5 }, (_, cell) => range(cell * 20, (cell + 1) * 20))
  const rows = Array.from({ length: 6 }, (_, row) =>
    groupOf(`${row}`, Bitset.of([...everybody].filter((person) => (person % 20) % 6 === row))),
  )
  const refused = guardOrNarrow(rows, after(...cells))
  assert.equal(!refused.ok && refused.error.operatorNote, FAR_NOTE)
  // Were the two who count in the second and third cell others, this one would be given.
  const counting = range(0, 10).union(Bitset.of([46, 73]))
  const near = guardOrNarrow(
    [groupOf('', everybody, counting)],
    after(range(0, 45), range(45, 72), range(72, PEOPLE)),
  )
  assert.equal(!near.ok && near.error.operatorNote, 'cut')
})

test('that an answer misses thin parts is not noted where they are so many that no few people could be all of them', () => {
  // Six rows of sixteen, of whom twelve are in one cell and four in the other.
  const [cell, size] = [range(0, 100), 200]
  const rowsOf = (rows: number) => {
    const parts = Array.from({ length: rows }, (_, row) => {
      const [many, few] = row % 2 === 0 ? [0, 100] : [100, 0]
      const place = row >> 1
      return range(many + place * 12, many + place * 12 + 12).union(
        range(few + 50 + place * 4, few + 54 + place * 4),
      )
    })
    const rest = parts.reduce((left, part) => left.difference(part), range(0, size))
    return [rest, ...parts].map((people, row) => groupOf(`${row}`, people))
  }
  const acquirer = new History({ personCount: size, minimumGroup: k })
  const eligible = range(0, size)
  for (const people of [cell, eligible.difference(cell)])
    acquirer.ask({ eligible, groups: [groupOf('', people)] })
  const partitions = [{ dataSet: 'secrets', partition: acquirer.partition, eligible }]
  const context = { settings, partitions, rowShapes: new Map<string, string>() }
  const answer = guardOrNarrow(rowsOf(6), context)
  assert.ok(answer.ok && answer.value.isNarrowed)
  assert.deepEqual([answer.value.withheld, answer.value.released.length], [0, 7])
  // Of two rows the parts are thin by four each, in a cell in which nobody else is left out: they are covered, and counted.
  const fewer = guardOrNarrow(rowsOf(2), context)
  assert.ok(fewer.ok && fewer.value.isNarrowed)
  assert.equal(fewer.value.withheld, 2)
})
