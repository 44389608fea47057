import { sql } from 'kysely'
import { formatInstant } from '../../kernel/clock.ts'
import type { Clock, Instant } from '../../kernel/clock.ts'
import type { Currency } from '../../kernel/currency.ts'
import { Fault } from '../../kernel/faults.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import type { ClearingRecord } from '../../protocol/clearing-record.ts'
import type { DecisionMessage } from '../../protocol/decision.ts'
import type { SiteRecord } from '../../protocol/network-api.ts'
import { offerSchema } from '../../protocol/offer.ts'
import type { NetworkEvents } from '../events.ts'
import { postTransfers } from '../ledger/post-transfers.ts'
import type { Directory } from '../membership/directory.ts'
import { capturePostings } from './capture-postings.ts'
import { clearingProblem } from './check-clearing.ts'
import { readClearing, readDecision, refused } from './read-decision.ts'
import type { ReadDecision } from './read-decision.ts'

/** What receiving decisions and clearing records works with. */
export interface ClearingParts {
  readonly db: Database
  readonly clock: Clock
  readonly directory: Directory
  readonly events: NetworkEvents
  /** Called once the answer of a site is durable. */
  answered(site: string, ask: string): void
}

/** What became of the site's share of the hold, in minor units. */
export interface CaptureOutcome {
  readonly ask: string
  readonly site: string
  readonly currency: Currency
  readonly capturedMinor: bigint | undefined
  readonly freedMinor: bigint | undefined
}

/**
 * Takes a site's answer to an ask. Decision, release and capture of the hold are one transaction; what is not captured is
 * freed at once. The same answer again is answered as before.
 *
 * @throws Fault `fault.not_found` when the site was not asked, `fault.conflict` when it answered otherwise before, the ask
 * is over, or a part does not hold
 */
export async function receiveDecision(
  parts: ClearingParts,
  { site, message }: { site: SiteRecord; message: DecisionMessage },
): Promise<CaptureOutcome> {
  const read = readDecision(message, { site: site.id, directory: parts.directory })
  const { ask } = read.decision
  const at = parts.clock.now()
  const outcome = await parts.db.transaction().execute(async (tx) => {
    const leg = await lockLeg(tx, { ask, site: site.id })
    if (leg.status === 'answered') return repeatAnswer(tx, { leg, message })
    if (leg.status === 'unreachable') throw refused('the ask has expired')
    requireSense(read, leg)
    await keepDecision(tx, { read, message, at })
    const outcome = await closeLeg(tx, { leg, site, read, clearingJws: message.clearing, at })
    await closeAsk(tx, ask)
    return outcome
  })
  parts.answered(site.id, ask)
  parts.events.decided({ ask, site: site.id, reason: read.decision.reason })
  tellCapture(parts, outcome)
  return outcome
}

/** Takes a clearing record that comes after its decision; captured once, the same record again is answered as before. */
export async function receiveClearing(
  parts: ClearingParts,
  { site, jws }: { site: SiteRecord; jws: string },
): Promise<CaptureOutcome> {
  const record = readClearing(jws, { site: site.id, directory: parts.directory })
  const at = parts.clock.now()
  const outcome = await parts.db.transaction().execute(async (tx) => {
    const leg = await lockLeg(tx, { ask: record.ask, site: site.id })
    if (leg.clearing_jws === jws) return outcomeOf(leg)
    if (leg.clearing_jws !== null) throw refused('another clearing record came before')
    if (leg.status !== 'answered') throw refused('the decision has not come, or the ask has expired')
    if (!leg.is_hold_open) throw refused('nothing is held for it any longer')
    return capture(tx, { leg, site, record, jws, at })
  })
  tellCapture(parts, outcome)
  return outcome
}

interface Leg {
  readonly ask: string
  readonly site: string
  readonly acquirer: string
  readonly currency: Currency
  readonly is_dry_run: boolean
  readonly received_at: Instant
  readonly status: 'waiting' | 'answered' | 'unreachable'
  readonly limit_minor: bigint
  readonly hold_minor: bigint
  readonly is_hold_open: boolean
  readonly captured_minor: bigint | null
  readonly terms: unknown
  readonly clearing_jws: string | null
}

async function lockLeg(tx: Database, { ask, site }: { ask: string; site: string }): Promise<Leg> {
  const { rows } = await sql<Leg>`
    select s.ask, s.site, a.acquirer, a.currency, a.is_dry_run, a.received_at, s.status, s.limit_minor, s.hold_minor, s.is_hold_open,
      s.captured_minor, o.terms, c.jws as clearing_jws
    from ask_site s join ask a on a.id = s.ask join offer o on o.id = s.offer left join clearing c on c.ask = s.ask and c.site = s.site
    where s.ask = ${ask} and s.site = ${site} for update of a, s`.execute(tx)
  const leg = rows[0]
  if (!leg) throw new Fault('fault.not_found', { what: 'There is no such ask for this site' })
  return leg
}

