import { sql } from 'kysely'
import { formatInstant, later } from '../../kernel/clock.ts'
import type { Clock } from '../../kernel/clock.ts'
import { digestOfJson } from '../../kernel/digest.ts'
import { Fault } from '../../kernel/faults.ts'
import type { IdSource } from '../../kernel/id.ts'
import { LIMITS } from '../../kernel/limits.ts'
import { money } from '../../kernel/money.ts'
import type { Database, DatabaseTransaction } from '../../kernel/postgres/database.ts'
import { DISPUTE_REASONS } from '../../protocol/money/dispute.ts'
import type {
  DisputeAnswer,
  DisputeOutcome,
  DisputeRequest,
  DisputeSide,
} from '../../protocol/money/dispute.ts'
import { wireMoney } from '../../protocol/wire.ts'
import type { ReceiptLog } from '../../transparency/receipt-log.ts'
import { deleteReleases } from '../notices/withdraw-releases.ts'
import type { AsksUnderWay } from '../routing/asks-under-way.ts'
import { bookCredit, creditedMinor } from './book-credit.ts'
import { findDisputes, insertDispute, insertStep, sideOf, silentOf, stateOf } from './dispute-store.ts'
import type { DisputeStep, StoredDispute } from './dispute-store.ts'
import { deleteTexts, saltText } from './dispute-texts.ts'
import { findDisputed } from './disputed-leg.ts'
import type { DisputedLeg } from './disputed-leg.ts'

/** What disputes work with. */
export interface DisputeParts {
  readonly db: Database
  readonly clock: Clock
  readonly ids: IdSource
  readonly log: Pick<ReceiptLog, 'issue'>
  readonly underWay: Pick<AsksUnderWay, 'forget'>
}

/**
 * Raises a dispute over what a site answered to an ask, with a receipt in the network's log. The same again while it is open gives
 * the one that there is: here and in every step, whoever did not hear the answer asks again.
 *
 * @throws Fault `fault.not_found` for whoever has no part in the trade, `fault.forbidden` for a reason of the other side,
 * `fault.request_malformed` for a claim that is none, `fault.conflict` after the window, or while another one of this side is open
 */
export async function raiseDispute(
  { db, clock, ids, log }: DisputeParts,
  { request, by }: { request: DisputeRequest; by: string },
): Promise<StoredDispute> {
  const id = await db.transaction().execute(async (tx) => {
    await lockTrade(tx, request)
    const leg = await findDisputed(tx, request)
    const side = leg && sideOf(leg, by)
    if (!leg || !side) throw new Fault('fault.not_found', { what: 'There is no such ask for this site' })
    const now = clock.now()
    if (now >= later(leg.answeredAt, LIMITS.disputeWindowMs))
      throw refused('the time in which the answer may be disputed is over')
    const earlier = await findDisputes(
      tx,
      sql`d.ask = ${request.ask} and d.site = ${request.site} and d.side = ${side}`,
      100,
    )
    const claimMinor = claimOf(request, { side, leg, credited: await creditedMinor(tx, request) })
    const { ask, site, reason, statement } = request
    const open = earlier.find((one) => !one.end)
    const isSame =
      open?.raised_by === by &&
      open.reason === reason &&
      open.claim_minor === claimMinor &&
      open.statement === statement
    if (isSame) return open.id
    if (open) throw refused('another dispute of this side is not decided yet')
    const { acquirer, issuer, issuer_processor, custodian, currency } = leg
    const [claim, made] = [{ claim_minor: claimMinor, currency }, ids.next('dispute')]
    const parties = { side, acquirer, issuer, issuer_processor, custodian, raised_by: by }
    const times = { raised_at: now, answer_by: later(now, LIMITS.disputeAnswerMs) }
    const said = saltText(ids, statement)
    await insertDispute(tx, { id: made, ask, site, reason, ...parties, ...claim, ...times }, said)
    const told = { dispute: made, ask, site, reason, statement: said.digest, claim: minorText(claimMinor) }
    await issue(tx, log, told, ask)
    return made
  })
  return requireDispute(db, id)
}

