import {
  DuckDBBitValue,
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBDoubleVector,
  DuckDBIntegerVector,
  DuckDBListValue,
  DuckDBListVector,
  DuckDBStructVector,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
} from '@duckdb/node-api'
import type { DuckDBDataChunk, DuckDBValue, DuckDBVector } from '@duckdb/node-api'
import { BitGatherer, Bitset } from '../../kernel/bitset.ts'
import { formatDate, formatInstant, instant } from '../../kernel/clock.ts'
import { Fault } from '../../kernel/faults.ts'
import type { ListedRows, VaultResult, VaultValue } from './vault.ts'

const DAY_MS = 86_400_000

/** Makes chunks of the engine into a result of the port. Values are converted only for columns that are asked for. */
export function convertResult(
  columns: readonly { readonly name: string; readonly type: string }[],
  chunks: readonly DuckDBDataChunk[],
): VaultResult {
  const rowCount = chunks.reduce((sum, chunk) => sum + chunk.rowCount, 0)
  const converted: (readonly VaultValue[])[] = []
  const column = (index: number): readonly VaultValue[] => {
    const known = converted[index]
    if (known) return known
    const values = chunks.flatMap((chunk) => chunk.getColumnValues(index).map(toVaultValue))
    converted[index] = values
    return values
  }
  return {
    columns,
    rowCount,
    column,
    doubles: (index) => doublesOf(chunks, { index, rowCount }),
    bytes: (index) => chunks.flatMap((chunk) => bytesOf(chunk, index)),
    sets: (index) => {
      const gatherer = new BitGatherer()
      return chunks.flatMap((chunk) => setsOf(chunk, index, gatherer))
    },
    listed: (index) => chunks.flatMap((chunk) => listedOf(chunk, index)),
    rows: () => {
      const all = columns.map((_, index) => column(index))
      return Array.from({ length: rowCount }, (_, row) => all.map((values) => values[row] ?? null))
    },
    pieces: () => chunks.map((chunk) => convertResult(columns, [chunk])),
  }
}

/** A value of the engine in the form of the port (`VaultValue`). */
export function toVaultValue(value: DuckDBValue): VaultValue {
  if (value === null || typeof value !== 'object') return value
  if (value instanceof DuckDBBitValue) return bitsFromLowest(value)
  if (value instanceof DuckDBBlobValue) return value.bytes
  if (value instanceof DuckDBDateValue) return formatDate(instant(value.days * DAY_MS))
  if (value instanceof DuckDBTimestampValue || value instanceof DuckDBTimestampTZValue) {
    return formatInstant(instant(Number(value.micros / 1000n)))
  }
  if (value instanceof DuckDBDecimalValue) return value.toString()
  if (value instanceof DuckDBListValue) return value.items.map(toVaultValue)
  throw new Fault('fault.internal', {
    what: 'Cannot read a result of the vault: a type of value is not known',
  })
}

const REVERSED = Uint8Array.from({ length: 256 }, (_, byte) => {
  let reversed = 0
  for (let bit = 0; bit < 8; bit += 1) if ((byte & (1 << bit)) !== 0) reversed |= 0x80 >> bit
  return reversed
})

/** DuckDB keeps a bit string most significant bit first behind a few bits of padding; here bit 0 of byte 0 is position 0. */
function bitsFromLowest(value: DuckDBBitValue): Uint8Array {
  const padding = value.padding()
  const source = value.data.subarray(1)
  const bytes = new Uint8Array(Math.ceil(value.length / 8))
  for (let index = 0; index < bytes.length; index += 1) {
    const pair = ((source[index] ?? 0) << 8) | (source[index + 1] ?? 0)
    bytes[index] = REVERSED[(pair >> (8 - padding)) & 0xff] ?? 0
  }
  return bytes
}

function doublesOf(
  chunks: readonly DuckDBDataChunk[],
  { index, rowCount }: { index: number; rowCount: number },
): Float64Array {
  const doubles = new Float64Array(rowCount)
  let offset = 0
  for (const chunk of chunks) {
    const vector = chunk.getColumnVector(index)
    for (let row = 0; row < chunk.rowCount; row += 1) {
      const value: unknown = vector.getItem(row)
      doubles[offset + row] = toDouble(value)
    }
    offset += chunk.rowCount
  }
  return doubles
}

