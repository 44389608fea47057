/** Lets acts take turns where they share a name, and run side by side where they do not. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>()

  /** Waits for every act before that has one of these names, runs `act`, and gives its outcome. */
  run<T>(names: readonly string[], act: () => Promise<T>): Promise<T> {
    const before = names.flatMap((name) => this.#last.get(name) ?? [])
    const turn = Promise.allSettled(before).then(act)
    for (const name of names) this.#last.set(name, turn)
    const leave = () => {
      for (const name of names) if (this.#last.get(name) === turn) this.#last.delete(name)
    }
    turn.then(leave, leave)
    return turn
  }
}
