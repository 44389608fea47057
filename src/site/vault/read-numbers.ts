import type { DuckDBConnection } from '@duckdb/node-api'
import { sql } from 'kysely'
import type { RawBuilder } from 'kysely'
import { Bitset } from '../../kernel/bitset.ts'
import type { Column, Manifest } from '../../protocol/data-set.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import { toVaultValue } from './convert-result.ts'
import type { Engine } from './engine.ts'
import { runOwn } from './own-sql.ts'
import { nextNumber } from './people-table.ts'
import { ofDays } from './row-days.ts'
import { PERSON_COLUMN, tableOf } from './stored-columns.ts'
import type { TermsChange } from './vault.ts'

/** The numbers of rows for which a condition holds. Inside `reading`, whose transaction sees nobody who comes with rows between the two statements. */
export async function readNumbers(
  { reader }: Engine,
  dataSet: DataSetId,
  condition: RawBuilder<unknown>,
): Promise<Bitset> {
  return gatherNumbers(reader, sql`${sql.id(tableOf(dataSet))} where ${condition}`)
}

/**
 * Exactly those of whom other values or rows count: a value that other bounds keep to another one, or rows past the most
 * that a run may use. Whoever was counted with them and is not would hide the few who are.
 */
export async function numbersUnderTerms(
  engine: Engine,
  dataSet: DataSetId,
  { was, is, kept }: TermsChange,
): Promise<Bitset> {
  const bounds = was.columns.flatMap((column) => boundsCondition(column, is))
  const values =
    bounds.length === 0
      ? new Bitset()
      : await readNumbers(engine, dataSet, sql`${ofDays(kept)} and (${sql.join(bounds, sql` or `)})`)
  const [most, other] = [was.person.rowsMax, is.person.rowsMax]
  if (most === other) return values
  const person = sql.id(PERSON_COLUMN)
  const rows = await gatherNumbers(
    engine.reader,
    sql`(select ${person} from ${sql.id(tableOf(dataSet))} where ${ofDays(kept)}
      group by ${person} having count(*) > ${sql.lit(Math.min(most, other))}) as many`,
  )
  return values.union(rows)
}

/** Of these columns, those that are empty in some row. */
export async function columnsWithGaps(
  reader: DuckDBConnection,
  dataSet: DataSetId,
  columns: readonly string[],
): Promise<readonly string[]> {
  if (columns.length === 0) return []
  const counts = sql.join(columns.map((name) => sql`count(*) - count(${sql.id(name)})`))
  const found = await runOwn(reader, sql`select ${counts} from ${sql.id(tableOf(dataSet))}`)
  const [row = []] = found.getRows()
  return columns.filter((_, index) => Number(row[index] ?? 0) > 0)
}

/** The numbers of rows. Inside a transaction, as above. */
export async function gatherNumbers(reader: DuckDBConnection, rows: RawBuilder<unknown>): Promise<Bitset> {
  const count = await nextNumber(reader)
  if (count === 0) return new Bitset()
  const found = await runOwn(
    reader,
    sql`select bitstring_agg(${sql.id(PERSON_COLUMN)}, 0, ${sql.lit(count - 1)}) from ${rows}`,
  )
  const bits = toVaultValue(found.getRows()[0]?.[0] ?? null)
  return bits instanceof Uint8Array ? Bitset.fromBytes(bits) : new Bitset()
}

/** That a value of a column counts as another one; what is outside of the domain of numbers counts as none either way. */
function boundsCondition({ name, bounds }: Column, { columns }: Manifest): readonly RawBuilder<unknown>[] {
  const other = columns.find((column) => column.name === name)?.bounds
  if (bounds?.[0] === other?.[0] && bounds?.[1] === other?.[1]) return []
  const value = sql`cast(${sql.id(name)} as double)`
  return [
    sql`(${value} between -1e150 and 1e150 and ${withinBounds(value, bounds)} <> ${withinBounds(value, other)})`,
  ]
}

function withinBounds(value: RawBuilder<unknown>, bounds: Column['bounds']): RawBuilder<unknown> {
  if (!bounds) return value
  const [least, greatest] = bounds
  return sql`greatest(least(${value}, cast(${greatest} as double)), cast(${least} as double))`
}