function toDouble(value: unknown): number {
  if (value === null) return Number.NaN
  if (value instanceof DuckDBDecimalValue) return value.toDouble()
  return Number(value)
}

function bytesOf(chunk: DuckDBDataChunk, index: number): readonly (Uint8Array | null)[] {
  return chunk.getColumnValues(index).map((value) => requireBytes(toVaultValue(value)))
}

function setsOf(chunk: DuckDBDataChunk, index: number, gatherer: BitGatherer): readonly Bitset[] {
  const vector = chunk.getColumnVector(index)
  if (!(vector instanceof DuckDBListVector))
    return bytesOf(chunk, index).map((bytes) => (bytes ? Bitset.fromBytes(bytes) : new Bitset()))
  const { childVector } = vector
  return Array.from({ length: chunk.rowCount }, (_, row) =>
    setNamed(integersOf(childVector, rangeOf(vector, row)), gatherer),
  )
}

/** The set of a list of numbers. Millions of numbers: no list of values is made of them. */
function setNamed(numbers: Int32Array, gatherer: BitGatherer): Bitset {
  for (let at = 0; at < numbers.length; at += 1) gatherer.add(numbers[at] ?? 0)
  return gatherer.take()
}

function listedOf(chunk: DuckDBDataChunk, index: number): readonly (() => ListedRows)[] {
  const vector = chunk.getColumnVector(index)
  if (!(vector instanceof DuckDBListVector)) throw new TypeError('Cannot read rows: the column is not a list')
  const items = vector.childVector
  return Array.from({ length: chunk.rowCount }, (_, row) => () => {
    const range = rangeOf(vector, row)
    if (items instanceof DuckDBDoubleVector) return { doubles: numbersOf(items, range) }
    if (!(items instanceof DuckDBStructVector))
      throw new TypeError('Cannot read rows: the list is not of STRUCTs')
    const values = Array.from({ length: items.type.entryCount - 1 }, (_value, at) =>
      numbersOf(items.entryVectorAt(at + 1), range),
    )
    return { people: integersOf(items.entryVectorAt(0), range), values }
  })
}

/** Where what a list has stands among the items of all. */
interface ItemRange {
  readonly from: number
  readonly to: number
}

/** The binding would copy the items of a list that is asked for; a null list has none. */
function rangeOf(vector: DuckDBListVector, row: number): ItemRange {
  const validity: unknown = Reflect.get(vector, 'validity')
  const isNull = isValidity(validity) ? !validity.itemValid(row) : vector.getItemVector(row) === null
  const from = vector.getEntryOffset(row)
  return isNull ? { from: 0, to: 0 } : { from, to: from + vector.getEntryLength(row) }
}

function isValidity(value: unknown): value is { itemValid(row: number): boolean } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'itemValid' in value &&
    typeof value.itemValid === 'function'
  )
}

/** The numbers as the binding took them over, where it shows them; else one by one, several times as slow. */
function integersOf(vector: DuckDBVector | undefined, { from, to }: ItemRange): Int32Array {
  if (!(vector instanceof DuckDBIntegerVector))
    throw new TypeError('Cannot read numbers: they are not INTEGERs')
  const items: unknown = Reflect.get(vector, 'items')
  if (items instanceof Int32Array) return items.subarray(from, to)
  return Int32Array.from({ length: to - from }, (_, item) => vector.getItem(from + item) ?? 0)
}

function numbersOf(vector: DuckDBVector | undefined, { from, to }: ItemRange): Float64Array {
  if (!(vector instanceof DuckDBDoubleVector))
    throw new TypeError('Cannot read numbers: they are not DOUBLEs')
  const items: unknown = Reflect.get(vector, 'items')
  if (items instanceof Float64Array) return items.subarray(from, to)
  return Float64Array.from({ length: to - from }, (_, item) => vector.getItem(from + item) ?? 0)
}

function requireBytes(value: VaultValue): Uint8Array | null {
  if (value === null || value instanceof Uint8Array) return value
  throw new TypeError('Cannot read bytes: the column is neither BIT nor BLOB')
}
