import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Bitset } from '../../../src/kernel/bitset.ts'
import type { CollectedGroup } from '../../../src/site/guard/collected-group.ts'
import { guardAnswer } from '../../../src/site/guard/guard-answer.ts'
import { whomToLeaveOut, withoutPeople } from '../../../src/site/guard/leave-out.ts'
import { partitionAfter } from '../../../src/site/guard/differencing.ts'
import { mergePartitions } from '../../../src/site/guard/merge-partitions.ts'
import { cellAt } from '../../../src/site/guard/cell-numbers.ts'
import { EMPTY_PARTITION } from '../../../src/site/guard/partition.ts'
import { groupOf, History, range, sumOver } from './released-history.ts'

const k = 10
const PEOPLE = 300
const everybody = range(0, PEOPLE)
const settings = { minimumGroup: k, dominanceBp: 1_000, groupsMax: 10_000 }

/** The context of an acquirer who had sums over these sets, each as it was asked. */
function after(...sets: readonly Bitset[]) {
  const acquirer = new History({ personCount: PEOPLE, minimumGroup: k })
  for (const people of sets)
    assert.equal(acquirer.ask({ eligible: everybody, groups: [groupOf('', people)] }).reason, 'approved')
  return contextOf(acquirer)
}

function contextOf({ partition }: Pick<History, 'partition'>, eligible = everybody, use?: string) {
  return { settings, partitions: [{ dataSet: 'secrets', partition, eligible, use }], rowShapes: new Map() }
}

function averageOver(people: Bitset, counted: Bitset): CollectedGroup {
  return { keys: [], people, measures: [sumOver(counted, { kind: 'avg' })] }
}

test('beside three who may not be told apart from the rest of a cell, seven others are left out', () => {
  const leaving = whomToLeaveOut([groupOf('', range(3, PEOPLE))], after(everybody))
  assert.equal(leaving?.coveredCells, 1)
  assert.equal(leaving?.people.count(), 7)
  assert.equal(leaving?.people.intersectionCount(range(0, 3)), 0)
})

test('who is covered lies scattered among the others', () => {
  const leaving = whomToLeaveOut([groupOf('', range(3, PEOPLE))], after(everybody))
  const [first = 0, ...others] = leaving?.people ?? []
  assert.ok(others.every((person, index) => person - (others[index - 1] ?? first) > 30))
})

test('nobody is covered where a minimum group is outside anyway, or nobody, or nothing was told before', () => {
  for (const [context, people] of [
    [after(everybody), range(k, PEOPLE)],
    [after(everybody), everybody],
    [after(), range(3, PEOPLE)],
  ] as const)
    assert.equal(whomToLeaveOut([groupOf('', people)], context), undefined)
})

test('people without a value of what is averaged are left out, and people who add 0 to a sum are not', () => {
  const average = averageOver(everybody, range(4, PEOPLE))
  assert.deepEqual([...(whomToLeaveOut([average], after())?.people ?? [])], [0, 1, 2, 3])
  const sum = groupOf('', everybody, range(4, PEOPLE))
  const left = whomToLeaveOut([sum], after(range(0, 100), range(100, PEOPLE)))
  // The part of the four is too thin to be summed, so all of it is left out, not those alone who add something, or nothing.
  assert.deepEqual([...(left?.people ?? [])], [...range(0, 100)])
})

test('parts that are too thin in a measure are left out whole', () => {
  const winners = range(95, 140)
  const row = groupOf('', everybody, winners)
  const leaving = whomToLeaveOut([row], after(range(0, 100), range(100, PEOPLE)))
  assert.deepEqual([...(leaving?.people ?? [])], [...range(0, 100)])
  assert.equal(leaving?.coveredCells, 0)
  // Five of a hundred won: that there are some is told, so it counts.
  assert.equal(leaving?.thinParts, 1)
})

test('where no part can spare so many, the smallest is left out', () => {
  const groups = [groupOf('a', range(3, 14)), groupOf('b', range(14, 24))]
  const leaving = whomToLeaveOut(groups, after(range(0, 24)))
  assert.deepEqual([...(leaving?.people ?? [])], [...range(14, 24)])
})

