import { monotonicMs, onceUnderWay } from './clock.ts'
import { LIMITS } from './limits.ts'

/**
 * Lets others in while somebody computes long: a process computes one thing at a time, and whoever waits for an answer of it waits for
 * all that computes before it. Asked between two pieces of work; it stops only when a turn's time is over.
 */
export class ComputingTurn {
  readonly #turnMs: number
  #begunMs = monotonicMs()

  constructor(turnMs: number = LIMITS.computingTurnMs) {
    this.#turnMs = turnMs
  }

  /** Whether others are to be let in by now. */
  get isOver(): boolean {
    return monotonicMs() - this.#begunMs >= this.#turnMs
  }

  /** Resolves in the next turn, once everybody else who is ready has been let in; at once while this one lasts. */
  async next(): Promise<void> {
    if (!this.isOver) return
    await onceUnderWay()
    this.#begunMs = monotonicMs()
  }
}

/** What an act makes of each of many things, one after the other, with others let in between. */
export async function inTurns<T, R>(
  all: readonly T[],
  act: (one: T, index: number) => R,
  turn: ComputingTurn = new ComputingTurn(),
): Promise<R[]> {
  const made: R[] = []
  for (const [index, one] of all.entries()) {
    if (turn.isOver) await turn.next()
    made.push(act(one, index))
  }
  return made
}
