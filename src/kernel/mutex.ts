/** Runs one thing at a time, in the order of arrival. */
export class Mutex {
  #tail: Promise<unknown> = Promise.resolve()

  /** Waits for those before, runs `act`, and gives its outcome. */
  run<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.#tail.then(act, act)
    this.#tail = turn.then(
      () => undefined,
      () => undefined,
    )
    return turn
  }
}
