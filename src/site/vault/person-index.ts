import type { DuckDBConnection } from '@duckdb/node-api'
import { sql } from 'kysely'
import { inTransaction } from './engine.ts'
import { runOwn, streamOwn } from './own-sql.ts'
import { NOBODY } from './vault.ts'

/** People up to whom the index is kept: 28 bytes each, so 140 MB. More are looked for in the table. */
const INDEXED_MAX = 5_000_000
const EMPTY = -1
/** Stands where somebody was who is forgotten: the search goes on past it. */
const GONE = -2

/**
 * Who has which number, in memory: the table would be read whole for each person. A lookup digest is an HMAC under a
 * key of the site (`lookup-digest.ts`), so its first 64 bits tell people apart. Should two of those who are known
 * coincide (one chance in a million among five million), the table is asked; that a key nobody has coincides with
 * somebody's has a chance of 2^-41.
 */
export class PersonIndex {
  #marks = new BigUint64Array(0)
  #numbers = new Int32Array(0)
  /** Where each number was put last. */
  #slots = new Int32Array(0)
  #size = 0
  /** Numbers below this have been read. */
  #known = 0
  /** Whether something may have changed since. */
  #isStale = true
  #hasForgotten = false
  /** Slots of those who are gone. */
  #gone = 0
  /** Whether the table is being read: what changes meanwhile may be in what is read, or not. */
  #isReading = false

  /** Something was written: what is known is held against the table before the next use. */
  noteChange(): void {
    this.#isStale = true
  }

  /** Somebody was forgotten: all is read anew, because the same key may have another number by then. */
  noteForgotten(): void {
    this.#isStale = true
    this.#hasForgotten = true
  }

