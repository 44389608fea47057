import { monotonicMs, onceUnderWay, systemClock } from '../../kernel/clock.ts'
import { err, ok } from '../../kernel/result.ts'
import type { Result } from '../../kernel/result.ts'
import { declined } from '../../protocol/reason.ts'
import type { Decline, Outcome } from '../../protocol/reason.ts'
import type { Question } from '../../protocol/ask.ts'
import { highestPrice } from '../../protocol/money/tariff.ts'
import type { SiteEvents } from '../events.ts'
import type { PulledAsk } from '../line/serve-line.ts'
import { contractLack } from '../contracts/contract-in-force.ts'
import { admit } from './admission-checks.ts'
import { unassessedRisk } from '../assessments/unassessed-risk.ts'
import { answerDryRun } from './answer-dry-run.ts'
import { findAnswer } from './answer-store.ts'
import type { StoredAnswer } from './answer-store.ts'
import type { AskFacts } from './ask-facts.ts'
import { answerPrivately, checkBudget } from './answer-privately.ts'
import { collectAnswer } from './collect-answer.ts'
import { composeAnswer, composeDecline } from './compose-answer.ts'
import { countedWhenLost } from './count-as-told.ts'
import { declinedRun, guardRelease } from './guard-release.ts'
import { openQuestion } from './open-question.ts'
import { priceAndSeal, reservationParts, reserveRun } from './reserve-run.ts'
import type { Approved } from './reserve-run.ts'
import { asAnswered, isStillSo, planAsk } from './plan-ask.ts'
import type { PlannedAsk } from './plan-ask.ts'
import { reserveAnswer } from './reserve-answer.ts'
import type { ReservationOutcome } from './reserve-answer.ts'
import type { AskParts, SiteParts } from './site-parts.ts'
import { isCustodian } from './is-custodian.ts'
import { lookAndRun } from './look-before.ts'
import { keptForLater, releaseAgain } from './stored-release.ts'
import { toldOutcome } from './told-decline.ts'
import type { ToldDecline, ToldOutcome } from './told-decline.ts'
import { untilTimeClass } from './time-class.ts'
import { verifyAsk } from './verify-ask.ts'

/** A run is repeated when grants or rows changed under it; more often than this somebody is changing them all the time. */
const ATTEMPTS_MAX = 5

/**
 * Answers one ask, once: signature, admission, question, people, run, guard, price, and the one reservation that makes
 * all of it true together. An ask that has its answer keeps it. A decline is an answer like any other.
 */
export async function answerAsk(
  pulled: PulledAsk,
  { parts: siteParts, events }: { parts: SiteParts; events: SiteEvents },
): Promise<StoredAnswer> {
  const startedMs = monotonicMs()
  const parts: AskParts = {
    ...siteParts,
    untilTimeClass: () => untilTimeClass(startedMs, systemClock),
  }
  // While the record is looked into the question is opened; nothing is run or kept before it is known to have no answer.
  const [existing, { facts, opened }] = await Promise.all([
    findAnswer(parts.db, pulled.item.ask),
    onceUnderWay().then(() => openAsk(pulled, parts)),
  ])
  if (existing) return existing
  const keep = (decline: ToldDecline) => keepDecline({ pulled, facts, decline }, parts)
  const decided = opened.ok ? await runAndReserve(opened.value, parts, keep) : opened
  const answered = decided.ok ? decided.value.answer : await keepLast(decided.error, keep)
  events.decided({
    ask: pulled.item.ask,
    acquirer: pulled.item.acquirer,
    dataSet: pulled.item.dataSet,
    reason: decided.ok ? decided.value.reason : decided.error.code,
    operatorNote: decided.ok ? undefined : decided.error.operatorNote,
    durationMs: monotonicMs() - startedMs,
  })
  return answered
}

/** Keeps a decline as the answer, if it is so still what it stands on. */
type KeepDecline = (decline: ToldDecline) => Promise<ReservationOutcome>

async function keepDecline(
  declined: { pulled: PulledAsk; facts: Outcome<AskFacts>; decline: ToldDecline },
  parts: AskParts,
): Promise<ReservationOutcome> {
  const reservation = { ...composeDecline(declined, parts), ...declined.decline.standsOn }
  return reserveAnswer(reservationParts(parts), reservation)
}

/** A decline that has not been kept yet tells of no run, so it stands on nothing that could have changed meanwhile. */
async function keepLast({ kept, ...decline }: DeclinedRun, keep: KeepDecline): Promise<StoredAnswer> {
  const answer = kept ?? (await keep(decline))
  if (answer === 'changed') throw new TypeError('A decline reserves nothing that could change')
  return answer
}

/** A decline, and the answer that it is where it has been kept as one. */
type DeclinedRun = Decline & { readonly kept?: StoredAnswer }

/** An ask that may be run: what it is judged by, and what it asks. */
interface OpenedAsk {
  readonly facts: AskFacts
  readonly question: Question
}

/** Loads and checks an ask, and opens its question if it is admitted. */
async function openAsk(
  pulled: PulledAsk,
  parts: SiteParts,
): Promise<{ readonly facts: Outcome<AskFacts>; readonly opened: Outcome<OpenedAsk> }> {
  const facts = await loadFacts(pulled, parts)
  if (!facts.ok) return { facts, opened: facts }
  const decline = pulled.local?.decline ?? admit(facts.value)
  if (decline) return { facts, opened: declined(decline.code, decline) }
  const { sealing, former } = parts.keys
  const question = openQuestion(facts.value.ask, { site: parts.site, keys: [sealing, ...former.sealing] })
  return { facts, opened: question.ok ? ok({ facts: facts.value, question: question.value }) : question }
}

