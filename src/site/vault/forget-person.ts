import type { DuckDBConnection } from '@duckdb/node-api'
import { sql } from 'kysely'
import { rowTables } from './data-set-tables.ts'
import { runOwn } from './own-sql.ts'
import { PERSON_COLUMN } from './stored-columns.ts'
import { NOBODY } from './vault.ts'

/**
 * Deletes all that is known of people but that their numbers are taken; gives how many rows that were. Rows about others too
 * go with the last of them; until then nobody stands in this one's place, and what was theirs in the row is under a key that
 * is destroyed (docs/decisions/0023).
 */
export async function forgetPeople(
  connection: DuckDBConnection,
  people: readonly number[],
): Promise<{ readonly rows: number }> {
  if (people.length === 0) return { rows: 0 }
  const numbers = sql.join(people.map((person) => sql`${person}::integer`))
  await runOwn(
    connection,
    sql`update _household set person = ${sql.lit(NOBODY)} where person in (${numbers})`,
  )
  const abandoned = sql`select household from _household group by household having max(person) = ${sql.lit(NOBODY)}`
  // By these nobody is found any more: the same people again would be others.
  const broken = sql`select household from _household where person = ${sql.lit(NOBODY)}`
  let rows = 0
  for (const table of await rowTables(connection)) {
    const { rowsChanged } = await runOwn(
      connection,
      sql`
        delete from ${sql.id(table)}
        where ${sql.id(PERSON_COLUMN)} in (${numbers}) or ${sql.id(PERSON_COLUMN)} in (${abandoned})`,
    )
    rows += rowsChanged
  }
  await runOwn(connection, sql`delete from _person_key where person in (${numbers})`)
  await runOwn(
    connection,
    sql`
      update _person set lookup = null, birth_date = null, residence = null
      where (number in (${numbers}) or number in (${broken})) and (lookup is not null or birth_date is not null or residence is not null)`,
  )
  return { rows }
}
