/** Exact linear algebra over the integers modulo a prime: what an acquirer can compute from released sums. */

const PRIME = 2_147_483_647n

/** Rows in reduced form, so that membership of a vector can be asked for. */
export class RowSpace {
  readonly #rows = new Map<number, readonly bigint[]>()
  readonly #width: number

  constructor(vectors: readonly (readonly number[])[], width: number) {
    this.#width = width
    for (const vector of vectors) {
      const row = this.#reduce(this.#dense(vector))
      const pivot = row.findIndex((value) => value !== 0n)
      if (pivot >= 0) this.#insert(pivot, row)
    }
  }

  get rank(): number {
    return this.#rows.size
  }

  /** Whether a combination of the released sums is exactly the sum over these members. */
  contains(members: readonly number[]): boolean {
    return this.#reduce(this.#dense(members)).every((value) => value === 0n)
  }

  /** The members on which some combination of the released sums differs from 0, for every row of the reduced form. */
  supports(): readonly (readonly number[])[] {
    return [...this.#rows.values()].map((row) => row.flatMap((value, index) => (value === 0n ? [] : [index])))
  }

  /** Members that no combination can tell apart, those in no sum left out. */
  classes(): readonly (readonly number[])[] {
    const byColumn = new Map<string, number[]>()
    const rows = [...this.#rows.values()]
    for (let member = 0; member < this.#width; member += 1) {
      const column = rows.map((row) => row[member] ?? 0n)
      if (column.every((value) => value === 0n)) continue
      const name = column.join()
      byColumn.set(name, [...(byColumn.get(name) ?? []), member])
    }
    return [...byColumn.values()]
  }

  #dense(members: readonly number[]): bigint[] {
    const row = Array.from({ length: this.#width }, () => 0n)
    for (const member of members) row[member] = 1n
    return row
  }

  #reduce(row: bigint[]): bigint[] {
    for (const [pivot, known] of this.#rows) {
      const factor = row[pivot] ?? 0n
      if (factor !== 0n) subtract(row, known, factor)
    }
    return row
  }

  #insert(pivot: number, row: bigint[]): void {
    const inverse = power(row[pivot] ?? 1n, PRIME - 2n)
    const unit = row.map((value) => (value * inverse) % PRIME)
    for (const [other, known] of this.#rows) {
      const factor = known[pivot] ?? 0n
      if (factor === 0n) continue
      const next = [...known]
      subtract(next, unit, factor)
      this.#rows.set(other, next)
    }
    this.#rows.set(pivot, unit)
  }
}

function subtract(row: bigint[], known: readonly bigint[], factor: bigint): void {
  for (const [index, value] of known.entries()) {
    if (value !== 0n) row[index] = ((row[index] ?? 0n) + (PRIME - factor) * value) % PRIME
  }
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n
  let square = base % PRIME
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = (result * square) % PRIME
    square = (square * square) % PRIME
  }
  return result
}
