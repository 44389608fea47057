import { DuckDBDataChunk } from '@duckdb/node-api'
import type { DuckDBConnection, DuckDBType, DuckDBValue } from '@duckdb/node-api'
import { sql } from 'kysely'
import { ComputingTurn } from '../../kernel/in-turns.ts'
import { runOwn } from './own-sql.ts'

/** Rows of a chunk: the engine's own vector size. */
const CHUNK_ROWS = 2_048

/** Makes a temporary table of the connection; nothing of it reaches the disk. */
export async function fillTemporary(
  connection: DuckDBConnection,
  {
    table,
    types,
    columns,
  }: {
    table: string
    types: Readonly<Record<string, DuckDBType>>
    columns: readonly (readonly DuckDBValue[])[]
  },
): Promise<void> {
  const definitions = Object.entries(types).map(
    ([name, type]) => sql`${sql.id(name)} ${sql.raw(type.toString())}`,
  )
  await runOwn(connection, sql`create or replace temp table ${sql.id(table)} (${sql.join(definitions)})`)
  await appendColumns(connection, { table, catalogue: 'temp', types: Object.values(types), columns })
}

/** Appends columns of values to a table. */
export async function appendColumns(
  connection: DuckDBConnection,
  {
    table,
    catalogue,
    types,
    columns,
  }: {
    table: string
    catalogue?: string
    types: readonly DuckDBType[]
    /** `undefined` stands for a column of nulls. */
    columns: readonly (readonly DuckDBValue[] | undefined)[]
  },
): Promise<void> {
  const rows = columns[0]?.length ?? 0
  const appender = await connection.createAppender(table, 'main', catalogue)
  const turn = new ComputingTurn()
  for (let start = 0; start < rows; start += CHUNK_ROWS) {
    const count = Math.min(CHUNK_ROWS, rows - start)
    const chunk = DuckDBDataChunk.create(types, count)
    for (const [index, values] of columns.entries()) {
      chunk.setColumnValues(
        index,
        values ? values.slice(start, start + count) : Array.from({ length: count }, () => null),
      )
    }
    appender.appendDataChunk(chunk)
    await turn.next()
  }
  appender.closeSync()
}
