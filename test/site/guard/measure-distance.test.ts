import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Bitset } from '../../../src/kernel/bitset.ts'
import type { CollectedGroup } from '../../../src/site/guard/collected-group.ts'
import type { AnswerContext } from '../../../src/site/guard/guard-answer.ts'
import { measureDistance } from '../../../src/site/guard/measure-distance.ts'
import { FAR_NOTE } from '../../../src/site/guard/narrow-answer.ts'
import type { Partition } from '../../../src/site/guard/partition.ts'
import { groupOf, guardOrNarrow, History, range, sumOver } from './released-history.ts'

/*
 * What no few people decide costs nothing. The bounds are held against worlds in which fewer people than a minimum group
 * are others than they are, with the cells as they stand: none of them may get for nothing what this one does not.
 */

const k = 4
const PEOPLE = 120
const everybody = range(0, PEOPLE)
const IS_LONG = process.env['HEDGEROW_FAULTS'] !== undefined
const settings = { minimumGroup: k, dominanceBp: 10_000, groupsMax: 10_000 }

function contextOf(partition: Partition, eligible = everybody): AnswerContext {
  return {
    settings,
    partitions: [{ dataSet: 'secrets', partition, eligible }],
    rowShapes: new Map(),
  }
}

/** The partition of an acquirer who had sums over these sets. */
function after(...sets: readonly Bitset[]): Partition {
  const acquirer = new History({ personCount: PEOPLE, minimumGroup: k })
  for (const people of sets) acquirer.ask({ eligible: everybody, groups: [groupOf('', people)] })
  return acquirer.partition
}

/** Twelve cells of ten. */
const TENS = Array.from({ length: 12 }, (_, ten) => range(ten * 10, ten * 10 + 10))

test('each thin part takes as many changes as make it none or enough, and one who is another makes two', () => {
  // Of each cell nine in one row and one in the other: six cells, six in the row.
  const few = Bitset.of([0, 10, 20, 30, 40, 50])
  const groups = [groupOf('a', everybody.difference(few)), groupOf('b', few)]
  // The row of the six could as well be too small: three of them elsewhere.
  assert.deepEqual(measureDistance(groups, contextOf(after(...TENS))), { toWhole: 2, mostShown: 123 })
  const many = groupOf('b', Bitset.of(TENS.flatMap((ten) => [...ten].slice(0, 1))))
  const rest = groupOf('a', everybody.difference(many.people))
  assert.equal(measureDistance([rest, many], contextOf(after(...TENS))).toWhole, 5)
  assert.equal(measureDistance([groupOf('', everybody)], contextOf(after(...TENS))).toWhole, 0)
})

test('few who are in no row are counted by cell, and nobody who was in no answer', () => {
  const allButOne = Bitset.of(TENS.flatMap((ten) => [...ten].slice(1)))
  assert.equal(measureDistance([groupOf('', allButOne)], contextOf(after(...TENS))).toWhole, 6)
  assert.equal(measureDistance([groupOf('', allButOne)], contextOf(after())).toWhole, 0)
})

test('nothing is known where somebody stands in two rows', () => {
  const groups = [groupOf('a', range(0, 70)), groupOf('b', range(60, 100))]
  assert.deepEqual(measureDistance(groups, contextOf(after(...TENS))), { toWhole: 0, mostShown: Infinity })
})

/** Somebody's row (5: none), whether they count in its measure and have a value, and whether they may be used at all. */
interface Standing {
  readonly row: number
  readonly counts: boolean
  readonly hasValue: boolean
  readonly isThere: boolean
}

const ROWS = 5

function groupsOf(standings: readonly Standing[], isMean: boolean): readonly CollectedGroup[] {
  const groups: CollectedGroup[] = []
  for (let row = 0; row < ROWS; row += 1) {
    const here = [...standings.keys()].filter(
      (person) => standings[person]?.row === row && standings[person].isThere,
    )
    if (here.length === 0) continue
    const people = Bitset.of(here)
    const counting = Bitset.of(here.filter((person) => standings[person]?.counts))
    const having = Bitset.of(here.filter((person) => standings[person]?.hasValue))
    const mean = sumOver(having, { kind: 'avg', counted: having })
    groups.push(isMean ? { keys: [row], people, measures: [mean] } : groupOf(`${row}`, people, counting))
  }
  return groups
}

type Told = 'free refusal' | 'free answer' | 'free about fewer' | 'noted'

function toldOf(standings: readonly Standing[], isMean: boolean, partition: Partition): Told {
  const eligible = Bitset.of([...standings.keys()].filter((person) => standings[person]?.isThere))
  const answer = guardOrNarrow(groupsOf(standings, isMean), contextOf(partition, eligible))
  if (!answer.ok) return answer.error.operatorNote === FAR_NOTE ? 'free refusal' : 'noted'
  if (answer.value.withheld > 0) return 'noted'
  return answer.value.isNarrowed ? 'free about fewer' : 'free answer'
}

const OTHERWISE: Readonly<Record<Told, readonly Told[]>> = {
  // A refusal that is free is never an answer that is free, and an answer about fewer never a whole one.
  'free refusal': ['free answer', 'free about fewer'],
  'free about fewer': ['free answer', 'free refusal'],
  'free answer': ['free refusal', 'free about fewer'],
  noted: [],
}

