import { DuckDBBlobValue } from '@duckdb/node-api'
import type { DuckDBConnection } from '@duckdb/node-api'
import { sql } from 'kysely'
import type { RawBuilder } from 'kysely'
import { onceUnderWay } from '../../kernel/clock.ts'
import { dataSetIdSchema } from '../../protocol/wire.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import { rowTables } from './data-set-tables.ts'
import { runOwn, streamOwn } from './own-sql.ts'
import { PERSON_COLUMN, tableOf } from './stored-columns.ts'
import type { PersonWithoutRows } from './vault.ts'

/**
 * The vault's own table of whose last row ended by retention, and in which data set that was. Somebody who is given rows again stays in
 * it and is left out when it is read.
 */
export async function createWithoutRowsTable(connection: DuckDBConnection): Promise<void> {
  await runOwn(
    connection,
    sql`create table if not exists _without_rows (person integer not null, data_set varchar not null)`,
  )
}

/** Notes people of whom no row stays, within the transaction in which the last ones go. `isEnding` is over `number`. */
export async function noteWithoutRows(
  connection: DuckDBConnection,
  { dataSet, isEnding }: { dataSet: string; isEnding: RawBuilder<unknown> },
): Promise<void> {
  await runOwn(
    connection,
    sql`
      insert into _without_rows
      select number, ${dataSet} from _person
      where lookup is not null and number not in (select household from _household)
        and number not in (select person from _without_rows) and ${isEnding}`,
  )
}

/**
 * Before a data set is retired: whoever had rows in it again did not lose their last one by an expiry, so their issuer decides whether
 * they stay known (docs/decisions/0028).
 */
export async function leaveToIssuer(connection: DuckDBConnection, dataSet: DataSetId): Promise<void> {
  const table = tableOf(dataSet)
  if (!(await rowTables(connection)).includes(table)) return
  await runOwn(connection, sql`delete from _without_rows where person in (${peopleBehind(sql.id(table))})`)
}

/** Those after a number in its order, at most so many, but whoever has a row or is forgotten. */
export async function listWithoutRows(
  connection: DuckDBConnection,
  { after, limit }: { after: number; limit: number },
): Promise<readonly PersonWithoutRows[]> {
  const tables = await rowTables(connection)
  for (let from = after; ;) {
    const last = await lastNoted(connection, { after: from, limit })
    if (last === undefined) return []
    const found = await stillWithout(connection, { tables, after: from, upTo: last })
    if (found.length > 0) return found
    from = last
  }
}

/** The last of so many who are noted after a number. */
async function lastNoted(
  connection: DuckDBConnection,
  { after, limit }: { after: number; limit: number },
): Promise<number | undefined> {
  const found = await runOwn(
    connection,
    sql`
      select max(person) from (
        select person from _without_rows where person > ${sql.lit(after)} order by person limit ${sql.lit(limit)})`,
  )
  const [last = null] = found.getRows()[0] ?? []
  return last === null ? undefined : Number(last)
}

/** Of a stretch of numbers. Tables of rows are read for those alone who are noted, so that nobody else's are gathered. */
async function stillWithout(
  connection: DuckDBConnection,
  { tables, after, upTo }: { tables: readonly string[]; after: number; upTo: number },
): Promise<readonly PersonWithoutRows[]> {
  const isAmong = (column: RawBuilder<unknown>) =>
    sql`${column} > ${sql.lit(after)} and ${column} <= ${sql.lit(upTo)}`
  const person = sql.id(PERSON_COLUMN)
  const some = sql`select person from _without_rows where ${isAmong(sql`person`)}`
  const isElsewhere = tables.map(
    (table) => sql`
      p.number not in (
        select ${person} from ${sql.id(table)} where ${isAmong(person)} and ${person} in (${some}) union all
        select h.person from _household h
        where h.person in (${some}) and h.household in (select ${person} from ${sql.id(table)}))`,
  )
  const conditions = [sql`p.lookup is not null`, isAmong(sql`p.number`), ...isElsewhere]
  const stream = streamOwn(
    connection,
    sql`
      select p.number, p.lookup, w.data_set from _person p join _without_rows w on w.person = p.number
      where ${sql.join(conditions, sql` and `)} order by p.number`,
  )
  const found: PersonWithoutRows[] = []
  for await (const chunk of stream) {
    for (const [number, lookup, dataSet] of chunk.getRows())
      if (lookup instanceof DuckDBBlobValue)
        found.push({ person: Number(number), lookup: lookup.bytes, dataSet: dataSetIdSchema.parse(dataSet) })
    // Thousands of people take a while to read, and whoever grants meanwhile is not to wait for it.
    await onceUnderWay()
  }
  return found
}

/** Whom rows are about: those with their own number, and members of households. */
export function peopleBehind(rows: RawBuilder<unknown>): RawBuilder<unknown> {
  const person = sql.id(PERSON_COLUMN)
  return sql`
    select ${person} from ${rows} union all
    select h.person from _household h where h.household in (select ${person} from ${rows})`
}
