import { sql } from 'kysely'
import { formatInstant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import { KEPT } from '../../kernel/postgres/kept-statements.ts'
import type { ClearingRecord } from '../../protocol/money/clearing-record.ts'
import type { DecisionMessage } from '../../protocol/decision.ts'
import type { SiteRecord } from '../../protocol/http/network-api.ts'
import { postTransfers, wireBooking } from '../ledger/post-transfers.ts'
import type { Booking } from '../ledger/post-transfers.ts'
import { capturePostings } from './capture-postings.ts'
import { clearingProblem } from './check-clearing.ts'
import { outcomeOf } from './leg.ts'
import type { CaptureOutcome, Leg } from './leg.ts'
import { refused } from './read-decision.ts'
import type { ReadDecision } from './read-decision.ts'

/** What becomes of a leg with its answer. */
export interface LegEnd {
  readonly leg: Leg
  readonly outcome: CaptureOutcome
  readonly priceMinor?: bigint
  /** Absent while the hold stands, because the clearing record is still to come. */
  readonly booking?: Booking | undefined
}

/** Captures with the clearing record, frees after a decline, and else keeps holding until the record comes. */
export function endOf(leg: Leg, { site, read }: { site: SiteRecord; read: ReadDecision }): LegEnd {
  if (read.clearing) return captureOf(leg, { site, record: read.clearing })
  if (read.decision.decision !== 'declined' || !leg.is_hold_open) return { leg, outcome: outcomeOf(leg) }
  return {
    leg,
    outcome: { ...outcomeOf(leg), freedMinor: leg.hold_minor },
    booking: { postings: [], freed: [freedHold(leg, leg.hold_minor)] },
  }
}

/** The capture that a clearing record asks for, if it is one under the terms of the ask. */
function captureOf(leg: Leg, { site, record }: { site: SiteRecord; record: ClearingRecord }) {
  const { ask, acquirer, currency } = leg
  const offer = leg.terms()
  const problem = clearingProblem(record, { acquirer, currency, limitMinor: leg.hold_minor, offer })
  if (problem !== undefined) throw refused(problem)
  const priceMinor = record.price.amountMinor
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
  const freedMinor = leg.hold_minor - priceMinor
  return {
    leg,
    outcome: { ...outcomeOf(leg), capturedMinor: priceMinor, freedMinor },
    priceMinor,
    booking: { postings, freed: [freedHold(leg, freedMinor)] },
  }
}

/** False when the leg is no longer as it was seen. */
export async function closeLeg(
  db: Database,
  facts: { read: ReadDecision; message: DecisionMessage; end: LegEnd; at: Instant },
): Promise<boolean> {
  const { decision } = facts.read
  const { leg, priceMinor, booking } = facts.end
  const { release, receipts, clearing } = facts.message
  const staysHeld = leg.is_hold_open && booking === undefined
  const wire = booking && wireBooking(booking)
  const { rows } = await sql<{ closed: boolean }>`
    ${KEPT} select close_leg(${leg.ask}, ${leg.site}, ${leg.hold_minor}, ${decision.reason}, ${formatInstant(facts.at)}::timestamptz,
      ${facts.message.decision}, ${release ?? null}, ${decision.releaseDigest ?? null}, ${JSON.stringify(receipts)}::jsonb,
      ${clearing ?? null}, ${priceMinor ?? null}::bigint, ${leg.currency}, ${staysHeld},
      ${wire?.transfers ?? null}::jsonb, ${wire?.freed ?? null}::jsonb) as closed`
    .execute(db)
    .catch((error: unknown) => {
      throw isWithdrawn(error) ? refused('the site withdrew the release before') : error
    })
  return rows[0]?.closed === true
}

/** Raised by the trigger `decision_is_not_withdrawn`. */
function isWithdrawn(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'HG020'
}

/** Captures for a decision that came without its clearing record. */
export async function captureLate(
  tx: Database,
  {
    leg,
    site,
    record,
    jws,
    at,
  }: { leg: Leg; site: SiteRecord; record: ClearingRecord; jws: string; at: Instant },
): Promise<CaptureOutcome> {
  const { outcome, priceMinor, booking } = captureOf(leg, { site, record })
  await sql`
    insert into clearing (ask, site, jws, price_minor, currency, received_at)
    values (${leg.ask}, ${leg.site}, ${jws}, ${priceMinor}, ${leg.currency}, ${formatInstant(at)}::timestamptz)`.execute(
    tx,
  )
  await sql`
    update ask_site set is_hold_open = false, captured_minor = ${priceMinor} where ask = ${leg.ask} and site = ${leg.site}`.execute(
    tx,
  )
  await postTransfers(tx, { ...booking, at })
  return outcome
}

function freedHold(leg: Leg, unusedMinor: bigint) {
  const { acquirer, currency, hold_minor, received_at } = leg
  return { owner: acquirer, currency, amountMinor: hold_minor, unusedMinor, heldAt: received_at }
}