/** @throws Fault `fault.forbidden` for anybody but the other side, `fault.conflict` when the caller answered otherwise, or it is over */
export async function answerDispute(
  parts: DisputeParts,
  { id, by, answer: { answer, text } }: { id: string; by: string; answer: DisputeAnswer },
): Promise<StoredDispute> {
  return takeStep(parts, id, (dispute) => {
    const side = sideOf(dispute, by)
    if (side === undefined || side === dispute.side)
      throw new Fault('fault.forbidden', { what: 'Cannot do that: this is for the other side' })
    const mine = dispute.answers.find(({ by_party }) => by_party === by)
    if (mine?.state === answer && mine.said === text) return undefined
    if (mine) throw refused(`"${by}" has answered`)
    if (dispute.end) throw refused(`it is ${stateOf(dispute)}`)
    if (parts.clock.now() >= dispute.answer_by) throw refused('the time for an answer is over')
    return { kind: 'answer', state: answer, by, said: text }
  })
}

/** @throws Fault `fault.forbidden` for anybody but who raised it, `fault.conflict` when it is over */
export async function withdrawDispute(
  parts: DisputeParts,
  { id, by }: { id: string; by: string },
): Promise<StoredDispute> {
  return takeStep(parts, id, (dispute) => {
    if (dispute.raised_by !== by)
      throw new Fault('fault.forbidden', { what: 'Cannot do that: this is for who raised it' })
    if (dispute.end?.state === 'withdrawn') return undefined
    if (dispute.end) throw refused(`it is ${stateOf(dispute)}`)
    return { kind: 'end', state: 'withdrawn', by }
  })
}

/**
 * Decides a dispute: the money moves, and what is to be deleted goes from the network, in the same transaction.
 *
 * @throws Fault `fault.conflict` when it is over, while one of the other side may still answer, and where somebody has too little;
 * `fault.request_malformed` for a credit beyond the claim
 */
export async function decideDispute(
  parts: DisputeParts,
  { id, by, decided }: { id: string; by: string; decided: DisputeOutcome },
): Promise<StoredDispute> {
  const isDeleted = decided.outcome === 'upheld' && decided.deletion
  const done = await takeStep(parts, id, async (dispute, tx) => {
    const now = parts.clock.now()
    if (isDecidedSo(dispute, decided)) return undefined
    if (dispute.end) throw refused(`it is ${stateOf(dispute)}`)
    const silent = now < dispute.answer_by ? silentOf(dispute) : []
    const until = formatInstant(dispute.answer_by)
    if (silent.length > 0)
      throw refused(`${silent.map((one) => `"${one}"`).join(' and ')} may still answer, until ${until}`)
    const { outcome, ground: said } = decided
    if (outcome === 'rejected') return { kind: 'end', state: outcome, by, said }
    const creditMinor = creditOf(dispute, decided)
    if (creditMinor > 0n) await bookCredit(tx, dispute, { creditMinor, at: now })
    if (isDeleted)
      await deleteReleases(tx, { log: parts.log }, { site: dispute.site, asks: [dispute.ask], now })
    return { kind: 'end', state: outcome, by, said, creditMinor, deletion: isDeleted }
  })
  // Whoever waits for an answer of other sites is told from the record again.
  if (isDeleted) parts.underWay.forget(done.ask)
  return done
}

/** @throws Fault `fault.forbidden` for anybody but the acquirer, `fault.conflict` where nothing is to be deleted */
export async function confirmDeletion(
  parts: DisputeParts,
  { id, by }: { id: string; by: string },
): Promise<StoredDispute> {
  return takeStep(parts, id, (dispute) => {
    if (dispute.acquirer !== by)
      throw new Fault('fault.forbidden', { what: 'Cannot do that: this is for the acquirer' })
    if (!dispute.end?.deletion) throw refused('its outcome asks for no deletion')
    return dispute.deletion ? undefined : { kind: 'deletion', state: 'deleted', by }
  })
}

/** Removes what parties and the operator wrote about a dispute, for example since it names somebody. Again changes nothing. */
export async function removeTexts(
  { db, log }: DisputeParts,
  { id, by }: { id: string; by: string },
): Promise<StoredDispute> {
  const { ask, site } = await requireDispute(db, id)
  await db.transaction().execute(async (tx) => {
    await lockTrade(tx, { ask, site })
    const removed = await deleteTexts(tx, id)
    if (removed > 0) await issue(tx, log, { dispute: id, kind: 'texts', by, removed }, ask)
  })
  return requireDispute(db, id)
}

type Step = Omit<DisputeStep, 'dispute' | 'at' | 'said'> & { readonly said?: string }