/** Checks the signatures against pinned keys and loads what the checks look at. */
async function loadFacts(
  { item, batchJws, acquirer, signer, local }: PulledAsk,
  parts: SiteParts,
): Promise<Outcome<AskFacts>> {
  const now = parts.clock.now()
  if (!acquirer || !signer) return declined('declined.member_unknown')
  const acquirerKeys = await parts.pins.pin({ member: acquirer, now })
  if (!acquirerKeys.ok) return acquirerKeys
  const signerKeys = signer.id === acquirer.id ? acquirerKeys : await parts.pins.pin({ member: signer, now })
  if (!signerKeys.ok) return signerKeys
  const verified = verifyAsk({ item, batchJws, acquirer, signerKeys: signerKeys.value })
  if (!verified.ok) return verified
  const { ask } = verified.value
  return ok({
    ...verified.value,
    ...(await standingFacts(ask, parts, now)),
    acquirer,
    isCustodian: isCustodian(acquirer, parts),
    acquirerKeys: acquirerKeys.value,
    ...(local ? { local } : {}),
    priceLimit: item.priceLimit,
  })
}

/** What an ask is judged by that the site may change while it waits, as it stands at a moment. */
async function standingFacts(
  { offer, purpose }: AskFacts['ask'],
  parts: SiteParts,
  now: AskFacts['now'],
): Promise<
  Pick<AskFacts, 'manifest' | 'unassessedRisk' | 'contractLack' | 'evidence' | 'removedGrounds' | 'now'>
> {
  const manifest = parts.isOffering() ? parts.manifests().get(offer) : undefined
  return {
    manifest,
    unassessedRisk: manifest && (await unassessedRisk(parts, { manifest, purpose })),
    contractLack: manifest && contractLack(parts, manifest, now),
    evidence: parts.evidence.current(now)?.evidence,
    removedGrounds: parts.removedGrounds(),
    now,
  }
}

async function runAndReserve(
  { facts, question }: OpenedAsk,
  parts: AskParts,
  keep: KeepDecline,
): Promise<Result<Approved, DeclinedRun>> {
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
    // Time goes on between attempts: terms, grants, evidence and expiry are judged by the moment of the run.
    const current = { ...facts, ...(await standingFacts(facts.ask, parts, parts.clock.now())) }
    const decline = admit(current)
    if (decline) return declined(decline.code, decline)
    const planned = await planAsk(current, question, parts)
    if (!planned.ok) return planned
    const free = parts.holds.check(await parts.groups.groupOf(facts.acquirer), facts.ask.mode)
    if (!free.ok) return free
    const outcome = facts.ask.dryRun
      ? await reserveDryRun(current, planned.value, parts)
      : await runOnce(current, planned.value, parts)
    if (outcome === 'again') continue
    if (outcome.ok || !outcome.error.standsOn) return outcome
    const kept = await keep(outcome.error)
    if (kept !== 'changed') return err({ ...outcome.error, kept })
  }
  return declined('declined.timeout', { operatorNote: 'grants or rows kept changing under the run' })
}

async function reserveDryRun(
  facts: AskFacts,
  planned: PlannedAsk,
  parts: AskParts,
): Promise<ToldOutcome<Approved> | 'again'> {
  // Rows would be known once they are counted as told; what can be told of them are their terms.
  if (facts.ask.mode === 'aggregate') return answerDryRun(facts, planned, parts)
  const manifest = planned.dataSets.get(facts.ask.offer)?.manifest
  const price = manifest && highestPrice(manifest.tariff)
  if (planned.privacy) {
    const isAffordable = await checkBudget(facts, { ...planned, privacy: planned.privacy }, parts)
    if (!isAffordable.ok) return isAffordable
  }
  const answer = await reserveAnswer(reservationParts(parts), composeAnswer({ facts, planned, price }, parts))
  return answer === 'changed' ? 'again' : ok({ reason: planned.reason, answer })
}

async function runOnce(
  facts: AskFacts,
  planned: PlannedAsk,
  parts: AskParts,
): Promise<ToldOutcome<Approved> | 'again'> {
  if (planned.privacy) return answerPrivately(facts, { ...planned, privacy: planned.privacy }, parts)
  const { look, ahead } = await lookAndRun(facts, planned, parts)
  if (!(await isStillSo(planned, look, parts))) return 'again'
  const again = releaseAgain(facts, { look, parts })
  if (again) return priceAndReserve(facts, { planned, ...again }, parts)
  const collected = await collectAnswer(planned, { look, parts, ahead })
  if (!collected.ok) return declinedRun(collected.error, { facts, look, parts })
  using hold = await parts.partitions.hold(look)
  if (!hold) return 'again'
  const guarded = await guardRelease({ facts, planned, collected: collected.value, hold, parts })
  if (guarded === 'again' || !guarded.ok) return guarded
  const { engineMs } = collected.value
  const kept = keptForLater(facts, { look, guarded: guarded.value, engineMs, parts })
  // Within the hold: nobody else may cut before it is reserved.
  return await priceAndReserve(facts, { planned, engineMs, guarded: kept }, parts)
}

async function priceAndReserve(
  facts: AskFacts,
  collected: Parameters<typeof priceAndSeal>[1],
  parts: AskParts,
): Promise<ToldOutcome<Approved> | 'again'> {
  const run = { ...collected, planned: asAnswered(collected.planned, collected.guarded.release) }
  const reservation = await countedWhenLost(run.guarded, parts, () => priceAndSeal(facts, run, parts))
  if (reservation === 'again') return reservation
  if (!reservation.ok) return toldOutcome(reservation, run, parts)
  return reserveRun(run.planned, reservation.value, parts)
}
