import { sql } from 'kysely'
import { instant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import type { Clause, ColumnUse } from '../query/bound/bound-query.ts'

/** A release, as far as the map of use looks at it; counted by the statement that reserves it. */
export interface UsedColumns {
  readonly acquirer: string
  readonly purpose: string
  readonly uses: readonly ColumnUse[]
  readonly now: Instant
}

/** How often one acquirer used a column in one clause for one purpose. */
export interface CountedUse {
  readonly column: string
  readonly clause: Clause
  readonly acquirer: string
  readonly purpose: string
  readonly releases: number
  readonly first: Instant
  readonly last: Instant
}

/** Everything that was used of a data set, by column. */
export async function columnUsesOf(db: Database, dataSet: string): Promise<readonly CountedUse[]> {
  const { rows } = await sql<
    Record<'column' | 'acquirer' | 'purpose', string> & {
      clause: Clause
      releases: number
      first: number
      last: number
    }
  >`
    select column_name as column, clause, acquirer, purpose, releases::float8 as releases, first_ms::float8 as first, last_ms::float8 as last
    from column_use where data_set = ${dataSet} order by 1, 2, 3, 4`.execute(db)
  return rows.map((row) => ({ ...row, first: instant(row.first), last: instant(row.last) }))
}