test('a cell of which somebody may not be used waits whole, of an ask that uses something else than those before', () => {
  const acquirer = new History({ personCount: PEOPLE, minimumGroup: k })
  const [first, second] = [range(0, 100), range(100, PEOPLE)]
  acquirer.ask({ eligible: everybody, groups: [groupOf('a', first), groupOf('b', second)], use: 'sport' })
  const rest = range(1, PEOPLE)
  const groups = [groupOf('', rest)]
  // Whoever left the first cell is not hidden among others of it.
  const left = whomToLeaveOut(groups, contextOf(acquirer, rest, 'height'))
  assert.deepEqual([[...(left?.people ?? [])], left?.coveredCells], [[...range(1, 100)], 1])
  // Somebody who stays and is not asked about is.
  assert.equal(whomToLeaveOut(groups, contextOf(acquirer))?.people.count(), k - 1)
  // So it is in the other cell where somebody left the first, and of ten who left nobody has to be covered.
  const both = whomToLeaveOut(
    [groupOf('', rest.difference(range(200, 203)))],
    contextOf(acquirer, rest, 'height'),
  )
  assert.deepEqual(
    [both?.people.intersectionCount(first), both?.people.intersectionCount(second)],
    [99, k - 3],
  )
  const many = range(k, PEOPLE)
  assert.equal(whomToLeaveOut([groupOf('', many)], contextOf(acquirer, many, 'height')), undefined)
  // What was asked so before waits, and so does what may have been.
  for (const use of ['sport', undefined])
    assert.equal(whomToLeaveOut(groups, contextOf(acquirer, rest, use)), undefined)
  const older = new History({ personCount: PEOPLE, minimumGroup: k })
  older.ask({ eligible: everybody, groups: [groupOf('a', first), groupOf('b', second)] })
  assert.equal(whomToLeaveOut(groups, contextOf(older, rest, 'height')), undefined)
  for (const [into, from] of [
    [acquirer.partition, older.partition],
    [older.partition, acquirer.partition],
  ] as const) {
    const partition = partitionAfter(mergePartitions({ into, from, changes: [], minimumGroup: k }))
    assert.equal(whomToLeaveOut(groups, contextOf({ partition }, rest, 'height')), undefined)
  }
  acquirer.change(Bitset.of([200]))
  assert.equal(whomToLeaveOut(groups, contextOf(acquirer)), undefined)
})

test('a part of exactly a minimum group that is thin in a measure counts; exactly that many outside need no cover', () => {
  const thin = whomToLeaveOut(
    [groupOf('a', range(0, k), range(0, 3)), groupOf('b', range(k, PEOPLE))],
    after(),
  )
  assert.deepEqual([thin?.people.count(), thin?.thinParts], [k, 1])
  const losers = groupOf('b', range(100, PEOPLE), range(100, 104))
  const leaving = whomToLeaveOut(
    [groupOf('a', range(k, 100)), losers],
    after(range(0, 100), range(100, PEOPLE)),
  )
  assert.deepEqual([leaving?.people.count(), leaving?.coveredCells, leaving?.thinParts], [PEOPLE - 100, 0, 1])
})

test('every part that gives people to a cover keeps a minimum group, to the last one that it can spare', () => {
  const only = whomToLeaveOut([groupOf('', range(3, 20))], after(range(0, 20)))
  assert.equal(only?.people.count(), 7)
  const parts = [groupOf('a', range(4, 16)), groupOf('b', range(16, 30))]
  const leaving = whomToLeaveOut(parts, after(range(0, 30)))
  assert.deepEqual(
    parts.map(({ people }) => people.intersectionCount(leaving?.people ?? new Bitset())),
    [2, 4],
  )
})

test('small groups of a key by which people stand in several make no row, so nobody is left out of it', () => {
  const days = [groupOf('mon', range(0, 50)), groupOf('tue', range(40, 100)), groupOf('wed', range(0, 4))]
  assert.equal(whomToLeaveOut(days, after()), undefined)
})

interface Question {
  readonly people: Bitset
  readonly width: number
  readonly measured: Bitset | null
}

const band = fc
  .record({ from: fc.nat(PEOPLE - 1), length: fc.integer({ min: 1, max: PEOPLE }) })
  .map(({ from, length }) => range(from, Math.min(PEOPLE, from + length)))
