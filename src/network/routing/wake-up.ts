import type { Clock } from '../../kernel/clock.ts'
import { LIMITS } from '../../kernel/limits.ts'

/** Lets a request wait until something of a name has changed, or its time is over. */
export class WakeUp {
  readonly #clock: Clock
  readonly #closing: AbortSignal
  readonly #waiting = new Map<string, Set<() => void>>()

  /** Nobody waits any longer once `closing` is aborted. */
  constructor({ clock, closing }: { clock: Clock; closing: AbortSignal }) {
    this.#clock = clock
    this.#closing = closing
  }

  /** Something of this name has changed: everybody who waits for it looks again. */
  wake(name: string): void {
    for (const ring of this.#waiting.get(name) ?? []) ring()
  }

  /**
   * Gives what `look` finds, looking again at every change until `isEnough` or `waitMs` are over (at most the long
   * poll of the limits). Waiting begins before the first look, so that nothing is missed in between.
   */
  async lookUntil<T>(
    name: string,
    {
      waitMs,
      signal,
      look,
      isEnough,
    }: { waitMs: number; signal: AbortSignal; look: () => Promise<T>; isEnough: (found: T) => boolean },
  ): Promise<T> {
    const until = this.#clock.now() + Math.min(waitMs, LIMITS.longPollMs)
    for (;;) {
      const bell = this.#listen(name, AbortSignal.any([signal, this.#closing]))
      try {
        const found = await look()
        const leftMs = until - this.#clock.now()
        if (isEnough(found) || leftMs <= 0 || bell.isOver()) return found
        await bell.rings(leftMs)
      } finally {
        bell.stop()
      }
    }
  }

  #listen(
    name: string,
    over: AbortSignal,
  ): { rings(waitMs: number): Promise<void>; isOver(): boolean; stop(): void } {
    const rung = new AbortController()
    // With a reason of ours: without one an exception is made, with its stack, each time somebody is woken.
    const ring = () => rung.abort(name)
    const those = this.#waiting.get(name) ?? new Set()
    those.add(ring)
    this.#waiting.set(name, those)
    return {
      rings: (waitMs) => this.#clock.sleep(waitMs, AbortSignal.any([rung.signal, over])),
      isOver: () => over.aborted,
      stop: () => {
        those.delete(ring)
        if (those.size === 0) this.#waiting.delete(name)
      },
    }
  }
}
