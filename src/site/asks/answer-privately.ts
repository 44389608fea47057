import { Bitset } from '../../kernel/bitset.ts'
import { monotonicMs } from '../../kernel/clock.ts'
import { digestOfJson, hmacSha256 } from '../../kernel/digest.ts'
import { ok } from '../../kernel/result.ts'
import { privateTermsOf } from '../../protocol/data-set.ts'
import { declined } from '../../protocol/reason.ts'
import type { Outcome } from '../../protocol/reason.ts'
import type { Release } from '../../protocol/release.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import { exactChance } from '../privacy/exact-chance.ts'
import { makeNoisy, noisyCount } from '../privacy/make-noisy.ts'
import type { PrivacyPlan } from '../privacy/plan-privacy.ts'
import { findKeptAnswer, keepPrivateAnswer } from '../privacy/private-answers.ts'
import type { KeptAnswer } from '../privacy/private-answers.ts'
import { BUDGET_DELTA } from '../privacy/privacy-loss.ts'
import type { SetAside } from '../privacy/privacy-ledger.ts'
import { isSpent } from '../privacy/privacy-spends.ts'
import { finishNoisy } from '../query/run/finish-groups.ts'
import { planPrivate } from '../query/plan/plan-private.ts'
import { collectPrivate, groupsMaxOf } from '../query/run/run-private.ts'
import type { AskFacts } from './ask-facts.ts'
import { vaultRunner, withRelations } from './collect-answer.ts'
import { countedWhenLost } from './count-as-told.ts'
import type { ToldRun } from './count-as-told.ts'
import type { GuardedRelease } from './guard-release.ts'
import { lookBefore } from './look-before.ts'
import { isStillSo } from './plan-ask.ts'
import type { PlannedAsk } from './plan-ask.ts'
import { priceAndSeal, reserveRun } from './reserve-run.ts'
import type { Approved } from './reserve-run.ts'
import type { AskParts, SiteParts } from './site-parts.ts'
import { writeRelease } from './write-release.ts'

/** An ask of mode `private` that may run. */
export type PlannedPrivately = PlannedAsk & { readonly privacy: PrivacyPlan }

/**
 * Answers with noise. The loss of everybody who may be used is set aside first, then the run is made over them, and the loss becomes
 * true in the same transaction as the answer. An equal question about the same rows gets the answer that it had; an ask whose run
 * was lost after it was paid for is declined when it comes again.
 */
export async function answerPrivately(
  facts: AskFacts,
  planned: PlannedPrivately,
  parts: AskParts,
): Promise<Outcome<Approved> | 'again'> {
  const look = await lookBefore(facts, planned, parts)
  if (!(await isStillSo(planned, look, parts))) return 'again'
  const { changes } = look
  const name = { acquirer: facts.ask.acquirer, question: questionOf(facts, planned, changes) }
  const [kept, isPaid] = await Promise.all([
    findKeptAnswer(parts.db, name, parts.keys.answers),
    isSpent(parts.db, facts.ask.id),
  ])
  if (kept) return answerAgain(kept, { facts, planned, parts })
  // Run again it might come further, or not: that would be told as often as somebody gives it out again.
  if (isPaid)
    return declined('declined.timeout', { operatorNote: 'a run of this ask failed and is paid for' })
  const outcome = await setAside(facts, planned, parts)
  if (!outcome.ok) return outcome
  using aside = outcome.value
  const eligible = await stillEligible(planned, { aside, parts })
  // That a run comes to nothing follows from rows: too many groups, too long, a fault. It is paid for as an answer is.
  const run = await countedWhenLost(spentOn(facts, aside), parts, () =>
    runNoisily(facts, { planned, eligible }, parts),
  )
  if (run === 'again' || !run.ok) return run
  const { release, noisyPeople, engineMs } = run.value
  const guarded: GuardedRelease = {
    release,
    people: unionOf(eligible.map(([, numbers]) => numbers)),
    rows: 0,
    changes,
    beside: {},
    commitCuts: async (tx) => {
      await aside.commit(tx, facts.ask.id)
      await keepPrivateAnswer(
        tx,
        { ...name, ask: facts.ask.id, answer: { release, noisyPeople }, now: facts.now },
        { key: parts.keys.answers, random: parts.random },
      )
    },
  }
  // That its price is over the limit says something of the noisy number: told again and again it would be exact.
  const reservation = await countedWhenLost(guarded, parts, () =>
    priceAndSeal(facts, { planned, engineMs, noisyPeople, guarded }, parts),
  )
  if (reservation === 'again' || !reservation.ok) return reservation
  // Within what is set aside: it may be given back only when this is over.
  return await reserveRun(planned, reservation.value, parts)
}

/** The loss alone, of a run of which nothing but its refusal is told. */
function spentOn({ ask }: AskFacts, aside: SetAside): ToldRun {
  return { beside: {}, commitCuts: (tx) => aside.commit(tx, ask.id) }
}

