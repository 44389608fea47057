import { monotonicMs } from '../../kernel/clock.ts'
import type { SiteEvents } from '../events.ts'
import type { PulledAsk } from '../line/serve-line.ts'
import { answerAsk } from './answer-ask.ts'
import type { StoredAnswer } from './answer-store.ts'
import type { SiteParts } from './site-parts.ts'

/** Answers asks, each once at a time: one that comes through the network and on the local network together is one ask. */
export class AnswersUnderWay {
  readonly #site: SiteParts & { readonly events: SiteEvents }
  readonly #running = new Map<string, Promise<StoredAnswer>>()
  #lastMs = Number.NEGATIVE_INFINITY

  constructor(site: SiteParts & { readonly events: SiteEvents }) {
    this.#site = site
  }

  /** The answer that stands, or is being made, or is made now. */
  answer(pulled: PulledAsk): Promise<StoredAnswer> {
    const { ask } = pulled.item
    const running = this.#running.get(ask)
    if (running) return running
    const answering = answerAsk(pulled, { parts: this.#site, events: this.#site.events }).finally(() => {
      this.#running.delete(ask)
      this.#lastMs = monotonicMs()
    })
    this.#running.set(ask, answering)
    return answering
  }

  /** For how long nothing has been answered, in milliseconds; 0 while something is. */
  quietMs(): number {
    return this.#running.size > 0 ? 0 : monotonicMs() - this.#lastMs
  }
}
