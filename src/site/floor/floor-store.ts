import { sql } from 'kysely'
import { instant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Currency } from '../../kernel/currency.ts'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import { LIMITS } from '../../kernel/limits.ts'
import type { FloorLimit } from '../../protocol/floor-limit.ts'

/** A floor limit of this site with what is booked on it. */
export interface KeptFloorLimit {
  readonly id: string
  readonly acquirer: string
  readonly currency: Currency
  readonly amountMinor: bigint
  readonly bookedMinor: bigint
  readonly validFrom: Instant
  readonly validUntil: Instant
  readonly isClosed: boolean
  /** It was in force before the site was restored: what it was spent on since the backup is lost. */
  readonly isWithheld: boolean
}

interface FloorRow {
  readonly id: string
  readonly acquirer: string
  readonly currency: Currency
  readonly amount_minor: bigint
  readonly booked_minor: bigint
  readonly valid_from_ms: bigint
  readonly valid_until_ms: bigint
  readonly closed_ms: bigint | null
  readonly is_withheld: boolean
}

/** Whether a limit may have been booked on by the site that was lost: it took limits a little before they began. */
const IS_WITHHELD = sql`
  coalesce(valid_from_ms <= (select max(restored_ms) from restoration) + ${LIMITS.clockSkewMsMax}::bigint, false)`

/** Keeps a limit that the network gave; one that is known stays as it is. */
export async function keepFloorLimit(
  db: Database,
  { limit, statement }: { limit: FloorLimit; statement: string },
): Promise<void> {
  await sql`
    insert into floor_limit (id, acquirer, currency, amount_minor, valid_from_ms, valid_until_ms, statement)
    values (${limit.id}, ${limit.acquirer}, ${limit.amount.currency}, ${limit.amount.amountMinor}, ${limit.validFrom},
      ${limit.validUntil}, ${statement})
    on conflict do nothing`.execute(db)
}

/** Limits of the site: those that are not closed, or all after an id. */
export async function readFloorLimits(
  db: Database,
  page?: { after: string | undefined; limit: number },
): Promise<readonly KeptFloorLimit[]> {
  const { rows } = await sql<FloorRow>`
    select id, acquirer, currency, amount_minor, booked_minor, valid_from_ms, valid_until_ms, closed_ms, ${IS_WITHHELD} as is_withheld
    from floor_limit where ${page ? sql`id > ${page.after ?? ''}` : sql`closed_ms is null`} order by id ${page ? sql`limit ${page.limit}` : sql``}`.execute(
    db,
  )
  return rows.map((row) => ({
    id: row.id,
    acquirer: row.acquirer,
    currency: row.currency,
    amountMinor: BigInt(row.amount_minor),
    bookedMinor: BigInt(row.booked_minor),
    validFrom: instant(Number(row.valid_from_ms)),
    validUntil: instant(Number(row.valid_until_ms)),
    isClosed: row.closed_ms !== null,
    isWithheld: row.is_withheld,
  }))
}

/** What is booked on a limit, as it is durable. */
export async function readBooked(db: Database, limit: string): Promise<bigint> {
  const { rows } = await sql<{ booked: bigint }>`
    select booked_minor as booked from floor_limit where id = ${limit}`.execute(db)
  return BigInt(rows[0]?.booked ?? 0n)
}

/** Books a price on a limit; false, and nothing booked, when it is closed or does not cover it. */
export async function bookOnLimit(
  tx: DatabaseTransaction,
  { limit, priceMinor }: { limit: string; priceMinor: bigint },
): Promise<boolean> {
  const { rows } = await sql<object>`
    update floor_limit set booked_minor = booked_minor + ${priceMinor}
    where id = ${limit} and closed_ms is null and not (${IS_WITHHELD}) and booked_minor + ${priceMinor} <= amount_minor returning 1 as booked`.execute(
    tx,
  )
  return rows.length > 0
}

/** Nothing is booked on a limit from here on; false while something of it is still to be cleared. */
export async function closeLimit(
  db: Database,
  { limit, now }: { limit: string; now: Instant },
): Promise<boolean> {
  const { rows } = await sql<object>`
    update floor_limit set closed_ms = coalesce(closed_ms, ${now}::bigint)
    where id = ${limit} and not exists (select 1 from answer where floor_limit = ${limit} and pushed_ms is null)
    returning 1 as closed`.execute(db)
  return rows.length > 0
}

/** Of each limit: answers that the network has not taken, and those that it refused. */
export async function countToClear(
  db: Database,
  limits: readonly string[],
): Promise<ReadonlyMap<string, { readonly toClear: number; readonly refused: number }>> {
  const { rows } = await sql<{ id: string; to_clear: number; refused: number }>`
    select l.floor_limit as id, (count(*) filter (where a.pushed_ms is null))::integer as to_clear, count(l.refused_ms)::integer as refused
    from local_ask l join answer a on a.ask_id = l.ask_id
    where l.floor_limit = any(${limits}) group by 1`.execute(db)
  return new Map(rows.map(({ id, to_clear, refused }) => [id, { toClear: to_clear, refused }]))
}
