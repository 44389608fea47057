import { sql } from 'kysely'
import { formatInstant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { DatabaseTransaction } from '../../kernel/postgres/database.ts'
import type { LocalAnswer } from '../../protocol/floor-limit.ts'
import type { SiteRecord } from '../../protocol/http/network-api.ts'
import { offerSchema } from '../../protocol/offer.ts'
import type { Offer } from '../../protocol/offer.ts'
import { capturePostings } from '../clearing/capture-postings.ts'
import { clearingProblem } from '../clearing/check-clearing.ts'
import type { CaptureOutcome } from '../clearing/leg.ts'
import { refused } from '../clearing/read-decision.ts'
import type { ClearingParts } from '../clearing/receive-decision.ts'
import { isOverdrawn } from '../ledger/overdrawn.ts'
import { postTransfers } from '../ledger/post-transfers.ts'
import { findFloorLimits } from './floor-store.ts'
import type { FloorRow } from './floor-store.ts'
import { floorProblem, readLocalAnswer } from './read-local-answer.ts'
import type { ReadLocalAnswer } from './read-local-answer.ts'

/**
 * Takes an answer that a site gave on the local network and captures its price from the floor limit it was booked on.
 *
 * Captured once for an ask and a site, whichever way the ask came: one that also waits for the site here, or was given up,
 * is answered by this, and its own hold is freed whole.
 *
 * @throws Fault `fault.conflict` when a part does not hold, the limit does not cover it, or the site answered otherwise before
 */
export async function receiveLocalAnswer(
  parts: ClearingParts,
  { site, message }: { site: SiteRecord; message: LocalAnswer },
): Promise<CaptureOutcome> {
  const read = await readLocalAnswer(message, { site: site.id, directory: parts.directory })
  const at = parts.clock.now()
  const outcome = await parts.db
    .transaction()
    .execute((tx) => captureOnce(tx, { site, message, read, at }))
    .catch((error: unknown) => {
      if (isOverdrawn(error)) throw refused('its floor limit is closed, and the balance does not cover it')
      throw error
    })
  parts.underWay.forget(outcome.ask)
  parts.answered(site.id, outcome.ask)
  const { capturedMinor, currency } = outcome
  if (capturedMinor !== undefined)
    parts.events.captured({ ask: outcome.ask, site: site.id, amountMinor: capturedMinor, currency })
  return outcome
}

interface Receiving {
  readonly site: SiteRecord
  readonly message: LocalAnswer
  readonly read: ReadLocalAnswer
  readonly at: Instant
}

async function captureOnce(
  tx: DatabaseTransaction,
  { site, message, read, at }: Receiving,
): Promise<CaptureOutcome> {
  // The limit before the ask before accounts: everything that locks several of them does so in this order.
  const [limit] = await findFloorLimits(tx, sql`f.id = ${message.floorLimit}`, sql`for update`)
  await ensureAsk(tx, { read, at, jws: message.ask })
  const leg = await lockLeg(tx, { ask: read.ask.id, site: site.id })
  const priceMinor = read.record.price.amountMinor
  const outcome = {
    ask: read.ask.id,
    site: site.id,
    currency: read.record.price.currency,
    limitMinor: priceMinor,
    capturedMinor: priceMinor,
    freedMinor: leg?.is_hold_open === true ? leg.hold_minor : 0n,
  }
  if (leg?.status === 'answered') {
    // What was captured is what the first clearing record says; the release is the one that the decision names.
    if (leg.decision === message.decision && leg.clearing === message.clearing) return outcome
    throw refused('the site answered otherwise before')
  }
  const problem = floorProblem(read, { limit, site: site.id })
  if (!limit || problem !== undefined) throw refused(problem ?? 'there is no such floor limit')
  const offer = await findTerms(tx, { site: site.id, read })
  await keepAnswer(tx, { site, message, read, at, offerRow: offer.row })
  await sql`
    update floor_limit set captured_minor = captured_minor + ${priceMinor} where id = ${limit.id}`.execute(tx)
  await postTransfers(tx, { ...bookingOf({ site, read, offer: offer.terms, limit, leg, at }), at })
  return outcome
}

/** The ask, as if it had come here. A key that stands for another ask is that ask's; this one is kept under a longer one. */
async function ensureAsk(
  tx: DatabaseTransaction,
  { read: { ask, bodyDigest }, at, jws }: { read: ReadLocalAnswer; at: Instant; jws: string },
): Promise<void> {
  const insert = (key: string) => sql`
    insert into ask (id, acquirer, idempotency_key, body_digest, sender, status, data_set, purpose, mode, currency, hold_minor, is_dry_run,
      received_at, expires_at, jws)
    values (${ask.id}, ${ask.acquirer}, ${key}, decode(${bodyDigest}, 'hex'), ${ask.acquirer}, 'answered', ${ask.offer}, ${ask.purpose},
      ${ask.mode}, ${ask.maxPrice.currency}, 0, false, ${formatInstant(at)}::timestamptz, ${formatInstant(ask.expires)}::timestamptz, ${jws})
    on conflict do nothing`
  await insert(ask.idempotencyKey).execute(tx)
  const isThere = async () => {
    const { rows } = await sql<object>`select 1 as found from ask where id = ${ask.id} for update`.execute(tx)
    return rows.length > 0
  }
  if (await isThere()) return
  await insert(`${ask.idempotencyKey} ${ask.id}`).execute(tx)
  if (!(await isThere())) throw refused('another ask stands in its place')
}

interface KnownLeg {
  readonly status: 'waiting' | 'answered' | 'unreachable'
  readonly hold_minor: bigint
  readonly is_hold_open: boolean
  readonly received_at: Instant
  readonly decision: string | null
  readonly clearing: string | null
}

async function lockLeg(
  tx: DatabaseTransaction,
  { ask, site }: { ask: string; site: string },
): Promise<KnownLeg | undefined> {
  const { rows } = await sql<KnownLeg>`
    select s.status, s.hold_minor, s.is_hold_open, a.received_at,
      (select d.jws from decision d where d.ask = s.ask and d.site = s.site) as decision,
      (select c.jws from clearing c where c.ask = s.ask and c.site = s.site) as clearing
    from ask_site s join ask a on a.id = s.ask where s.ask = ${ask} and s.site = ${site} for update of s`.execute(
    tx,
  )
  return rows[0]
}

/** Terms of the site under which the record holds, the newest first: it may have published others since. */
async function findTerms(
  tx: DatabaseTransaction,
  { site, read: { record } }: { site: string; read: ReadLocalAnswer },
): Promise<{ readonly row: number; readonly terms: Offer }> {
  const { rows } = await sql<{ id: number; terms: unknown }>`
    select id, terms from offer where site = ${site} and data_set = ${record.dataSet} order by id desc`.execute(
    tx,
  )
  const { acquirer, price } = record
  const limits = { acquirer, currency: price.currency, limitMinor: price.amountMinor }
  const problems: (string | undefined)[] = []
  for (const { id, terms } of rows) {
    const offer = offerSchema.parse(terms)
    const problem = clearingProblem(record, { ...limits, offer })
    if (problem === undefined) return { row: id, terms: offer }
    problems.push(problem)
  }
  throw refused(problems[0] ?? 'the site never offered this data set')
}

/** A release that its site has withdrawn meanwhile is not kept; it was delivered all the same. */
async function keepAnswer(
  tx: DatabaseTransaction,
  { site, message, read, at, offerRow }: Receiving & { offerRow: number },
): Promise<void> {
  const { ask, decision, record } = read
  const time = formatInstant(at)
  const priceMinor = record.price.amountMinor
  await sql`
    insert into ask_site (ask, site, offer, limit_minor, hold_minor, status, is_hold_open, captured_minor, reason, answered_at)
    values (${ask.id}, ${site.id}, ${offerRow}, ${priceMinor}, ${priceMinor}, 'answered', false, ${priceMinor}, ${decision.reason},
      ${time}::timestamptz)
    on conflict (ask, site) do update set offer = excluded.offer, status = 'answered', is_hold_open = false,
      limit_minor = greatest(ask_site.limit_minor, excluded.limit_minor), hold_minor = greatest(ask_site.hold_minor, excluded.hold_minor),
      captured_minor = excluded.captured_minor, reason = excluded.reason, answered_at = excluded.answered_at`.execute(
    tx,
  )
  await sql`
    insert into decision (ask, site, jws, release, release_digest, receipts, received_at)
    values (${ask.id}, ${site.id}, ${message.decision},
      case when exists (select 1 from release_withdrawal w where w.site = ${site.id} and w.ask = ${ask.id}) then null
        else ${message.release ?? null}::text end, ${decision.releaseDigest ?? null},
      ${JSON.stringify(message.receipts)}::jsonb, ${time}::timestamptz)`.execute(tx)
  await sql`
    insert into clearing (ask, site, jws, price_minor, currency, received_at)
    values (${ask.id}, ${site.id}, ${message.clearing}, ${priceMinor}, ${record.price.currency}, ${time}::timestamptz)`.execute(
    tx,
  )
  await sql`
    update ask set status = 'answered', reason = null, detail = null
    where id = ${ask.id} and status <> 'answered'
      and not exists (select 1 from ask_site where ask = ${ask.id} and status = 'waiting')`.execute(tx)
}

/** The price to all who share it; from what the limit holds, and what the ask itself held here is freed with it. */
function bookingOf(facts: {
  site: SiteRecord
  read: ReadLocalAnswer
  offer: Offer
  limit: FloorRow
  leg: KnownLeg | undefined
  at: Instant
}) {
  const { site, read, offer, limit, leg, at } = facts
  const { record } = read
  const priceMinor = record.price.amountMinor
  const ownMinor = leg?.is_hold_open === true ? leg.hold_minor : 0n
  // Once a limit is closed nothing is held for it: the price then comes from what is available.
  const heldMinor = limit.is_open ? priceMinor : 0n
  const freed = {
    owner: record.acquirer,
    currency: record.price.currency,
    amountMinor: heldMinor + ownMinor,
    unusedMinor: ownMinor,
    heldAt: leg?.received_at ?? at,
  }
  const postings = capturePostings({
    ask: read.ask.id,
    site: site.id,
    acquirer: record.acquirer,
    issuer: offer.issuer,
    issuerProcessor: offer.issuerProcessor,
    custodian: site.custodian,
    priceMinor,
    currency: record.price.currency,
    splits: offer.splits,
  })
  return { postings, freed: [freed] }
}
