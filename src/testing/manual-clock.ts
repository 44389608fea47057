import { instant } from '../kernel/clock.ts'
import type { Clock, Instant } from '../kernel/clock.ts'

/** A clock that stands still until it is moved on; who sleeps wakes when its time has come. */
export class ManualClock implements Clock {
  #now: Instant
  readonly #sleepers = new Set<{ readonly until: number; readonly wake: () => void }>()

  constructor(start: number) {
    this.#now = instant(start)
  }

  now(): Instant {
    return this.#now
  }

  sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted || durationMs <= 0) return resolve()
      const sleeper = {
        until: this.#now + durationMs,
        wake: () => {
          this.#sleepers.delete(sleeper)
          signal?.removeEventListener('abort', sleeper.wake)
          resolve()
        },
      }
      this.#sleepers.add(sleeper)
      signal?.addEventListener('abort', sleeper.wake, { once: true })
    })
  }

  /** Moves time on. */
  advance(durationMs: number): void {
    this.#now = instant(this.#now + durationMs)
    for (const sleeper of this.#sleepers) if (sleeper.until <= this.#now) sleeper.wake()
  }
}
