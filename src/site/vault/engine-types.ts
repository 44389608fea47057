import { BIGINT, BLOB, BOOLEAN, DATE, DOUBLE, LIST, TIMESTAMP, VARCHAR } from '@duckdb/node-api'
import type { DuckDBType } from '@duckdb/node-api'
import { sql } from 'kysely'
import type { RawBuilder } from 'kysely'
import type { ColumnType } from '../../protocol/data-set.ts'
import type { StoredColumn } from './stored-columns.ts'

/** DuckDB's type of each column type. JSON is a text in the form of `stored-json.ts`. */
const TYPES: Readonly<Record<ColumnType, DuckDBType>> = {
  boolean: BOOLEAN,
  integer: BIGINT,
  number: DOUBLE,
  text: VARCHAR,
  date: DATE,
  timestamp: TIMESTAMP,
  json: VARCHAR,
  'boolean[]': LIST(BOOLEAN),
  'integer[]': LIST(BIGINT),
  'number[]': LIST(DOUBLE),
  'text[]': LIST(VARCHAR),
}

/** The engine's type of a stored column. */
export function engineType({ column, isSealed }: StoredColumn): DuckDBType {
  return isSealed ? BLOB : TYPES[column.type]
}

/** The name of an engine's type in a statement; the names are ours, so they may stand there as they are. */
export function typeName(type: DuckDBType): RawBuilder<unknown> {
  return sql.raw(type.toString())
}
