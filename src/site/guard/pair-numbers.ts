/** What stands at a place of the table: the pair, its number and room that is not used. */
const WIDTH = 4

/** Numbers, from 1, of pairs of numbers, of which none is negative: a pass over everybody makes no object for any of them. */
export class PairNumbers {
  /** Places are a power of two, at least half of them free. */
  #table = new Int32Array(1_024 * WIDTH)
  #mask = 1_023
  #count = 0

  /** 0 where the pair has none. */
  find(first: number, second: number): number {
    return this.#table[this.#placeOf(first, second) + 2] ?? 0
  }

  /** Gives a pair its number. */
  add(first: number, second: number, number: number): void {
    if (this.#count * 2 > this.#mask) this.#grow()
    this.#put(first, second, number)
  }

  #put(first: number, second: number, number: number): void {
    const [table, place] = [this.#table, this.#placeOf(first, second)]
    if (table[place + 2] === 0) this.#count += 1
    table[place] = first
    table[place + 1] = second
    table[place + 2] = number
  }

  /** Where a pair stands, or would. */
  #placeOf(first: number, second: number): number {
    const table = this.#table
    const mixed = Math.imul(Math.imul(first, 0x9e3779b1) ^ second, 0x85ebca6b)
    let place = (mixed ^ (mixed >>> 15)) & this.#mask
    while (
      table[place * WIDTH + 2] !== 0 &&
      (table[place * WIDTH] !== first || table[place * WIDTH + 1] !== second)
    )
      place = (place + 1) & this.#mask
    return place * WIDTH
  }

  #grow(): void {
    const before = this.#table
    this.#table = new Int32Array(before.length * 4)
    this.#mask = this.#table.length / WIDTH - 1
    this.#count = 0
    for (let at = 0; at < before.length; at += WIDTH)
      if (before[at + 2] !== 0) this.#put(before[at] ?? 0, before[at + 1] ?? 0, before[at + 2] ?? 0)
  }
}
