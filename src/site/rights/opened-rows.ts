import type { KeyObject } from 'node:crypto'
import type { Manifest } from '../../protocol/data-set.ts'
import type { ExportRecord, ExportValue } from '../../protocol/person-export.ts'
import { openCell } from '../vault/person-keys.ts'
import { storedColumns } from '../vault/stored-columns.ts'
import type { VaultResult, VaultValue } from '../vault/vault.ts'

type RowRecord = Extract<ExportRecord, { kind: 'row' }>

/** Whose row it is: the key that opens it, and the name by which its issuer knows the person. */
export interface RowOwner {
  readonly key: KeyObject | undefined
  readonly personKey: string
}

/** Rows as they came: the person's key in its column again, sealed columns opened; some at a time. */
export function* openedRows(
  rows: VaultResult,
  { manifest, ownerAt }: { manifest: Manifest; ownerAt: (row: number) => RowOwner },
): Generator<readonly RowRecord[]> {
  const stored = new Map(storedColumns(manifest).map((one) => [one.column.name, one]))
  const positions = new Map(rows.columns.map(({ name }, index) => [name, index]))
  const columns = manifest.columns.map(({ name }) => {
    const [one, index] = [stored.get(name), positions.get(name)]
    const values = index === undefined ? [] : rows.column(index)
    const { dataSet } = manifest
    return {
      name,
      valueAt: (row: number): ExportValue => {
        if (!one) return ownerAt(row).personKey
        const value = values[row] ?? null
        if (!(value instanceof Uint8Array)) return plainValue(value)
        // A sealed value was sealed as the text that came, whatever its column's type.
        const { key } = ownerAt(row)
        return (key && openCell(value, { key, place: { dataSet, column: name } })) ?? null
      },
    }
  })
  for (let start = 0; start < rows.rowCount; start += ROWS_AT_ONCE) {
    const count = Math.min(ROWS_AT_ONCE, rows.rowCount - start)
    yield Array.from({ length: count }, (_, offset): RowRecord => {
      const values: Record<string, ExportValue> = {}
      for (const { name, valueAt } of columns) values[name] = valueAt(start + offset)
      return { kind: 'row', dataSet: manifest.dataSet, values }
    })
  }
}

const ROWS_AT_ONCE = 500

/** Whole numbers beyond what JSON's readers hold exactly are texts. */
function plainValue(value: VaultValue): ExportValue {
  if (typeof value === 'bigint') {
    const number = Number(value)
    return Number.isSafeInteger(number) ? number : value.toString()
  }
  return typeof value === 'object' ? null : value
}
