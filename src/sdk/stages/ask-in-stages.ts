import { formatDate, later } from '../../kernel/clock.ts'
import type { Clock } from '../../kernel/clock.ts'
import { Fault } from '../../kernel/faults.ts'
import { formatMoney, money } from '../../kernel/money.ts'
import type { Money } from '../../kernel/money.ts'
import { err, ok } from '../../kernel/result.ts'
import type { Result } from '../../kernel/result.ts'
import { EPSILON_DEFAULT } from '../../protocol/ask.ts'
import type { PrivacyRequest } from '../../protocol/ask.ts'
import { areaContains } from '../../protocol/law/legal-zones.ts'
import type { Offer } from '../../protocol/offer.ts'
import { REASONS } from '../../protocol/reason.ts'
import type { Release } from '../../protocol/release.ts'
import type { Acquirer, AskResult } from '../acquirer.ts'
import type { AskRequest } from '../build-ask.ts'
import { unnamedParameter, withOwnParameters } from './own-parameters.ts'
import type { SqlQuestion } from './own-parameters.ts'
import type { StagePlan } from './plan-stages.ts'
import { awaitedBy, fill } from './template.ts'
import type { Template } from './template.ts'
import { writeAnswer } from './write-answer.ts'

/** What is asked in stages: as any ask, but for the text, of which there is a plan, and the time, which each ask has anew. */
export interface StagedRequest extends Omit<
  AskRequest,
  'acquirer' | 'question' | 'maxPrice' | 'expires' | 'id' | 'idempotencyKey'
> {
  readonly parameters?: SqlQuestion['parameters']
  /** The most to pay over all asks at all sites; absent: what the tariffs can come to. */
  readonly maxPrice?: Money | undefined
  /** How long sites may take for each ask. */
  readonly answerWithinMs: number
}

/** One ask of several. */
export interface StagedAsk {
  /** The number of the stage, from 1; absent of the question itself. */
  readonly stage?: number
  /** As it was asked; where an answer is still missing, its place says so. */
  readonly text: string
  /** Absent where a dry run cannot look: the text waits for an answer. */
  readonly result?: AskResult
  /** What the texts after it do not know. */
  readonly notes: readonly string[]
}

/** What came of the asks at one site, which was given its own answers only. */
export interface StagedSite {
  readonly site: string
  /** The most that one ask costs there. */
  readonly highestEach: Money
  readonly asks: readonly StagedAsk[]
  /** Why the rest was not asked. What had been answered by then stays answered and paid. */
  readonly stopped?: string
}

export interface StagedResult {
  readonly sites: readonly StagedSite[]
  readonly highest: Money
  /** What was captured, and the most that can have been of an ask whose end is not known. */
  readonly paid: Money
}

/** What an acquirer asks in stages with. */
export interface StagedParts {
  readonly plan: StagePlan
  readonly acquirer: Pick<Acquirer, 'ask'>
  /** Where the data set is offered. */
  readonly offers: readonly Offer[]
  readonly clock: Clock
  readonly signal?: AbortSignal
  /** Called when an ask was answered, before the next one is sent. */
  readonly onAnswer?: (result: AskResult) => Promise<unknown>
}

/**
 * Asks a question in stages (`docs/decisions/0025`): at each site one ordinary ask after another, each with its own authorisation, guard,
 * price and receipt; what a site answered is written out in the texts for that site, and for no other. Nothing is asked when the
 * highest price cannot pay the least that all of it costs.
 */
