import { BIGINT, VARCHAR } from '@duckdb/node-api'
import type { DuckDBAppender, DuckDBConnection } from '@duckdb/node-api'
import { sql } from 'kysely'
import { Fault } from '../../kernel/faults.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import { rowTypes } from './data-set-tables.ts'
import { inTransaction } from './engine.ts'
import { typeName } from './engine-types.ts'
import { appendColumns } from './fill-table.ts'
import { forgetPeople } from './forget-person.ts'
import { runOwn } from './own-sql.ts'
import { addPeople, keepFacts, keepKeys } from './people-table.ts'
import { toEngineChunk } from './row-chunk.ts'
import { PERSON_COLUMN, storedColumns, tableOf } from './stored-columns.ts'
import type { Arrival, ArrivingBatch, TakenBatch } from './vault.ts'

/** What taking small batches goes by. */
export interface TogetherFacts {
  readonly forgotten: ReadonlySet<number>
  /** The columns of a data set's table, in its order. */
  readonly columnsOf: (dataSet: DataSetId) => Promise<readonly string[]>
  /** Whether there are rows that are about several people, as far as that is known. */
  readonly hasHouseholds: boolean
}

/** Batches that were taken, and whether rows went again because they were of somebody who was forgotten meanwhile. */
export interface TakenTogether {
  readonly taken: readonly TakenBatch[]
  readonly isOfForgotten: boolean
}

/**
 * Takes small batches and their people in one transaction: that is one write to the disk, however many came together. What is of
 * people who were forgotten while it was on its way is deleted in the same transaction, as for a long batch.
 */
export async function takeTogether(
  connection: DuckDBConnection,
  { expected, facts, batches }: Arrival,
  { forgotten, columnsOf, hasHouseholds }: TogetherFacts,
): Promise<TakenTogether> {
  return inTransaction(connection, async () => {
    const { first, newcomers } = expected
    if (newcomers.length > 0 && (await isTaken(connection, first)))
      throw new Fault('fault.unavailable', {
        what: 'Cannot take rows: numbers were given to others meanwhile',
      })
    const known = await findBatches(connection, batches)
    const fresh = batches.filter((batch) => !known.has(nameOf(batch)))
    await addPeople(connection, expected, new Map(facts.map((one) => [one.person, one])))
    const older = facts.filter(({ person }) => person < first)
    if (older.length > 0) await keepFacts(connection, older)
    for (const own of byDataSet(fresh).values()) {
      await keepKeysOf(connection, own, first)
      await appendAll(connection, own, columnsOf)
    }
    await recordBatches(connection, fresh)
    const people = fresh.flatMap((batch) => batch.people)
    const isOfForgotten =
      forgotten.size > 0 && (hasHouseholds || people.some((person) => forgotten.has(person)))
    if (isOfForgotten) await forgetPeople(connection, [...forgotten])
    const taken = batches.map((batch): TakenBatch => {
      const before = known.get(nameOf(batch))
      return before === undefined
        ? { isNew: true, rows: batch.rows.rowCount }
        : { isNew: false, rows: before }
    })
    return { taken, isOfForgotten }
  })
}

/** Whether somebody has this number or a higher one. */
async function isTaken(connection: DuckDBConnection, number: number): Promise<boolean> {
  const found = await runOwn(
    connection,
    sql`select 1 from _person where number >= ${sql.lit(number)} limit 1`,
  )
  return found.currentRowCount > 0
}

/** Batches by the data set that they go into. */
export function byDataSet(
  batches: readonly ArrivingBatch[],
): ReadonlyMap<DataSetId, readonly ArrivingBatch[]> {
  return Map.groupBy(batches, ({ manifest }) => manifest.dataSet)
}

function nameOf({ manifest: { dataSet }, batch }: ArrivingBatch): string {
  return `${dataSet}\0${batch}`
}

/** Rows of those that were taken before, by name. */
async function findBatches(
  connection: DuckDBConnection,
  batches: readonly ArrivingBatch[],
): Promise<ReadonlyMap<string, number>> {
  const names = sql.join(batches.map(({ batch }) => sql`${batch}::varchar`))
  const found = await runOwn(
    connection,
    sql`select data_set, batch, rows from _batch where batch in (${names})`,
  )
  return new Map(
    found.getRows().map(([dataSet, batch, rows]) => [`${String(dataSet)}\0${String(batch)}`, Number(rows)]),
  )
}

/** Each person once, however many of the batches are about them. */
async function keepKeysOf(
  connection: DuckDBConnection,
  batches: readonly ArrivingBatch[],
  newFrom: number,
): Promise<void> {
  const sealing = new Map<number, () => Uint8Array>()
  for (const { people, seal } of batches)
    for (const [index, person] of people.entries())
      if (!sealing.has(person)) sealing.set(person, () => seal(index))
  const [first] = batches
  if (!first) return
  const people = [...sealing.keys()]
  const seals = [...sealing.values()]
  await keepKeys(connection, {
    dataSet: first.manifest.dataSet,
    people,
    seal: (index) => seals[index]?.() ?? new Uint8Array(),
    newFrom,
  })
}

/** Appends rows as they are, or by the names of their columns where the table has others, or another order. */
async function appendAll(
  connection: DuckDBConnection,
  batches: readonly ArrivingBatch[],
  columnsOf: TogetherFacts['columnsOf'],
): Promise<void> {
  const [first] = batches
  if (!first) return
  const { dataSet } = first.manifest
  const present = await columnsOf(dataSet)
  const isInOrder = ({ manifest }: ArrivingBatch) => {
    const names = columnNames(manifest)
    return present.length === names.length && names.every((name, at) => present[at] === name)
  }
  const { inOrder = [], others = [] } = Object.groupBy(batches, (batch) =>
    isInOrder(batch) ? 'inOrder' : 'others',
  )
  if (inOrder.length > 0) appendChunks(await connection.createAppender(tableOf(dataSet), 'main'), inOrder)
  for (const batch of others) await appendByName(connection, batch)
}

function columnNames(manifest: Manifest): readonly string[] {
  return [PERSON_COLUMN, ...storedColumns(manifest).map(({ column }) => column.name)]
}

function appendChunks(appender: DuckDBAppender, batches: readonly ArrivingBatch[]): void {
  for (const { manifest, rows } of batches)
    appender.appendDataChunk(
      toEngineChunk(rows, { columns: storedColumns(manifest), types: rowTypes(manifest) }),
    )
  appender.closeSync()
}

async function appendByName(connection: DuckDBConnection, batch: ArrivingBatch): Promise<void> {
  const { manifest } = batch
  const names = columnNames(manifest)
  const columns = rowTypes(manifest).map((type, at) => sql`${sql.id(names[at] ?? '')} ${typeName(type)}`)
  await runOwn(connection, sql`create or replace temp table _arrived (${sql.join(columns)})`)
  appendChunks(await connection.createAppender('_arrived', 'main', 'temp'), [batch])
  const into = sql.join(names.map((name) => sql.id(name)))
  const table = sql.id(tableOf(manifest.dataSet))
  await runOwn(connection, sql`insert into ${table} (${into}) select ${into} from temp._arrived`)
  await runOwn(connection, sql`drop table temp._arrived`)
}

async function recordBatches(connection: DuckDBConnection, batches: readonly ArrivingBatch[]): Promise<void> {
  await appendColumns(connection, {
    table: '_batch',
    types: [VARCHAR, VARCHAR, BIGINT],
    columns: [
      batches.map(({ manifest }) => manifest.dataSet),
      batches.map(({ batch }) => batch),
      batches.map(({ rows }) => BigInt(rows.rowCount)),
    ],
  })
}
