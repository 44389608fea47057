import { sql } from 'kysely'
import type { Database } from '../../kernel/postgres/database.ts'
import { offerSchema } from '../../protocol/offer.ts'
import type { Offer } from '../../protocol/offer.ts'

/** An offer that stands, with the row that keeps its terms for good. */
export interface StandingOffer {
  readonly row: number
  readonly offer: Offer
}

/** Every offer that stands, in memory, by data set: routing looks through them for each ask. */
export class Catalogue {
  readonly #db: Database
  #byDataSet = new Map<string, readonly StandingOffer[]>()

  private constructor(db: Database) {
    this.#db = db
  }

  static async open(db: Database): Promise<Catalogue> {
    const catalogue = new Catalogue(db)
    await catalogue.reload()
    return catalogue
  }

  /** Reads all again after a list was published. */
  async reload(): Promise<void> {
    const { rows } = await sql<{ id: number; terms: unknown }>`
      select id, terms from offer where is_active order by data_set, site`.execute(this.#db)
    const offers = rows.map(({ id, terms }) => ({ row: id, offer: offerSchema.parse(terms) }))
    this.#byDataSet = Map.groupBy(offers, ({ offer }) => offer.dataSet)
  }

  /** The offers of a data set, by site. */
  of(dataSet: string): readonly StandingOffer[] {
    return this.#byDataSet.get(dataSet) ?? []
  }

  /** Every offer, by data set and site. */
  all(): readonly StandingOffer[] {
    return [...this.#byDataSet.values()].flat()
  }
}
