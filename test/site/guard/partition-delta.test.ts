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
import { PairNumbers } from '../../../src/site/guard/pair-numbers.ts'
import { PartitionDraft } from '../../../src/site/guard/partition-draft.ts'
import { CELL_MASK, EMPTY_PARTITION } from '../../../src/site/guard/partition.ts'
import type { KnownColumns } from '../../../src/site/guard/known-columns.ts'
import type { Partition } from '../../../src/site/guard/partition.ts'
import { range, withChanged } from './released-history.ts'

const k = 10

function membersOf(known: KnownColumns): object {
  return [...known].map(([name, { seen, exact }]) => [name, [...seen], [...exact]])
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
            ;[partition, copy] = [withChanged(partition, set), applyChange(copy, set)]
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
          assert.deepEqual(copy.cells, partition.cells)
          const whole = decodeCells(encodeCells(partition), partition.cellCount)
          for (const known of [copy.known, whole.known])
            assert.deepEqual(membersOf(known), membersOf(partition.known))
          assert.deepEqual(whole.leasts, partition.leasts)
          for (let cell = 1; cell < partition.cellCount; cell += 1) {
            assert.equal(copy.sizes[cell], partition.sizes[cell])
            assert.equal(copy.unknownSizes[cell], partition.unknownSizes[cell])
            assert.equal(copy.leasts[cell], partition.leasts[cell])
            assert.equal(
              partition.cells.filter((value) => (value & CELL_MASK) === cell).length,
              partition.sizes[cell],
            )
          }
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
  const older = zstdCompressSync(plain.subarray(0, plain.length - partition.leasts.byteLength))
  const read = applyDelta(EMPTY_PARTITION, { delta: older, rowShapes: new Map() })
  assert.deepEqual([...read.leasts], [0, 0])
  assert.deepEqual(read.cells, partition.cells)
  const cellsAlone = zstdCompressSync(new Uint8Array(partition.cells.buffer))
  assert.deepEqual(decodeCells(cellsAlone, 2), {
    cells: partition.cells,
    leasts: new Int32Array(2),
    known: new Map(),
  })
  assert.deepEqual(decodeCells(encodeCells(partition), 2), {
    cells: partition.cells,
    leasts: partition.leasts,
    known: new Map(),
  })
})

test('more cells than two bytes count come about in one answer, and come back from the record', () => {
  const pairs = 65_540
  const draft = new PartitionDraft(EMPTY_PARTITION, 2 * pairs)
  for (let pair = 0; pair < pairs; pair += 1) draft.cut(Bitset.of([2 * pair, 2 * pair + 1]))
  const { cells, cellCount } = partitionAfter({ draft, rowShapes: new Map(), isEmpty: false })
  assert.equal(cellCount, pairs + 1)
  assert.equal(new Set(cells).size, pairs)
  assert.deepEqual(
    applyDelta(EMPTY_PARTITION, { delta: encodeDelta(draft), rowShapes: new Map() }).cells,
    cells,
  )
  const copy = draft.copy(0)
  copy.cut(Bitset.of([0, 2]))
  assert.equal(new Set([0, 1, 2, 3].map((person) => copy.cellOf(person))).size, 4)
  assert.equal(draft.cellOf(0), draft.cellOf(1))
  assert.equal(copy.cellOf(2 * pairs - 1), draft.cellOf(2 * pairs - 1))
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
