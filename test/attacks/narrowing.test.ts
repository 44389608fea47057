import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Bitset } from '../../src/kernel/bitset.ts'
import type { CollectedGroup } from '../../src/site/guard/collected-group.ts'
import { releasedSets } from '../../src/site/guard/guard-answer.ts'
import type { GuardedAnswer } from '../../src/site/guard/guard-answer.ts'
import { cellAt } from '../../src/site/guard/cell-numbers.ts'
import type { Partition } from '../../src/site/guard/partition.ts'
import { groupOf, History, range, sumOver } from '../site/guard/released-history.ts'
import { RowSpace } from '../site/guard/row-space.ts'

/*
 * Answers about fewer people than were asked about, as an instrument: who is left out follows from who stands behind a
 * question. Measures of success: a combination of answers that is about fewer people than the minimum group, found by
 * the linear algebra of all of them, by an attacker who knows every cell of the partition; and anything told by who is
 * left out that is not counted as held back.
 */

const k = 10
const PEOPLE = 240
const everybody = range(0, PEOPLE)
const IS_LONG = process.env['HEDGEROW_FAULTS'] !== undefined
const ASKS = IS_LONG ? 3_000 : 400

function history(): History {
  return new History({ personCount: PEOPLE, minimumGroup: k, narrows: true })
}

/** Asks for one sum. */
function total(acquirer: History, people: Bitset, eligible = everybody) {
  return acquirer.ask({ eligible, groups: [groupOf('all', people)] })
}

/** The members of every cell that somebody stands in. */
function cellsOf({ partition: { cells } }: History): readonly (readonly number[])[] {
  const members = Map.groupBy(
    Array.from({ length: PEOPLE }, (_, person) => person),
    (person) => cellAt(cells, person),
  )
  return [...members].filter(([cell]) => cell !== 0).map(([, people]) => people)
}

function requireNobodyFound(acquirer: History): number {
  const space = new RowSpace(
    acquirer.vectors.filter((members) => members.length > 1),
    acquirer.unitCount,
  )
  for (const members of space.classes()) {
    const people = new Set(members.map((unit) => acquirer.personOf(unit)))
    assert.ok(people.size >= k, `a class of ${people.size}`)
  }
  for (const support of space.supports()) assert.ok(support.length >= k)
  for (let unit = 0; unit < acquirer.unitCount; unit += 1) assert.ok(!space.contains([unit]))
  return space.rank
}

test('everybody, then everybody but one: the one is left out with others, and not to be had by any later difference', () => {
  const acquirer = history()
  assert.equal(total(acquirer, everybody).reason, 'approved')
  const { reason, answer } = total(acquirer, everybody.difference(Bitset.of([7])))
  assert.equal(reason, 'partial.differencing')
  const [shown = new Bitset()] = answer ? releasedSets(answer) : []
  assert.deepEqual([shown.count(), shown.has(7)], [PEOPLE - k, false])
  // What was left out is a cell of exactly a minimum group: none of it can be split off from the rest.
  for (const other of everybody.difference(shown)) {
    total(acquirer, shown.union(Bitset.of([other])))
    total(acquirer, everybody.difference(Bitset.of([other])))
  }
  requireNobodyFound(acquirer)
})

test('an attacker who knows all cells, and asks for unions of them with and without a target, finds nobody', () => {
  fc.assert(
    fc.property(fc.infiniteStream(fc.nat(2 ** 30)), (numbers) => {
      const acquirer = history()
      const next = (below: number): number => (numbers.next().value ?? 0) % below
      let partial = 0
      total(acquirer, everybody)
      for (let ask = 0; ask < ASKS; ask += 1) {
        const target = next(PEOPLE)
        const chosen = cellsOf(acquirer).filter(() => next(3) > 0)
        const people = Bitset.of(chosen.flat())
        const near = range(Math.max(0, target - next(14)), Math.min(PEOPLE, target + 1 + next(14)))
        const asked = next(2) === 0 ? people.difference(near) : people.union(near)
        const other = next(2) === 0 ? asked : asked.intersection(range(next(PEOPLE), PEOPLE))
        if (asked.isEmpty) continue
        const { reason } = acquirer.ask({ eligible: everybody, groups: [groupOf('a', asked, other)] })
        if (reason === 'partial.differencing') partial += 1
      }
      assert.ok(partial > 10, `only ${partial} were narrowed`)
      assert.ok(requireNobodyFound(acquirer) > 10)
    }),
    { numRuns: IS_LONG ? 20 : 5 },
  )
})

/** Whether each row shows all of those of a cell that it asks about, or none of fewer than a minimum group. */
function missesThinParts(
  groups: readonly CollectedGroup[],
  { released, isNarrowed }: GuardedAnswer,
  { cells }: Partition,
): boolean {
  return groups.every(({ people, keys }) => {
    const shown = released.find((row) => row.keys[0] === keys[0])?.people ?? new Bitset()
    const parts = Map.groupBy(people, (person) => cellAt(cells, person))
    return (
      isNarrowed === true &&
      parts.values().every((part) => {
        const missing = part.filter((person) => !shown.has(person)).length
        return missing === 0 || (missing === part.length && missing < k)
      })
    )
  })
}

