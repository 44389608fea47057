/** Tells somebody who waits that there is something to do. */
export class Bell {
  #next = new AbortController()

  /** Aborted when it is rung the next time. */
  next(): AbortSignal {
    return this.#next.signal
  }

  ring(): void {
    const rung = this.#next
    this.#next = new AbortController()
    rung.abort()
  }
}
