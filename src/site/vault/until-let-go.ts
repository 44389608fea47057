import { later } from '../../kernel/clock.ts'
import type { Clock } from '../../kernel/clock.ts'
import { LIMITS } from '../../kernel/limits.ts'

/** Longer than any statement may take, so that whoever looked at a catalogue has let go of it. */
const WAIT_MAX_MS = 2 * LIMITS.queryTimeoutMs
const LOOK_EVERY_MS = 10

/** What the engine says of a catalogue that a transaction of somebody else has looked at and not ended. */
const HELD = /Cannot CHECKPOINT: there are other|Unique file handle conflict/

/**
 * Attaches, folds or lets go a catalogue of a copy as soon as nobody holds it. A statement that looks over all catalogues holds a
 * copy's too until its transaction ends, and keeps hold of one that was let go; the engine refuses at once and does not wait.
 */
export async function untilLetGo<T>(clock: Clock, act: () => Promise<T>): Promise<T> {
  const until = later(clock.now(), WAIT_MAX_MS)
  for (;;) {
    try {
      return await act()
    } catch (error) {
      const isHeld = error instanceof Error && HELD.test(error.message)
      if (!isHeld || clock.now() >= until) throw error
    }
    await clock.sleep(LOOK_EVERY_MS)
  }
}
