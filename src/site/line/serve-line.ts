import { onceUnderWay } from '../../kernel/clock.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Fault } from '../../kernel/faults.ts'
import { PeerRefusal } from '../../kernel/http/call-json.ts'
import { LIMITS } from '../../kernel/limits.ts'
import type { MemberRecord, Work, WorkItem } from '../../protocol/http/network-api.ts'
import type { AskId } from '../../protocol/wire.ts'
import type { SiteEvents } from '../events.ts'
import type { LocalBooking } from '../floor/local-booking.ts'
import type { NetworkLine, SiteMessage } from './network-line.ts'

/** One ask with what came along to check it by. */
export interface PulledAsk {
  readonly item: WorkItem
  readonly batchJws: string | undefined
  readonly acquirer: MemberRecord | undefined
  readonly signer: MemberRecord | undefined
  /** Of one that came on the local network. */
  readonly local?: LocalBooking | undefined
}

/** An answer, as far as the line has to know it. */
export interface LineAnswer {
  readonly askId: AskId
}

/** What the line needs of the rest of the site, whatever answers are made of there. */
export interface LineActs<Answer extends LineAnswer> {
  /** Sees to it, before anything is pulled, that this log goes on from what the network saw of it. Throws where it does not. */
  requireContinued(): Promise<void>
  /** Answers an ask, or gives again the answer that stands. Durable when it resolves. */
  answer(ask: PulledAsk): Promise<Answer>
  /** The message that tells an answer. */
  message(answer: Answer): Promise<SiteMessage>
  /** Answers that the network has not acknowledged. */
  unpushed(limit: number): Promise<readonly Answer[]>
  markPushed(answer: Answer): Promise<void>
  /** The signed list of offers, made anew. */
  offers(): Promise<string>
  /** Something of the network's members is not what it was: nothing of them is to be taken for known. */
  membersChanged(): void
  /** The network has taken that list. */
  offersPublished(offers: string): Promise<void>
}

const BACKOFF_MS_MIN = 100
const BACKOFF_MS_MAX = 5_000

/**
 * Keeps a site on the line until `signal` is aborted: publishes the offers, pushes what was answered but not
 * acknowledged, then pulls work and has it answered while it pulls more. A line that breaks is tried again with growing
 * pauses; asks are answered once however often they come.
 */
export async function serveLine<Answer extends LineAnswer>(facts: {
  line: NetworkLine
  acts: LineActs<Answer>
  clock: Clock
  events: SiteEvents
  signal: AbortSignal
  /** Aborted and replaced when the offers have changed. */
  offersChanged: () => AbortSignal
}): Promise<void> {
  const { line, acts, clock, events } = facts
  const desk = new AnsweringDesk(facts)
  let pauseMs = BACKOFF_MS_MIN
  let isResuming = true
  let publishedFor: AbortSignal | undefined
  let directory = ''
  while (!facts.signal.aborted) {
    try {
      if (isResuming) await acts.requireContinued()
      const changed = facts.offersChanged()
      if (publishedFor !== changed) {
        // Should publishing fail, it is the line that is down, and not the change that ended a pull.
        publishedFor = undefined
        const offers = await acts.offers()
        await line.publishOffers(offers)
        await acts.offersPublished(offers)
        publishedFor = changed
      }
      if (isResuming) await pushOutbox(facts)
      const signal = AbortSignal.any([facts.signal, changed, desk.broken])
      const waitMs = isResuming ? 0 : LIMITS.longPollMs
      const work = await line.pullWork({ waitMs, isResuming, directory, signal })
      // A network of before does not tell.
      if ((work.directory ?? directory) !== directory) acts.membersChanged()
      directory = work.directory ?? directory
      if (isResuming) events.lineUp()
      isResuming = false
      pauseMs = BACKOFF_MS_MIN
      for (const ask of pulledAsks(work)) await desk.take(ask)
      // Those that were taken go first: one turn opens their questions, and what is found of them then has them computed.
      if (work.items.length > 0) await onceUnderWay().then(onceUnderWay)
    } catch (error) {
      if (facts.signal.aborted) break
      if (publishedFor?.aborted === true) continue
      events.lineDown(desk.mend() ?? error)
      isResuming = true
      await clock.sleep(pauseMs, facts.signal)
      pauseMs = Math.min(pauseMs * 2, BACKOFF_MS_MAX)
    }
  }
  await desk.finish()
}

interface AnsweringFacts<Answer extends LineAnswer> {
  readonly line: NetworkLine
  readonly acts: LineActs<Answer>
  readonly events: SiteEvents
  readonly signal: AbortSignal
}

