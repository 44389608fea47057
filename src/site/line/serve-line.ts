import type { Clock } from '../../kernel/clock.ts'
import type { Fault } from '../../kernel/faults.ts'
import { PeerRefusal } from '../../kernel/http/call-json.ts'
import { LIMITS } from '../../kernel/limits.ts'
import type { DecisionMessage } from '../../protocol/decision.ts'
import type { MemberRecord, Work, WorkItem } from '../../protocol/network-api.ts'
import type { AskId } from '../../protocol/wire.ts'
import type { SiteEvents } from '../events.ts'
import type { NetworkLine } from './network-line.ts'

/** One ask with what came along to check it by. */
export interface PulledAsk {
  readonly item: WorkItem
  readonly batchJws: string | undefined
  readonly acquirer: MemberRecord | undefined
  readonly signer: MemberRecord | undefined
}

/** What the line needs of the rest of the site. */
export interface LineActs {
  /** Answers an ask, or gives again the answer that stands. Durable when it resolves. */
  answer(ask: PulledAsk): Promise<AskId>
  /** The message that tells an answer, or `undefined` when it was told already. */
  message(ask: AskId): Promise<DecisionMessage | undefined>
  /** Answers that the network has not acknowledged. */
  unpushed(limit: number): Promise<readonly AskId[]>
  markPushed(ask: AskId): Promise<void>
  /** The signed list of offers, made anew. */
  offers(): Promise<string>
}

const BACKOFF_MS_MIN = 100
const BACKOFF_MS_MAX = 5_000
const OUTBOX_PAGE = 100
/** Asks answered side by side: computing is the vault's to share out, so this only hides waiting. */
const ASKS_AT_ONCE = 4

/**
 * Keeps a site on the line until `signal` is aborted: publishes the offers, pushes what was answered but not
 * acknowledged, then pulls work and answers it. A line that breaks is tried again with growing pauses; asks are
 * answered once however often they come.
 */
export async function serveLine(facts: {
  line: NetworkLine
  acts: LineActs
  clock: Clock
  events: SiteEvents
  signal: AbortSignal
  /** Aborted and replaced when the offers have changed. */
  offersChanged: () => AbortSignal
}): Promise<void> {
  let pauseMs = BACKOFF_MS_MIN
  let isResuming = true
  let publishedFor: AbortSignal | undefined
  while (!facts.signal.aborted) {
    try {
      const changed = facts.offersChanged()
      if (publishedFor !== changed) {
        await facts.line.publishOffers(await facts.acts.offers())
        publishedFor = changed
      }
      await pushOutbox(facts)
      const signal = AbortSignal.any([facts.signal, changed])
      const work = await facts.line.pullWork({ waitMs: LIMITS.longPollMs, isResuming, signal })
      if (isResuming) facts.events.lineUp()
      isResuming = false
      pauseMs = BACKOFF_MS_MIN
      await answerAll(work, facts)
    } catch (error) {
      if (facts.signal.aborted) return
      if (facts.offersChanged() !== publishedFor && publishedFor?.aborted === true) continue
      facts.events.lineDown(error)
      isResuming = true
      await facts.clock.sleep(pauseMs, facts.signal)
      pauseMs = Math.min(pauseMs * 2, BACKOFF_MS_MAX)
    }
  }
}

interface AnsweringFacts {
  readonly line: NetworkLine
  readonly acts: LineActs
  readonly events: SiteEvents
}

async function pushOutbox({ line, acts, events }: AnsweringFacts): Promise<void> {
  for (;;) {
    const waiting = await acts.unpushed(OUTBOX_PAGE)
    for (const ask of waiting) await push(ask, { line, acts, events })
    if (waiting.length < OUTBOX_PAGE) return
  }
}

/** The asks of a pull, each with what it is checked by. */
export function pulledAsks(work: Work): readonly PulledAsk[] {
  const members = new Map(work.members.map((member) => [member.id, member]))
  return work.items.map((item) => {
    const acquirer = members.get(item.acquirer)
    return {
      item,
      batchJws: item.batch && work.batches[item.batch.digest],
      acquirer,
      signer: item.batch ? members.get(item.batch.processor) : acquirer,
    }
  })
}

async function answerAll(work: Work, facts: AnsweringFacts): Promise<void> {
  const queue = [...pulledAsks(work)]
  const answerNext = async (): Promise<void> => {
    for (let ask = queue.shift(); ask; ask = queue.shift()) {
      await push(await facts.acts.answer(ask), facts)
    }
  }
  await Promise.all(Array.from({ length: Math.min(ASKS_AT_ONCE, queue.length) }, answerNext))
}

async function push(ask: AskId, { line, acts, events }: AnsweringFacts): Promise<void> {
  const message = await acts.message(ask)
  if (!message) return
  try {
    await line.pushDecision(message)
  } catch (error) {
    if (!isFinalRefusal(error)) throw error
    events.decisionRefused(ask, error)
  }
  await acts.markPushed(ask)
}

/** The network will not take this decision however often it is sent: the ask expired, is not there, or it is too large. */
function isFinalRefusal(error: unknown): error is Fault {
  return error instanceof PeerRefusal && [404, 409, 410, 413, 422].includes(error.status)
}
