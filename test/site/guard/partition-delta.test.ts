import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import fc from 'fast-check'
import { Bitset } from '../../../src/kernel/bitset.ts'
import { checkCuts, checkKnown, partitionAfter } from '../../../src/site/guard/differencing.ts'
import {
  applyChange,
  applyDelta,
  decodeCells,
  decodePeople,
  encodeCells,
  encodeDelta,
  encodePeople,
} from '../../../src/site/guard/partition-delta.ts'
import { cellAt } from '../../../src/site/guard/cell-numbers.ts'
import type { CellNumbers } from '../../../src/site/guard/cell-numbers.ts'
import { PairNumbers } from '../../../src/site/guard/pair-numbers.ts'
import { PartitionDraft } from '../../../src/site/guard/partition-draft.ts'
import { EMPTY_PARTITION } from '../../../src/site/guard/partition.ts'
import type { KnownColumns } from '../../../src/site/guard/known-columns.ts'
import type { Partition } from '../../../src/site/guard/partition.ts'
import { lengthened, numberAt, shortened } from '../../../src/site/guard/short-numbers.ts'
import { range } from './released-history.ts'

const k = 10

function membersOf(known: KnownColumns): object {
  return [...known].map(([name, { seen, exact }]) => [name, [...seen], [...exact]])
}

function plainCells(cells: CellNumbers): readonly number[] {
  return Array.from(cells.lower, (_, person) => cellAt(cells, person))
}

test('applyDelta() gives back what encodeDelta() was made from', () => {
  const people = fc.uniqueArray(fc.nat(300), { minLength: 1, maxLength: 200 }).map((list) => Bitset.of(list))
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom('cut', 'strict', 'known', 'change'), people), { maxLength: 30 }),
      (steps) => {
        let partition: Partition = EMPTY_PARTITION
        let copy: Partition = EMPTY_PARTITION
        for (const [kind, set] of steps) {
          const request = {
            eligible: set,
            sets: [set],
            rowShapes: new Map([['minutes', 'all']]),
            minimumGroup: kind === 'strict' ? 2 : 1,
          }
          if (kind === 'change') {
            ;[partition, copy] = [applyChange(partition, set), applyChange(copy, set)]
          } else {
            const isShown = set.count() % 2 === 0
            const columns = [{ name: ['height', 'größe'][set.count() % 3] ?? '', isShown }]
            const plan =
              kind === 'known'
                ? checkKnown(partition, { people: set, columns, minimumGroup: 1 })
                : checkCuts(partition, request)
            if (!plan.ok || plan.value.isEmpty) continue
            partition = partitionAfter(plan.value)
            copy = applyDelta(copy, { delta: encodeDelta(plan.value.draft), rowShapes: partition.rowShapes })
          }
          const whole = decodeCells(encodeCells(partition), partition.cellCount)
          for (const one of [copy, whole]) {
            assert.deepEqual(plainCells(one.cells), plainCells(partition.cells))
            assert.deepEqual([...one.given], [...partition.given])
            assert.deepEqual([...one.changed], [...partition.changed])
            assert.deepEqual(membersOf(one.known), membersOf(partition.known))
            assert.deepEqual(one.leasts, partition.leasts)
          }
          assert.deepEqual(copy.sizes, partition.sizes)
          const sizes = lengthened(partition.sizes, partition.cellCount)
          for (let cell = 1; cell < partition.cellCount; cell += 1)
            assert.equal(sizes[cell], plainCells(partition.cells).filter((own) => own === cell).length)
        }
      },
    ),
  )
  assert.deepEqual([...decodePeople(encodePeople(Bitset.of([1, 40, 999])))], [1, 40, 999])
})

test('entries and snapshots from before leasts were kept are read on, as of cells that no answer was stricter about', () => {
  const checked = checkCuts(EMPTY_PARTITION, {
    eligible: range(0, 20),
    sets: [range(0, 20)],
    rowShapes: new Map(),
    minimumGroup: k,
  })
  assert.ok(checked.ok)
  const plain = zstdDecompressSync(encodeDelta(checked.value.draft))
  const partition = partitionAfter(checked.value)
  const older = zstdCompressSync(plain.subarray(0, plain.length - 4 * partition.cellCount))
  const read = applyDelta(EMPTY_PARTITION, { delta: older, rowShapes: new Map() })
  assert.deepEqual([...lengthened(read.leasts, 2)], [0, 0])
  assert.deepEqual(read.cells, partition.cells)
  const cellsAlone = zstdCompressSync(new Uint8Array(Int32Array.from(plainCells(partition.cells)).buffer))
  const [alone, newer] = [cellsAlone, encodeCells(partition)].map((bytes) => decodeCells(bytes, 2))
  assert.deepEqual([alone?.cells, newer?.cells], [partition.cells, partition.cells])
  assert.deepEqual([alone?.leasts, newer?.leasts], [read.leasts, partition.leasts])
})

/** Which of so many people are in one cell: of each the first who is in it. */
function together(cells: CellNumbers, personCount: number): readonly number[] {
  const firsts = new Map<number, number>()
  return Array.from({ length: personCount }, (_, person) => {
    const cell = cellAt(cells, person)
    const first = firsts.get(cell) ?? person
    firsts.set(cell, first)
    return first
  })
}

