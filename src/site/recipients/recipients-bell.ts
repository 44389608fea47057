/** Wakes whoever carries notices and withdrawals to the network when there is something new. */
export class RecipientsBell {
  #next = new AbortController()

  /** Aborted when there is something new after this was called. */
  until(): AbortSignal {
    return this.#next.signal
  }

  ring(): void {
    const rung = this.#next
    this.#next = new AbortController()
    rung.abort()
  }
}
