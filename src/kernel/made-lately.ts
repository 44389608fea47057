/**
 * What was made of texts lately: of those that come again and again it is made once. Only for what depends on nothing but the text, so
 * that what is kept is never old; whoever is given it must not change it. At most `max` texts, the one that was met first forgotten
 * first.
 */
export class MadeLately<Made> {
  readonly #make: (text: string) => Made
  readonly #max: number
  readonly #made = new Map<string, Made>()

  constructor(make: (text: string) => Made, max: number) {
    this.#make = make
    this.#max = max
  }

  of(text: string): Made {
    const known = this.#made.get(text)
    if (known !== undefined) return known
    const made = this.#make(text)
    const oldest = this.#made.keys().next().value
    if (this.#made.size >= this.#max && oldest !== undefined) this.#made.delete(oldest)
    this.#made.set(text, made)
    return made
  }
}