export async function askInStages(
  request: StagedRequest,
  parts: StagedParts,
): Promise<Result<StagedResult, string>> {
  const terms = termsFor(request, parts)
  const [first] = terms
  if (request.mode !== 'aggregate' && request.mode !== 'private')
    return err(`Only the modes aggregate and private are asked in stages, and not ${request.mode}`)
  const { parameters = [], ...rest } = request
  const templates = [...parts.plan.stages.map(({ template }) => template), parts.plan.question]
  const unnamed = await unnamedParameter(
    templates.map((template) => fill(template, () => 'null')),
    parameters,
  )
  if (unnamed !== undefined)
    return err(`There is a parameter for $${unnamed}, which the question does not name`)
  const asksEach = templates.length
  const privacy = shareOf(request, asksEach)
  if (!privacy.ok) return privacy
  const currency = request.maxPrice?.currency ?? first?.tariff.currency ?? 'EUR'
  const total = (of: (tariff: Offer['tariff']) => number): Money =>
    money(asksEach * terms.reduce((sum, { tariff }) => sum + of(tariff), 0), currency)
  const [least, highest] = [
    total(({ minimumFeeMinor }) => minimumFeeMinor),
    total(({ capMinor }) => capMinor),
  ]
  const limit = request.maxPrice ?? highest
  if (limit.amountMinor < least.amountMinor)
    return err(
      `The least price of ${asksEach} asks at ${terms.length} ${terms.length === 1 ? 'site' : 'sites'} is ${formatMoney(least)}, and the highest to pay is ${formatMoney(limit)}`,
    )
  const purse: Purse = { leftMinor: limit.amountMinor, answered: 0 }
  const sites: StagedSite[] = []
  for (const { site, tariff } of terms) {
    const highestEach = money(tariff.capMinor, currency)
    const job = { request: { ...rest, privacy: privacy.value }, parameters, parts, purse, site, highestEach }
    sites.push(await askSite(job))
  }
  return ok({ sites, highest, paid: money(limit.amountMinor - purse.leftMinor, currency) })
}

/** The sites that are asked, as the network would choose them. */
function termsFor({ offer, mode, sites, within, maxPrice }: StagedRequest, { offers, clock }: StagedParts) {
  const today = formatDate(clock.now())
  const matching = offers.filter(
    (one) =>
      one.dataSet === offer &&
      one.modes.includes(mode) &&
      (sites === undefined || sites.includes(one.site)) &&
      (within === undefined || within.some((area) => areaContains(area, one.siteCountry, { today }))),
  )
  const currency = maxPrice?.currency ?? matching[0]?.tariff.currency
  return matching.filter(({ tariff }) => tariff.currency === currency)
}

const EPSILON_LEAST = 0.01
const EPSILON_PARTS = 1_000_000

/** What one ask may tell of a person, so that all of them together tell no more than was said: losses add up. */
function shareOf({ mode, privacy }: StagedRequest, asks: number): Result<PrivacyRequest | undefined, string> {
  if (mode !== 'private') return ok(undefined)
  const { epsilon } = privacy ?? { epsilon: EPSILON_DEFAULT }
  const each = Math.floor((epsilon * EPSILON_PARTS) / asks) / EPSILON_PARTS
  return each >= EPSILON_LEAST
    ? ok({ ...privacy, epsilon: each })
    : err(
        `Epsilon ${epsilon} is divided over ${asks} asks, and each needs ${EPSILON_LEAST}: give ${EPSILON_LEAST * asks} or more`,
      )
}

interface Purse {
  leftMinor: bigint
  /** Asks that were answered, at whatever site. */
  answered: number
}

interface Job {
  readonly request: Omit<StagedRequest, 'parameters'>
  readonly parameters: SqlQuestion['parameters']
  readonly parts: StagedParts
  readonly purse: Purse
  readonly site: string
  readonly highestEach: Money
}

interface Step {
  readonly template: Template
  /** Absent of the question itself. */
  readonly stage?: number
  readonly isGrouped?: boolean
}

async function askSite(job: Job): Promise<StagedSite> {
  const { site, highestEach, request, parts } = job
  const { stages, question } = parts.plan
  const steps: Step[] = stages.map((stage, index) => ({ ...stage, stage: index + 1 }))
  const answers: Release[] = []
  const asks: StagedAsk[] = []
  const done = (stopped?: string): StagedSite => ({
    site,
    highestEach,
    asks,
    ...(stopped === undefined ? {} : { stopped }),
  })
  for (const step of [...steps, { template: question }]) {
    const named = step.stage === undefined ? {} : { stage: step.stage }
    if (request.dryRun === true && awaitedBy(step.template).length > 0) {
      asks.push({ ...named, text: shown(step.template), notes: [] })
      continue
    }
    const text = writtenOut(step.template, answers)
    if (!text.ok) return done(text.error)
    if (job.purse.leftMinor <= 0n) return done('the highest price to pay is used up')
    const question = await withOwnParameters({ sql: text.value, parameters: job.parameters })
    const asked = await askOne(question, job)
    if (!asked.ok) return done(asked.error)
    const result = asked.value
    asks.push({ ...named, text: question.sql, result, notes: notesOf(result, step) })
    if (step.stage === undefined) break
    const answer = answerOf(result, request)
    if (!answer.ok) return done(`stage ${step.stage} ${answer.error}`)
    if (answer.value) answers.push(answer.value)
  }
  return done()
}

