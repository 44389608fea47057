import type { DuckDBConnection } from '@duckdb/node-api'
import { sql } from 'kysely'
import { Bitset } from '../../kernel/bitset.ts'
import { Fault } from '../../kernel/faults.ts'
import { appendRows, columnDefinitions } from './append-rows.ts'
import { asideTable, columnTypes } from './data-set-tables.ts'
import { forgetPeople } from './forget-person.ts'
import { peopleList, runOwn } from './own-sql.ts'
import { gatherNumbers } from './read-numbers.ts'
import { PERSON_COLUMN, tableOf } from './stored-columns.ts'
import type { BatchOfRows, RowSource, TakenBatch, VaultBatch } from './vault.ts'

/** Rows of a batch that was taken. */
export async function findBatch(
  connection: DuckDBConnection,
  { dataSet, batch }: VaultBatch,
): Promise<number | undefined> {
  const found = await runOwn(
    connection,
    sql`select rows from _batch where data_set = ${dataSet} and batch = ${batch}`,
  )
  const [[rows] = []] = found.getRows()
  return rows === undefined ? undefined : Number(rows)
}

/** Rows that are brought, and not to be seen before the transaction ends. */
export interface BroughtRows extends TakenBatch {
  /** The table that they are in. */
  readonly table: string
  /** The numbers that they have. */
  readonly people: Bitset
}

/** Appends a batch together with its id, inside the caller's transaction. */
export async function appendBatch(
  connection: DuckDBConnection,
  { manifest, batch }: BatchOfRows,
  source: RowSource,
): Promise<BroughtRows> {
  const { dataSet } = manifest
  const table = tableOf(dataSet)
  const known = await findBatch(connection, { dataSet, batch })
  if (known !== undefined) return { isNew: false, rows: known, people: new Bitset(), table }
  const { rows, people } = await appendRows(connection, { manifest, table }, source)
  await recordBatch(connection, { dataSet, batch, rows })
  return { isNew: true, rows, people, table }
}

/** How many rows are set aside. */
export async function rowsAside(
  connection: DuckDBConnection,
  { dataSet, batch }: VaultBatch,
): Promise<number> {
  const found = await runOwn(
    connection,
    sql`select coalesce(sum(rows), 0) from _part where data_set = ${dataSet} and batch = ${batch}`,
  )
  const [[rows] = []] = found.getRows()
  return Number(rows)
}

/** Sets one part aside, inside the caller's transaction; a part that is there already is left alone. Gives how many lie there after. */
export async function setAsidePart(
  connection: DuckDBConnection,
  { manifest, batch, from }: BatchOfRows & { readonly from: number },
  source: RowSource,
): Promise<BroughtRows> {
  const { dataSet } = manifest
  const table = asideTable({ dataSet, batch })
  const present = await rowsAside(connection, { dataSet, batch })
  if (from < present) return { isNew: false, rows: present, people: new Bitset(), table }
  if (from > present) throw new Fault('fault.vault', { what: `Cannot set rows aside: ${present} lie there` })
  await runOwn(
    connection,
    sql`create table if not exists ${sql.id(table)} (${sql.join(columnDefinitions(manifest))})`,
  )
  const { rows, people } = await appendRows(connection, { manifest, table }, source)
  await runOwn(connection, sql`insert into _part values (${dataSet}, ${batch}, ${rows}::bigint)`)
  return { isNew: true, rows: present + rows, people, table }
}

/** Copies all parts of a batch into its data set, inside the caller's transaction. */
export async function takeCopies(
  connection: DuckDBConnection,
  { dataSet, batch }: VaultBatch,
): Promise<BroughtRows> {
  const table = tableOf(dataSet)
  const known = await findBatch(connection, { dataSet, batch })
  if (known !== undefined) return { isNew: false, rows: known, people: new Bitset(), table }
  const people = await gatherNumbers(connection, sql.id(asideTable({ dataSet, batch })))
  const rows = await copyIn(connection, { dataSet, batch })
  await recordBatch(connection, { dataSet, batch, rows })
  await discardBatch(connection, { dataSet, batch })
  return { isNew: true, rows, people, table }
}

