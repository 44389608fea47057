import type { Instant } from '../../kernel/clock.ts'
import { formatInstant } from '../../kernel/clock.ts'
import { LIMITS } from '../../kernel/limits.ts'
import type { AskStateMessage } from '../authorisation/ask-state.ts'
import { takenState } from '../authorisation/ask-state.ts'
import type { BookedAsk, PassedAsk } from '../authorisation/decided-ask.ts'
import type { Leg } from '../clearing/leg.ts'

/** What a site answered, in the form in which whoever asked is told of it. */
export type AnswerOfSite = AskStateMessage['sites'][number]

interface AskUnderWay {
  readonly ask: PassedAsk
  readonly at: Instant
  /** Sites that have answered; what they said is kept only while somebody waits for it. */
  readonly answers: Map<string, AnswerOfSite | undefined>
}

/** An ask that somebody waits for. */
export interface WatchedAsk extends Disposable {
  /** What has become of it, with what was released if `releasesFor` is its acquirer; undefined where the record has to say. */
  state(releasesFor: string | undefined): AskStateMessage | undefined
}

/**
 * Asks that this process has booked lately, one by one, and that are still being answered. What is known here is not read
 * back from the record, which stays the truth: what is not found here is read there, and what is done on the strength of a
 * leg that was found here is done only if the record still says the same (`close_leg`).
 */
export class AsksUnderWay {
  readonly #asks = new Map<string, AskUnderWay>()
  readonly #watched = new Map<string, number>()

  /** It is booked and durable. */
  booked({ ask, at }: BookedAsk): void {
    const [oldest] = this.#asks.keys()
    if (this.#asks.size >= LIMITS.asksUnderWayMax && oldest !== undefined) this.#asks.delete(oldest)
    this.#asks.set(ask.sent.ask.id, { ask, at, answers: new Map() })
  }

  /** A site's part of an ask, as it was booked; undefined where it is not known or has been answered. */
  legOf({ ask: id, site }: { ask: string; site: string }): Leg | undefined {
    const known = this.#asks.get(id)
    const leg = known?.ask.legs.find((each) => each.site === site)
    if (!known || !leg || known.answers.has(site)) return undefined
    const { ask } = known.ask.sent
    return {
      ask: id,
      site,
      acquirer: ask.acquirer,
      currency: ask.maxPrice.currency,
      is_dry_run: ask.dryRun,
      received_at: known.at,
      status: 'waiting',
      limit_minor: leg.limitMinor,
      hold_minor: ask.dryRun ? 0n : leg.limitMinor,
      is_hold_open: leg.limitMinor > 0n && !ask.dryRun,
      captured_minor: null,
      terms: () => leg.offer,
      clearing_jws: null,
    }
  }

  /** A site's answer is durable; without the answer, all that is known of the ask is forgotten. */
  answered({ ask, site }: { ask: string; site: string }, answer: AnswerOfSite | undefined): void {
    const known = this.#asks.get(ask)
    if (!known) return
    const isWatched = this.#watched.has(ask)
    known.answers.set(site, isWatched ? answer : undefined)
    const isOver = known.ask.legs.every((leg) => known.answers.has(leg.site))
    if (answer === undefined || (isOver && !isWatched)) this.#asks.delete(ask)
  }

  /** What the record says of it may no longer be what was seen here. */
  forget(ask: string): void {
    this.#asks.delete(ask)
  }

  /** Keeps what is answered to an ask until it is let go, for whoever waits for it. */
  watch(ask: string): WatchedAsk {
    this.#watched.set(ask, (this.#watched.get(ask) ?? 0) + 1)
    return {
      state: (releasesFor) => this.#stateOf(ask, releasesFor),
      [Symbol.dispose]: () => {
        const left = (this.#watched.get(ask) ?? 1) - 1
        if (left > 0) this.#watched.set(ask, left)
        else this.#unwatch(ask)
      },
    }
  }

  #stateOf(id: string, releasesFor: string | undefined): AskStateMessage | undefined {
    const known = this.#asks.get(id)
    if (!known) return undefined
    const taken = takenState(known.ask, formatInstant(known.at))
    const sites: AnswerOfSite[] = []
    for (const waiting of taken.sites) {
      const answer = known.answers.get(waiting.site)
      if (!answer && known.answers.has(waiting.site)) return undefined
      const { release, ...told } = answer ?? waiting
      const isGiven = release !== undefined && releasesFor === taken.acquirer
      sites.push(isGiven ? { ...told, release } : told)
    }
    const isOver = sites.every(({ status }) => status !== 'waiting')
    return { ...taken, status: isOver ? 'answered' : 'waiting', sites }
  }

  #unwatch(ask: string): void {
    this.#watched.delete(ask)
    const known = this.#asks.get(ask)
    // Nobody waits: what was said so far is in the record.
    if (known && known.answers.size > 0) this.#asks.delete(ask)
  }
}
