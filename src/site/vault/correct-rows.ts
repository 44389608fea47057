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
      where ${sql.join([sql`${sql.id(PERSON_COLUMN)} = ${sql.lit(number)}`, ofDays(days), ...conditions], sql` and `)}`,
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
  if (list) return sql`cast(cast(${value} as json) as ${type})`
  return value instanceof Uint8Array
    ? sql`cast(${written(value)} as ${type})`
    : sql`cast(${value} as ${type})`
}

/** Beyond that reading the digits takes longer than binding. */
const WRITTEN_BYTES_MAX = 4_096

/**
 * Sealed bytes, in digits: a statement without a value to bind is planned and run in one step, in half of the processor's time, and most
 * corrections are of sealed columns alone. Anybody's own words are bound.
 */
function written(bytes: Uint8Array): RawBuilder<unknown> {
  return bytes.byteLength > WRITTEN_BYTES_MAX ? sql`${bytes}` : sql`unhex(${sql.lit(bytes.toHex())})`
}