/**
 * How many things are missing of which none follows from the others: a cell of which a row with enough of it shows nobody, and a row with
 * people enough that is missing though it has no such part.
 */
function thingsMissing(
  groups: readonly CollectedGroup[],
  { released }: GuardedAnswer,
  { cells }: Partition,
): number {
  const things = new Set<number | string>()
  for (const { people, keys } of groups) {
    const shown = released.find((row) => row.keys[0] === keys[0])?.people ?? new Bitset()
    const large = [...Map.groupBy(people, (person) => cellAt(cells, person))].filter(
      ([, part]) => part.length >= k,
    )
    for (const [cell, part] of large) if (!part.some((person) => shown.has(person))) things.add(cell)
    if (large.length === 0 && shown.isEmpty) things.add(JSON.stringify(keys))
  }
  return things.size
}

const band = fc
  .record({ from: fc.nat(PEOPLE - 1), length: fc.integer({ min: 1, max: PEOPLE }) })
  .map(({ from, length }) => range(from, Math.min(PEOPLE, from + length)))

test('what is not counted as held back is what was asked for, or misses parts of cells that are too small each', () => {
  const told = { whole: 0, counted: 0 }
  fc.assert(
    fc.property(
      fc.array(fc.tuple(band, fc.constantFrom(20, 60, PEOPLE), band), { maxLength: 25 }),
      (asks) => {
        const acquirer = history()
        for (const [people, width, measured] of asks) {
          const groups: ReturnType<typeof groupOf>[] = []
          for (let from = 0; from < PEOPLE; from += width) {
            const own = people.intersection(range(from, from + width))
            if (!own.isEmpty) groups.push(groupOf(`${from}`, own, own.intersection(measured)))
          }
          const before = acquirer.partition
          const { answer } = acquirer.ask({ eligible: everybody, groups })
          if (!answer) continue
          const large = groups.filter((group) => group.people.count() >= k)
          const isAsAsked = large.every(({ people: asked }) =>
            answer.released.some(
              (row) => row.people.difference(asked).isEmpty && asked.difference(row.people).isEmpty,
            ),
          )
          if (answer.isNarrowed) assert.ok(answer.withheld >= thingsMissing(large, answer, before))
          if (answer.withheld === 0)
            assert.ok(isAsAsked ? answer.isNarrowed === undefined : missesThinParts(large, answer, before))
          told[answer.withheld === 0 ? 'whole' : 'counted'] += 1
        }
      },
    ),
    { numRuns: 150 },
  )
  assert.ok(told.whole > 50 && told.counted > 50, JSON.stringify(told))
})

test('the row of all small groups is missing for nothing only where they are too few, or a minimum group stands in two', () => {
  const told = { shown: 0, hidden: 0 }
  const size = fc.integer({ min: 1, max: k + 2 })
  const measured = fc.array(fc.integer({ min: 0, max: PEOPLE - 1 }), { maxLength: 120 })
  const ask = fc.record({
    sizes: fc.array(size, { maxLength: 12 }),
    reach: fc.constantFrom(0, 0, 1),
    measured,
  })
  fc.assert(
    fc.property(fc.array(ask, { minLength: 1, maxLength: 6 }), (asks) => {
      const acquirer = history()
      for (const { sizes, reach, measured: counting } of asks) {
        let from = 100
        const groups = sizes.map((count, index) => {
          const people = range(from, from + count + reach)
          from += count
          return groupOf(`${index}`, people, people.intersection(Bitset.of(counting)))
        })
        const { answer } = acquirer.ask({
          eligible: everybody,
          groups: [groupOf('', range(0, 100)), ...groups],
        })
        if (!answer) continue
        const small = groups.filter(({ people }) => people.count() < k)
        const rest = Bitset.of(small.flatMap(({ people }) => [...people])).count()
        const isFew = rest < k || (reach > 0 && sizes.length > k)
        told[answer.remainder ? 'shown' : 'hidden'] += 1
        if (!answer.remainder && !isFew) assert.ok(answer.withheld > 0, `${rest} are in no row for nothing`)
      }
    }),
    { numRuns: 200 },
  )
  assert.ok(told.shown > 20 && told.hidden > 20, JSON.stringify(told))
})

test('each cell in which a few are covered counts, so a row over many cells tells no number for the price of one bit', () => {
  const acquirer = history()
  const cells = [range(0, 60), range(60, 120), range(120, 180), range(180, 240)]
  acquirer.ask({ eligible: everybody, groups: cells.map((people, index) => groupOf(`${index}`, people)) })
  // One holder of the secret in three of the four cells.
  const { answer } = total(acquirer, everybody.difference(Bitset.of([5, 65, 125])))
  assert.equal(answer?.withheld, 3)
})

