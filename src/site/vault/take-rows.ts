import type { DuckDBConnection } from '@duckdb/node-api'
import { sql } from 'kysely'
import { Bitset } from '../../kernel/bitset.ts'
import { Fault } from '../../kernel/faults.ts'
import { asideTable, columnTypes, rowTypes } from './data-set-tables.ts'
import { inTransaction } from './engine.ts'
import { forgetPeople } from './forget-person.ts'
import { typeName } from './engine-types.ts'
import { runOwn } from './own-sql.ts'
import { toEngineChunk } from './row-chunk.ts'
import { PERSON_COLUMN, storedColumns, tableOf } from './stored-columns.ts'
import type { BatchOfRows, RowChunk, RowSource, TakenBatch, VaultBatch } from './vault.ts'

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

/**
 * Appends a batch in one transaction together with its id. Rows of people who were forgotten while it was on its way
 * are deleted in the same transaction: nobody ever reads them. `people` are the numbers whose rows there are more of; absent where
 * that is not all that changed.
 */
export async function appendBatch(
  connection: DuckDBConnection,
  { manifest, batch }: BatchOfRows,
  { rows, forgotten }: { rows: RowSource; forgotten: ReadonlySet<number> },
): Promise<TakenBatch & { readonly people?: Bitset }> {
  const { dataSet } = manifest
  const known = await findBatch(connection, { dataSet, batch })
  if (known !== undefined) return { isNew: false, rows: known, people: new Bitset() }
  if (!(await isInOrder(connection, { manifest, batch }))) {
    await setAsidePart(connection, { manifest, batch, from: 0 }, rows)
    return takeBatch(connection, { dataSet, batch }, forgotten)
  }
  return inTransaction(connection, async () => {
    const people = new Bitset()
    const count = await appendRows(connection, { manifest, table: tableOf(dataSet) }, noting(rows, people))
    const isOfForgotten = forgotten.size > 0 && (await mayBeOfAny(connection, { people, forgotten }))
    if (isOfForgotten) await forgetPeople(connection, [...forgotten])
    await recordBatch(connection, { dataSet, batch, rows: count })
    return { isNew: true, rows: count, ...(isOfForgotten ? {} : { people }) }
  })
}

/** The same rows; the numbers that they have are added to a set. */
async function* noting(rows: RowSource, people: Bitset): AsyncGenerator<RowChunk> {
  for await (const chunk of rows) {
    for (const number of chunk.values(0)) people.add(Number(number))
    yield chunk
  }
}

/** Whether rows are, or may be (where they have several people), about somebody who was forgotten. */
async function mayBeOfAny(
  connection: DuckDBConnection,
  { people, forgotten }: { people: Bitset; forgotten: ReadonlySet<number> },
): Promise<boolean> {
  if ([...forgotten].some((person) => people.has(person))) return true
  return (await runOwn(connection, sql`select 1 from _household limit 1`)).currentRowCount > 0
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

/** Sets one part aside in a transaction of its own; a part that is there already is left alone. */
export async function setAsidePart(
  connection: DuckDBConnection,
  { manifest, batch, from }: BatchOfRows & { readonly from: number },
  rows: RowSource,
): Promise<number> {
  const { dataSet } = manifest
  const present = await rowsAside(connection, { dataSet, batch })
  if (from < present) return present
  if (from > present) throw new Fault('fault.vault', { what: `Cannot set rows aside: ${present} lie there` })
  const table = asideTable({ dataSet, batch })
  const types = rowTypes(manifest)
  const names = [PERSON_COLUMN, ...storedColumns(manifest).map(({ column }) => column.name)]
  const columns = types.map((type, index) => sql`${sql.id(names[index] ?? '')} ${typeName(type)}`)
  return inTransaction(connection, async () => {
    await runOwn(connection, sql`create table if not exists ${sql.id(table)} (${sql.join(columns)})`)
    const count = await appendRows(connection, { manifest, table }, rows)
    await runOwn(connection, sql`insert into _part values (${dataSet}, ${batch}, ${count}::bigint)`)
    return present + count
  })
}

/** Moves all parts of a batch into its data set in one transaction, but for rows of people who were forgotten meanwhile. */
export async function takeBatch(
  connection: DuckDBConnection,
  { dataSet, batch }: VaultBatch,
  forgotten: ReadonlySet<number>,
): Promise<TakenBatch> {
  const known = await findBatch(connection, { dataSet, batch })
  if (known !== undefined) return { isNew: false, rows: known }
  return inTransaction(connection, async () => {
    await forgetPeople(connection, [...forgotten])
    const rows =
      (await swapIn(connection, { dataSet, batch })) ?? (await copyIn(connection, { dataSet, batch }))
    await recordBatch(connection, { dataSet, batch, rows })
    await discardBatch(connection, { dataSet, batch })
    return { isNew: true, rows }
  })
}

/** The first rows of a data set need no copy: what was set aside becomes its table. `undefined` when it has rows. */
async function swapIn(
  connection: DuckDBConnection,
  { dataSet, batch }: VaultBatch,
): Promise<number | undefined> {
  const table = sql.id(tableOf(dataSet))
  const aside = asideTable({ dataSet, batch })
  const present = await runOwn(connection, sql`select count(*) from ${table}`)
  const [before, after] = [
    await columnTypes(connection, tableOf(dataSet)),
    await columnTypes(connection, aside),
  ]
  const isSame = before.size === after.size && [...before].every(([name, type]) => after.get(name) === type)
  if (Number(present.getRows()[0]?.[0]) > 0 || !isSame) return undefined
  await runOwn(connection, sql`drop table ${table}`)
  await runOwn(connection, sql`alter table ${sql.id(aside)} rename to ${table}`)
  const counted = await runOwn(connection, sql`select count(*) from ${table}`)
  return Number(counted.getRows()[0]?.[0])
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

/** Whether the table has its columns in the manifest's order, which appending needs; columns that came later stand last. */
async function isInOrder(connection: DuckDBConnection, { manifest }: BatchOfRows): Promise<boolean> {
  const present = [...(await columnTypes(connection, tableOf(manifest.dataSet))).keys()]
  const wanted = [PERSON_COLUMN, ...storedColumns(manifest).map(({ column }) => column.name)]
  return present.length === wanted.length && wanted.every((name, index) => present[index] === name)
}

async function appendRows(
  connection: DuckDBConnection,
  { manifest, table }: { manifest: BatchOfRows['manifest']; table: string },
  rows: RowSource,
): Promise<number> {
  const layout = { columns: storedColumns(manifest), types: rowTypes(manifest) }
  const appender = await connection.createAppender(table, 'main')
  let count = 0
  try {
    for await (const chunk of rows) {
      appender.appendDataChunk(toEngineChunk(chunk, layout))
      count += chunk.rowCount
    }
  } catch (error) {
    // Rows that wait in the appender must not be written by closing it.
    appender.clear()
    throw error
  }
  appender.closeSync()
  return count
}
