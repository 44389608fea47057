import { Fault } from '../../kernel/faults.ts'

/** How many may be used at once, and how many of these are for those who have none. */
interface PlaceCounts {
  readonly places: number
  readonly forNewcomers: number
}

/**
 * Places in which asks are answered, shared out among acquirers. A place that is free goes to the acquirer that has fewest,
 * and among equals turn by turn; an acquirer that has some is not given the last ones, which are for those who have none.
 * So whoever sends a thousand asks waits for them, and another's first does not.
 */
export class FairPlaces {
  readonly #counts: PlaceCounts
  readonly #used = new Map<string, number>()
  /** Who waits, in turn: whoever is given a place goes to the end. */
  readonly #waiting = new Map<string, PromiseWithResolvers<void>[]>()
  #usedCount = 0
  #isClosed = false

  constructor(counts: PlaceCounts) {
    this.#counts = counts
  }

  /** Acts in a place of `owner`, at once or when it is its turn. */
  async use<T>(owner: string, act: () => Promise<T>): Promise<T> {
    await this.#turn(owner)
    try {
      return await act()
    } finally {
      const left = (this.#used.get(owner) ?? 1) - 1
      if (left > 0) this.#used.set(owner, left)
      else this.#used.delete(owner)
      this.#usedCount -= 1
      this.#giveOut()
    }
  }

  /** Nobody is given a place any more: who waits is refused at once, who has one goes on. */
  close(): void {
    this.#isClosed = true
    for (const own of this.#waiting.values()) for (const { reject } of own) reject(closed())
    this.#waiting.clear()
  }

  #turn(owner: string): Promise<void> | undefined {
    if (this.#isClosed) throw closed()
    if (!this.#waiting.has(owner) && this.#mayHave(owner)) {
      this.#take(owner)
      return undefined
    }
    const turn = Promise.withResolvers<void>()
    const own = this.#waiting.get(owner) ?? []
    own.push(turn)
    this.#waiting.set(owner, own)
    return turn.promise
  }

  #mayHave(owner: string): boolean {
    const { places, forNewcomers } = this.#counts
    return this.#usedCount < (this.#used.has(owner) ? places - forNewcomers : places)
  }

  #take(owner: string): void {
    this.#used.set(owner, (this.#used.get(owner) ?? 0) + 1)
    this.#usedCount += 1
  }

  #giveOut(): void {
    for (let owner = this.#next(); owner !== undefined; owner = this.#next()) {
      const own = this.#waiting.get(owner) ?? []
      const turn = own.shift()
      this.#waiting.delete(owner)
      if (own.length > 0) this.#waiting.set(owner, own)
      if (!turn) continue
      this.#take(owner)
      turn.resolve()
    }
  }

  /** Whose turn it is. */
  #next(): string | undefined {
    let next: string | undefined
    for (const owner of this.#waiting.keys()) {
      if (!this.#mayHave(owner)) continue
      if (next === undefined || this.#usedBy(owner) < this.#usedBy(next)) next = owner
    }
    return next
  }

  #usedBy(owner: string): number {
    return this.#used.get(owner) ?? 0
  }
}

function closed(): Fault {
  return new Fault('fault.unavailable', { what: 'Cannot answer the ask: the site is stopping' })
}