/**
 * Makes what was set aside the table of a data set that has no rows, but for rows of people who were forgotten meanwhile, in the caller's
 * transaction. `undefined` when there is nothing set aside, or rows that these have to be added to.
 */
export async function takeWhole(
  connection: DuckDBConnection,
  { dataSet, batch }: VaultBatch,
  forgotten: ReadonlySet<number>,
): Promise<TakenBatch | undefined> {
  if (!(await mayTakeWhole(connection, { dataSet, batch }))) return undefined
  await forgetPeople(connection, [...forgotten])
  const table = sql.id(tableOf(dataSet))
  await runOwn(connection, sql`drop table ${table}`)
  await runOwn(connection, sql`alter table ${sql.id(asideTable({ dataSet, batch }))} rename to ${table}`)
  const counted = await runOwn(connection, sql`select count(*) from ${table}`)
  const rows = Number(counted.getRows()[0]?.[0])
  await recordBatch(connection, { dataSet, batch, rows })
  await discardBatch(connection, { dataSet, batch })
  return { isNew: true, rows }
}

/** Whether a data set has no rows and the columns of what was set aside. */
async function mayTakeWhole(connection: DuckDBConnection, { dataSet, batch }: VaultBatch): Promise<boolean> {
  if ((await findBatch(connection, { dataSet, batch })) !== undefined) return false
  const present = await runOwn(connection, sql`select 1 from ${sql.id(tableOf(dataSet))} limit 1`)
  if (present.currentRowCount > 0) return false
  const before = await columnTypes(connection, tableOf(dataSet))
  const after = await columnTypes(connection, asideTable({ dataSet, batch }))
  return before.size === after.size && [...before].every(([name, type]) => after.get(name) === type)
}

/** Rows that a transaction has brought have numbers of their own until it ends; those of rows that are there stay far below. */
const FIRST_BROUGHT = 2 ** 54

/** Deletes rows of some numbers among those that a transaction has brought, and none that was there before. */
export async function dropBrought(
  connection: DuckDBConnection,
  { table, column = PERSON_COLUMN }: Pick<BroughtRows, 'table'> & { readonly column?: string },
  numbers: readonly number[],
): Promise<void> {
  if (numbers.length === 0) return
  const isTheirs = sql`rowid >= ${sql.lit(FIRST_BROUGHT)} and ${sql.id(column)} in ${peopleList(numbers)}`
  await runOwn(connection, sql`delete from ${sql.id(table)} where ${isTheirs}`)
}

async function copyIn(connection: DuckDBConnection, { dataSet, batch }: VaultBatch): Promise<number> {
  const aside = asideTable({ dataSet, batch })
  const names = [...(await columnTypes(connection, aside)).keys()].map((name) => sql.id(name))
  const { rowsChanged } = await runOwn(
    connection,
    sql`
      insert into ${sql.id(tableOf(dataSet))} (${sql.join(names)})
      select ${sql.join(names)} from ${sql.id(aside)}`,
  )
  return rowsChanged
}

/** Drops what was set aside of a batch. */
export async function discardBatch(
  connection: DuckDBConnection,
  { dataSet, batch }: VaultBatch,
): Promise<void> {
  await runOwn(connection, sql`drop table if exists ${sql.id(asideTable({ dataSet, batch }))}`)
  await runOwn(connection, sql`delete from _part where data_set = ${dataSet} and batch = ${batch}`)
}

async function recordBatch(
  connection: DuckDBConnection,
  { dataSet, batch, rows }: VaultBatch & { rows: number },
): Promise<void> {
  await runOwn(connection, sql`insert into _batch values (${dataSet}, ${batch}, ${rows}::bigint)`)
}
