/**
 * How many of many things to do in one turn for which others wait, so that it takes about so long on this machine: as many as the
 * turns before tell, from one to the next at most twice or half as many. Each turn costs something however few are done in it (a commit, a
 * busy machine), so fewer than `countMin` would not make it shorter, and would only make more of them.
 */
export class TurnSize {
  readonly #goalMs: number
  readonly #countMin: number
  readonly #countMax: number
  #count: number

  constructor({
    goalMs,
    first,
    countMin,
    countMax,
  }: {
    goalMs: number
    first: number
    countMin: number
    countMax: number
  }) {
    this.#goalMs = goalMs
    this.#countMin = countMin
    this.#countMax = countMax
    this.#count = first
  }

  /** For the next turn. */
  get count(): number {
    return this.#count
  }

  /** What a turn took; one that had fewer to do does not tell how long more of them take. */
  took(count: number, durationMs: number): void {
    const fitting = Math.floor((count * this.#goalMs) / Math.max(durationMs, 1))
    if (count < this.#count && fitting > count) return
    const next = Math.min(fitting, this.#count * 2, this.#countMax)
    this.#count = Math.max(next, Math.ceil(this.#count / 2), this.#countMin)
  }
}