const OUTBOX_PAGE = 100

async function pushOutbox<Answer extends LineAnswer>(facts: AnsweringFacts<Answer>): Promise<void> {
  for (;;) {
    const waiting = await facts.acts.unpushed(OUTBOX_PAGE)
    for (const answer of waiting) await push(answer, facts)
    if (waiting.length < OUTBOX_PAGE) return
  }
}

/** Asks that wait here or are being answered, and what is kept of them: then no more are pulled, and the others wait at the network. */
const ASKS_AT_ONCE = 1_000
const ASKS_BYTES_AT_ONCE = 32 * 1024 * 1024

/**
 * Has asks answered and pushes each answer as soon as it stands, so that a slow one holds up nobody. As many are taken as can
 * be kept, and not as many as can be answered: whose turn it is, is decided among them (`asks/fair-places.ts`). An ask that
 * cannot be answered because something here is broken stays unanswered; the network gives it out again until it expires.
 */
class AnsweringDesk<Answer extends LineAnswer> {
  readonly #facts: AnsweringFacts<Answer>
  readonly #running = new Map<AskId, Promise<void>>()
  readonly #texts = new KeptTexts()
  #break = new AbortController()
  #cause: unknown

  constructor(facts: AnsweringFacts<Answer>) {
    this.#facts = facts
  }

  /** Aborted when an answer could not be pushed: then the outbox has to be gone through again. */
  get broken(): AbortSignal {
    return this.#break.signal
  }

  /** Begins again after a break; gives what it was. */
  mend(): unknown {
    const cause = this.#cause
    this.#break = new AbortController()
    this.#cause = undefined
    return cause
  }

  /** Takes an ask on as soon as there is room; one that is being answered is left alone. */
  async take(pulled: PulledAsk): Promise<void> {
    const { ask } = pulled.item
    if (this.#running.has(ask)) return
    while (this.#isFull()) await Promise.race(this.#running.values())
    this.#texts.keep(pulled)
    this.#running.set(
      ask,
      this.#answer(pulled).finally(() => {
        this.#running.delete(ask)
        this.#texts.letGo(pulled)
      }),
    )
  }

  #isFull(): boolean {
    return (
      this.#running.size >= ASKS_AT_ONCE ||
      (this.#running.size > 0 && this.#texts.sizeBytes >= ASKS_BYTES_AT_ONCE)
    )
  }

  /** Waits for what is being answered. */
  async finish(): Promise<void> {
    await Promise.all(this.#running.values())
  }

  async #answer(pulled: PulledAsk): Promise<void> {
    const { acts, events, signal } = this.#facts
    const answered = await acts.answer(pulled).catch((error: unknown) => {
      // What had not begun when the site stops is given out again by the network.
      if (!signal.aborted) events.failed(`answering ${pulled.item.ask}`, error)
      return undefined
    })
    if (answered === undefined) return
    await push(answered, this.#facts).catch((error: unknown) => {
      this.#cause = error
      this.#break.abort()
    })
  }
}

/** The signed texts that are kept, a batch's once however many of its asks are. */
class KeptTexts {
  readonly #uses = new Map<string, number>()
  sizeBytes = 0

  keep(pulled: PulledAsk): void {
    const name = nameOfText(pulled)
    const uses = this.#uses.get(name) ?? 0
    this.#uses.set(name, uses + 1)
    if (uses === 0) this.sizeBytes += textOf(pulled).length
  }

  letGo(pulled: PulledAsk): void {
    const name = nameOfText(pulled)
    const uses = this.#uses.get(name) ?? 0
    if (uses > 1) this.#uses.set(name, uses - 1)
    else if (this.#uses.delete(name)) this.sizeBytes -= textOf(pulled).length
  }
}

function nameOfText({ item }: PulledAsk): string {
  return item.batch?.digest ?? item.ask
}

function textOf({ item, batchJws }: PulledAsk): string {
  return (item.batch ? batchJws : item.jws) ?? ''
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

async function push<Answer extends LineAnswer>(
  answer: Answer,
  { line, acts, events }: AnsweringFacts<Answer>,
): Promise<void> {
  const message = await acts.message(answer)
  try {
    await line.pushDecision(message)
  } catch (error) {
    if (!isFinalRefusal(error)) throw error
    events.decisionRefused(answer.askId, error)
  }
  await acts.markPushed(answer)
}

/** The network will not take this decision however often it is sent: the ask expired, is not there, or it is too large. */
export function isFinalRefusal(error: unknown): error is Fault {
  return error instanceof PeerRefusal && [404, 409, 410, 413, 422].includes(error.status)
}
