import { digestOfJson } from '../../kernel/digest.ts'
import type { Digest } from '../../kernel/digest.ts'
import type { Money } from '../../kernel/money.ts'
import type { Decline, Outcome, ReasonCode } from '../../protocol/reason.ts'
import type { ReceiptDraft } from '../../protocol/proof/receipt.ts'
import { consentTextDigest } from '../../protocol/consent/consent-text.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import { splitAmount } from '../../protocol/money/split.ts'
import type { MeteredUnits } from '../../protocol/money/tariff.ts'
import { wireMoney } from '../../protocol/wire.ts'
import type { LocalBooking } from '../floor/local-booking.ts'
import type { Coverage } from '../guard/coverage.ts'
import type { SealedRelease } from '../guard/seal-release.ts'
import type { PulledAsk } from '../line/serve-line.ts'
import type { Households } from '../vault/households.ts'
import type { AskFacts } from './ask-facts.ts'
import { keepNumbers } from './rows-recipients.ts'
import { composeDecision, detailOf } from './compose-decision.ts'
import type { GuardedRelease } from './guard-release.ts'
import type { PlannedAsk } from './plan-ask.ts'
import type { Reservation } from './reserve-answer.ts'
import type { SiteParts } from './site-parts.ts'

/** What a run came to. */
export interface FinishedRun {
  readonly guarded: GuardedRelease
  /** Who stands together behind rows, as the run found it. */
  readonly households: Households
  readonly units: MeteredUnits
  readonly coverage: Coverage
  readonly sealed: SealedRelease
  readonly clearing: string
}

export interface AnswerFacts {
  readonly facts: AskFacts
  readonly planned: PlannedAsk
  /** What it costs; the highest price when nothing was run. */
  readonly price?: Money | undefined
  /** Absent for a dry run. */
  readonly run?: FinishedRun | undefined
  /** Of a dry run that was computed. */
  readonly coverage?: Coverage | undefined
}

/** Everything that an approval makes true at once: decision, receipts, release, clearing record, use in people's histories. */
export function composeAnswer(
  { facts, planned, price, run, coverage = run?.coverage }: AnswerFacts,
  parts: SiteParts,
): Reservation {
  const decision = composeDecision(
    {
      ask: facts.ask.id,
      site: parts.site,
      reason: planned.reason,
      narrowedColumns: planned.narrowedColumns,
      price,
      peopleStep: coverage?.peopleStep,
      coveragePct: coverage?.coveragePct,
      releaseDigest: run?.sealed.digest,
      privacy: run?.guarded.release.privacy ?? planned.privacy?.note,
      decidedAt: facts.now,
    },
    parts.keys.signing,
  )
  const { privacy } = run?.guarded.release ?? {}
  const isDebited = privacy !== undefined && privacy.sameAs === undefined
  const common = {
    ...receiptFacts(facts, parts, planned),
    ...(isDebited ? { epsilon: privacy.epsilon } : {}),
  }
  const decided: ReceiptDraft = { kind: 'ask', ...common, reason: planned.reason, ...priceFact(price) }
  return {
    answer: {
      askId: facts.ask.id,
      askDigest: facts.askDigest,
      acquirer: facts.ask.acquirer,
      decision: decision.body,
      decisionJws: decision.jws,
      releaseJwe: run?.sealed.jwe,
      clearingJws: run?.clearing,
      floorLimit: run && price ? facts.local?.floorLimit : undefined,
      decidedAt: facts.now,
      isWithoutRows: facts.ask.mode !== 'rows',
    },
    receipts:
      run && price ? [decided, releaseReceipt({ common, reason: planned.reason, price }, run)] : [decided],
    // An answer that is given again is made of nobody's data anew.
    uses: run && price && privacy?.sameAs === undefined ? usesOf({ facts, planned, price, run }) : [],
    consentSequence: planned.consentSequence,
    changes: run?.guarded.changes,
    beside: run?.guarded.beside,
    commitCuts: run?.guarded.commitCuts,
    alongside: alongsideOf({ facts, price, run }),
  }
}

/** A decline as a reservation: its decision and its receipt. */
export function composeDecline(
  { pulled, facts, decline }: { pulled: PulledAsk; facts: Outcome<AskFacts>; decline: Decline },
  parts: SiteParts,
): Reservation {
  const now = parts.clock.now()
  const decision = composeDecision(
    {
      ask: pulled.item.ask,
      site: parts.site,
      reason: decline.code,
      detail: detailOf(decline),
      position: decline.position,
      decidedAt: now,
    },
    parts.keys.signing,
  )
  const askDigest = facts.ok
    ? facts.value.askDigest
    : digestOfJson(pulled.item.jws ?? pulled.item.batch ?? null)
  const known = facts.ok
    ? receiptFacts(facts.value, parts)
    : { ask: askDigest, askId: pulled.item.ask, acquirer: pulled.item.acquirer }
  return {
    answer: {
      askId: pulled.item.ask,
      askDigest,
      acquirer: pulled.item.acquirer,
      decision: decision.body,
      decisionJws: decision.jws,
      decidedAt: now,
      isWithoutRows: true,
    },
    receipts: [{ kind: 'decline', ...known, reason: decline.code }],
    uses: [],
    consentSequence: 0,
    alongside: bookingOf(pulled.local, undefined),
  }
}

