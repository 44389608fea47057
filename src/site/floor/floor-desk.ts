import type { Instant } from '../../kernel/clock.ts'
import { LIMITS } from '../../kernel/limits.ts'
import type { Money } from '../../kernel/money.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import type { FloorLimit } from '../../protocol/floor-limit.ts'
import { closeLimit, keepFloorLimit, readBooked, readFloorLimits } from './floor-store.ts'
import type { KeptFloorLimit } from './floor-store.ts'

/** A part of a floor limit that is set aside for one ask while it is answered. */
export interface FloorHold {
  readonly limit: string
  readonly amount: Money
  /** Gives it back. What was booked meanwhile is read from the record, so that a commit whose answer got lost counts. */
  end(): Promise<void>
}

/** A limit in memory: what is booked on it, and what is set aside for asks that are being answered. */
interface OpenLimit {
  readonly kept: KeptFloorLimit
  bookedMinor: bigint
  heldMinor: bigint
}

/**
 * The floor limits of a site. One process has the site's directory, so what is set aside can be kept in memory: asks that
 * are answered side by side never come to more than a limit, and none is computed that could not be paid.
 */
export class FloorDesk {
  readonly #db: Database
  readonly #limits = new Map<string, OpenLimit>()

  private constructor(db: Database) {
    this.#db = db
  }

  static async open(db: Database): Promise<FloorDesk> {
    const desk = new FloorDesk(db)
    for (const kept of await readFloorLimits(db)) desk.#add(kept)
    return desk
  }

  /** Takes up a limit that the network gave; one that is known stays as it is. False when it was closed here before. */
  async take(limit: FloorLimit, statement: string): Promise<boolean> {
    if (this.#limits.has(limit.id)) return true
    await keepFloorLimit(this.#db, { limit, statement })
    const kept = (await readFloorLimits(this.#db)).find(({ id }) => id === limit.id)
    if (kept) this.#add(kept)
    return kept !== undefined
  }

  /** Whether asks are answered on a limit. The record may have it a moment sooner. */
  has(limit: string): boolean {
    return this.#limits.has(limit)
  }

  /** Whether an acquirer has any limit in force in a currency. */
  hasLimit(acquirer: string, currency: string, now: Instant): boolean {
    return this.#inForce({ acquirer, currency, now }).length > 0
  }

  /** Sets the highest price of an ask aside, on the limit that ends first of those that cover it. At once: nobody gets in between. */
  hold(acquirer: string, amount: Money, now: Instant): FloorHold | undefined {
    const { currency, amountMinor } = amount
    const covering = this.#inForce({ acquirer, currency, now }).filter(
      ({ kept, bookedMinor, heldMinor }) => kept.amountMinor - bookedMinor - heldMinor >= amountMinor,
    )
    const [limit] = covering.toSorted((a, b) => a.kept.validUntil - b.kept.validUntil)
    if (!limit) return undefined
    limit.heldMinor += amountMinor
    return { limit: limit.kept.id, amount, end: () => this.#end(limit, amountMinor) }
  }

  /** Limits that have ended and on which nothing is being answered. */
  ended(now: Instant): readonly string[] {
    return [...this.#limits.values()]
      .filter(({ kept, heldMinor }) => kept.validUntil <= now && heldMinor === 0n)
      .map(({ kept }) => kept.id)
  }

  /** Closes a limit for good; false while something of it is still to be cleared. */
  async close(limit: string, now: Instant): Promise<boolean> {
    if (!(await closeLimit(this.#db, { limit, now }))) return false
    this.#limits.delete(limit)
    return true
  }

  #add(kept: KeptFloorLimit): void {
    if (kept.isClosed || this.#limits.has(kept.id)) return
    this.#limits.set(kept.id, { kept, bookedMinor: kept.bookedMinor, heldMinor: 0n })
  }

  #inForce({
    acquirer,
    currency,
    now,
  }: {
    acquirer: string
    currency: string
    now: Instant
  }): readonly OpenLimit[] {
    return [...this.#limits.values()].filter(
      ({ kept }) =>
        !kept.isWithheld &&
        kept.acquirer === acquirer &&
        kept.currency === currency &&
        kept.validFrom <= now + LIMITS.clockSkewMsMax &&
        now + LIMITS.floorLimitTailMs < kept.validUntil,
    )
  }

  /** While the record does not say what is booked, what was set aside stays so: never too much is given out. */
  async #end(limit: OpenLimit, amountMinor: bigint): Promise<void> {
    limit.bookedMinor = await readBooked(this.#db, limit.kept.id)
    limit.heldMinor -= amountMinor
  }
}
