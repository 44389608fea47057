import type { DuckDBConnection } from '@duckdb/node-api'
import { sql } from 'kysely'
import { rowTables } from './data-set-tables.ts'
import { runOwn } from './own-sql.ts'
import { PERSON_COLUMN } from './stored-columns.ts'

/** Deletes all that is known of people but that their numbers are taken; gives how many rows that were. */
export async function forgetPeople(
  connection: DuckDBConnection,
  people: readonly number[],
): Promise<{ readonly rows: number }> {
  if (people.length === 0) return { rows: 0 }
  const numbers = sql.join(people.map((person) => sql`${person}::integer`))
  let rows = 0
  for (const table of await rowTables(connection)) {
    const { rowsChanged } = await runOwn(
      connection,
      sql`delete from ${sql.id(table)} where ${sql.id(PERSON_COLUMN)} in (${numbers})`,
    )
    rows += rowsChanged
  }
  await runOwn(connection, sql`delete from _person_key where person in (${numbers})`)
  await runOwn(
    connection,
    sql`
      update _person set lookup = null, birth_date = null, residence = null
      where number in (${numbers}) and (lookup is not null or birth_date is not null or residence is not null)`,
  )
  return { rows }
}
