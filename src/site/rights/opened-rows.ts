import type { KeyObject } from 'node:crypto'
import { ComputingTurn } from '../../kernel/in-turns.ts'
import { keyColumnsOf, placeOf } from '../../protocol/data-set.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import type { ExportRecord, ExportValue } from '../../protocol/rights/person-export.ts'
import { openCell } from '../vault/keys/person-keys.ts'
import { storedColumns } from '../vault/stored-columns.ts'
import type { VaultResult, VaultValue } from '../vault/vault.ts'

type RowRecord = Extract<ExportRecord, { kind: 'row' }>

/** Somebody whom a row is about: the key that opens what is theirs in it, and the name by which its issuer knows them. */
export interface RowOwner {
  readonly key: KeyObject | undefined
  readonly personKey: string
}

export interface OpenedRowsFacts {
  readonly manifest: Manifest
  /** Whom a row is about, by the place of the column that names them; undefined where nobody is, or nobody who may be shown. */
  readonly ownersAt: (row: number) => readonly (RowOwner | undefined)[]
  /** How many others a row is about who are not shown. */
  readonly hiddenCount?: number
}

/**
 * Rows as they came: people's keys in their columns again, sealed columns opened; some at a time. Rows may be very many and opening each
 * is computing, so others are let in between.
 */
export async function* openedRows(
  rows: VaultResult,
  { ownersAt, ...facts }: OpenedRowsFacts,
): AsyncGenerator<readonly RowRecord[]> {
  const turn = new ComputingTurn()
  let start = 0
  for (const piece of rows.pieces()) {
    const from = start
    for (const opened of openedPiece(piece, { ...facts, ownersAt: (row) => ownersAt(from + row) })) {
      await turn.next()
      yield opened
    }
    start += piece.rowCount
  }
}

function* openedPiece(
  rows: VaultResult,
  { manifest, ownersAt, hiddenCount = 0 }: OpenedRowsFacts,
): Generator<readonly RowRecord[]> {
  const keyColumns = keyColumnsOf(manifest)
  const stored = new Map(storedColumns(manifest).map((one) => [one.column.name, one]))
  const positions = new Map(rows.columns.map(({ name }, index) => [name, index]))
  const columns = manifest.columns.map(({ name }) => {
    const [one, index] = [stored.get(name), positions.get(name)]
    const values = index === undefined ? [] : rows.column(index)
    const { dataSet } = manifest
    return {
      name,
      valueAt: (row: number): ExportValue => {
        if (!one) return ownersAt(row)[keyColumns.indexOf(name)]?.personKey ?? null
        const value = values[row] ?? null
        if (!(value instanceof Uint8Array)) return plainValue(value)
        // A sealed value was sealed as the text that came, whatever its column's type.
        const key = ownersAt(row)[placeOf(manifest, one.column)]?.key
        return (key && openCell(value, { key, place: { dataSet, column: name } })) ?? null
      },
    }
  })
  for (let start = 0; start < rows.rowCount; start += ROWS_AT_ONCE) {
    const count = Math.min(ROWS_AT_ONCE, rows.rowCount - start)
    yield Array.from({ length: count }, (_, offset): RowRecord => {
      const values: Record<string, ExportValue> = {}
      for (const { name, valueAt } of columns) values[name] = valueAt(start + offset)
      const others = hiddenCount === 0 ? {} : { alsoAbout: hiddenCount }
      return { kind: 'row', dataSet: manifest.dataSet, values, ...others }
    })
  }
}

/** A few milliseconds of computing. */
const ROWS_AT_ONCE = 200

/** Whole numbers beyond what JSON's readers hold exactly are texts. */
function plainValue(value: VaultValue): ExportValue {
  if (typeof value === 'bigint') {
    const number = Number(value)
    return Number.isSafeInteger(number) ? number : value.toString()
  }
  // Lists are JSON texts, as documents are.
  if (Array.isArray(value)) return JSON.stringify(value.map((item: VaultValue) => plainValue(item)))
  return typeof value === 'object' ? null : value
}
