import type { DuckDBAppender, DuckDBConnection } from '@duckdb/node-api'
import { sql } from 'kysely'
import { Bitset } from '../../kernel/bitset.ts'
import { ComputingTurn } from '../../kernel/in-turns.ts'
import { rowTypes } from './data-set-tables.ts'
import { typeName } from './engine-types.ts'
import { runOwn } from './own-sql.ts'
import { toEngineChunk } from './row-chunk.ts'
import { PERSON_COLUMN, storedColumns } from './stored-columns.ts'
import type { BatchOfRows, RowSource } from './vault.ts'

/** Where rows wait in memory until there are enough of them. */
const PIECE_TABLE = '_piece'

/** How long rows are gathered for one write, and how many at most. What is written is written off this thread. */
const PIECE_MS = 20
const PIECE_ROWS_MAX = 65_536

/** Rows that were appended; `people` are the numbers that they have. */
export interface AppendedRows {
  readonly rows: number
  readonly people: Bitset
}

/**
 * Appends rows to a table by the names of its columns, inside the caller's transaction. An appender of the engine writes on the thread of
 * whoever appends, half a second at a time where it is a whole group of rows; so they are appended to memory, and moved on by
 * statements.
 */
export async function appendRows(
  connection: DuckDBConnection,
  { manifest, table }: { manifest: BatchOfRows['manifest']; table: string },
  rows: RowSource,
): Promise<AppendedRows> {
  const layout = { columns: storedColumns(manifest), types: rowTypes(manifest) }
  const names = columnNames(manifest).map((name) => sql.id(name))
  const piece = sql.id('temp', PIECE_TABLE)
  await runOwn(
    connection,
    sql`create or replace temp table ${sql.id(PIECE_TABLE)} (${sql.join(columnDefinitions(manifest))})`,
  )
  const people = new Bitset()
  const turn = new ComputingTurn(PIECE_MS)
  let count = 0
  let waiting: { readonly appender: DuckDBAppender; rows: number } | undefined
  const moveOn = async () => {
    waiting?.appender.closeSync()
    waiting = undefined
    await runOwn(
      connection,
      sql`insert into ${sql.id(table)} (${sql.join(names)}) select ${sql.join(names)} from ${piece}`,
    )
    await runOwn(connection, sql`truncate ${piece}`)
  }
  try {
    for await (const chunk of rows) {
      waiting ??= { appender: await connection.createAppender(PIECE_TABLE, 'main', 'temp'), rows: 0 }
      for (const number of chunk.values(0)) people.add(Number(number))
      waiting.appender.appendDataChunk(toEngineChunk(chunk, layout))
      waiting.rows += chunk.rowCount
      count += chunk.rowCount
      if (!turn.isOver && waiting.rows < PIECE_ROWS_MAX) continue
      await moveOn()
      await turn.next()
    }
  } catch (error) {
    // Rows that wait in the appender must not be written by closing it.
    waiting?.appender.clear()
    throw error
  }
  if (waiting) await moveOn()
  await runOwn(connection, sql`drop table ${piece}`)
  return { rows: count, people }
}

/** The columns of a table of rows, as SQL that makes one. */
export function columnDefinitions(manifest: BatchOfRows['manifest']) {
  const types = rowTypes(manifest)
  return columnNames(manifest).map((name, index) => {
    const type = types[index]
    if (type === undefined) throw new TypeError('A column has no type')
    return sql`${sql.id(name)} ${typeName(type)}`
  })
}

function columnNames(manifest: BatchOfRows['manifest']): readonly string[] {
  return [PERSON_COLUMN, ...storedColumns(manifest).map(({ column }) => column.name)]
}
