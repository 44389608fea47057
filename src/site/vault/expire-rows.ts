import type { DuckDBConnection } from '@duckdb/node-api'
import { sql } from 'kysely'
import type { RawBuilder } from 'kysely'
import { rowTables } from './data-set-tables.ts'
import { runOwn } from './own-sql.ts'
import { isRowOver } from './row-days.ts'
import { PERSON_COLUMN, tableOf } from './stored-columns.ts'
import type { Expiry } from './vault.ts'
import { noteWithoutRows, peopleBehind } from './without-rows.ts'

/** Rows that an expiry would change. */
export async function countExpiring(connection: DuckDBConnection, expiry: Expiry): Promise<number> {
  const { dataSet } = expiry
  const found = await runOwn(
    connection,
    sql`select count(*) from ${sql.id(tableOf(dataSet))} where ${conditionOf(expiry)}`,
  )
  return Number(found.getRows()[0]?.[0] ?? 0)
}

/**
 * Deletes rows, or empties columns, within the caller's transaction. Of people who then have no row in any data set
 * birth date and residence go too, and it is noted that they have none: whether they stay known is for others to decide.
 */
export async function expireRows(
  connection: DuckDBConnection,
  expiry: Expiry,
): Promise<{ readonly rows: number }> {
  const { dataSet, columns } = expiry
  const table = sql.id(tableOf(dataSet))
  if (columns) {
    const emptied = columns.map((column) => sql`${sql.id(column)} = null`)
    const { rowsChanged: rows } = await runOwn(
      connection,
      sql`update ${table} set ${sql.join(emptied)} where ${conditionOf(expiry)}`,
    )
    return { rows }
  }
  const others = (await rowTables(connection)).filter((name) => name !== tableOf(dataSet))
  const ending = peopleBehind(sql`${table} where ${conditionOf(expiry)}`)
  const staying = peopleBehind(sql`${table} where not ${conditionOf(expiry)}`)
  const isElsewhere = others.map((name) => sql`number not in (${peopleBehind(sql.id(name))})`)
  const isLast = [sql`number in (${ending})`, sql`number not in (${staying})`, ...isElsewhere]
  await noteWithoutRows(connection, { dataSet, isEnding: sql.join(isLast, sql` and `) })
  await runOwn(
    connection,
    sql`
      update _person set birth_date = null, residence = null
      where (birth_date is not null or residence is not null)
        and ${sql.join([sql`number in (${ending})`, ...isStaying(expiry, { number: sql`number`, staying }), ...isElsewhere], sql` and `)}`,
  )
  await runOwn(
    connection,
    sql`delete from _person_key where ${sql.join(
      [
        sql`data_set = ${dataSet}`,
        isNot(sql.id('person'), expiry.keep),
        ...isStaying(expiry, { number: sql.id('person'), staying }),
      ],
      sql` and `,
    )}`,
  )
  const { rowsChanged: rows } = await runOwn(
    connection,
    sql`delete from ${table} where ${conditionOf(expiry)}`,
  )
  return { rows }
}

/** Where only some rows end: whoever is behind one that stays keeps what is known of them. */
function isStaying(
  { kept }: Expiry,
  { number, staying }: { number: RawBuilder<unknown>; staying: RawBuilder<unknown> },
): readonly RawBuilder<unknown>[] {
  return kept ? [sql`${number} not in (${staying})`] : []
}

function conditionOf({ columns, kept, keep }: Expiry): RawBuilder<unknown> {
  const isOthers = isNot(sql.id(PERSON_COLUMN), keep)
  if (!columns) return kept ? sql`(${isOthers} and ${isRowOver(kept)})` : isOthers
  const isFull = columns.map((column) => sql`${sql.id(column)} is not null`)
  return sql`${isOthers} and (${sql.join(isFull, sql` or `)})`
}

function isNot(column: RawBuilder<unknown>, people: readonly number[]): RawBuilder<unknown> {
  if (people.length === 0) return sql`true`
  return sql`${column} not in (${sql.join(people.map((person) => sql`${person}::integer`))})`
}