const question = fc.record({
  people: band,
  width: fc.constantFrom(7, 20, 45, PEOPLE),
  measured: fc.option(band),
})

function groupsOf({ people, width, measured }: Question): readonly CollectedGroup[] {
  const groups: CollectedGroup[] = []
  for (let from = 0; from < PEOPLE; from += width) {
    const own = people.intersection(range(from, from + width))
    if (!own.isEmpty) groups.push(groupOf(`${from}`, own, measured ? own.intersection(measured) : own))
  }
  return groups
}

test('without them the answer holds: every row with people enough can be shown', () => {
  let left = 0
  fc.assert(
    fc.property(fc.array(question, { maxLength: 12 }), question, (earlier, asked) => {
      const acquirer = new History({ personCount: PEOPLE, minimumGroup: k })
      for (const one of earlier) acquirer.ask({ eligible: everybody, groups: groupsOf(one) })
      const groups = groupsOf(asked)
      const leaving = whomToLeaveOut(groups, contextOf(acquirer))
      if (!leaving) return
      left += 1
      const rest = groups.map((group) => withoutPeople(group, leaving.people))
      const large = rest.filter(({ people }) => people.count() >= k).length
      const guarded = guardAnswer(rest, contextOf(acquirer))
      assert.equal(guarded.ok ? guarded.value.released.length : 0, large)
      if (large > 0) assert.equal(guarded.ok && guarded.value.withheld, 0)
    }),
    { numRuns: 400 },
  )
  assert.ok(left > 50, `only ${left} had to leave somebody out`)
})

/** The people of the row that somebody is shown in: groups that are too small are one row, the remainder. */
function rowOf(groups: readonly CollectedGroup[], person: number): Bitset {
  const own = groups.find(({ people }) => people.has(person))?.people ?? new Bitset()
  if (own.count() >= k) return own
  const remainder = new Bitset()
  for (const { people } of groups) if (people.count() < k) remainder.addAll(people)
  return remainder
}

test('of a remainder, too, one without a value among people enough is told by its absence, and that counts', () => {
  const groups = groupsOf({ people: range(3, 14), width: 7, measured: range(4, 14) })
  const leaving = whomToLeaveOut(groups, after())
  assert.deepEqual([...(leaving?.people ?? [])], [...range(3, 14)])
  assert.equal(leaving?.thinParts, 1)
})

test('whom nothing was told about yet and who are too few decide about nobody else', () => {
  fc.assert(
    fc.property(fc.array(question, { maxLength: 8 }), question, fc.nat(PEOPLE - 1), (earlier, asked, at) => {
      const acquirer = new History({ personCount: PEOPLE, minimumGroup: k })
      for (const one of earlier) acquirer.ask({ eligible: everybody, groups: groupsOf(one) })
      const [groups, context] = [groupsOf(asked), contextOf(acquirer)]
      const leaving = whomToLeaveOut(groups, context)
      if (!leaving?.people.has(at) || cellAt(acquirer.partition.cells, at) !== 0) return
      const shown = (from: readonly CollectedGroup[]) => {
        const out = whomToLeaveOut(from, context)?.people ?? new Bitset()
        return from.map(({ people }) => [...people.difference(out)])
      }
      // In a row with people enough a measure may be about a few of them: that is told, and counted.
      const inRow = rowOf(groups, at)
      const ofCell0 = [...inRow].filter((one) => cellAt(acquirer.partition.cells, one) === 0)
      if (ofCell0.length >= k) {
        assert.ok(leaving.thinParts > 0)
        return
      }
      const absent = Bitset.of([at])
      const without = groups.map((group) => withoutPeople(group, absent))
      assert.deepEqual(shown(without), shown(groups))
    }),
    { numRuns: 400 },
  )
})

test('a partition without a history leaves out nothing but what is too thin', () => {
  const groups = [groupOf('a', range(0, 50), range(0, 3)), groupOf('b', range(50, 150), range(50, 100))]
  const context = contextOf({ partition: EMPTY_PARTITION })
  assert.deepEqual([...(whomToLeaveOut(groups, context)?.people ?? [])], [...range(0, 50)])
})
