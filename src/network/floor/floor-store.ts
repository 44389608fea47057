import { sql } from 'kysely'
import type { RawBuilder } from 'kysely'
import type { z } from 'zod'
import { formatInstant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Currency } from '../../kernel/currency.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import type { floorLimitViewSchema } from '../../protocol/floor-limit.ts'
import { wireMoney } from '../../protocol/wire.ts'

/** A floor limit as it stands in the database. */
export interface FloorRow {
  readonly id: string
  readonly site: string
  readonly acquirer: string
  readonly currency: Currency
  readonly amount_minor: bigint
  readonly captured_minor: bigint
  readonly is_open: boolean
  readonly valid_from: Instant
  readonly valid_until: Instant
  readonly clear_until: Instant
  readonly statement: string
}

/** Floor limits that meet a condition over `f`, oldest first; `lock` after the order. */
export async function findFloorLimits(
  db: Database,
  condition: RawBuilder<unknown>,
  lock = sql``,
): Promise<readonly FloorRow[]> {
  const { rows } = await sql<FloorRow>`
    select f.id, f.site, f.acquirer, f.currency, f.amount_minor, f.captured_minor, f.is_open, f.valid_from, f.valid_until, f.clear_until,
      f.statement
    from floor_limit f where ${condition} order by f.id ${lock}`.execute(db)
  return rows
}

/** A floor limit in its wire form. */
export function floorView(row: FloorRow): z.input<typeof floorLimitViewSchema> {
  const money = (amountMinor: bigint) => wireMoney({ amountMinor, currency: row.currency })
  return {
    id: row.id,
    site: row.site,
    acquirer: row.acquirer,
    amount: money(row.amount_minor),
    captured: money(row.captured_minor),
    validFrom: formatInstant(row.valid_from),
    validUntil: formatInstant(row.valid_until),
    clearUntil: formatInstant(row.clear_until),
    state: row.is_open ? 'open' : 'closed',
    statement: row.statement,
  }
}
