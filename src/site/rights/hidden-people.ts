import { Bitset } from '../../kernel/bitset.ts'
import type { Instant } from '../../kernel/clock.ts'
import { isHold } from '../../protocol/rights/restriction.ts'
import type { RestrictionReason } from '../../protocol/rights/restriction.ts'

/**
 * People whom no run may use, whatever they granted: from the moment that their erasure is noted until their rows are
 * gone, and while their processing is restricted (GDPR Art. 17, 18). Kept in memory, filled from the record before
 * anything is served.
 */
export class HiddenPeople {
  readonly #erased = new Set<number>()
  /** Until when (`Infinity` while no end is told), and whether the data is held for its person meanwhile. */
  readonly #restricted = new Map<number, { readonly until: number; readonly isHeld: boolean }>()
  /** Who is hidden, and the moment before which that stays so. */
  #known: { readonly people: Bitset; readonly since: number; readonly before: number } | undefined

  /** Hides somebody who is being erased; a run that is on its way is refused by the count of changes in the record. */
  hideErased(person: number): void {
    this.#erased.add(person)
    this.#known = undefined
  }

  /** Takes it back where the erasure could not even be noted. */
  showAgain(person: number): void {
    this.#erased.delete(person)
    this.#known = undefined
  }

  /** Hides somebody until a moment, which counts whether or not anybody looks at it then. */
  restrict(person: number, until: number, reason?: RestrictionReason): void {
    this.#restricted.set(person, { until, isHeld: reason !== undefined && isHold(reason) })
    this.#known = undefined
  }

  /** Takes it back where the restriction could not be noted. */
  unrestrict(person: number): void {
    this.#restricted.delete(person)
    this.#known = undefined
  }

  /** Whose data outlasts its retention now, for use by nobody (GDPR Art. 18(1)(b), (c)). */
  heldAt(now: Instant): Bitset {
    const held = [...this.#restricted].filter(([, { until, isHeld }]) => isHeld && until > now)
    return Bitset.of(held.map(([person]) => person))
  }

  /** Whom no run may use now. Not to be written to. */
  at(now: Instant): Bitset {
    if (!this.#known || now < this.#known.since || now >= this.#known.before) {
      const ends = [...this.#restricted].filter(([, { until }]) => until > now)
      this.#known = {
        people: Bitset.of([...this.#erased, ...ends.map(([person]) => person)]),
        since: now,
        before: Math.min(Infinity, ...ends.map(([, { until }]) => until)),
      }
    }
    return this.#known.people
  }
}
