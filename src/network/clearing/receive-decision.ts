import { sql } from 'kysely'
import { onceUnderWay } from '../../kernel/clock.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import { peekJws } from '../../kernel/crypto/jws.ts'
import { siteDecisionSchema } from '../../protocol/decision.ts'
import type { DecisionMessage, SiteDecision } from '../../protocol/decision.ts'
import type { SiteRecord } from '../../protocol/http/network-api.ts'
import type { NetworkEvents } from '../events.ts'
import { amount } from '../authorisation/ask-state.ts'
import type { Directory } from '../membership/directory.ts'
import type { AnswerOfSite, AsksUnderWay } from '../routing/asks-under-way.ts'
import { deliveryProblem } from './check-delivery.ts'
import { captureLate, closeLeg, endOf } from './close-leg.ts'
import { findLeg, outcomeOf } from './leg.ts'
import type { CaptureOutcome, Leg } from './leg.ts'
import { readClearing, readDecision, refused, saidAsk } from './read-decision.ts'
import type { ReadDecision } from './read-decision.ts'

/** What receiving decisions and clearing records works with. */
export interface ClearingParts {
  readonly db: Database
  readonly clock: Clock
  readonly directory: Directory
  readonly events: NetworkEvents
  readonly underWay: AsksUnderWay
  /** Called once the answer of a site is durable. */
  answered(site: string, ask: string): void
}

/**
 * Takes a site's answer to an ask. Decision, release and capture of the hold are one statement; what is not captured is
 * freed at once. The same answer again is answered as before.
 *
 * @throws Fault `fault.not_found` when the site was not asked, `fault.conflict` when it answered otherwise before, the ask
 * is over, or a part does not hold
 */
export async function receiveDecision(
  parts: ClearingParts,
  { site, message }: { site: SiteRecord; message: DecisionMessage },
): Promise<CaptureOutcome> {
  const ask = saidAsk(message)
  const looking = ask === undefined ? undefined : lookForLeg(parts, { ask, site: site.id })
  if (looking instanceof Promise) await onceUnderWay()
  const read = await readDecision(message, { site: site.id, directory: parts.directory })
  const outcome = await closeOnce(parts, { site, message, read, looking })
  parts.underWay.answered(outcome, answerOf({ outcome, read, message }))
  parts.answered(site.id, outcome.ask)
  // Whoever waits for the answer has it first; the site, which has given it, is told after.
  await onceUnderWay()
  parts.events.decided({ ask: outcome.ask, site: site.id, reason: read.decision.reason })
  tellCapture(parts, outcome)
  return outcome
}

/** The leg as it was booked here, or as the record has it. */
function lookForLeg(
  { db, underWay }: ClearingParts,
  facts: { ask: string; site: string },
): Leg | Promise<Leg> {
  const known = underWay.legOf(facts)
  if (known) return known
  const looking = findLeg(db, facts)
  // Waited for later; until then a failure must not count as one that nobody looks at.
  looking.catch(() => undefined)
  return looking
}

/** What whoever asked is told of an answer. */
function answerOf({
  outcome: { site, limitMinor, currency, capturedMinor },
  read: { decision },
  message: { decision: jws, receipts, release },
}: {
  outcome: CaptureOutcome
  read: ReadDecision
  message: DecisionMessage
}): AnswerOfSite {
  return {
    site,
    status: 'answered',
    priceLimit: amount(limitMinor, currency),
    reason: decision.reason,
    decision: jws,
    receipts,
    hasRelease: release !== undefined,
    ...(release === undefined ? {} : { release }),
    ...(capturedMinor === undefined ? {} : { captured: amount(capturedMinor, currency) }),
  }
}

/** A leg goes from waiting to answered or unreachable and never back, so the second look at it is the last. */
async function closeOnce(
  { db, clock }: ClearingParts,
  {
    site,
    message,
    read,
    looking,
  }: {
    site: SiteRecord
    message: DecisionMessage
    read: ReadDecision
    looking: Leg | Promise<Leg> | undefined
  },
): Promise<CaptureOutcome> {
  const at = clock.now()
  let seen = await looking
  for (;;) {
    const leg = seen ?? (await findLeg(db, { ask: read.decision.ask, site: site.id }))
    seen = undefined
    if (leg.status === 'answered') return repeatAnswer(db, { leg, message })
    if (leg.status === 'unreachable') throw refused('the ask has expired')
    requireSense(read, { leg, message })
    const end = endOf(leg, { site, read })
    if (await closeLeg(db, { read, message, end, at })) return end.outcome
  }
}

/** Takes a clearing record that comes after its decision; captured once, the same record again is answered as before. */
export async function receiveClearing(
  parts: ClearingParts,
  { site, jws }: { site: SiteRecord; jws: string },
): Promise<CaptureOutcome> {
  const record = readClearing(jws, { site: site.id, directory: parts.directory })
  const at = parts.clock.now()
  const outcome = await parts.db.transaction().execute(async (tx) => {
    const leg = await findLeg(tx, { ask: record.ask, site: site.id }, sql`for update of a, s`)
    if (leg.clearing_jws === jws) return outcomeOf(leg)
    if (leg.clearing_jws !== null) throw refused('another clearing record came before')
    if (leg.status !== 'answered') throw refused('the decision has not come, or the ask has expired')
    if (!leg.is_hold_open) throw refused('nothing is held for it any longer')
    const untrue = deliveryProblem(record, await deliveredTo(tx, leg))
    if (untrue !== undefined) throw refused(untrue)
    return captureLate(tx, { leg, site, record, jws, at })
  })
  parts.underWay.answered(outcome, undefined)
  tellCapture(parts, outcome)
  return outcome
}

/** What a site said when it delivered; one that was withdrawn since was delivered all the same. */
async function deliveredTo(tx: Database, { ask, site }: Leg): Promise<SiteDecision> {
  const { rows } = await sql<{ jws: string; was_sent: boolean }>`
    select jws, release is not null or withdrawn_at is not null as was_sent from decision
    where ask = ${ask} and site = ${site}`.execute(tx)
  const [decision] = rows
  if (decision?.was_sent !== true) throw refused('nothing was delivered, so nothing is captured')
  // Verified when it came.
  return siteDecisionSchema.parse(JSON.parse(peekJws(decision.jws)?.payload ?? 'null'))
}

async function repeatAnswer(
  db: Database,
  { leg, message }: { leg: Leg; message: DecisionMessage },
): Promise<CaptureOutcome> {
  const { rows } = await sql<{ jws: string; release: string | null }>`
    select jws, release from decision where ask = ${leg.ask} and site = ${leg.site}`.execute(db)
  const earlier = rows[0]
  const isSame =
    earlier?.jws === message.decision &&
    (earlier.release ?? undefined) === message.release &&
    (message.clearing === undefined || message.clearing === leg.clearing_jws)
  if (!isSame) throw refused('the site answered otherwise before')
  return outcomeOf(leg)
}

function requireSense(
  { decision, clearing }: ReadDecision,
  { leg, message }: { leg: Leg; message: DecisionMessage },
): void {
  if (clearing && message.release === undefined)
    throw refused('nothing was delivered, so nothing is captured')
  if (!leg.is_dry_run) return
  if (clearing || decision.releaseDigest !== undefined) {
    throw refused('a dry run has neither a release nor a clearing record')
  }
}

function tellCapture(
  { events }: ClearingParts,
  { ask, site, capturedMinor, currency }: CaptureOutcome,
): void {
  if (capturedMinor !== undefined) events.captured({ ask, site, amountMinor: capturedMinor, currency })
}
