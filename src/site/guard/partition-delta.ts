import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { Bitset } from '../../kernel/bitset.ts'
import { cellAt, NO_NUMBERS, putInto, withRoom } from './cell-numbers.ts'
import { labelMoved, moveLabelled } from './cell-passes.ts'
import type { Labels } from './cell-passes.ts'
import { decodeKnown, encodeKnown, joinKnown, NOTHING_KNOWN, withoutExact } from './known-columns.ts'
import { countSizes } from './partition.ts'
import type { PartitionDraft } from './partition-draft.ts'
import type { Partition } from './partition.ts'
import { lengthened, shortened } from './short-numbers.ts'

/** Bytes of the numbers in front of a delta: people, cells before, cells after, width of a label, bytes of a bitmap. */
const HEADER_BYTES = 20
const MOST_BYTES = 1 << 30

/**
 * What turns one partition into the next, compressed: for each person the new cell, as its place among the new ones
 * (0: did not move), then who became known, then whose mark of changed rows was set or taken away, then the least of
 * each cell, then what became known of columns.
 */
export function encodeDelta(draft: PartitionDraft): Uint8Array {
  const { before, cells, cellCount, newlyKnown, toggled, learnt } = draft
  const width = labelWidth(cellCount - before.cellCount)
  const personCount = cells.lower.length
  const bitmapBytes = Math.ceil(personCount / 8)
  const bitmapsAt = HEADER_BYTES + personCount * width
  const leastsAt = bitmapsAt + 2 * bitmapBytes
  const leasts = bytesOf(draft.leasts())
  const known = encodeKnown(learnt)
  const bytes = new Uint8Array(leastsAt + leasts.length + known.length)
  const header = new DataView(bytes.buffer)
  for (const [index, value] of [personCount, before.cellCount, cellCount, width, bitmapBytes].entries())
    header.setUint32(index * 4, value, true)
  const labels = labelsOf(width, personCount)
  labelMoved(cells, labels, before.cellCount)
  bytes.set(bytesOf(labels), HEADER_BYTES)
  bytes.set(newlyKnown.toBytes(), bitmapsAt)
  bytes.set(toggled.toBytes(), bitmapsAt + bitmapBytes)
  bytes.set(leasts, leastsAt)
  bytes.set(known, leastsAt + leasts.length)
  return zstdCompressSync(bytes)
}

/**
 * The partition after a delta; throws when it is not one of this partition. The memory of the one before is used on
 * where it is large enough, so that two are never there: whoever needs the old one keeps a copy.
 */
export function applyDelta(
  before: Partition,
  { delta, rowShapes }: { delta: Uint8Array; rowShapes: ReadonlyMap<string, string> },
): Partition {
  const bytes = zstdDecompressSync(delta, { maxOutputLength: MOST_BYTES })
  const [personCount = 0, cellsBefore = 0, cellCount = 0, width = 1, bitmapBytes = 0] = [0, 4, 8, 12, 16].map(
    (at) => bytes.readUInt32LE(at),
  )
  if (cellsBefore !== before.cellCount) throw new Error('The entry does not continue this partition')
  const cells = withRoom(before.cells, { personCount, cellCount })
  const labelsEnd = HEADER_BYTES + personCount * width
  const labels = labelsOf(width, personCount)
  bytesOf(labels).set(bytes.subarray(HEADER_BYTES, labelsEnd))
  moveLabelled(cells, labels, cellsBefore)
  const given = before.given.toggled(Bitset.fromBytes(bytes.subarray(labelsEnd, labelsEnd + bitmapBytes)))
  const bitmapsEnd = labelsEnd + 2 * bitmapBytes
  const changed = before.changed.toggled(
    Bitset.fromBytes(bytes.subarray(labelsEnd + bitmapBytes, bitmapsEnd)),
  )
  // Entries from before leasts were kept end here.
  const leasts = new Int32Array(cellCount)
  const leastsEnd = bitmapsEnd + leasts.byteLength
  bytesOf(leasts).set(bytes.subarray(bitmapsEnd, leastsEnd))
  return {
    cells,
    cellCount,
    given,
    changed,
    sizes: countSizes(cells, cellCount),
    leasts: shortened(leasts),
    known: joinKnown(before.known, decodeKnown(bytes.subarray(leastsEnd))),
    rowShapes: new Map([...before.rowShapes, ...rowShapes]),
    head: before.head + 1,
  }
}

