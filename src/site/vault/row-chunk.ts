import {
  DuckDBDataChunk,
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBListValue,
  DuckDBTimestampValue,
} from '@duckdb/node-api'
import type { DuckDBType, DuckDBValue } from '@duckdb/node-api'
import { parseInstant } from '../../kernel/clock.ts'
import { elementType } from '../../protocol/data-set.ts'
import type { ColumnType } from '../../protocol/data-set.ts'
import { toVaultValue } from './convert-result.ts'
import type { StoredColumn } from './stored-columns.ts'
import type { RowChunk, VaultValue } from './vault.ts'

/** Rows that another DuckDB made: they go on as they are, no value is looked at. */
export class EngineChunk implements RowChunk {
  readonly chunk: DuckDBDataChunk

  constructor(chunk: DuckDBDataChunk) {
    this.chunk = chunk
  }

  get rowCount(): number {
    return this.chunk.rowCount
  }

  values(column: number): readonly VaultValue[] {
    return this.chunk.getColumnValues(column).map(toVaultValue)
  }
}

/** The engine's chunk of any rows: itself, or made value by value. */
export function toEngineChunk(
  rows: RowChunk,
  { columns, types }: { columns: readonly StoredColumn[]; types: readonly DuckDBType[] },
): DuckDBDataChunk {
  if (rows instanceof EngineChunk) return rows.chunk
  const chunk = DuckDBDataChunk.create(types, rows.rowCount)
  for (const index of types.keys()) {
    const stored = columns[index - 1]
    const form = stored === undefined || stored.isSealed ? undefined : stored.column.type
    chunk.setColumnValues(
      index,
      rows.values(index).map((value) => toEngineValue(value, form)),
    )
  }
  return chunk
}

function toEngineValue(value: VaultValue, type: ColumnType | undefined): DuckDBValue {
  if (value instanceof Uint8Array) return new DuckDBBlobValue(value)
  if (value === null || typeof value === 'boolean') return value
  const element = type && elementType(type)
  if (element && Array.isArray(value))
    return new DuckDBListValue(value.map((item: VaultValue) => toEngineValue(item, element)))
  if (type === 'integer' && (typeof value === 'number' || typeof value === 'bigint')) return BigInt(value)
  if (typeof value === 'string' && type === 'date') {
    return new DuckDBDateValue(Temporal.PlainDate.from(value).since('1970-01-01').total('days'))
  }
  if (typeof value === 'string' && type === 'timestamp') {
    const moment = parseInstant(value)
    if (moment !== undefined) return new DuckDBTimestampValue(BigInt(moment) * 1000n)
  } else if (typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint') {
    return value
  }
  throw new TypeError('Cannot store a value of this kind')
}