/** Draws worlds, tells what is told in each, and holds it against worlds in which a few are others. */
function tryWorlds(parameters: fc.Parameters<unknown>): Readonly<Record<Told, number>> {
  const seen: Record<Told, number> = { 'free refusal': 0, 'free answer': 0, 'free about fewer': 0, noted: 0 }
  fc.assert(
    fc.property(
      fc.record({
        cells: fc.constantFrom(10, 15, 30, 60),
        /** Of ten people so many are in the first row, the others in any. */
        first: fc.constantFrom(0, 7),
        outside: fc.constantFrom(0, 8),
        rare: fc.constantFrom(0, 0, 6, 40),
        gone: fc.constantFrom(0, 0, 9),
        isMean: fc.boolean(),
        numbers: fc.infiniteStream(fc.nat(2 ** 30)),
      }),
      ({ cells, first, outside, rare, gone, isMean, numbers }) => {
        const next = (below: number): number => (numbers.next().value ?? 0) % below
        const sets = Array.from({ length: PEOPLE / cells }, (_, at) => range(at * cells, (at + 1) * cells))
        const partition = after(...sets.slice(0, next(4) === 0 ? 1 : sets.length))
        const drawRow = (): number => (next(10) < first ? 0 : next(ROWS))
        const standings = Array.from({ length: PEOPLE }, (): Standing => ({
          row: outside > 0 && next(outside) === 0 ? ROWS : drawRow(),
          counts: rare === 0 || next(rare) > 0,
          hasValue: rare === 0 || next(rare) > 0,
          isThere: gone === 0 || next(gone) > 0,
        }))
        const told = toldOf(standings, isMean, partition)
        seen[told] += 1
        const drawOther = (): Standing => ({
          row: next(ROWS + 1),
          counts: next(2) === 0,
          hasValue: next(2) === 0,
          isThere: next(4) > 0,
        })
        for (let world = 0; world < 30; world += 1) {
          const others = [...standings]
          // Of one cell or of everywhere, and often all alike: that is what makes a thin part whole.
          const from = next(3) === 0 ? 0 : next(PEOPLE / cells) * cells
          const width = from === 0 ? PEOPLE : cells
          const one = drawOther()
          for (let moved = 0; moved < k - 1; moved += 1)
            others[from + next(width)] = next(2) === 0 ? one : drawOther()
          const otherwise = toldOf(others, isMean, partition)
          assert.ok(!OTHERWISE[told].includes(otherwise), `${told}, and ${otherwise} if a few were others`)
        }
      },
    ),
    parameters,
  )
  return seen
}

test('what is told for nothing is told whatever fewer than a minimum group of people are, or noted', () => {
  tryWorlds({ numRuns: IS_LONG ? 3_000 : 100 })
})

test('the same in worlds that are known to be of every kind', () => {
  const seen = tryWorlds({ numRuns: 100, seed: 20_261_127 })
  for (const told of ['free refusal', 'free answer', 'free about fewer'] as const)
    assert.ok(seen[told] > 3, JSON.stringify(seen))
})

test('of whom fewer than a minimum group have a value, these may be others, and then everybody of the row is shown', () => {
  const partition = after(...Array.from({ length: 8 }, (_, at) => range(at * 15, (at + 1) * 15)))
  const worldOf = (having: number) =>
    Array.from({ length: PEOPLE }, (_, person): Standing => {
      // Of each cell nine in the first row, and three in each of two others: too few to be shown. These have the last cell.
      const row = person < 105 ? Math.max(0, Math.floor((person % 15) / 3) - 2) : 1 + (person % 2)
      return { row, counts: true, hasValue: row > 0 || person < having, isThere: true }
    })
  assert.equal(toldOf(worldOf(0), true, partition), 'free about fewer')
  assert.equal(toldOf(worldOf(k - 1), true, partition), 'noted')
})

test('the bounds are kept by whoever changes the most that so many can', () => {
  // All rows but one are thin by one in each cell: every single change makes a part whole, and six do not suffice for the rest.
  const standings = Array.from({ length: PEOPLE }, (_, person): Standing => ({
    row: person % 10 < 3 ? 1 : 0,
    counts: true,
    hasValue: true,
    isThere: true,
  }))
  const partition = after(...TENS)
  const { toWhole, mostShown } = measureDistance(groupsOf(standings, false), contextOf(partition))
  assert.equal(toWhole, 6)
  const changed = (many: number) =>
    standings.map((standing, person) =>
      person % 10 === 3 && person < many * 10 ? { ...standing, row: 1 } : standing,
    )
  for (let many = 0; many <= 12; many += 1) {
    const answer = guardOrNarrow(groupsOf(changed(many), false), contextOf(partition))
    const isWhole = answer.ok && !answer.value.isNarrowed && answer.value.withheld === 0
    if (isWhole) assert.ok(many >= toWhole, `${many} suffice`)
    const shown = answer.ok ? answer.value.released.reduce((sum, { people }) => sum + people.count(), 0) : 0
    if (many < k && answer.ok && answer.value.isNarrowed) assert.ok(shown <= mostShown, `${shown}`)
    assert.equal(isWhole, many === 12)
  }
})