/** What the answer is booked on, and which numbers rows had that are about several people. */
function alongsideOf({
  facts,
  price,
  run,
}: Pick<AnswerFacts, 'facts' | 'price' | 'run'>): Reservation['alongside'] {
  const book = bookingOf(facts.local, run && price)
  const { ask } = facts
  const numbers = ask.mode === 'rows' && run && !run.households.isEmpty ? run.guarded.people : undefined
  if (!numbers) return book
  return async (tx) => {
    await keepNumbers(tx, { ask: ask.id, numbers })
    await book?.(tx)
  }
}

function bookingOf(local: LocalBooking | undefined, price: Money | undefined): Reservation['alongside'] {
  return local && ((tx) => local.book(tx, price?.amountMinor))
}

type CommonFacts = Omit<ReceiptDraft, 'kind'>

function receiptFacts(
  { ask, askDigest, manifest, now }: AskFacts,
  parts: SiteParts,
  planned?: PlannedAsk,
): CommonFacts {
  const evidence = parts.evidence.current(now)?.digest
  return {
    ask: askDigest,
    askId: ask.id,
    acquirer: ask.acquirer,
    purpose: ask.purpose,
    mode: ask.mode,
    dataSet: ask.offer,
    ...noticesOf(manifest, planned),
    ...(evidence === undefined ? {} : { evidence }),
    ...(planned === undefined
      ? {}
      : {
          policy: policyDigest(planned),
          lineage: planned.checked.lineageDigest,
          legalBasis: ask.legalBasis,
          ...basesOf(planned),
        }),
  }
}

/**
 * The text of each data set as it stands, the one asked for first. Every grant that an answer rests on was given to it, or to
 * the part of it about the columns of the grant; which, of whom, is in no receipt.
 */
function noticesOf(
  offered: Manifest | undefined,
  planned: PlannedAsk | undefined,
): Pick<ReceiptDraft, 'noticeVersions'> {
  if (!offered) return {}
  const joined = [...(planned?.dataSets.values() ?? [])].map(({ manifest }) => manifest)
  const used = [offered, ...joined.filter(({ dataSet }) => dataSet !== offered.dataSet)]
  return { noticeVersions: used.map((manifest) => consentTextDigest(manifest)) }
}

/** The records of legal bases that an ask rests on; nothing where grants alone carry it. */
function basesOf({ dataSets }: PlannedAsk): Pick<ReceiptDraft, 'bases'> {
  const ids = [...dataSets.values()].flatMap(({ eligibility: { bases } }) => bases)
  return ids.length === 0 ? {} : { bases: [...new Set(ids)].toSorted() }
}

/** Whoever carries a receipt reads it: like the length of what is sealed, it tells no number of rows. */
function releaseReceipt(
  { common, reason, price }: { common: CommonFacts; reason: ReasonCode; price: Money },
  { units, coverage, sealed }: FinishedRun,
): ReceiptDraft {
  return {
    kind: 'release',
    ...common,
    reason,
    ...priceFact(price),
    peopleStep: coverage.peopleStep,
    rowsStep: units.rowsStep,
    release: sealed.digest,
  }
}

/** A use of each data set behind the release; the money stands with the one that was asked for. */
function usesOf({
  facts,
  planned,
  price,
  run,
}: Required<Pick<AnswerFacts, 'facts' | 'planned'>> & {
  price: Money
  run: FinishedRun
}): Reservation['uses'] {
  const { ask } = facts
  return [...planned.dataSets].map(([dataSet, { manifest, eligibility }]) => {
    const used = planned.checked.uses.filter((use) => use.dataSet === dataSet)
    const priceMinor = dataSet === ask.offer ? price.amountMinor : 0n
    return {
      askId: ask.id,
      dataSet,
      acquirer: ask.acquirer,
      purpose: ask.purpose,
      mode: ask.mode,
      columns: [...new Set(used.map(({ column }) => column))].toSorted(),
      reason: planned.reason,
      releaseTo: ask.releaseTo.jurisdiction,
      time: facts.now,
      priceMinor,
      subjectsMinor: splitAmount(priceMinor, manifest.splits).parts.subjects,
      currency: price.currency,
      people: run.households.peopleOf(run.guarded.people.intersection(eligibility.eligible)),
    }
  })
}

function priceFact(price: Money | undefined): Pick<ReceiptDraft, 'price'> {
  return price === undefined ? {} : { price: wireMoney(price) }
}

/** The digest by which a receipt names the terms that a decision rests on. */
function policyDigest({ dataSets }: PlannedAsk): Digest {
  return digestOfJson([...dataSets.values()].map(({ manifest }) => manifest))
}
