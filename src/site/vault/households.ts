import { Bitset } from '../../kernel/bitset.ts'

/**
 * Who stands behind rows that are about several people (docs/decisions/0023). A row has one number: of its person, or of
 * the household whose members it is about. Households are numbered like people and are nobody: whatever is said of a person, a grant,
 * a birth date, a history, is said of members.
 */
export class Households {
  readonly #members: ReadonlyMap<number, readonly (number | undefined)[]>
  readonly #householdsOf = new Map<number, number[]>()
  readonly #all: Bitset

  constructor(members: ReadonlyMap<number, readonly (number | undefined)[]> = new Map()) {
    this.#members = members
    this.#all = Bitset.of(members.keys())
    for (const [household, people] of members)
      for (const person of people) {
        if (!isSomebody(person)) continue
        const theirs = this.#householdsOf.get(person)
        if (theirs) theirs.push(household)
        else this.#householdsOf.set(person, [household])
      }
  }

  get isEmpty(): boolean {
    return this.#members.size === 0
  }

  /** Whether a number is that of a household. */
  has(number: number): boolean {
    return this.#members.has(number)
  }

  /** The person in each place of a number's rows: `undefined` where the row named none, below 0 (`NOBODY`) where they were forgotten. */
  placesOf(number: number): readonly (number | undefined)[] {
    return this.#members.get(number) ?? [number]
  }

  /** A person's own number, and those of the households that they are in. */
  numbersOf(person: number): readonly number[] {
    return [person, ...(this.#householdsOf.get(person) ?? [])]
  }

  /** Every number whose rows are about somebody of these people. */
  numbersOfAny(people: Bitset): Bitset {
    if (this.isEmpty) return people
    const numbers = people.clone()
    people.forEach((person) => {
      for (const household of this.#householdsOf.get(person) ?? []) numbers.add(household)
    })
    return numbers
  }

  /** Everybody whom rows with these numbers are about, but those who were forgotten. */
  peopleOf(numbers: Bitset): Bitset {
    if (this.isEmpty) return numbers
    const people = numbers.difference(this.#all)
    numbers.intersection(this.#all).forEach((household) => {
      for (const person of this.placesOf(household)) if (isSomebody(person)) people.add(person)
    })
    return people
  }

  /** Of numbers those whose rows may be used when these people may be: whoever a row is about has to be one of them. */
  allowedBy(people: Bitset, numbers: Bitset): Bitset {
    if (this.isEmpty) return people
    const allowed = people.difference(this.#all).intersection(numbers)
    numbers.intersection(this.#all).forEach((household) => {
      const members = this.placesOf(household)
      if (members.every((person) => person === undefined || people.has(person))) allowed.add(household)
    })
    return allowed
  }
}

function isSomebody(person: number | undefined): person is number {
  return person !== undefined && person >= 0
}
