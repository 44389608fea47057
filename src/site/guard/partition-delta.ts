import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { Bitset } from '../../kernel/bitset.ts'
import { decodeKnown, encodeKnown, joinKnown, NOTHING_KNOWN, withoutExact } from './known-columns.ts'
import { CELL_MASK, CHANGED, countSizes, KNOWN } from './partition.ts'
import type { Labels, PartitionDraft } from './partition-draft.ts'
import type { Partition } from './partition.ts'

/** Bytes of the numbers in front of a delta: people, cells before, cells after, width of a label, bytes of a bitmap. */
const HEADER_BYTES = 20
const MOST_BYTES = 1 << 30

/**
 * What turns one partition into the next, compressed: for each person the new cell, as its place among the new ones
 * (0: did not move), then who became known, then whose mark of changed rows was set or taken away, then the least of
 * each cell, then what became known of columns.
 */
export function encodeDelta(draft: PartitionDraft): Uint8Array {
  const { before, labels, cellCount, newlyKnown, toggled, learnt } = draft
  const width = labelWidth(cellCount - before.cellCount)
  const bitmapBytes = Math.ceil(labels.length / 8)
  const bitmapsAt = HEADER_BYTES + labels.length * width
  const leastsAt = bitmapsAt + 2 * bitmapBytes
  const leasts = bytesOf(draft.leasts())
  const known = encodeKnown(learnt)
  const bytes = new Uint8Array(leastsAt + leasts.length + known.length)
  const header = new DataView(bytes.buffer)
  for (const [index, value] of [labels.length, before.cellCount, cellCount, width, bitmapBytes].entries())
    header.setUint32(index * 4, value, true)
  // The same numbers at another width where the draft had room for more.
  const narrow = width === labels.BYTES_PER_ELEMENT ? labels : labelsFrom(width, labels)
  bytes.set(bytesOf(narrow), HEADER_BYTES)
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
  const cells = roomFor(before.cells, personCount)
  const labelsEnd = HEADER_BYTES + personCount * width
  const labels = labelsFrom(width, new Uint8Array(personCount))
  bytesOf(labels).set(bytes.subarray(HEADER_BYTES, labelsEnd))
  for (let person = 0; person < personCount; person += 1) {
    const label = labels[person] ?? 0
    if (label > 0) cells[person] = ((cells[person] ?? 0) & ~CELL_MASK) | (cellsBefore + label - 1)
  }
  toggle(cells, bytes.subarray(labelsEnd, labelsEnd + bitmapBytes), KNOWN)
  const bitmapsEnd = labelsEnd + 2 * bitmapBytes
  toggle(cells, bytes.subarray(labelsEnd + bitmapBytes, bitmapsEnd), CHANGED)
  // Entries from before leasts were kept end here.
  const leasts = new Int32Array(cellCount)
  const leastsEnd = bitmapsEnd + leasts.byteLength
  bytesOf(leasts).set(bytes.subarray(bitmapsEnd, leastsEnd))
  return {
    cells,
    cellCount,
    ...countSizes(cells, cellCount),
    leasts,
    known: joinKnown(before.known, decodeKnown(bytes.subarray(leastsEnd))),
    rowShapes: new Map([...before.rowShapes, ...rowShapes]),
    head: before.head + 1,
  }
}

/** The partition after rows of people changed, in the same memory. */
export function applyChange(before: Partition, people: Bitset): Partition {
  const { cells } = before
  for (const person of people) {
    const value = cells[person] ?? 0
    if ((value & CELL_MASK) !== 0) cells[person] = value | CHANGED
  }
  return { ...before, known: withoutExact(before.known, people), head: before.head + 1 }
}

function roomFor(cells: Int32Array, personCount: number): Int32Array {
  if (cells.length >= personCount) return cells
  const longer = new Int32Array(personCount)
  longer.set(cells)
  return longer
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

/** All cells, compressed, for a snapshot. */
export function encodeCells({ cells, leasts, known }: KeptWhole): Uint8Array {
  const columns = encodeKnown(known)
  const front = columns.length === 0 ? [HAS_LEASTS] : [HAS_KNOWN, columns.length]
  return zstdCompressSync(
    Buffer.concat([bytesOf(Int32Array.from(front)), bytesOf(leasts), bytesOf(cells), columns]),
  )
}

/** What a snapshot holds, but how many cells there are. */
type KeptWhole = Pick<Partition, 'cells' | 'leasts' | 'known'>

/** Reads what `encodeCells` wrote; a snapshot from before leasts were kept is of the cells alone. */
export function decodeCells(bytes: Uint8Array, cellCount: number): KeptWhole {
  const plain = zstdDecompressSync(bytes, { maxOutputLength: MOST_BYTES })
  const mark = plain.readInt32LE(0)
  const columnBytes = mark === HAS_KNOWN ? plain.readInt32LE(4) : 0
  const all = new Int32Array((plain.length - columnBytes) / 4)
  bytesOf(all).set(plain.subarray(0, all.byteLength))
  const known = columnBytes === 0 ? NOTHING_KNOWN : decodeKnown(plain.subarray(all.byteLength))
  if (mark !== HAS_LEASTS && mark !== HAS_KNOWN)
    return { cells: all, leasts: new Int32Array(cellCount), known }
  const from = mark === HAS_KNOWN ? 2 : 1
  return { cells: all.slice(from + cellCount), leasts: all.slice(from, from + cellCount), known }
}

function labelWidth(newCells: number): 1 | 2 | 4 {
  return newCells < 256 ? 1 : newCells < 65_536 ? 2 : 4
}

function labelsFrom(width: number, values: Uint8Array | Labels): Uint8Array | Labels {
  return width === 1
    ? Uint8Array.from(values)
    : width === 2
      ? Uint16Array.from(values)
      : Uint32Array.from(values)
}

function bytesOf(values: Uint8Array | Labels | Int32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
}

function toggle(cells: Int32Array, bitmap: Uint8Array, mark: number): void {
  for (const person of Bitset.fromBytes(bitmap)) cells[person] = (cells[person] ?? 0) ^ mark
}
