import { sql } from 'kysely'
import type { Clock, Instant } from '../../kernel/clock.ts'
import { verifyJws } from '../../kernel/crypto/jws.ts'
import { digestOfJson } from '../../kernel/digest.ts'
import { Fault } from '../../kernel/faults.ts'
import type { FieldProblem } from '../../kernel/faults.ts'
import { parseWith } from '../../kernel/parse.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import { parseJson } from '../../kernel/parse-json.ts'
import { isSameKeySet } from '../../protocol/proof/key-chain.ts'
import { TYP } from '../../protocol/proof/message-types.ts'
import { offerListSchema } from '../../protocol/http/network-api.ts'
import type { OfferList, SiteRecord } from '../../protocol/http/network-api.ts'
import type { Offer } from '../../protocol/offer.ts'
import { presentKey } from '../membership/directory.ts'
import type { Directory } from '../membership/directory.ts'
import type { Catalogue } from './catalogue.ts'

/** What publishing works with. */
export interface Publishing {
  readonly db: Database
  readonly clock: Clock
  readonly directory: Directory
  readonly catalogue: Catalogue
}

/**
 * Replaces everything that a site offers by its signed list. Terms that did not change keep their row.
 *
 * @throws Fault `fault.request_malformed` naming each field that is wrong, `fault.conflict` when a newer list stands
 */
export async function publishOffers(
  { db, clock, directory, catalogue }: Publishing,
  { site, jws }: { site: SiteRecord; jws: string },
): Promise<{ readonly offers: number }> {
  const { list, terms } = readList(jws, { site, directory })
  const problems = list.offers.flatMap((offer, index) => problemsOf(offer, index, { site, directory }))
  if (problems.length > 0) throw malformed(problems)
  await db.transaction().execute(async (tx) => {
    await keepList(tx, { site: site.id, jws, signedAt: list.time, at: clock.now() })
    const rows = terms.map((offer) => ({
      data_set: offer.dataSet,
      digest: digestOfJson(offer.terms),
      terms: offer.terms,
    }))
    await sql`
      with wanted as (select * from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as w(data_set text, digest text, terms jsonb))
      update offer o set is_active = false
        where o.site = ${site.id} and o.is_active
          and not exists (select 1 from wanted w where w.data_set = o.data_set and w.digest = o.digest)`.execute(
      tx,
    )
    await sql`
      insert into offer (site, data_set, digest, terms, is_active, published_at)
        select ${site.id}, w.data_set, w.digest, w.terms, true, to_timestamp(${clock.now() / 1000})
        from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as w(data_set text, digest text, terms jsonb)
        where not exists (select 1 from offer o where o.site = ${site.id} and o.is_active and o.data_set = w.data_set)`.execute(
      tx,
    )
  })
  await catalogue.reload()
  return { offers: list.offers.length }
}

/** The signed list of a site's offers, for those who want to check the signature themselves. */
export async function readOfferList(db: Database, site: string): Promise<string | undefined> {
  const { rows } = await sql<{ jws: string }>`select jws from offer_list where site = ${site}`.execute(db)
  return rows[0]?.jws
}

interface ReadList {
  readonly list: OfferList
  /** The offers in their wire form, as they were signed. */
  readonly terms: readonly { readonly dataSet: string; readonly terms: unknown }[]
}

function readList(jws: string, { site, directory }: { site: SiteRecord; directory: Directory }): ReadList {
  const verified = verifyJws(jws, {
    typ: TYP.offer,
    keyFor: (keyId) => presentKey(directory.find(site.id), keyId),
  })
  if (!verified.ok)
    throw malformed([{ field: 'offers', expected: 'expected a list signed with the site’s present key' }])
  const payload: unknown = parseJson(verified.value.payload)
  const parsed = parseWith(offerListSchema, payload)
  if (!parsed.ok) throw malformed(parsed.error)
  if (parsed.value.site !== site.id)
    throw malformed([{ field: 'site', expected: 'expected the name of the site that publishes' }])
  const raw = payload as { readonly offers: readonly unknown[] }
  return {
    list: parsed.value,
    terms: parsed.value.offers.map(({ dataSet }, index) => ({ dataSet, terms: raw.offers[index] })),
  }
}

function problemsOf(
  offer: Offer,
  index: number,
  { site, directory }: { site: SiteRecord; directory: Directory },
): FieldProblem[] {
  const problem = (field: string, expected: string) => ({ field: `offers[${index}].${field}`, expected })
  const isIssuer = directory.member(offer.issuer)?.roles.includes('issuer') ?? false
  const processor = offer.issuerProcessor
  const isProcessor =
    processor === undefined || (directory.member(processor)?.roles.includes('issuer-processor') ?? false)
  return [
    ...(offer.site === site.id ? [] : [problem('site', 'expected the site that publishes')]),
    ...(offer.siteCountry === site.country
      ? []
      : [problem('siteCountry', 'expected the country the site is registered in')]),
    ...(isSameKeySet(offer.siteKeys, site.keys)
      ? []
      : [problem('siteKeys', 'expected the present keys of the site')]),
    ...(isIssuer ? [] : [problem('issuer', 'expected a member with the role "issuer"')]),
    ...(isProcessor
      ? []
      : [problem('issuerProcessor', 'expected a member with the role "issuer-processor"')]),
  ]
}

async function keepList(
  tx: Database,
  { site, jws, signedAt, at }: { site: string; jws: string; signedAt: Instant; at: Instant },
): Promise<void> {
  const { rows } = await sql<object>`
    insert into offer_list (site, jws, signed_at, published_at)
    values (${site}, ${jws}, to_timestamp(${signedAt / 1000}), to_timestamp(${at / 1000}))
    on conflict (site) do update set jws = excluded.jws, signed_at = excluded.signed_at, published_at = excluded.published_at
      where offer_list.signed_at <= excluded.signed_at
    returning 1 as kept`.execute(tx)
  if (rows.length === 0)
    throw new Fault('fault.conflict', { what: 'Cannot publish the offers: a newer list stands' })
}

function malformed(errors: readonly FieldProblem[]): Fault {
  return new Fault('fault.request_malformed', {
    what: 'Cannot publish the offers: some fields are not what was expected',
    errors,
  })
}
