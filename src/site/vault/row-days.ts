import { sql } from 'kysely'
import type { RawBuilder } from 'kysely'
import type { KeptRows } from '../../protocol/law/retention.ts'
import { peopleList } from './own-sql.ts'
import { PERSON_COLUMN } from './stored-columns.ts'
import type { RowDays } from './vault.ts'

/** The condition that a row is of certain days; of a timestamp its day in UTC counts. */
export function ofDays(days: RowDays | undefined): RawBuilder<unknown> {
  if (!days) return sql`true`
  const { column, from, besides = [] } = days
  const date = sql.id(column)
  const isOfDays = sql`(${date} is not null and ${date} >= cast(${from} as date))`
  if (besides.length === 0) return isOfDays
  return sql`(${isOfDays} or ${sql.id(PERSON_COLUMN)} in ${peopleList(besides)})`
}

/** The condition that a row has ended by its date. */
export function isRowOver(kept: KeptRows): RawBuilder<unknown> {
  return sql`(not ${ofDays(kept)})`
}
