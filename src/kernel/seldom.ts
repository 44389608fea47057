import type { Clock, Instant } from './clock.ts'

/**
 * Tells at once what comes for the first time, and then no more than once in `everyMs` what comes again and again. There have to be few keys,
 * and none that an unknown caller may choose: each is told for itself, and is kept.
 */
export class Seldom {
  readonly #clock: Pick<Clock, 'now'>
  readonly #everyMs: number
  readonly #told = new Map<string, { readonly at: Instant; untold: number }>()

  constructor(clock: Pick<Clock, 'now'>, everyMs: number) {
    this.#clock = clock
    this.#everyMs = everyMs
  }

  /** Calls `tell` when it is time, with how often the same came since it was last told. */
  tell(key: string, tell: (untold: number) => void): void {
    const now = this.#clock.now()
    const last = this.#told.get(key)
    // A clock that was set back tells once too often rather than not at all.
    if (last && now >= last.at && now - last.at < this.#everyMs) {
      last.untold += 1
      return
    }
    this.#told.set(key, { at: now, untold: 0 })
    tell(last?.untold ?? 0)
  }
}
