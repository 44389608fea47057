import { monotonicMs } from '../../kernel/clock.ts'
import type { SiteEvents } from '../events.ts'
import type { PulledAsk } from '../line/serve-line.ts'
import { answerAsk } from './answer-ask.ts'
import type { StoredAnswer } from './answer-store.ts'
import { FairPlaces } from './fair-places.ts'
import type { SiteParts } from './site-parts.ts'

/** Asks answered side by side: computing is the vault's to share out, so this only hides waiting. One acquirer has at most 8. */
const PLACES = { places: 10, forNewcomers: 2 }

/** Answers asks, each once at a time: one that comes through the network and on the local network together is one ask. */
export class AnswersUnderWay {
  readonly #site: SiteParts & { readonly events: SiteEvents }
  readonly #running = new Map<string, Promise<StoredAnswer>>()
  readonly #places = new FairPlaces(PLACES)
  #lastMs = Number.NEGATIVE_INFINITY

  constructor(site: SiteParts & { readonly events: SiteEvents }) {
    this.#site = site
  }

  /** The answer that stands, or is being made, or is made once its acquirer has a place. */
  answer(pulled: PulledAsk): Promise<StoredAnswer> {
    const { ask, acquirer } = pulled.item
    const running = this.#running.get(ask)
    if (running) return running
    const answering = this.#places
      .use(acquirer, () => answerAsk(pulled, { parts: this.#site, events: this.#site.events }))
      .finally(() => {
        this.#running.delete(ask)
        this.#lastMs = monotonicMs()
      })
    this.#running.set(ask, answering)
    return answering
  }

  /** What waits for a place is given up, for it is in nobody's record yet; what has one is answered. */
  stop(): void {
    this.#places.close()
  }

  /** For how long nothing has been answered, in milliseconds; 0 while something is. */
  quietMs(): number {
    return this.#running.size > 0 ? 0 : monotonicMs() - this.#lastMs
  }
}