/** One step after the other over one trade: two at once would each see the other's not yet. */
async function takeStep(
  { db, clock, ids, log }: DisputeParts,
  id: string,
  decide: (dispute: StoredDispute, tx: DatabaseTransaction) => Promise<Step | undefined> | Step | undefined,
): Promise<StoredDispute> {
  const { ask, site } = await requireDispute(db, id)
  await db.transaction().execute(async (tx) => {
    await lockTrade(tx, { ask, site })
    const step = await decide(await requireDispute(tx, id), tx)
    if (step === undefined) return
    const said = step.said === undefined ? undefined : saltText(ids, step.said)
    await insertStep(tx, { ...step, said, dispute: id, at: clock.now() })
    const { creditMinor, ...told } = step
    const digest = said?.digest ?? null
    await issue(tx, log, { dispute: id, ...told, said: digest, credit: minorText(creditMinor) }, ask)
  })
  return requireDispute(db, id)
}

async function lockTrade(
  tx: DatabaseTransaction,
  { ask, site }: { readonly ask: string; readonly site: string },
): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${site} || ' ' || ${ask}, 37))`.execute(tx)
}

async function requireDispute(db: Database, id: string): Promise<StoredDispute> {
  const [dispute] = await findDisputes(db, sql`d.id = ${id}`, 1)
  if (!dispute) throw new Fault('fault.not_found', { what: 'There is no such dispute' })
  return dispute
}

/** What an acquirer claims back: no more than was captured and has not come back yet. A provider claims no money. */
function claimOf(
  { reason, claim }: DisputeRequest,
  { side, leg, credited }: { side: DisputeSide; leg: DisputedLeg; credited: bigint },
): bigint | null {
  const reasons: readonly string[] = DISPUTE_REASONS[side]
  if (!reasons.includes(reason)) {
    const mine = reasons.join(', ')
    throw new Fault('fault.forbidden', { what: `Cannot do that: reasons of this side are ${mine}` })
  }
  if (side === 'provider') {
    if (claim) throw malformed('claim', 'expected none: money is claimed by the acquirer')
    return null
  }
  const leftMinor = leg.capturedMinor - credited
  const claimMinor = claim?.amountMinor ?? leftMinor
  const isOfPrice = claim === undefined || claim.currency === leg.currency
  if (isOfPrice && claimMinor > 0n && claimMinor <= leftMinor) return claimMinor
  const { amount, currency } = wireMoney(money(leftMinor, leg.currency))
  throw malformed('claim', `expected more than nothing and at most ${amount} minor units of ${currency}`)
}

function creditOf(
  { claim_minor, currency }: StoredDispute,
  { credit }: Extract<DisputeOutcome, { outcome: 'upheld' }>,
): bigint {
  const claimMinor = claim_minor ?? 0n
  const creditMinor = credit?.amountMinor ?? claimMinor
  if ((credit === undefined || credit.currency === currency) && creditMinor <= claimMinor) return creditMinor
  throw malformed('credit', 'expected at most what is claimed, in its currency')
}

/** Whether the stored outcome is this one. */
function isDecidedSo({ end, claim_minor, currency }: StoredDispute, decided: DisputeOutcome): boolean {
  if (end?.state !== decided.outcome || end.said !== decided.ground) return false
  if (decided.outcome === 'rejected') return true
  const creditMinor = decided.credit?.amountMinor ?? claim_minor ?? 0n
  const isOfClaim = (decided.credit?.currency ?? currency) === currency
  return isOfClaim && BigInt(end.credit_minor ?? 0) === creditMinor && end.deletion === decided.deletion
}

function minorText(minor: bigint | null | undefined): string | null {
  return minor?.toString() ?? null
}

/** A receipt in the network's log over what was said; of a text it knows the digest. */
async function issue(
  tx: DatabaseTransaction,
  log: DisputeParts['log'],
  said: object,
  ask: string,
): Promise<void> {
  await log.issue(tx, [{ kind: 'dispute', askId: ask, policy: digestOfJson(said) }])
}

function malformed(field: string, expected: string): Fault {
  return new Fault('fault.request_malformed', {
    what: `Cannot do that: ${field}: ${expected}`,
    errors: [{ field, expected }],
  })
}

function refused(why: string): Fault {
  return new Fault('fault.conflict', { what: `Cannot do that: ${why}` })
}