  /** People have these numbers now; those who are new are added. */
  noteNumbered(lookups: readonly Uint8Array[], numbers: Int32Array): void {
    if (this.#isReading) this.#isStale = true
    if (this.#isStale) return
    const added = [...numbers.entries()].filter(([, number]) => number >= this.#known)
    if (this.#size + added.length > INDEXED_MAX) {
      this.noteForgotten()
      return
    }
    this.#makeRoom(this.#size + added.length)
    for (const [position, number] of added) {
      const lookup = lookups[position]
      // The same key twice is one person; two people with one mark are for the table to tell apart.
      if (lookup && !this.#put(markOf(lookup), number)) this.noteForgotten()
      this.#known = Math.max(this.#known, number + 1)
    }
  }

  /** Nobody is found with these numbers any more; of whoever is not known here yet none is read later. */
  remove(numbers: readonly number[]): void {
    if (this.#isReading) this.noteForgotten()
    if (this.#hasForgotten) return
    for (const number of numbers) {
      const slot = this.#slots[number] ?? EMPTY
      if (slot === EMPTY || this.#numbers[slot] !== number) continue
      this.#numbers[slot] = GONE
      this.#size -= 1
      this.#gone += 1
    }
  }

  /** Numbers by lookup digests, in order; `undefined` when the table has to be asked. Inside the reader's turn. */
  async find(connection: DuckDBConnection, lookups: readonly Uint8Array[]): Promise<Int32Array | undefined> {
    if (this.#isStale && !(await this.#refresh(connection))) return undefined
    return this.#numbersOf(lookups)
  }

  /** The same where nothing has to be read for it, outside of any turn; `undefined` where something has. */
  findKnown(lookups: readonly Uint8Array[]): Int32Array | undefined {
    return this.#isStale || this.#isReading ? undefined : this.#numbersOf(lookups)
  }

  #numbersOf(lookups: readonly Uint8Array[]): Int32Array {
    const numbers = new Int32Array(lookups.length)
    for (const [position, lookup] of lookups.entries()) {
      const number = this.#numbers[this.#slotOf(markOf(lookup))] ?? NOBODY
      numbers[position] = number < 0 ? NOBODY : number
    }
    return numbers
  }

  /** Reads who is new; anything else that changed shows in the count, and all is read anew. */
  async #refresh(connection: DuckDBConnection): Promise<boolean> {
    if (this.#hasForgotten) this.#drop()
    // Before the table is read: a change meanwhile makes it stale again.
    this.#hasForgotten = false
    this.#isStale = false
    this.#isReading = true
    try {
      return await inTransaction(connection, () => this.#readNew(connection))
    } catch (error) {
      this.#drop()
      throw error
    } finally {
      this.#isReading = false
    }
  }

  async #readNew(connection: DuckDBConnection): Promise<boolean> {
    const [[count, next] = []] = (
      await runOwn(connection, sql`select count(lookup), coalesce(max(number) + 1, 0) from _person`)
    ).getRows()
    if (Number(count) > INDEXED_MAX) return this.#drop()
    if (Number(next) < this.#known || Number(count) < this.#size) this.#drop()
    await this.#read(connection, Number(count))
    if (this.#size !== Number(count)) {
      this.#drop()
      await this.#read(connection, Number(count))
    }
    this.#known = Number(next)
    return this.#size === Number(count) || this.#drop()
  }

  #drop(): false {
    this.#marks = new BigUint64Array(0)
    this.#numbers = new Int32Array(0)
    this.#slots = new Int32Array(0)
    this.#size = 0
    this.#gone = 0
    this.#known = 0
    this.#isStale = true
    return false
  }

  async #read(connection: DuckDBConnection, count: number): Promise<void> {
    this.#makeRoom(count)
    const found = streamOwn(
      connection,
      sql`
        select number, ('0x' || left(hex(lookup), 16))::ubigint from _person
        where lookup is not null and number >= ${this.#known}::integer`,
    )
    for await (const chunk of found) {
      const [numbers, marks] = [chunk.getColumnVector(0), chunk.getColumnVector(1)]
      for (let row = 0; row < chunk.rowCount; row += 1) {
        const [number, mark]: [unknown, unknown] = [numbers.getItem(row), marks.getItem(row)]
        if (typeof mark === 'bigint' && typeof number === 'number') this.#put(mark, number)
      }
    }
  }

  /** Gives whether the mark is with this number now. */
  #put(mark: bigint, number: number): boolean {
    const slot = this.#slotOf(mark)
    const there = this.#numbers[slot] ?? EMPTY
    // The same mark again: it is left out, and the count then says that the index is not whole.
    if (there >= 0) return there === number
    if (there === GONE) this.#gone -= 1
    this.#marks[slot] = mark
    this.#numbers[slot] = number
    this.#noteSlot(number, slot)
    this.#size += 1
    return true
  }

  #noteSlot(number: number, slot: number): void {
    if (number >= this.#slots.length) {
      const longer = new Int32Array(Math.max(number + 1, this.#slots.length * 2)).fill(EMPTY)
      longer.set(this.#slots)
      this.#slots = longer
    }
    this.#slots[number] = slot
  }

  /** Where a mark is, or would be. */
  #slotOf(mark: bigint): number {
    const last = this.#numbers.length - 1
    if (last < 0) return -1
    let slot = Number(mark & 0xffffffffn) & last
    while (this.#numbers[slot] !== EMPTY && this.#marks[slot] !== mark) slot = (slot + 1) & last
    return slot
  }

  #makeRoom(count: number): void {
    if (this.#numbers.length >= (count + this.#gone) * 2 && this.#numbers.length > 0) return
    const [marks, numbers] = [this.#marks, this.#numbers]
    const capacity = 2 ** Math.ceil(Math.log2(Math.max(1_024, count * 2)))
    this.#marks = new BigUint64Array(capacity)
    this.#numbers = new Int32Array(capacity).fill(EMPTY)
    this.#size = 0
    this.#gone = 0
    for (const [slot, number] of numbers.entries()) {
      if (number >= 0) this.#put(marks[slot] ?? 0n, number)
    }
  }
}

function markOf(lookup: Uint8Array): bigint {
  return new DataView(lookup.buffer, lookup.byteOffset, lookup.byteLength).getBigUint64(0)
}