/** The partition after rows of people changed, in the same memory. */
export function applyChange(before: Partition, people: Bitset): Partition {
  const changed = before.changed.clone()
  people.forEach((person) => {
    if (cellAt(before.cells, person) !== 0) changed.add(person)
  })
  return { ...before, changed, known: withoutExact(before.known, people), head: before.head + 1 }
}

/** People as a compressed bitmap. */
export function encodePeople(people: Bitset): Uint8Array {
  return zstdCompressSync(people.toBytes())
}

/** Reads what `encodePeople` wrote. */
export function decodePeople(bytes: Uint8Array): Bitset {
  return Bitset.fromBytes(zstdDecompressSync(bytes, { maxOutputLength: MOST_BYTES }))
}

/** Stands before the least of each cell; no cell of a person is negative. */
const HAS_LEASTS = -1
/** The same with what is known of columns behind all, and its length in bytes in front. */
const HAS_KNOWN = -2

/** In a snapshot each person is a number of four bytes: lower bits are the cell, these two whether they are among those. */
const GIVEN = 0x2000_0000
const CHANGED = 0x4000_0000
const CELL_MASK = 0x1fff_ffff

/** All cells, compressed, for a snapshot. */
export function encodeCells(partition: KeptWhole & Pick<Partition, 'cellCount'>): Uint8Array {
  const { cells, given, changed, leasts, known, cellCount } = partition
  const marked = Int32Array.from(cells.lower, (_, person) => cellAt(cells, person))
  for (const [people, mark] of [
    [given, GIVEN],
    [changed, CHANGED],
  ] as const)
    people.forEach((person) => {
      marked[person] = (marked[person] ?? 0) | mark
    })
  const columns = encodeKnown(known)
  const front = columns.length === 0 ? [HAS_LEASTS] : [HAS_KNOWN, columns.length]
  return zstdCompressSync(
    Buffer.concat([
      bytesOf(Int32Array.from(front)),
      bytesOf(lengthened(leasts, cellCount)),
      bytesOf(marked),
      columns,
    ]),
  )
}

/** What a snapshot holds, but how many cells there are. */
type KeptWhole = Pick<Partition, 'cells' | 'given' | 'changed' | 'leasts' | 'known'>

/** Reads what `encodeCells` wrote; a snapshot from before leasts were kept is of the cells alone. */
export function decodeCells(bytes: Uint8Array, cellCount: number): KeptWhole {
  const plain = zstdDecompressSync(bytes, { maxOutputLength: MOST_BYTES })
  const mark = plain.readInt32LE(0)
  const columnBytes = mark === HAS_KNOWN ? plain.readInt32LE(4) : 0
  const all = new Int32Array((plain.length - columnBytes) / 4)
  bytesOf(all).set(plain.subarray(0, all.byteLength))
  const known = columnBytes === 0 ? NOTHING_KNOWN : decodeKnown(plain.subarray(all.byteLength))
  const from = mark === HAS_KNOWN ? 2 : mark === HAS_LEASTS ? 1 : 0
  const leasts = from === 0 ? new Int32Array(0) : all.subarray(from, from + cellCount)
  const marked = all.subarray(from === 0 ? 0 : from + cellCount)
  const cells = withRoom(NO_NUMBERS, { personCount: marked.length, cellCount })
  const [given, changed] = [new Bitset(), new Bitset()]
  for (let person = 0; person < marked.length; person += 1) {
    const value = marked[person] ?? 0
    putInto(cells, person, value & CELL_MASK)
    if ((value & GIVEN) !== 0) given.add(person)
    if ((value & CHANGED) !== 0) changed.add(person)
  }
  return { cells, given, changed, leasts: shortened(leasts), known }
}

function labelWidth(newCells: number): 1 | 2 | 4 {
  return newCells < 256 ? 1 : newCells < 65_536 ? 2 : 4
}

function labelsOf(width: number, count: number): Labels {
  return width === 1 ? new Uint8Array(count) : width === 2 ? new Uint16Array(count) : new Uint32Array(count)
}

function bytesOf(values: Labels | Int32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
}
