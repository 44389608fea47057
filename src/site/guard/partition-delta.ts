import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { Bitset } from '../../kernel/bitset.ts'
import { CELL_MASK, CHANGED, countSizes, KNOWN } from './partition.ts'
import type { Partition } from './partition.ts'

/** Bytes of the numbers in front of a delta: people, cells before, cells after, width of a label, bytes of a bitmap. */
const HEADER_BYTES = 20
const MOST_BYTES = 1 << 30

/**
 * What turned one partition into the next, compressed: for each person the new cell, as its place among the new ones
 * (0: did not move), then who became known, then whose mark of changed rows was set or taken away.
 */
export function encodeDelta(before: Partition, after: Partition): Uint8Array {
  const { cells } = after
  const width = labelWidth(after.cellCount - before.cellCount)
  const labels = labelArray(width, cells.length)
  const bitmapBytes = Math.ceil(cells.length / 8)
  const known = new Uint8Array(bitmapBytes)
  const changed = new Uint8Array(bitmapBytes)
  for (let person = 0; person < cells.length; person += 1) {
    const value = cells[person] ?? 0
    const difference = value ^ (before.cells[person] ?? 0)
    if (difference === 0) continue
    if ((difference & CELL_MASK) !== 0) labels[person] = (value & CELL_MASK) - before.cellCount + 1
    if ((difference & KNOWN) !== 0) setBit(known, person)
    if ((difference & CHANGED) !== 0) setBit(changed, person)
  }
  const header = Buffer.alloc(HEADER_BYTES)
  for (const [index, value] of [
    cells.length,
    before.cellCount,
    after.cellCount,
    width,
    bitmapBytes,
  ].entries())
    header.writeUInt32LE(value, index * 4)
  return zstdCompressSync(Buffer.concat([header, bytesOf(labels), known, changed]))
}

/** The partition after a delta; throws when it is not one of this partition. */
export function applyDelta(
  before: Partition,
  { delta, rowShapes }: { delta: Uint8Array; rowShapes: ReadonlyMap<string, string> },
): Partition {
  const bytes = zstdDecompressSync(delta, { maxOutputLength: MOST_BYTES })
  const [personCount = 0, cellsBefore = 0, cellCount = 0, width = 1, bitmapBytes = 0] = [0, 4, 8, 12, 16].map(
    (at) => bytes.readUInt32LE(at),
  )
  if (cellsBefore !== before.cellCount) throw new Error('The entry does not continue this partition')
  const cells = new Int32Array(personCount)
  cells.set(before.cells)
  const labelsEnd = HEADER_BYTES + personCount * width
  const labels = labelArray(width, personCount)
  bytesOf(labels).set(bytes.subarray(HEADER_BYTES, labelsEnd))
  for (let person = 0; person < personCount; person += 1) {
    const label = labels[person] ?? 0
    if (label > 0) cells[person] = ((cells[person] ?? 0) & ~CELL_MASK) | (cellsBefore + label - 1)
  }
  toggle(cells, bytes.subarray(labelsEnd, labelsEnd + bitmapBytes), KNOWN)
  toggle(cells, bytes.subarray(labelsEnd + bitmapBytes, labelsEnd + 2 * bitmapBytes), CHANGED)
  return {
    cells,
    cellCount,
    ...countSizes(cells, cellCount),
    rowShapes: new Map([...before.rowShapes, ...rowShapes]),
    head: before.head + 1,
  }
}

/** People as a compressed bitmap. */
export function encodePeople(people: Bitset): Uint8Array {
  return zstdCompressSync(people.toBytes())
}

/** Reads what `encodePeople` wrote. */
export function decodePeople(bytes: Uint8Array): Bitset {
  return Bitset.fromBytes(zstdDecompressSync(bytes, { maxOutputLength: MOST_BYTES }))
}

/** All cells, compressed, for a snapshot. */
export function encodeCells(cells: Int32Array): Uint8Array {
  return zstdCompressSync(bytesOf(cells))
}

/** Reads what `encodeCells` wrote. */
export function decodeCells(bytes: Uint8Array): Int32Array {
  const plain = zstdDecompressSync(bytes, { maxOutputLength: MOST_BYTES })
  const cells = new Int32Array(plain.length / 4)
  bytesOf(cells).set(plain)
  return cells
}

type Labels = Uint8Array | Uint16Array | Uint32Array

function labelWidth(newCells: number): 1 | 2 | 4 {
  return newCells < 256 ? 1 : newCells < 65_536 ? 2 : 4
}

function labelArray(width: number, length: number): Labels {
  return width === 1
    ? new Uint8Array(length)
    : width === 2
      ? new Uint16Array(length)
      : new Uint32Array(length)
}

function bytesOf(values: Labels | Int32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
}

function setBit(bitmap: Uint8Array, index: number): void {
  bitmap[index >>> 3] = (bitmap[index >>> 3] ?? 0) | (1 << (index & 7))
}

function toggle(cells: Int32Array, bitmap: Uint8Array, mark: number): void {
  for (const person of Bitset.fromBytes(bitmap)) cells[person] = (cells[person] ?? 0) ^ mark
}
