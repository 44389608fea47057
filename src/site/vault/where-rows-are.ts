import type { DuckDBConnection } from '@duckdb/node-api'
import { sql } from 'kysely'
import { rowTables } from './data-set-tables.ts'
import { runOwn } from './own-sql.ts'

/** Where rows of somebody may lie. */
export interface WhereRowsAre {
  readonly tables: readonly string[]
  readonly hasHouseholds: boolean
}

export async function readWhereRowsAre(connection: DuckDBConnection): Promise<WhereRowsAre> {
  const tables = await rowTables(connection)
  const any = await runOwn(connection, sql`select 1 from _household limit 1`)
  return { tables, hasHouseholds: any.currentRowCount > 0 }
}
