import { countBits } from '../../../kernel/bitset.ts'

/**
 * A whole number of fewer than 21 bits and one from -2^31 to 2^31 - 1 as one DOUBLE, which holds 53: an engine lists one
 * number for each row in three quarters of the time of a STRUCT. Both are texts of SQL.
 */
export function packedRow(person: string, value: string): string {
  return `cast(${person} as double) * 4294967296e0 + (2147483648e0 + ${value})`
}

/** Every number of a person has to be below, to be packed. */
export const PACKED_PEOPLE_MAX = 2 ** 21 - 1

/** Stands for a row that does not count in a series: past every step of a grid whose rows are listed. */
export const NO_STEP = -(2 ** 31)

const PERSON = 2 ** 32
const MIDDLE = 2 ** 31

/** What `packedRow` packs, one list after another in the same memory: what one gave is good until the next. */
export class UnpackedRows {
  #people = new Int32Array(0)
  #values = new Float64Array(0)

  unpack(packed: Float64Array): { readonly people: Int32Array; readonly values: readonly Float64Array[] } {
    if (packed.length > this.#people.length) {
      this.#people = new Int32Array(packed.length)
      this.#values = new Float64Array(packed.length)
    }
    const [people, values] = [this.#people, this.#values]
    for (let row = 0; row < packed.length; row += 1) {
      const both = packed[row] ?? 0
      const person = Math.floor(both / PERSON)
      people[row] = person
      values[row] = both - person * PERSON - MIDDLE
    }
    return { people: people.subarray(0, packed.length), values: [values.subarray(0, packed.length)] }
  }
}

/** What is added up of each person of a list, by places from 0; good until the next list. */
export interface PackedSums {
  /** Rising. */
  readonly people: Int32Array
  /** Rows that count, and the sum of their values. */
  readonly rows: Int32Array
  readonly distances: Float64Array
}

/** A list has to have a row for every so many people: a pass over all of them is for long lists. */
const PEOPLE_A_ROW = 32
/** So many rows of a person at most, for whole numbers that a double holds. */
const ROWS_MAX = 2 ** 20

/**
 * Adds up packed rows without unpacking them. People are marked by a bit each, and the place of one is how many are
 * marked below: 250 kB for a million people, where an array by person is read past the processor's memory. The lower half
 * of a row is 2^31 and its value, or 0 where it does not count, so one sum for each person holds both the number of
 * rows and their sum, while these are few.
 */
export class PackedAdder {
  /** For each 32 people their bits, then how many are marked below. */
  readonly #marks: Int32Array
  readonly #personCount: number
  #people = new Int32Array(0)
  #rows = new Int32Array(0)
  #sums = new Float64Array(0)

  constructor(personCount: number) {
    this.#personCount = personCount
    this.#marks = new Int32Array(2 * Math.ceil(personCount / 32))
  }

  /** Undefined for a short list, and where somebody has more rows than one sum can tell apart: then rows have to be unpacked. */
  add(packed: Float64Array, distanceMax: number): PackedSums | undefined {
    if (packed.length * PEOPLE_A_ROW < this.#personCount) return undefined
    this.#mark(packed)
    const count = this.#number()
    this.#sum(packed, count)
    return this.#split(count, distanceMax)
      ? {
          people: this.#people.subarray(0, count),
          rows: this.#rows.subarray(0, count),
          distances: this.#sums.subarray(0, count),
        }
      : undefined
  }

  #mark(packed: Float64Array): void {
    const marks = this.#marks
    marks.fill(0)
    for (let row = 0; row < packed.length; row += 1) {
      const person = ((packed[row] ?? 0) / PERSON) | 0
      const at = (person >>> 5) * 2
      marks[at] = (marks[at] ?? 0) | (1 << (person & 31))
    }
  }

  /** Counts the marks below each word; gives how many there are. */
  #number(): number {
    const marks = this.#marks
    let count = 0
    for (let at = 0; at < marks.length; at += 2) {
      marks[at + 1] = count
      count += countBits(marks[at] ?? 0)
    }
    if (count > this.#people.length) {
      this.#people = new Int32Array(count)
      this.#rows = new Int32Array(count)
      this.#sums = new Float64Array(count)
    }
    let place = 0
    for (let at = 0; at < marks.length; at += 2) {
      for (let word = marks[at] ?? 0; word !== 0; word &= word - 1) {
        this.#people[place] = at * 16 + 31 - Math.clz32(word & -word)
        place += 1
      }
    }
    return count
  }

  #sum(packed: Float64Array, count: number): void {
    const [marks, sums] = [this.#marks, this.#sums]
    sums.fill(0, 0, count)
    for (let row = 0; row < packed.length; row += 1) {
      const both = packed[row] ?? 0
      const person = (both / PERSON) | 0
      const at = (person >>> 5) * 2
      const place = (marks[at + 1] ?? 0) + countBits((marks[at] ?? 0) & ((1 << (person & 31)) - 1))
      sums[place] = (sums[place] ?? 0) + (both - person * PERSON)
    }
  }

  /**
   * Takes rows and values apart. A person's sum of n rows lies within n·D of n·2^31, with D the largest distance. As long as
   * (2n + 1)·D < 2^31 these ranges do not touch, and whoever has more rows is past the last of them.
   */
  #split(count: number, distanceMax: number): boolean {
    const rowsMax = Math.min(ROWS_MAX, Math.floor(((MIDDLE - 1) / distanceMax - 1) / 2))
    const most = rowsMax * (MIDDLE + distanceMax)
    const [rows, sums] = [this.#rows, this.#sums]
    for (let place = 0; place < count; place += 1) {
      const sum = sums[place] ?? 0
      if (sum > most) return false
      const own = Math.round(sum / MIDDLE)
      rows[place] = own
      sums[place] = sum - own * MIDDLE
    }
    return true
  }
}
