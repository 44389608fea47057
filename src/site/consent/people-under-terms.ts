import { Bitset } from '../../kernel/bitset.ts'
import type { Instant } from '../../kernel/clock.ts'

/** When a grant holds, in milliseconds since the epoch: from the first moment up to, and without, the last. */
export interface GrantInterval {
  readonly from: number
  /** `Infinity`: until it is revoked. */
  readonly until: number
}

/** One person's grant, as far as the people under its terms are concerned. */
export interface PersonInterval extends GrantInterval {
  readonly person: number
  /** It has no end and held from the moment it was given: a clock that is set back does not undo it. */
  readonly isStanding: boolean
}

/** Fewer people than this are kept one by one: a bitmap costs an eighth of a byte for everybody below the largest number. */
const SPARSE_MAX = 2_000

/**
 * The people who gave one set of terms. Grants without an end that held when they were given are a bitmap; the others
 * keep their interval and are looked at with the time in hand, so they begin and end at their very moment with nothing
 * having to sweep them.
 */
export class PeopleUnderTerms {
  readonly #standing = new CountedPeople()
  readonly #timed = new TimedGrants()

  add(grant: PersonInterval): void {
    if (grant.isStanding) this.#standing.add(grant.person)
    else this.#timed.add(grant)
  }

  /** Takes grants away again; many at once cost one pass. One that is not there is left alone. */
  remove(grants: readonly PersonInterval[]): void {
    const timed: PersonInterval[] = []
    for (const grant of grants) {
      if (grant.isStanding) this.#standing.remove(grant.person)
      else timed.push(grant)
    }
    if (timed.length > 0) this.#timed.remove(timed)
  }

  /** Adds everybody whose grant holds at `now` to a set; gives the next moment at which that may change. */
  collect(into: Bitset, now: Instant): number {
    this.#standing.collect(into)
    return this.#timed.collect(into, now)
  }
}

/** People, each with how often they are in it: two equal grants need two revocations. */
class CountedPeople {
  #sparse: Set<number> | undefined = new Set()
  #dense = new Bitset()
  /** How many more than one. */
  readonly #more = new Map<number, number>()

  add(person: number): void {
    if (this.#has(person)) {
      this.#more.set(person, (this.#more.get(person) ?? 0) + 1)
      return
    }
    if (!this.#sparse) return this.#dense.add(person)
    this.#sparse.add(person)
    if (this.#sparse.size <= SPARSE_MAX) return
    this.#dense = Bitset.of(this.#sparse)
    this.#sparse = undefined
  }

  remove(person: number): void {
    const more = this.#more.get(person)
    if (more === undefined) {
      if (this.#sparse) this.#sparse.delete(person)
      else this.#dense.delete(person)
    } else if (more === 1) this.#more.delete(person)
    else this.#more.set(person, more - 1)
  }

  collect(into: Bitset): void {
    if (!this.#sparse) return into.addAll(this.#dense)
    for (const person of this.#sparse) into.add(person)
  }

  #has(person: number): boolean {
    return this.#sparse ? this.#sparse.has(person) : this.#dense.has(person)
  }
}

/** Grants with an interval, in flat arrays: 20 bytes each. Of most terms there is none, or one. */
class TimedGrants {
  #length = 0
  #people = new Int32Array(0)
  #from = new Float64Array(0)
  #until = new Float64Array(0)
  /** Who held when last asked, and the moments between which that stays so. */
  #held: { readonly people: Bitset; readonly since: number; readonly before: number } | undefined

  add({ person, from, until }: PersonInterval): void {
    if (this.#length === this.#people.length) this.#grow()
    this.#people[this.#length] = person
    this.#from[this.#length] = from
    this.#until[this.#length] = until
    this.#length += 1
    this.#held = undefined
  }

  /** Compacts the arrays in one pass, leaving out one entry for each that is to go. */
  remove(grants: readonly PersonInterval[]): void {
    const going = new Map<number, PersonInterval[]>()
    for (const grant of grants) {
      const same = going.get(grant.person)
      if (same) same.push(grant)
      else going.set(grant.person, [grant])
    }
    const [people, from, until] = [this.#people, this.#from, this.#until]
    let kept = 0
    for (let index = 0; index < this.#length; index += 1) {
      const person = people[index] ?? 0
      const start = from[index] ?? 0
      const end = until[index] ?? 0
      const theirs = going.get(person)
      const match = theirs ? theirs.findIndex((grant) => grant.from === start && grant.until === end) : -1
      if (match !== -1) {
        theirs?.splice(match, 1)
        continue
      }
      people[kept] = person
      from[kept] = start
      until[kept] = end
      kept += 1
    }
    this.#length = kept
    this.#held = undefined
  }

  collect(into: Bitset, now: Instant): number {
    if (this.#length === 0) return Infinity
    if (!this.#held || now < this.#held.since || now >= this.#held.before) this.#held = this.#heldAt(now)
    into.addAll(this.#held.people)
    return this.#held.before
  }

  #heldAt(now: Instant): { people: Bitset; since: number; before: number } {
    const people = new Bitset()
    const [numbers, starts, ends] = [this.#people, this.#from, this.#until]
    let since = -Infinity
    let before = Infinity
    for (let index = 0; index < this.#length; index += 1) {
      const from = starts[index] ?? 0
      const until = ends[index] ?? 0
      if (from <= now && now < until) people.add(numbers[index] ?? 0)
      if (from > now) {
        if (from < before) before = from
      } else if (from > since) since = from
      if (until > now) {
        if (until < before) before = until
      } else if (until > since) since = until
    }
    return { people, since, before }
  }

  #grow(): void {
    const capacity = Math.max(4, this.#people.length * 2)
    const people = new Int32Array(capacity)
    const from = new Float64Array(capacity)
    const until = new Float64Array(capacity)
    people.set(this.#people)
    from.set(this.#from)
    until.set(this.#until)
    this.#people = people
    this.#from = from
    this.#until = until
  }
}
