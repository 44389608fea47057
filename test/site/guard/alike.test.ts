import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Bitset } from '../../../src/kernel/bitset.ts'
import type { AnswerParts } from '../../../src/site/guard/alike.ts'
import { checkAlike, mergeParts, NO_PARTS } from '../../../src/site/guard/alike.ts'
import { checkKnown, partitionAfter } from '../../../src/site/guard/differencing.ts'
import type { CollectedGroup } from '../../../src/site/guard/collected-group.ts'
import { releasedSets } from '../../../src/site/guard/guard-answer.ts'
import type { AnswerContext } from '../../../src/site/guard/guard-answer.ts'
import { isToldLost, lostCells } from '../../../src/site/guard/lost-cells.ts'
import { mergePartitions } from '../../../src/site/guard/merge-partitions.ts'
import { nameOfParts } from '../../../src/site/guard/partition-names.ts'
import { applyChange } from '../../../src/site/guard/partition-delta.ts'
import { cellAt, NO_NUMBERS, putInto, withRoom } from '../../../src/site/guard/cell-numbers.ts'
import { EMPTY_PARTITION } from '../../../src/site/guard/partition.ts'
import { ALL_ZERO, shortened } from '../../../src/site/guard/short-numbers.ts'
import type { Partition } from '../../../src/site/guard/partition.ts'
import { groupOf, guardWithFewer, range } from './released-history.ts'

/*
 * Alike in what was asked: whoever stands in sums of a column is one of a minimum group of people for whom every condition by that
 * column came out alike, and who were in the same sums of it. Held against a reckoning from nothing but what was asked and answered.
 */

const k = 4
const PEOPLE = 40
const everybody = range(0, PEOPLE)
const COLUMNS = ['a', 'b'] as const
const DATA_SET = 'secrets'

/** A question: who is in which group, whom it tells apart, and by which columns. */
interface Asked {
  readonly groups: readonly Bitset[]
  readonly apart: readonly Bitset[]
  readonly decided: readonly string[]
  readonly summed: readonly string[]
}

/** Rows that are asked for: whose, whom the question tells apart, and by which columns. All columns are shown. */
interface Given extends Omit<Asked, 'groups' | 'summed'> {
  readonly given: Bitset
}

/** What was released of a column, or told apart by it: of versions of people, because whose rows changed has other values. */
interface Reckoning {
  readonly sums: ReadonlySet<number>[]
  readonly told: ReadonlySet<number>[]
  /** Whose values are in rows that were given, with what they were before: that is not kept apart ("What is not covered"). */
  readonly known: Set<number>
}

class Acquirer {
  answers: Partition = EMPTY_PARTITION
  apart: Partition = EMPTY_PARTITION
  #eligible = everybody
  #versions: readonly number[] = [...everybody]
  #versionCount = PEOPLE
  /** Of each person, what they were before their rows changed. */
  readonly #older = new Map<number, number[]>()
  /** What the last answer held back. */
  withheld = 0
  /** Whose cell was told to be in no answer any more. */
  readonly lost = new Bitset()
  readonly reckonings = new Map<string, Reckoning>(
    COLUMNS.map((name) => [name, { sums: [], told: [], known: new Set() }]),
  )

  /** Both together, as when they are declared to collude; undefined where nothing more is given to them. */
  static together(into: Acquirer, from: Acquirer): Acquirer {
    const both = new Acquirer()
    both.answers = partitionAfter(
      mergePartitions({ into: into.answers, from: from.answers, changes: [], minimumGroup: k }),
    )
    const parts = { into: into.apart, from: from.apart }
    both.apart = partitionAfter(mergeParts(parts, { answers: both.answers, changes: [], minimumGroup: k }))
    for (const name of COLUMNS)
      for (const { reckonings } of [into, from]) {
        both.reckonings.get(name)?.sums.push(...(reckonings.get(name)?.sums ?? []))
        both.reckonings.get(name)?.told.push(...(reckonings.get(name)?.told ?? []))
      }
    return both
  }

  /** These people take back what they allowed. */
  leave(people: Bitset): void {
    this.#eligible = this.#eligible.difference(people)
  }

  /** Rows of these people change. */
  change(people: Bitset): void {
    this.answers = applyChange(this.answers, people)
    this.apart = applyChange(this.apart, people)
    for (const person of people)
      this.#older.set(person, [...(this.#older.get(person) ?? []), ...this.#versionsOf(Bitset.of([person]))])
    this.#versions = this.#versions.map((version, person) =>
      people.has(person) ? (this.#versionCount += 1) : version,
    )
  }

