import type { DuckDBConnection } from '@duckdb/node-api'
import { sql } from 'kysely'
import type { RawBuilder } from 'kysely'
import { Fault } from '../../kernel/faults.ts'
import { elementType } from '../../protocol/data-set.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import { engineType, typeName } from './engine-types.ts'
import { runOwn } from './own-sql.ts'
import { ofDays } from './row-days.ts'
import { PERSON_COLUMN, storedColumns, tableOf } from './stored-columns.ts'
import type { CorrectedValue, RowCorrection } from './vault.ts'

/** Writes a correction, inside the caller's transaction. */
export async function correctRows(
  connection: DuckDBConnection,
  { manifest, number, person, set, where, facts, days }: RowCorrection,
): Promise<{ readonly rows: number }> {
  const changes = [...set].map((entry) => sql`${sql.id(entry[0])} = ${typed(manifest, entry)}`)
  const conditions = [...where].map(
    (entry) => sql`${sql.id(entry[0])} is not distinct from ${typed(manifest, entry)}`,
  )
  const { rowsChanged: rows } = await runOwn(
    connection,
    sql`
      update ${sql.id(tableOf(manifest.dataSet))} set ${sql.join(changes)}
      where ${sql.join([sql`${sql.id(PERSON_COLUMN)} = ${number}::integer`, ofDays(days), ...conditions], sql` and `)}`,
  )
  if (rows === 0) return { rows }
  const { birthDate, residence } = facts
  if (birthDate !== undefined)
    await runOwn(
      connection,
      sql`update _person set birth_date = ${birthDate}::date where number = ${person}::integer`,
    )
  if (residence !== undefined)
    await runOwn(
      connection,
      sql`update _person set residence = ${residence}::varchar where number = ${person}::integer`,
    )
  return { rows }
}

function typed(manifest: Manifest, [name, value]: readonly [string, CorrectedValue]): RawBuilder<unknown> {
  const stored = storedColumns(manifest).find(({ column }) => column.name === name)
  if (!stored) throw new Fault('fault.internal', { what: 'Cannot correct a column that is not stored' })
  const type = typeName(engineType(stored))
  const list = stored.isSealed ? undefined : elementType(stored.column.type)
  return list ? sql`cast(cast(${value} as json) as ${type})` : sql`cast(${value} as ${type})`
}
