import { sql } from 'kysely'
import { formatInstant } from '../../kernel/clock.ts'
import type { Clock, Instant } from '../../kernel/clock.ts'
import { Fault } from '../../kernel/faults.ts'
import { LIMITS } from '../../kernel/limits.ts'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import type { FreedHold } from '../ledger/post-transfers.ts'
import { postTransfers } from '../ledger/post-transfers.ts'
import { findFloorLimits } from './floor-store.ts'
import type { FloorRow } from './floor-store.ts'

/**
 * Closes a limit that has ended, at its site's word that everything on it is cleared, and frees what is left of its hold.
 * Closed once; the same again changes nothing.
 *
 * @throws Fault `fault.not_found` when the site has no such limit, `fault.conflict` while it is in force
 */
export async function closeFloorLimit(
  { db, clock }: { db: Database; clock: Clock },
  { site, limit }: { site: string; limit: string },
): Promise<FloorRow> {
  const at = clock.now()
  return db.transaction().execute(async (tx) => {
    const [row] = await findFloorLimits(tx, sql`f.id = ${limit} and f.site = ${site}`, sql`for update`)
    if (!row) throw new Fault('fault.not_found', { what: 'There is no such floor limit of this site' })
    if (!row.is_open) return row
    // The two clocks may differ: a site that says its limit has ended is believed a little early.
    if (row.valid_until > at + LIMITS.clockSkewMsMax)
      throw new Fault('fault.conflict', { what: 'Cannot close the floor limit: it is in force' })
    await close(tx, [row], at)
    return { ...row, is_open: false }
  })
}

const LIMITS_PER_SWEEP = 200

/** Frees what is held for limits whose site has not cleared in time. */
export async function sweepFloorLimits({ db, clock }: { db: Database; clock: Clock }): Promise<void> {
  const at = clock.now()
  await db.transaction().execute(async (tx) => {
    const rows = await findFloorLimits(
      tx,
      sql`f.is_open and f.clear_until <= ${formatInstant(at)}::timestamptz`,
      sql`limit ${LIMITS_PER_SWEEP} for update skip locked`,
    )
    if (rows.length > 0) await close(tx, rows, at)
  })
}

async function close(tx: DatabaseTransaction, rows: readonly FloorRow[], at: Instant): Promise<void> {
  await sql`update floor_limit set is_open = false where id = any(${rows.map(({ id }) => id)})`.execute(tx)
  await postTransfers(tx, { postings: [], freed: freedHolds(rows, at), at })
}

/** One for each account, because an update takes each account once. A floor limit never counted towards a day. */
function freedHolds(rows: readonly FloorRow[], at: Instant): readonly FreedHold[] {
  const accounts = Map.groupBy(rows, ({ acquirer, currency }) => `${acquirer} ${currency}`)
  return [...accounts.values()].flatMap((group) => {
    const [first] = group
    const amountMinor = group.reduce((sum, row) => sum + row.amount_minor - row.captured_minor, 0n)
    return first
      ? [{ owner: first.acquirer, currency: first.currency, amountMinor, unusedMinor: 0n, heldAt: at }]
      : []
  })
}