test('more cells than two bytes count are cut and split like few, and come back from the record', () => {
  const pairs = 65_540
  const count = 2 * pairs
  const everybody = range(0, count)
  const draft = new PartitionDraft(EMPTY_PARTITION, count)
  draft.cut(everybody)
  for (let bit = 1; bit <= 17; bit += 1)
    draft.cut(Bitset.of([...everybody].filter((person) => ((person >>> bit) & 1) === 1)))
  const partition = partitionAfter({ draft, rowShapes: new Map(), isEmpty: false })
  const { cells, cellCount } = partition
  assert.equal(cellCount, pairs + 1)
  assert.deepEqual(
    together(cells, count),
    Array.from({ length: count }, (_, person) => person & ~1),
  )
  const delta = encodeDelta(draft)
  assert.deepEqual(applyDelta(EMPTY_PARTITION, { delta, rowShapes: new Map() }).cells, cells)
  assert.deepEqual(decodeCells(encodeCells(partition), cellCount).cells, cells)
  // The second of each pair, from the first to the last cell.
  const seconds = Bitset.of([...everybody].filter((person) => (person & 1) === 1))
  const alone = Array.from({ length: count }, (_, person) => person)
  const copy = draft.copy(0)
  copy.cut(seconds)
  assert.deepEqual(together(copy.cells, count), alone)
  assert.ok(copy.sizes.subarray(1, copy.cellCount).every((size) => size === 1))
  assert.deepEqual(together(draft.cells, count), together(cells, count))
  // Who was in no cell comes to one with as long a number.
  assert.deepEqual(copy.cut(range(count, count + 2)), [2 * pairs + 1])
  assert.deepEqual([copy.cellOf(count), copy.cellOf(count + 1)], [2 * pairs + 1, 2 * pairs + 1])
  // All of them once more by another partition, so that all cells are split at once.
  const apart = new PartitionDraft(EMPTY_PARTITION, count)
  apart.cutApart(seconds)
  draft.splitBy(apart)
  assert.deepEqual(together(draft.cells, count), alone)
  assert.equal(draft.cellCount, 2 * pairs + 1)
  assert.deepEqual(draft.sizes.subarray(0, draft.cellCount), copy.sizes.subarray(0, draft.cellCount))
  assert.equal(
    draft.ancestorOf(draft.cellOf(count - 1), cellCount),
    draft.ancestorOf(draft.cellOf(count - 2), cellCount),
  )
  // And one large cell by that: its parts get numbers of three bytes while it is split.
  const whole = new PartitionDraft(EMPTY_PARTITION, count)
  whole.cut(everybody)
  whole.splitBy(draft)
  assert.deepEqual(together(whole.cells, count), alone)
})

test('a partition that goes on in its own memory is not cut as it was before', () => {
  const planOf = (before: Partition, set: Bitset) => {
    const checked = checkCuts(before, { eligible: set, sets: [set], rowShapes: new Map(), minimumGroup: k })
    assert.ok(checked.ok)
    return encodeDelta(checked.value.draft)
  }
  const rowShapes = new Map<string, string>()
  const first = applyDelta(EMPTY_PARTITION, { delta: planOf(EMPTY_PARTITION, range(0, 40)), rowShapes })
  applyDelta(first, { delta: planOf(first, range(0, 20)), rowShapes })
  assert.throws(() => planOf(first, range(0, 40)), /cut while it was looked at/)
})

test('those whose rows are known are counted anew whenever cells are cut', () => {
  const draft = new PartitionDraft({ ...EMPTY_PARTITION, given: range(0, 4) }, 12)
  const [all = 0] = draft.cut(range(0, 12))
  assert.equal(draft.unknownOf(all), 8)
  const [half = 0] = draft.cut(range(2, 8))
  assert.deepEqual([draft.unknownOf(all), draft.unknownOf(half)], [4, 4])
  draft.addKnown(4)
  assert.equal(draft.unknownOf(half), 3)
  const newcomers = new PartitionDraft({ ...EMPTY_PARTITION, given: range(0, 4) }, 12)
  assert.equal(newcomers.unknownOf(newcomers.cut(range(4, 8))[0] ?? 0), 4)
  newcomers.touchApart(range(2, 4))
  assert.equal(newcomers.unknownOf(newcomers.cellOf(2)), 0)
  const other = new PartitionDraft(EMPTY_PARTITION, 12)
  other.cut(range(3, 12))
  draft.splitBy(other)
  const [two, rest] = [draft.cellOf(2), draft.cellOf(3)]
  assert.deepEqual(
    [two, rest].map((cell) => draft.unknownOf(cell)),
    [0, 3],
  )
})

test('numbers of most of which are small are those that they were made from', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.nat(3), fc.integer({ min: 250, max: 260 }), fc.nat(2 ** 30))),
      (list) => {
        const short = shortened(Int32Array.from(list))
        assert.deepEqual([...lengthened(short, list.length)], list)
        assert.deepEqual([...lengthened(short, list.length + 2)], [...list, 0, 0])
        assert.deepEqual(
          [...list, 0].map((_, place) => numberAt(short, place)),
          [...list, 0],
        )
      },
    ),
  )
})

test('a pair of numbers keeps its number however many there are', () => {
  const pairs = new PairNumbers()
  const all = Array.from(
    { length: 6_000 },
    (_, index) => [index % 71, Math.floor(index / 71) * 65_536] as const,
  )
  assert.ok(all.every(([first, second]) => pairs.find(first, second) === 0))
  for (const [index, [first, second]] of all.entries()) pairs.add(first, second, index + 1)
  assert.ok(all.every(([first, second], index) => pairs.find(first, second) === index + 1))
  assert.equal(pairs.find(71, 0), 0)
})
