import { sql } from 'kysely'
import { peekJws } from '../../kernel/crypto/jws.ts'
import { digestOfJson } from '../../kernel/digest.ts'
import type { Digest } from '../../kernel/digest.ts'
import type { Database } from '../../kernel/postgres/database.ts'

/**
 * The offers that the network has of this site. Only those are sold on the local network: the network captures by terms
 * that it knows, and prices are a public tariff (DGA Art. 12(f)).
 */
export class PublishedOffers {
  readonly #db: Database
  #digests: ReadonlyMap<string, string>

  private constructor(db: Database, digests: ReadonlyMap<string, string>) {
    this.#db = db
    this.#digests = digests
  }

  static async open(db: Database): Promise<PublishedOffers> {
    const { rows } = await sql<{ data_set: string; digest: string }>`
      select data_set, digest from published_offer`.execute(db)
    return new PublishedOffers(db, new Map(rows.map(({ data_set, digest }) => [data_set, digest])))
  }

  /** The network has taken this signed list, which replaces the one before. */
  async note(list: string): Promise<void> {
    const offers = offersIn(list)
    const digests = new Map(offers.map((offer) => [offer.dataSet, digestOfJson(offer)]))
    const names = [...digests.keys()]
    await this.#db.transaction().execute(async (tx) => {
      await sql`delete from published_offer where not (data_set = any(${names}::text[]))`.execute(tx)
      await sql`
        insert into published_offer (data_set, digest)
        select * from unnest(${names}::text[], ${[...digests.values()]}::text[])
        on conflict (data_set) do update set digest = excluded.digest`.execute(tx)
    })
    this.#digests = digests
  }

  /** Whether the network knows exactly these terms. */
  knows(dataSet: string, offer: Digest): boolean {
    return this.#digests.get(dataSet) === offer
  }
}

/** Offers in their wire form, as this site signed them itself. */
function offersIn(list: string): readonly { readonly dataSet: string }[] {
  const payload = JSON.parse(peekJws(list)?.payload ?? '{}') as { offers?: { dataSet: string }[] }
  return payload.offers ?? []
}