test('who is left out is not chosen by what is summed: too few winners never make a row of losers', () => {
  const acquirer = history()
  const [first, second] = [range(0, 100), range(100, PEOPLE)]
  acquirer.ask({ eligible: everybody, groups: [groupOf('a', first), groupOf('b', second)] })
  const winners = range(0, 4).union(range(100, 150))
  const { reason, answer } = acquirer.ask({ eligible: everybody, groups: [groupOf('', everybody, winners)] })
  assert.equal(reason, 'partial.differencing')
  const [row] = answer?.released ?? []
  // The whole of the first cell is missing, its losers too.
  assert.deepEqual([row?.people.count(), row?.people.intersectionCount(first)], [140, 0])
  assert.equal(row?.measures[0]?.people.count(), 50)
})

test('a withdrawal is not covered: the same ask, and any other over that cell alone, waits until a minimum group has left', () => {
  const acquirer = history()
  assert.equal(total(acquirer, everybody).reason, 'approved')
  for (let left = 1; left < k; left += 1) {
    const eligible = range(left, PEOPLE)
    for (const asked of [eligible, range(left + 3, PEOPLE)].filter((set) => PEOPLE - set.count() < k))
      assert.deepEqual(
        { ...total(acquirer, asked, eligible) },
        { reason: 'declined.differencing', note: 'drift', rows: 0 },
      )
  }
  assert.equal(total(acquirer, range(k, PEOPLE), range(k, PEOPLE)).reason, 'approved')
})

test('beside a cell that somebody left others are answered for, of what was not asked before, and that cell is missing whole', () => {
  const acquirer = history()
  const cells = [range(0, 60), range(60, 140), range(140, PEOPLE)]
  const table = (eligible: Bitset, use: string) =>
    acquirer.ask({
      eligible,
      use,
      groups: cells.map((cell, at) => groupOf(`${at}`, cell.intersection(eligible))),
    })
  assert.equal(table(everybody, 'sport').reason, 'approved')
  for (let left = 1; left < k; left += 1) {
    const { reason, answer } = table(range(left, PEOPLE), `sport and ${left}`)
    assert.equal(table(range(left, PEOPLE), 'sport').note, 'drift')
    // That the row is missing follows from the cell's being so: it is one thing.
    assert.deepEqual([reason, answer?.released.length, answer?.withheld], ['partial.differencing', 2, 1])
    assert.ok(answer && releasedSets(answer).every((set) => set.intersectionCount(range(0, 60)) === 0))
  }
  assert.equal(table(range(k, PEOPLE), 'sport').reason, 'approved')
  requireNobodyFound(acquirer)
})

test('means of those who have a value, beside numbers of everybody and of others, are found by nobody', () => {
  fc.assert(
    fc.property(fc.infiniteStream(fc.nat(2 ** 30)), (numbers) => {
      const acquirer = history()
      const next = (below: number): number => (numbers.next().value ?? 0) % below
      // Two columns, of which a few people lack either.
      const having = [20, 9].map((rare) => Bitset.of([...everybody].filter(() => next(rare) > 0)))
      let means = 0
      for (let ask = 0; ask < ASKS / 2; ask += 1) {
        const from = next(PEOPLE)
        const asked = next(3) === 0 ? everybody : range(from, Math.min(PEOPLE, from + 1 + next(PEOPLE)))
        const columns = having.filter(() => next(2) === 0)
        const width = [20, 60, PEOPLE][next(3)] ?? PEOPLE
        const groups: CollectedGroup[] = []
        for (let start = 0; start < PEOPLE; start += width) {
          const people = asked.intersection(range(start, start + width))
          const measures = columns.map((column) => {
            const counted = people.intersection(column)
            return sumOver(counted, { kind: 'avg', counted })
          })
          if (!people.isEmpty)
            groups.push(columns.length > 0 ? { keys: [start], people, measures } : groupOf('', people))
        }
        const { reason } = acquirer.ask({ eligible: everybody, groups })
        if (columns.length > 0 && !reason.startsWith('declined')) means += 1
      }
      assert.ok(means > 0)
      requireNobodyFound(acquirer)
    }),
    { numRuns: IS_LONG ? 20 : 5 },
  )
})

test('withdrawals between narrowed answers are found by nobody', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(band, fc.nat(PEOPLE - 1), fc.boolean()), { minLength: 30, maxLength: 80 }),
      (acts) => {
        const acquirer = history()
        let eligible = everybody
        for (const [people, person, isLeaving] of acts) {
          total(acquirer, people.intersection(eligible), eligible)
          if (isLeaving) eligible = eligible.difference(Bitset.of([person]))
          else acquirer.change(Bitset.of([person]))
          total(acquirer, eligible, eligible)
        }
        requireNobodyFound(acquirer)
      },
    ),
    { numRuns: IS_LONG ? 200 : 30 },
  )
})

test('with the cover taken out the difference of two answers is the one who was left out', () => {
  // What a guard would tell that left out only the few themselves.
  const space = new RowSpace([[...everybody], [...everybody.difference(Bitset.of([7]))]], PEOPLE)
  assert.ok(space.contains([7]))
})
