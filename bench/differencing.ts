import { strict as assert } from 'node:assert'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Bitset } from '../src/kernel/bitset.ts'
import { checkAlike, NO_PARTS } from '../src/site/guard/alike.ts'
import { copyOfNumbers } from '../src/site/guard/cell-numbers.ts'
import { checkCuts, partitionAfter } from '../src/site/guard/differencing.ts'
import type { CutPlan } from '../src/site/guard/differencing.ts'
import { guardAnswer } from '../src/site/guard/guard-answer.ts'
import { whomToLeaveOut } from '../src/site/guard/leave-out.ts'
import { applyDelta, encodeDelta } from '../src/site/guard/partition-delta.ts'
import { PartitionDraft } from '../src/site/guard/partition-draft.ts'
import { bytesOfPartition, EMPTY_PARTITION } from '../src/site/guard/partition.ts'
import type { Partition } from '../src/site/guard/partition.ts'
import { RefusedCuts } from '../src/site/guard/row-cuts.ts'
import { Blocks, partitionAfterAnswers, scatteredPeople } from './shared/earlier-answers.ts'
import { median } from './shared/median.ts'
import { scale, writeReport } from './shared/report.ts'

/**
 * What it costs to hold an answer against all earlier ones of its acquirer: the curve over their number, for an answer
 * of one row and one of 1,000 rows over 1M people. "Kept" is what is written to the record and taken over from it. And what
 * it costs to choose whom to leave out of such an answer, in which one person of 1,500 is missing, once it was refused; and to see that
 * people are alike in what such an answer and 10,000 earlier questions told them apart by, beside the check before it, whose cut it goes on
 * from; once where each cell of answers has many such parts.
 */
const size = scale()
const EARLIER = [1, 100, 10_000, 100_000]
const ROWS = 1_000
const RUNS = 9
const WARM_UP_RUNS = 4
const MINIMUM_GROUP = 20
const blocks = new Blocks([scatteredPeople(Math.round(1_000_000 * size))])

const everybody = blocks.people(0, blocks.count)
const oneRow = [everybody]
const manyRows = Array.from({ length: ROWS }, (_, row) => {
  const from = Math.floor((row * blocks.count) / ROWS)
  return blocks.people(from, Math.floor(((row + 1) * blocks.count) / ROWS) - from)
})

setFlagsFromString('--expose-gc')
const collectGarbage: unknown = runInNewContext('gc')

const figures = EARLIER.flatMap((earlier) => {
  const partition = partitionAfterAnswers(blocks, earlier)
  const name = `${earlier.toLocaleString('en')} earlier answers`
  const one = measure(partition, oneRow)
  const many = measure(partition, manyRows)
  const bytesPerPerson = bytesInUse(partition, manyRows) / blocks.personCount
  return [
    { name: `${name}: one row`, value: one.checkMs, unit: 'ms', goal: 'at most 30', met: one.checkMs <= 30 },
    { name: `${name}: one row, kept`, value: one.keepMs, unit: 'ms' },
    {
      name: `${name}: ${ROWS} rows`,
      value: many.checkMs,
      unit: 'ms',
      goal: 'at most 300',
      met: many.checkMs <= 300,
    },
    { name: `${name}: ${ROWS} rows, kept`, value: many.keepMs, unit: 'ms' },
    {
      name: `${name}: state in use`,
      value: bytesPerPerson,
      unit: 'bytes a person',
      goal: 'at most 8',
      met: bytesPerPerson <= 8,
    },
  ]
})
writeReport({
  name: 'differencing',
  scale: size,
  figures: [...figures, ...leavingFigures(), ...alikeFigures()],
})

function leavingFigures(): readonly { name: string; value: number; unit: string }[] {
  const partition = partitionAfterAnswers(blocks, 10_000)
  const missing = everybody.intersection(
    Bitset.of(Array.from({ length: Math.ceil(everybody.capacity / 1_500) }, (_, at) => at * 1_500 + 7)),
  )
  return [
    { name: 'one row', sets: oneRow },
    { name: `${ROWS} rows`, sets: manyRows },
  ].map(({ name, sets }) => {
    const groups = sets.map((set, row) => ({ keys: [row], people: set.difference(missing), measures: [] }))
    const context = {
      settings: { minimumGroup: MINIMUM_GROUP, dominanceBp: 1_000, groupsMax: ROWS },
      partitions: [{ dataSet: 'bench', partition, eligible: everybody }],
      rowShapes: new Map<string, string>(),
      // As a site does it: the answer was refused before, and that cut is there.
      refused: new RefusedCuts(),
    }
    assert.ok(!guardAnswer(groups, context).ok)
    const times: number[] = []
    for (let run = 1; run <= WARM_UP_RUNS + RUNS; run += 1) {
      const start = performance.now()
      const leaving = whomToLeaveOut(groups, context)
      if (run > WARM_UP_RUNS) times.push(performance.now() - start)
      assert.ok(leaving && leaving.coveredCells > 0)
    }
    return { name: `whom to leave out of ${name}`, value: median(times), unit: 'ms' }
  })
}