  /** Whether rows were given. */
  give(all: Given): boolean {
    const given = all.given.intersection(this.#eligible)
    const told = [...all.apart, given].map((set) => set.intersection(this.#eligible))
    const asked = { ...all, groups: [], summed: [], apart: all.decided.length === 0 ? [] : told }
    const rows = { people: given, columns: COLUMNS.map((name) => ({ name, isShown: true })) }
    const known = checkKnown(this.answers, { ...rows, minimumGroup: k })
    const alike = checkAlike({
      dataSet: DATA_SET,
      partition: this.answers,
      apart: this.apart,
      parts: partsOf(asked),
      eligible: this.#eligible,
      given: rows,
      sets: [],
      minimumGroup: k,
    })
    if (!known.ok || !alike.ok) return false
    this.answers = partitionAfter(known.value)
    this.apart = partitionAfter(alike.value)
    const older = [...given].flatMap((person) => this.#older.get(person) ?? [])
    const versions = [...this.#versionsOf(given), ...older]
    for (const reckoning of this.reckonings.values()) for (const one of versions) reckoning.known.add(one)
    for (const name of asked.decided)
      this.reckonings.get(name)?.told.push(...asked.apart.map((set) => this.#versionsOf(set)))
    return true
  }

  #versionsOf(set: Bitset): ReadonlySet<number> {
    return new Set([...set].map((person) => this.#versions[person] ?? -1))
  }

  /** Whether it was answered. */
  ask(all: Asked): boolean {
    const among = (sets: readonly Bitset[]) =>
      sets.map((set) => set.intersection(this.#eligible)).filter((set) => !set.isEmpty)
    const asked = { ...all, groups: among(all.groups), apart: among(all.apart) }
    const parts = partsOf(asked)
    const context: AnswerContext = {
      settings: { minimumGroup: k, dominanceBp: 10_000, groupsMax: 100 },
      partitions: [
        { dataSet: DATA_SET, partition: this.answers, apart: this.apart, eligible: this.#eligible },
      ],
      rowShapes: new Map(),
      parts,
    }
    const groups: readonly CollectedGroup[] = asked.groups.map((people, index) => groupOf(`${index}`, people))
    const { answer, left } = guardWithFewer(groups, context)
    if (!answer.ok) return false
    for (const set of releasedSets(answer.value)) assert.equal(set.intersectionCount(this.lost), 0)
    const untold = [...everybody].filter((person) => !isLost(this, person))
    for (const { dataSet, plan } of answer.value.plans)
      if (dataSet === DATA_SET) this.answers = partitionAfter(plan)
      else if (dataSet === nameOfParts(DATA_SET)) this.apart = partitionAfter(plan)
    this.withheld = answer.value.withheld
    for (const person of untold) if (isLost(this, person)) this.lost.add(person)
    for (const name of asked.summed)
      this.reckonings.get(name)?.sums.push(...releasedSets(answer.value).map((set) => this.#versionsOf(set)))
    for (const name of asked.decided)
      this.reckonings
        .get(name)
        ?.told.push(...asked.apart.map((set) => this.#versionsOf(set.difference(left))))
    return true
  }
}

function isLost({ answers, apart }: Acquirer, person: number): boolean {
  return isToldLost(apart.rowShapes, cellAt(answers.cells, person))
}

function partsOf({ apart, decided, summed }: Asked): AnswerParts {
  return {
    ...NO_PARTS,
    apart,
    decided: new Map([[DATA_SET, new Set(decided)]]),
    summed: new Map([[DATA_SET, new Set(summed)]]),
  }
}

/** People in sums of a column whose value is in no rows, by everything that tells them apart in what is known of it; the fewest who are alike. */
function fewestAlike({ sums, told, known }: Reckoning): number {
  const classes = new Map<string, number>()
  const summed = sums.reduce((all, set) => all.union(set), new Set<number>())
  for (const version of summed.difference(known)) {
    const name = [...sums, ...told].map((set) => (set.has(version) ? '1' : '0')).join('')
    classes.set(name, (classes.get(name) ?? 0) + 1)
  }
  return Math.min(Number.POSITIVE_INFINITY, ...classes.values())
}

/** Ranges of people make parts that overlap in few and in many. */
const people = fc
  .tuple(fc.nat({ max: PEOPLE }), fc.nat({ max: PEOPLE }))
  .map(([from, to]) => range(Math.min(from, to), Math.max(from, to)))

const asked: fc.Arbitrary<Asked> = fc
  .record({
    inside: fc.oneof(people, fc.constant(everybody)),
    cut: fc.nat({ max: PEOPLE }),
    told: fc.array(people, { maxLength: 2 }),
    decided: fc.subarray([...COLUMNS]),
    summed: fc.subarray([...COLUMNS]),
  })
  .map(({ inside, cut, told, decided, summed }) => {
    const groups = [inside.intersection(range(0, cut)), inside.difference(range(0, cut))]
    const shown = groups.filter((set) => !set.isEmpty)
    // What decides nothing tells nobody apart.
    return { groups: shown, apart: decided.length === 0 ? [] : [...told, ...shown], decided, summed }
  })

const given: fc.Arbitrary<Given> = fc.record({
  given: people,
  apart: fc.array(people, { maxLength: 2 }),
  decided: fc.subarray([...COLUMNS]),
})

/** Mostly questions; now and then rows are asked for, people leave, or their rows change. */
const step = fc.oneof(
  { weight: 6, arbitrary: asked },
  { weight: 2, arbitrary: given },
  { weight: 1, arbitrary: people.map((leaving) => ({ leaving })) },
  { weight: 1, arbitrary: people.map((changed) => ({ changed })) },
)

test('everybody in a sum is alike a minimum group of others in all that was asked of what is summed', () => {
  let [answered, rows, lost] = [0, 0, 0]
  fc.assert(
    fc.property(fc.array(step, { minLength: 2, maxLength: 8 }), (steps) => {
      const acquirer = new Acquirer()
      for (const one of steps) {
        if ('leaving' in one) acquirer.leave(one.leaving)
        else if ('changed' in one) acquirer.change(one.changed)
        else if ('given' in one) rows += acquirer.give(one) ? 1 : 0
        else if (acquirer.ask(one)) answered += 1
        for (const reckoning of acquirer.reckonings.values()) assert.ok(fewestAlike(reckoning) >= k)
      }
      lost += acquirer.lost.count()
    }),
    { numRuns: 400 },
  )
  assert.ok(answered > 400 && rows > 100, `only ${answered} were answered, ${rows} in rows`)
  assert.ok(lost > 5, `of only ${lost} it was told that they can be in no answer any more`)
})

test('what is asked of new values is not asked of those that were summed', () => {
  const acquirer = new Acquirer()
  const first = { groups: [range(0, 8)], apart: [range(0, 4), range(0, 8)] }
  assert.ok(acquirer.ask({ ...first, decided: ['a'], summed: ['a'] }))
  acquirer.change(range(3, 7))
  const second = { groups: [range(12, 40)], apart: [range(0, 12), range(12, 40)] }
  assert.ok(!acquirer.ask({ ...second, decided: ['a'], summed: [] }))
})

test('what was asked of old values is not asked of new ones, after a second change either', () => {
  const acquirer = new Acquirer()
  const told = { groups: [range(20, 40)], apart: [range(0, 8)], decided: ['a'], summed: [] }
  const summed = { groups: [range(0, 8)], apart: [], decided: [], summed: ['a'] }
  assert.ok(acquirer.ask(told))
  acquirer.change(range(0, 8))
  assert.ok(acquirer.ask(told))
  acquirer.change(range(0, 1))
  acquirer.ask(summed)
  for (const reckoning of acquirer.reckonings.values()) assert.ok(fewestAlike(reckoning) >= k)
})

test('so it is of two who are declared to collude, or they get no more', () => {
  let answered = 0
  const history = fc.array(asked, { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(history, history, history, (first, second, further) => {
      const [one, other] = [new Acquirer(), new Acquirer()]
      for (const ask of first) one.ask(ask)
      for (const ask of second) other.ask(ask)
      const both = Acquirer.together(one, other)
      for (const ask of further) {
        if (!both.ask(ask)) continue
        answered += 1
        for (const reckoning of both.reckonings.values()) assert.ok(fewestAlike(reckoning) >= k)
      }
    }),
    { numRuns: 400 },
  )
  assert.ok(answered > 50, `only ${answered} were answered`)
})

test('a few who are too few by what an answer is over leave with others, not with all of their cell', () => {
  const acquirer = new Acquirer()
  const asked = { groups: [everybody], apart: [everybody], decided: ['a'], summed: ['a'] }
  assert.ok(acquirer.ask(asked))
  assert.ok(acquirer.ask({ ...asked, groups: [range(2, 40)], apart: [], decided: [] }))
  for (const reckoning of acquirer.reckonings.values()) assert.ok(fewestAlike(reckoning) >= k)
})

test('that cells can be in no answer any more is told once, and two of whom one was told it get no more', () => {
  const one = new Acquirer()
  const nobody = { groups: [everybody], apart: [], decided: [], summed: [] }
  assert.ok(one.ask({ ...nobody, groups: [range(0, 8), range(8, 16), range(16, 40)], summed: ['b'] }))
  // One of each of the first two cells is told apart, by what there are no sums of yet.
  assert.ok(one.ask({ ...nobody, apart: [range(0, 1), range(8, 9)], decided: ['a'] }))
  const sum = { ...nobody, summed: ['a'] }
  assert.ok(one.ask(sum))
  assert.deepEqual([one.withheld, [...one.lost]], [2, [...range(0, 16)]])
  // That it is not about everybody is told again.
  assert.ok(one.ask(sum))
  assert.equal(one.withheld, 1)
  assert.equal(Acquirer.together(one, new Acquirer()).ask(sum), false)
  assert.equal(Acquirer.together(new Acquirer(), one).ask(sum), false)
})

test('a cell of which everybody was told apart is lost, however many they are', () => {
  const many = 200_000
  const after = (cellCount: number): Partition => {
    const cells = withRoom(NO_NUMBERS, { personCount: many, cellCount })
    for (let person = 0; person < many; person += 1) putInto(cells, person, 1 + (person % (cellCount - 1)))
    return { ...EMPTY_PARTITION, cells, cellCount, leasts: shortened(Int32Array.of(0, k)) }
  }
  const [one, each, enough] = [2, many + 1, many / k + 1].map(after)
  assert.ok(one && each && enough)
  assert.deepEqual(lostCells({ partition: one, apart: each }, new Set([1])), [1])
  assert.deepEqual(lostCells({ partition: one, apart: enough }, new Set([1])), [])
})

test('a cell that leaves because rows of a few changed may be in an answer when those of more have, so that is told again', () => {
  const acquirer = new Acquirer()
  const nobody = { groups: [everybody], apart: [], decided: [], summed: ['a'] }
  const cells = { ...nobody, groups: [range(0, 8), range(8, 16), range(16, 40)] }
  assert.ok(acquirer.ask({ ...cells, apart: cells.groups, decided: ['b'] }))
  acquirer.change(range(0, 1))
  // Of the first cell one changed, and three are told apart.
  const chosen = { groups: [range(1, 40)], apart: [range(1, 4), range(1, 40)], decided: ['a'] }
  assert.ok(acquirer.ask({ ...nobody, ...chosen }))
  assert.deepEqual([acquirer.lost.count(), acquirer.withheld], [0, 1])
  acquirer.change(range(1, 4))
  assert.ok(acquirer.ask(nobody))
  assert.equal(acquirer.withheld, 0)
  for (const reckoning of acquirer.reckonings.values()) assert.ok(fewestAlike(reckoning) >= k)
})

test('that a cell leaves for what is asked now is told whenever it does', () => {
  const acquirer = new Acquirer()
  const cells = [range(0, 8), range(8, 16), range(16, 40)]
  assert.ok(acquirer.ask({ groups: cells, apart: [], decided: [], summed: ['a'] }))
  for (const person of [0, 1]) {
    const one = range(person, person + 1)
    const asked = { groups: [everybody.difference(one)], apart: [one], decided: ['a'], summed: [] }
    assert.ok(acquirer.ask({ ...asked, apart: [one, everybody.difference(one)] }))
    assert.deepEqual([acquirer.lost.count(), acquirer.withheld > 0], [0, true])
  }
})

test('of answers from before columns were noted anything may have been summed', () => {
  const acquirer = new Acquirer()
  const asked = { groups: [everybody], apart: [], decided: [], summed: ['a'] }
  const chosen = { ...asked, apart: [everybody, range(0, 1)], decided: ['a'], summed: [] }
  assert.ok(acquirer.ask(asked))
  const [noted] = acquirer.apart.rowShapes.keys().filter((name) => name.endsWith(' a'))
  assert.ok(noted !== undefined)
  acquirer.apart = EMPTY_PARTITION
  assert.equal(acquirer.ask(chosen), false)
  // Who had no answers then is not one of them.
  assert.ok(new Acquirer().ask(chosen))
})

test('whoever is in a cell from before its minimum was kept was in an answer, and has to be alike', () => {
  const acquirer = new Acquirer()
  assert.ok(acquirer.ask({ groups: [range(0, 8)], apart: [], decided: [], summed: ['a'] }))
  const { answers } = acquirer
  acquirer.answers = { ...answers, leasts: ALL_ZERO }
  const apart = [range(0, 2), range(20, 40)]
  // They are left out with all of their cell, and what is told apart is told of the others.
  assert.ok(acquirer.ask({ groups: [range(20, 40)], apart, decided: ['a'], summed: [] }))
  for (const reckoning of acquirer.reckonings.values()) assert.ok(fewestAlike(reckoning) >= k)
})