/** Whether there is budget for an ask that only looks: nothing is spent. */
export async function checkBudget(
  facts: AskFacts,
  planned: PlannedPrivately,
  parts: SiteParts,
): Promise<Outcome<undefined>> {
  const outcome = await setAside(facts, planned, parts)
  if (!outcome.ok) return outcome
  outcome.value[Symbol.dispose]()
  return ok(undefined)
}

/** A question and the state of the data it is about: whoever asks the same for the same purpose gets the same answer. */
function questionOf(
  { ask }: AskFacts,
  { checked, dataSets, privacy }: PlannedPrivately,
  changes: ReadonlyMap<string, number>,
): string {
  return digestOfJson([
    checked.digest,
    privacy.note,
    ask.purpose,
    [...dataSets].map(([dataSet, { manifest }]) => [
      dataSet,
      changes.get(dataSet) ?? 0,
      digestOfJson(manifest),
    ]),
  ])
}

async function setAside(
  { acquirer, now }: AskFacts,
  { dataSets, privacy, minimumGroup }: PlannedPrivately,
  { ledger, groups, vault }: SiteParts,
): Promise<Outcome<SetAside>> {
  const households = await vault.households()
  return ledger.setAside({
    // Who colludes has one budget.
    acquirer: await groups.groupOf(acquirer),
    dataSets: [...dataSets].map(([dataSet, { manifest }]) => ({
      dataSet,
      budget: { epsilon: privateTermsOf(manifest).epsilonPerYear, delta: BUDGET_DELTA },
    })),
    // What is lost is a person's own, in whichever sets of people they stand behind rows.
    people: households.peopleOf(everybody(dataSets)),
    loss: privacy.noise.loss,
    minimumGroup,
    now,
  })
}

/** Everybody who may be used, in whatever data set. */
function everybody(dataSets: PlannedAsk['dataSets']): Bitset {
  return unionOf([...dataSets.values()].map(({ eligibility }) => eligibility.eligible))
}

function unionOf(sets: readonly Bitset[]): Bitset {
  const [only, another] = sets
  return only && !another ? only : sets.reduce((all, set) => all.union(set), new Bitset())
}

type EligibleOf = readonly (readonly [DataSetId, Bitset])[]

/** Whose rows are used of each data set: those of people who have budget left, all of them that a row is about. */
async function stillEligible(
  { dataSets }: PlannedPrivately,
  { aside, parts }: { aside: SetAside; parts: SiteParts },
): Promise<EligibleOf> {
  const households = await parts.vault.households()
  return [...dataSets].map(
    ([
      dataSet,
      {
        eligibility: { eligible },
      },
    ]) => [
      dataSet,
      aside.people === eligible
        ? eligible
        : households.allowedBy(aside.people, eligible).intersection(eligible),
    ],
  )
}

interface NoisyRun {
  readonly release: Release
  readonly noisyPeople: number
  readonly engineMs: number
}

async function runNoisily(
  facts: AskFacts,
  { planned, eligible }: { planned: PlannedPrivately; eligible: EligibleOf },
  parts: SiteParts,
): Promise<Outcome<NoisyRun>> {
  const { design, noise, shownFrom, note } = planned.privacy
  const secretOf = (what: string): Uint8Array => hmacSha256(parts.keys.answers.reveal(), what)
  const choiceKey = Buffer.from(secretOf(planned.checked.digest)).toString('hex')
  const groupsMax = groupsMaxOf(secretOf(`groups ${planned.checked.digest}`))
  const startedMs = monotonicMs()
  const runner = vaultRunner(parts)
  const groups = await withRelations(eligible, { planned, parts }, (relations) =>
    collectPrivate(planPrivate(design, { dialect: 'duckdb', relations, choiceKey }), runner, groupsMax),
  )
  if (!groups.ok) return groups
  const engineMs = monotonicMs() - startedMs
  const facing = { design, noise, shownFrom, chance: exactChance(parts.random) }
  const finished = await finishNoisy(planned.checked, makeNoisy(groups.value, facing), runner)
  if (!finished.ok) return finished
  const release = writeRelease({ ...finished.value, privacy: note }, { facts, planned, parts })
  if (!release.ok) return release
  const count = unionOf(eligible.map(([, numbers]) => numbers)).count()
  return ok({ release: release.value, noisyPeople: noisyCount(count, facing), engineMs })
}

/** The answer that there is already, to the present key of the acquirer: nobody's data is used, so nobody loses or earns. */
async function answerAgain(
  { release: before, noisyPeople }: KeptAnswer,
  given: { readonly facts: AskFacts; readonly planned: PlannedPrivately; readonly parts: AskParts },
): Promise<Outcome<Approved> | 'again'> {
  const { facts, planned, parts } = given
  const release: Release = {
    ...before,
    ask: facts.ask.id,
    ...(before.privacy ? { privacy: { ...before.privacy, sameAs: before.ask } } : {}),
  }
  const guarded = {
    release,
    people: new Bitset(),
    rows: 0,
    changes: new Map<string, number>(),
    beside: {},
  }
  const reservation = await priceAndSeal(facts, { planned, engineMs: 0, noisyPeople, guarded }, parts)
  return reservation.ok ? reserveRun(planned, reservation.value, parts) : reservation
}
