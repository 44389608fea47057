import { onceUnderWay } from './clock.ts'

/**
 * Group commit: what is handed over in one turn of the event loop, or while one write is under way, is written together by the next,
 * at most `itemsMax` at a time. Nothing waits for company beyond that. A write that fails fails for all whose it was.
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
    // Whoever is heard in the same turn of the loop comes along.
    await onceUnderWay()
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

/** The same where one item may spoil the write of others: what cannot be written together is written each alone. */
export class SharedWrite<Item, Written> {
  readonly #group: GroupCommit<Item, Outcome<Written>>

  constructor(write: (items: readonly Item[]) => Promise<readonly Written[]>, itemsMax: number) {
    const alone = async (item: Item): Promise<Outcome<Written>> => {
      try {
        const [written] = await write([item])
        if (written === undefined) throw new Error('A write did not say what became of an item')
        return { written }
      } catch (error) {
        return { error }
      }
    }
    this.#group = new GroupCommit(async (items): Promise<readonly Outcome<Written>[]> => {
      const together = items.length === 1 ? undefined : await write(items).catch(() => undefined)
      if (together) return together.map((written) => ({ written }))
      const outcomes: Outcome<Written>[] = []
      for (const item of items) outcomes.push(await alone(item))
      return outcomes
    }, itemsMax)
  }

  /** Resolves when the item is written; fails by its own failure alone. */
  async add(item: Item): Promise<Written> {
    const outcome = await this.#group.add(item)
    if ('error' in outcome) throw outcome.error
    return outcome.written
  }
}

type Outcome<Written> = { readonly written: Written } | { readonly error: unknown }