async function repeatAnswer(
  tx: Database,
  { leg, message }: { leg: Leg; message: DecisionMessage },
): Promise<CaptureOutcome> {
  const { rows } = await sql<{ jws: string; release: string | null }>`
    select jws, release from decision where ask = ${leg.ask} and site = ${leg.site}`.execute(tx)
  const earlier = rows[0]
  const isSame =
    earlier?.jws === message.decision &&
    (earlier.release ?? undefined) === message.release &&
    (message.clearing === undefined || message.clearing === leg.clearing_jws)
  if (!isSame) throw refused('the site answered otherwise before')
  return outcomeOf(leg)
}

function requireSense({ decision, clearing }: ReadDecision, leg: Leg): void {
  if (!leg.is_dry_run) return
  if (clearing || decision.releaseDigest !== undefined) {
    throw refused('a dry run has neither a release nor a clearing record')
  }
}

async function keepDecision(
  tx: Database,
  { read: { decision }, message, at }: { read: ReadDecision; message: DecisionMessage; at: Instant },
): Promise<void> {
  await sql`
    insert into decision (ask, site, jws, release, release_digest, receipts, received_at)
    values (${decision.ask}, ${decision.site}, ${message.decision}, ${message.release ?? null}, ${decision.releaseDigest ?? null},
      ${JSON.stringify(message.receipts)}::jsonb, ${formatInstant(at)}::timestamptz)`.execute(tx)
  await sql`
    update ask_site set status = 'answered', reason = ${decision.reason}, answered_at = ${formatInstant(at)}::timestamptz
    where ask = ${decision.ask} and site = ${decision.site}`.execute(tx)
}

/** Captures with the clearing record, frees after a decline, and else keeps holding until the record comes. */
async function closeLeg(
  tx: Database,
  facts: { leg: Leg; site: SiteRecord; read: ReadDecision; clearingJws: string | undefined; at: Instant },
): Promise<CaptureOutcome> {
  const { leg, site, read, clearingJws, at } = facts
  if (read.clearing && clearingJws !== undefined) {
    return capture(tx, { leg, site, record: read.clearing, jws: clearingJws, at })
  }
  if (read.decision.decision !== 'declined') return outcomeOf(leg)
  await freeLeg(tx, leg, at)
  return { ...outcomeOf(leg), freedMinor: leg.hold_minor }
}

async function capture(
  tx: Database,
  facts: { leg: Leg; site: SiteRecord; record: ClearingRecord; jws: string; at: Instant },
): Promise<CaptureOutcome> {
  const { leg, site, record, jws, at } = facts
  const { ask, acquirer, currency } = leg
  const offer = offerSchema.parse(leg.terms)
  const problem = clearingProblem(record, { acquirer, currency, limitMinor: leg.hold_minor, offer })
  if (problem !== undefined) throw refused(problem)
  const priceMinor = record.price.amountMinor
  await sql`
    insert into clearing (ask, site, jws, price_minor, currency, received_at)
    values (${ask}, ${leg.site}, ${jws}, ${priceMinor}, ${currency}, ${formatInstant(at)}::timestamptz)`.execute(
    tx,
  )
  await sql`
    update ask_site set is_hold_open = false, captured_minor = ${priceMinor} where ask = ${ask} and site = ${leg.site}`.execute(
    tx,
  )
  const postings = capturePostings({
    ask,
    site: leg.site,
    acquirer,
    issuer: offer.issuer,
    issuerProcessor: offer.issuerProcessor,
    custodian: site.custodian,
    priceMinor,
    currency,
    splits: offer.splits,
  })
  await postTransfers(tx, { postings, freed: [freedHold(leg, leg.hold_minor - priceMinor)], at })
  return { ...outcomeOf(leg), capturedMinor: priceMinor, freedMinor: leg.hold_minor - priceMinor }
}

async function freeLeg(tx: Database, leg: Leg, at: Instant): Promise<void> {
  if (!leg.is_hold_open) return
  await sql`update ask_site set is_hold_open = false where ask = ${leg.ask} and site = ${leg.site}`.execute(
    tx,
  )
  await postTransfers(tx, { postings: [], freed: [freedHold(leg, leg.hold_minor)], at })
}

function freedHold(leg: Leg, unusedMinor: bigint) {
  const { acquirer, currency, hold_minor, received_at } = leg
  return { owner: acquirer, currency, amountMinor: hold_minor, unusedMinor, heldAt: received_at }
}

/** An ask is answered once none of its sites is waited for. */
async function closeAsk(tx: Database, ask: string): Promise<void> {
  await sql`
    update ask set status = 'answered'
    where id = ${ask} and not exists (select 1 from ask_site where ask = ${ask} and status = 'waiting')`.execute(
    tx,
  )
}

function outcomeOf({ ask, site, currency, captured_minor, is_hold_open, hold_minor }: Leg): CaptureOutcome {
  const capturedMinor = captured_minor ?? undefined
  return {
    ask,
    site,
    currency,
    capturedMinor,
    freedMinor: is_hold_open ? undefined : hold_minor - (captured_minor ?? 0n),
  }
}

function tellCapture(
  { events }: ClearingParts,
  { ask, site, capturedMinor, currency }: CaptureOutcome,
): void {
  if (capturedMinor !== undefined) events.captured({ ask, site, amountMinor: capturedMinor, currency })
}
