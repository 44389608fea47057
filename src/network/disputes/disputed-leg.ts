import { sql } from 'kysely'
import type { Instant } from '../../kernel/clock.ts'
import type { Currency } from '../../kernel/currency.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import { offerSchema } from '../../protocol/offer.ts'

/** What one site answered to an ask, as far as it can be disputed: who took part, when, and for how much. */
export interface DisputedLeg {
  readonly acquirer: string
  readonly issuer: string
  readonly issuer_processor: string | null
  readonly custodian: string
  readonly answeredAt: Instant
  readonly capturedMinor: bigint
  readonly currency: Currency
}

/** `undefined` where the site was not asked, has not answered, or nothing left it and nothing was charged. */
export async function findDisputed(
  db: Database,
  { ask, site }: { readonly ask: string; readonly site: string },
): Promise<DisputedLeg | undefined> {
  const { rows } = await sql<DisputedRow>`
    select a.acquirer, a.currency, o.terms, t.custodian, s.answered_at, s.captured_minor,
      exists (select 1 from decision d where d.ask = s.ask and d.site = s.site and d.release_digest is not null) as has_release
    from ask_site s join ask a on a.id = s.ask join offer o on o.id = s.offer join site t on t.id = s.site
    where s.ask = ${ask} and s.site = ${site} and s.status = 'answered'`.execute(db)
  const [row] = rows
  if (!row || (row.captured_minor ?? 0n) + (row.has_release ? 1n : 0n) === 0n) return undefined
  const { issuer, issuerProcessor } = offerSchema.parse(row.terms)
  return {
    acquirer: row.acquirer,
    issuer,
    issuer_processor: issuerProcessor ?? null,
    custodian: row.custodian,
    answeredAt: row.answered_at,
    capturedMinor: row.captured_minor ?? 0n,
    currency: row.currency,
  }
}

interface DisputedRow {
  readonly acquirer: string
  readonly currency: Currency
  readonly terms: unknown
  readonly custodian: string
  readonly answered_at: Instant
  readonly captured_minor: bigint | null
  readonly has_release: boolean
}
