import { sql } from 'kysely'
import type { DatabaseTransaction } from '../../kernel/postgres/database.ts'

/**
 * Waits until no other act that reads balances and books on them, and no settlement, is under way; released with the transaction. Bookings
 * themselves (`post_transfers`) share this lock, so they wait until it is over.
 */
export async function lockLedger(tx: DatabaseTransaction): Promise<void> {
  await sql`select pg_advisory_xact_lock(${LEDGER_LOCK})`.execute(tx)
}

/** The lock that bookings share and a settlement takes alone: the window closes between bookings. */
const LEDGER_LOCK = 74_000_100
