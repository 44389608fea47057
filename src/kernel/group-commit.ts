/**
 * Group commit: what is handed over while one write is under way is written together by the next, at most `itemsMax` at a time.
 * Nothing waits for company: whoever comes alone is written at once. A write that fails fails for all whose it was.
 */
export class GroupCommit<Item, Written> {
  readonly #write: (items: readonly Item[]) => Promise<readonly Written[]>
  readonly #itemsMax: number
  #waiting: Handed<Item, Written>[] = []
  #isWriting = false

  /** `write` gives what became of each item, in order. */
  constructor(write: (items: readonly Item[]) => Promise<readonly Written[]>, itemsMax: number) {
    this.#write = write
    this.#itemsMax = itemsMax
  }

  /** Resolves when the item is written. */
  add(item: Item): Promise<Written> {
    const { promise, resolve, reject } = Promise.withResolvers<Written>()
    this.#waiting.push({ item, resolve, reject })
    if (!this.#isWriting) void this.#writeAll()
    return promise
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true
    while (this.#waiting.length > 0) {
      const handed = this.#waiting.slice(0, this.#itemsMax)
      this.#waiting = this.#waiting.slice(this.#itemsMax)
      await this.#writeSome(handed)
    }
    this.#isWriting = false
  }

  async #writeSome(handed: readonly Handed<Item, Written>[]): Promise<void> {
    try {
      const written = await this.#write(handed.map(({ item }) => item))
      for (const [index, { resolve, reject }] of handed.entries()) {
        const one = written[index]
        if (one === undefined) reject(new Error('A write did not say what became of an item'))
        else resolve(one)
      }
    } catch (error) {
      for (const { reject } of handed) reject(error)
    }
  }
}

interface Handed<Item, Written> {
  readonly item: Item
  readonly resolve: (written: Written) => void
  readonly reject: (error: unknown) => void
}