/** A text that cannot be asked yet. */
function shown(template: Template): string {
  return fill(template, ({ stage }) => `‹answer of stage ${stage}›`)
}

function writtenOut(template: Template, answers: readonly Release[]): Result<string, string> {
  let problem: string | undefined
  const text = fill(template, (place) => {
    const { stage } = place
    const answer = answers[stage - 1]
    const written = answer ? writeAnswer(answer, place) : err('it is missing')
    if (written.ok) return written.value
    problem ??= `the answer of stage ${stage} cannot be written out: ${written.error}`
    return ''
  })
  return problem === undefined ? ok(text) : err(problem)
}

/** One ask. What it depends on may fail; after an answer that is said like any other end, so that what was paid for is not lost. */
async function askOne(question: SqlQuestion, job: Job): Promise<Result<AskResult, string>> {
  const { request, parts, purse, site, highestEach } = job
  const { answerWithinMs, ...rest } = request
  const { currency, amountMinor } = highestEach
  const ask = parts.acquirer.ask(
    {
      ...rest,
      sites: [site],
      question,
      maxPrice: { amountMinor: purse.leftMinor, currency },
      expires: later(parts.clock.now(), answerWithinMs),
    },
    parts.signal,
  )
  const result = await ask.catch((error: unknown) => {
    if (error instanceof Fault && purse.answered > 0 && parts.signal?.aborted !== true) return error
    throw error
  })
  if (result instanceof Fault) {
    // It may have been taken and answered all the same.
    if (request.dryRun !== true) purse.leftMinor -= smaller(purse.leftMinor, amountMinor)
    return err(`an ask failed: ${result.message}`)
  }
  purse.answered += 1
  purse.leftMinor -= paidFor(result, request)
  await parts.onAnswer?.(result)
  return ok(result)
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}

/** What an ask took of what may be paid; all that was held for it while the site has not answered. */
function paidFor({ hold, sites }: AskResult, { dryRun }: StagedRequest): bigint {
  const [site] = sites
  if (dryRun === true || site === undefined) return 0n
  if (site.status !== 'answered') return hold?.amountMinor ?? 0n
  const isPriced = site.decision !== undefined && site.decision.decision !== 'declined'
  return site.captured?.amountMinor ?? (isPriced ? (site.decision?.price?.amountMinor ?? 0n) : 0n)
}

/** What a stage answered, if the next may be built on it; of a dry run, that there would be an answer. */
function answerOf(
  { status, reason, detail, sites: [site] }: AskResult,
  { dryRun }: StagedRequest,
): Result<Release | undefined, string> {
  if (site === undefined || status === 'declined')
    return err(
      `was declined by the network: ${detail ?? (reason ? REASONS[reason].forAsker : 'no site was asked')}`,
    )
  const { decision, release, problems, reason: why } = site
  if (problems.length > 0) return err(`was answered in a way that does not verify: ${problems.join('; ')}`)
  if (decision === undefined) return err(`was not answered in time (${site.status})`)
  if (decision.decision === 'declined')
    return err(`was declined: ${decision.detail ?? (why ? REASONS[why].forAsker : 'without a reason')}`)
  if (decision.narrowed?.columns) return err(`was answered without ${decision.narrowed.columns.join(', ')}`)
  if (dryRun === true) return ok(undefined)
  return release ? ok(release) : err('was answered without a release')
}

/** What the texts after a stage do not know of what it was asked about. */
function notesOf({ sites: [site] }: AskResult, { stage, isGrouped }: Step): readonly string[] {
  const { release } = site ?? {}
  if (stage === undefined || release === undefined) return []
  const isNarrowed = site?.decision?.decision === 'partial'
  return [
    ...(release.remainder ? ['groups too small to be shown are missing in what is asked next'] : []),
    ...(isGrouped && !release.remainder
      ? ['what is asked next knows the groups shown here, and no others']
      : []),
    ...(isNarrowed
      ? ['what is asked next rests on this answer, which is about fewer people than asked']
      : []),
    ...(release.privacy ? ['what is asked next rests on this noisy answer'] : []),
  ]
}
