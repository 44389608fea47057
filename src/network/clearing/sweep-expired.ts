import { sql } from 'kysely'
import { formatDate, formatInstant, later } from '../../kernel/clock.ts'
import type { Clock, Instant } from '../../kernel/clock.ts'
import type { Currency } from '../../kernel/currency.ts'
import type { Digest } from '../../kernel/digest.ts'
import { LIMITS } from '../../kernel/limits.ts'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import type { ReceiptLog } from '../../transparency/receipt-log.ts'
import { askDigestOf } from '../authorisation/sent-ask.ts'
import type { NetworkEvents } from '../events.ts'
import { postTransfers } from '../ledger/post-transfers.ts'
import type { FreedHold } from '../ledger/post-transfers.ts'

/** What the sweep works with. */
export interface SweepParts {
  readonly db: Database
  readonly clock: Clock
  readonly log: Pick<ReceiptLog, 'issue'>
  readonly events: NetworkEvents
  /** Called once it is durable that a site did not answer. */
  answered(site: string, ask: string): void
}

/** Asks closed in one transaction; the sweep goes on until none is left. */
const ASKS_PER_SWEEP = 200

/**
 * Closes asks whose time is over: sites that did not answer are unreachable, their shares of the hold are freed, and the
 * network's log gets a receipt for each ask. Also frees what is held for an approved answer whose clearing
 * record never came.
 */
export async function sweepExpired(parts: SweepParts): Promise<void> {
  for (;;) {
    const now = parts.clock.now()
    const closed = await parts.db.transaction().execute((tx) => closeExpired(tx, { log: parts.log, now }))
    for (const { site, ask } of closed.legs) {
      parts.events.unreachable({ ask, site })
      parts.answered(site, ask)
    }
    if (closed.asks < ASKS_PER_SWEEP) break
  }
  await freeUncleared(parts)
}

interface OpenLeg {
  readonly ask: string
  readonly site: string
  readonly acquirer: string
  readonly currency: Currency
  readonly hold_minor: bigint
  readonly received_at: Instant
}

interface ExpiredAsk {
  readonly id: string
  readonly acquirer: string
  readonly purpose: string
  readonly mode: string
  readonly data_set: string
  readonly jws: string | null
  readonly batch_index: number | null
  readonly batch_digest: Digest | null
}

async function closeExpired(
  tx: DatabaseTransaction,
  { log, now }: { log: Pick<ReceiptLog, 'issue'>; now: Instant },
): Promise<{ readonly asks: number; readonly legs: readonly OpenLeg[] }> {
  const { rows: asks } = await sql<ExpiredAsk>`
    select a.id, a.acquirer, a.purpose, a.mode, a.data_set, a.jws, a.batch_index,
      (select b.digest from ask_batch b where b.id = a.batch) as batch_digest
    from ask a where a.status = 'waiting' and a.expires_at <= ${formatInstant(now)}::timestamptz
    order by a.expires_at limit ${ASKS_PER_SWEEP} for update of a skip locked`.execute(tx)
  if (asks.length === 0) return { asks: 0, legs: [] }
  const ids = asks.map(({ id }) => id)
  const { rows: legs } = await sql<OpenLeg>`
    with closed as (
      update ask_site set status = 'unreachable', reason = 'declined.site_unreachable', is_hold_open = false
      where ask = any(${ids}) and status = 'waiting' returning ask, site, hold_minor)
    select c.ask, c.site, a.acquirer, a.currency, c.hold_minor, a.received_at from closed c join ask a on a.id = c.ask`.execute(
    tx,
  )
  await postTransfers(tx, { postings: [], freed: freedHolds(legs), at: now })
  const receipts = await log.issue(
    tx,
    asks.map(({ id, acquirer, purpose, mode, data_set, ...signed }) => ({
      kind: 'decline',
      ask: askDigestOf(placeOf(signed)),
      askId: id,
      acquirer,
      purpose,
      mode,
      dataSet: data_set,
      reason: 'declined.site_unreachable',
    })),
  )
  const places = asks.map(({ id }, index) => ({ id, receipt: receipts[index]?.sequence }))
  await sql`
    update ask set status = 'answered', receipt = p.receipt
    from jsonb_to_recordset(${JSON.stringify(places)}::jsonb) as p(id text, receipt bigint) where ask.id = p.id`.execute(
    tx,
  )
  return { asks: asks.length, legs }
}

function placeOf({
  jws,
  batch_digest,
  batch_index,
}: Pick<ExpiredAsk, 'jws' | 'batch_digest' | 'batch_index'>) {
  const isInBatch = batch_digest !== null && batch_index !== null
  return {
    jws: jws ?? undefined,
    batch: isInBatch ? { digest: batch_digest, index: batch_index } : undefined,
  }
}

async function freeUncleared({ db, clock }: SweepParts): Promise<void> {
  const now = clock.now()
  const overSince = later(now, -LIMITS.clearingWindowMs)
  await db.transaction().execute(async (tx) => {
    const { rows: legs } = await sql<OpenLeg>`
      with due as (
        select s.ask, s.site from ask_site s join ask a on a.id = s.ask
        where s.status = 'answered' and s.is_hold_open and s.answered_at <= ${formatInstant(overSince)}::timestamptz
          and a.expires_at <= ${formatInstant(overSince)}::timestamptz
        limit ${ASKS_PER_SWEEP} for update of s skip locked),
      freed as (
        update ask_site s set is_hold_open = false from due d where s.ask = d.ask and s.site = d.site returning s.ask, s.site, s.hold_minor)
      select f.ask, f.site, a.acquirer, a.currency, f.hold_minor, a.received_at from freed f join ask a on a.id = f.ask`.execute(
      tx,
    )
    if (legs.length > 0) await postTransfers(tx, { postings: [], freed: freedHolds(legs), at: now })
  })
}

/**
 * One booking for each account, because an update takes each once. What was not used goes back to the limit of the newest of
 * their days: an account counts one day at a time, and the days before are over.
 */
function freedHolds(legs: readonly OpenLeg[]): readonly FreedHold[] {
  const byAccount = Map.groupBy(legs, ({ acquirer, currency }) => `${acquirer} ${currency}`)
  return [...byAccount.values()].flatMap((ofAccount) => {
    const [first, ...others] = ofAccount
    if (!first) return []
    const newest = others.reduce((one, other) => (other.received_at > one.received_at ? other : one), first)
    const day = formatDate(newest.received_at)
    return {
      owner: first.acquirer,
      currency: first.currency,
      amountMinor: heldBy(ofAccount),
      unusedMinor: heldBy(ofAccount.filter(({ received_at }) => formatDate(received_at) === day)),
      heldAt: newest.received_at,
    }
  })
}

function heldBy(legs: readonly OpenLeg[]): bigint {
  return legs.reduce((sum, { hold_minor }) => sum + hold_minor, 0n)
}