interface AlikeFigure {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly goal: string
  readonly met: boolean
}

function alikeFigures(): readonly AlikeFigure[] {
  const [partition, apart] = [partitionAfterAnswers(blocks, 10_000), partitionAfterAnswers(blocks, 9_999)]
  const few = partitionAfterAnswers(blocks, 100)
  return [
    ...[
      { name: 'one row', sets: oneRow, goal: 30, partition, apart },
      { name: `${ROWS} rows`, sets: manyRows, goal: 300, partition, apart },
      { name: 'one row, cells of many parts', sets: oneRow, goal: 30, partition: few, apart },
    ].map(({ name, goal, ...asked }) => {
      const value = measureAlike(asked)
      return {
        name: `people alike in ${name}`,
        value,
        unit: 'ms',
        goal: `at most ${goal}`,
        met: value <= goal,
      }
    }),
    keptFigure('state kept of answers and of questions, after 10,000', [partition, apart]),
    // No history leaves more cells: those of answers have the minimum group each, and questions told everybody apart.
    keptFigure('state kept where there are as many cells as can be', [
      partitionInto(Math.floor(blocks.personCount / MINIMUM_GROUP)),
      partitionInto(blocks.personCount),
    ]),
  ]
}

function keptFigure(name: string, partitions: readonly Partition[]): AlikeFigure {
  const value = partitions.reduce((sum, one) => sum + bytesOfPartition(one), 0) / blocks.personCount
  return { name, value, unit: 'bytes a person', goal: 'at most 8', met: value <= 8 }
}

/** Everybody in so many cells of about the same size, cut by one bit of their numbers after the other. */
function partitionInto(cellCount: number): Partition {
  const draft = new PartitionDraft(EMPTY_PARTITION, blocks.personCount)
  draft.raise(draft.cut(everybody), MINIMUM_GROUP)
  for (let bit = 1; bit < cellCount; bit *= 2) {
    const set = new Bitset(blocks.personCount)
    for (let person = 0; person < blocks.personCount; person += 1)
      if (((person % cellCount) & bit) !== 0) set.add(person)
    draft.cut(set)
  }
  const after = partitionAfter({ draft, rowShapes: new Map(), isEmpty: false })
  assert.equal(after.cellCount, cellCount + 1)
  return after
}

function measureAlike({
  partition,
  apart,
  sets,
}: {
  readonly partition: Partition
  readonly apart: Partition
  readonly sets: readonly Bitset[]
}): number {
  const columns = new Map([['bench', new Set(['v'])]])
  const half = blocks.people(0, Math.floor(blocks.count / 2))
  const parts = { ...NO_PARTS, apart: [half, ...sets], decided: columns, summed: columns }
  const times: number[] = []
  for (let run = 1; run <= WARM_UP_RUNS + RUNS; run += 1) {
    const { draft: cut } = planOf(partition, sets)
    const start = performance.now()
    const alike = checkAlike({
      dataSet: 'bench',
      partition,
      apart,
      parts,
      eligible: everybody,
      sets,
      minimumGroup: MINIMUM_GROUP,
      cut,
    })
    if (run > WARM_UP_RUNS) times.push(performance.now() - start)
    assert.ok(alike.ok)
  }
  return median(times)
}

function planOf(partition: Partition, sets: readonly Bitset[]): CutPlan {
  const checked = checkCuts(partition, {
    eligible: everybody,
    sets,
    rowShapes: new Map(),
    minimumGroup: MINIMUM_GROUP,
  })
  assert.ok(checked.ok)
  return checked.value
}

function measure(
  partition: Partition,
  sets: readonly Bitset[],
): { readonly checkMs: number; readonly keepMs: number } {
  const [check, keep]: [number[], number[]] = [[], []]
  for (let run = 1; run <= WARM_UP_RUNS + RUNS; run += 1) {
    const start = performance.now()
    const { draft } = planOf(partition, sets)
    const checked = performance.now()
    const delta = encodeDelta(draft)
    const encoded = performance.now()
    // The site goes on in the same memory; here the old partition is needed again.
    const own = { ...partition, cells: copyOfNumbers(partition.cells) }
    const copied = performance.now()
    const after = applyDelta(own, { delta, rowShapes: new Map() })
    const end = performance.now()
    assert.equal(after.cellCount, draft.cellCount)
    if (run <= WARM_UP_RUNS) continue
    check.push(checked - start)
    keep.push(encoded - checked + end - copied)
  }
  return { checkMs: median(check), keepMs: median(keep) }
}

/** Bytes of the partition and of what a check lays over it, as the engine of JavaScript counts them. */
function bytesInUse(partition: Partition, sets: readonly Bitset[]): number {
  for (const set of sets) set.packed()
  tidy()
  const before = process.memoryUsage().arrayBuffers
  const plan = planOf(partition, sets)
  tidy()
  const during = process.memoryUsage().arrayBuffers
  assert.ok(plan.draft.cellCount > 1)
  return during - before + bytesOfPartition(partition)
}

function tidy(): void {
  assert.ok(typeof collectGarbage === 'function')
  collectGarbage()
  collectGarbage()
}
