import { sql } from 'kysely'
import { formatDate, formatInstant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Currency } from '../../kernel/currency.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import type { Posting } from './account-name.ts'

/** A part of held money that is held no longer: captured, freed, or both. */
export interface FreedHold {
  readonly owner: string
  readonly currency: Currency
  readonly amountMinor: bigint
  /** The part that was not captured, and the time of its ask: it does not count towards that day's limit any more. */
  readonly unusedMinor: bigint
  readonly heldAt: Instant
}

/** Transfers to book and holds to free, in one step. */
export interface Booking {
  readonly postings: readonly Posting[]
  readonly freed?: readonly FreedHold[]
}

/**
 * Books transfers and frees holds in one statement of the caller's transaction; gives the ids of the transfers.
 * Transfers of nothing are left out. The database refuses to overdraw any account but the bank's.
 */
export async function postTransfers(
  db: Database,
  { at, ...booking }: Booking & { at: Instant },
): Promise<readonly bigint[]> {
  const { transfers, freed } = wireBooking(booking)
  const { rows } = await sql<{ ids: readonly bigint[] }>`
    select post_transfers(${transfers}::jsonb, ${freed}::jsonb, ${formatInstant(at)}::timestamptz) as ids`.execute(
    db,
  )
  return rows[0]?.ids ?? []
}

/** A booking in the form in which `post_transfers` takes it, for statements that call it themselves. */
export function wireBooking({ postings, freed = [] }: Booking): {
  readonly transfers: string
  readonly freed: string
} {
  const transfers = postings.filter(({ amountMinor }) => amountMinor > 0n).map(wirePosting)
  const holds = freed.map(({ owner, currency, amountMinor, unusedMinor, heldAt }) => ({
    owner,
    currency,
    amount: amountMinor.toString(),
    unused: unusedMinor.toString(),
    day: formatDate(heldAt),
  }))
  return { transfers: JSON.stringify(transfers), freed: JSON.stringify(holds) }
}

function wirePosting({ kind, amountMinor, idempotencyKey, ...rest }: Posting, position: number): object {
  return { ...rest, position, type: kind, amount: amountMinor.toString(), key: idempotencyKey }
}
