/** Past this, a total is put aside as a whole number of any size. */
const ASIDE_FROM = 2 ** 52

/** A sum of whole numbers up to 2^53, exact however many there are. */
export class ExactSum {
  #near = 0
  #aside = 0n

  add(value: number): void {
    if (Math.abs(value) >= ASIDE_FROM) {
      this.#aside += BigInt(value)
      return
    }
    this.#near += value
    if (Math.abs(this.#near) < ASIDE_FROM) return
    this.#aside += BigInt(this.#near)
    this.#near = 0
  }

  get total(): bigint {
    return this.#aside + BigInt(this.#near)
  }
}
