import { INTEGER } from '@duckdb/node-api'
import type { DuckDBConnection, DuckDBType } from '@duckdb/node-api'
import { sql } from 'kysely'
import { digestOf } from '../../kernel/digest.ts'
import { Fault } from '../../kernel/faults.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import { engineType, typeName } from './engine-types.ts'
import { runOwn } from './own-sql.ts'
import { PERSON_COLUMN, storedColumns, tableOf } from './stored-columns.ts'
import type { VaultBatch } from './vault.ts'

/** The vault's own tables: which batches were taken, which parts are set aside, and each data set's columns. */
export async function createBatchTables(connection: DuckDBConnection): Promise<void> {
  await runOwn(
    connection,
    sql`create table if not exists _batch (data_set varchar not null, batch varchar not null, rows bigint not null)`,
  )
  await runOwn(
    connection,
    sql`create table if not exists _part (data_set varchar not null, batch varchar not null, rows bigint not null)`,
  )
}

/** Makes the table of a data set, or adds the columns it lacks. A column that lies there as another type is refused. */
export async function describeTable(connection: DuckDBConnection, manifest: Manifest): Promise<void> {
  const table = sql.id(tableOf(manifest.dataSet))
  await runOwn(
    connection,
    sql`create table if not exists ${table} (${sql.id(PERSON_COLUMN)} integer not null)`,
  )
  const known = await columnTypes(connection, tableOf(manifest.dataSet))
  for (const stored of storedColumns(manifest)) {
    const { name } = stored.column
    const type = engineType(stored)
    const present = known.get(name)
    if (present === undefined) {
      await runOwn(connection, sql`alter table ${table} add column ${sql.id(name)} ${typeName(type)}`)
    } else if (present !== type.toString()) {
      throw new Fault('fault.conflict', {
        what: `Cannot describe "${manifest.dataSet}": the column "${name}" is stored in another way`,
      })
    }
  }
}

/** Column names of a table with the engine's types, in order. */
export async function columnTypes(
  connection: DuckDBConnection,
  table: string,
): Promise<ReadonlyMap<string, string>> {
  const found = await runOwn(
    connection,
    sql`
      select column_name, data_type from duckdb_columns()
      where database_name = 'vault' and schema_name = 'main' and table_name = ${table} order by column_index`,
  )
  return new Map(found.getRows().map(([name, type]) => [String(name), String(type)]))
}

/** Names of all tables that hold rows of people, with those that are set aside. */
export async function rowTables(connection: DuckDBConnection): Promise<readonly string[]> {
  const found = await runOwn(
    connection,
    sql`
      select table_name from duckdb_tables()
      where database_name = 'vault' and schema_name = 'main' and (table_name like 'ds\\_%' escape '\\' or table_name like 'aside\\_%' escape '\\')
      order by table_name`,
  )
  return found.getRows().map(([name]) => String(name))
}

/** Where parts of a batch wait; named by a digest, because a batch may have any name. */
export function asideTable({ dataSet, batch }: VaultBatch): string {
  return `aside_${digestOf(`${dataSet}\0${batch}`).slice('sha-256:'.length, 'sha-256:'.length + 32)}`
}

/** Removes a data set with all that was kept of it. */
export async function dropDataSet(connection: DuckDBConnection, dataSet: DataSetId): Promise<void> {
  const aside = await runOwn(connection, sql`select distinct batch from _part where data_set = ${dataSet}`)
  for (const [batch] of aside.getRows()) {
    await runOwn(
      connection,
      sql`drop table if exists ${sql.id(asideTable({ dataSet, batch: String(batch) }))}`,
    )
  }
  await runOwn(connection, sql`drop table if exists ${sql.id(tableOf(dataSet))}`)
  for (const table of ['_batch', '_part', '_person_key']) {
    await runOwn(connection, sql`delete from ${sql.id(table)} where data_set = ${dataSet}`)
  }
}

/** Types of a chunk of rows: the person's number, then the stored columns as the table has them. */
export function rowTypes(manifest: Manifest): readonly DuckDBType[] {
  return [INTEGER, ...storedColumns(manifest).map(engineType)]
}
