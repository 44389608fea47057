import type { DuckDBConnection } from '@duckdb/node-api'
import { sql } from 'kysely'
import { runOwn } from './own-sql.ts'

/** Where the vault keeps by what it is told from itself at other times (`one-moment.ts`). */
export async function createMarkTable(connection: DuckDBConnection): Promise<void> {
  await runOwn(connection, sql`create table if not exists _vault_mark (mark varchar not null)`)
}

/** The mark; `undefined` in a vault that was never given one. */
export async function readMark(connection: DuckDBConnection): Promise<string | undefined> {
  const [[mark] = []] = (await runOwn(connection, sql`select mark from _vault_mark`)).getRows()
  return typeof mark === 'string' ? mark : undefined
}

/** Puts another in its place, inside the caller's transaction. */
export async function writeMark(connection: DuckDBConnection, mark: string): Promise<void> {
  await runOwn(connection, sql`delete from _vault_mark`)
  await runOwn(connection, sql`insert into _vault_mark values (${mark})`)
}
