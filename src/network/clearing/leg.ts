import { sql } from 'kysely'
import type { Instant } from '../../kernel/clock.ts'
import type { Currency } from '../../kernel/currency.ts'
import { Fault } from '../../kernel/faults.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import { KEPT } from '../../kernel/postgres/kept-statements.ts'
import { offerSchema } from '../../protocol/offer.ts'
import type { Offer } from '../../protocol/offer.ts'

/** One site's part of an ask: what it was given, what is held for it, and how far it is. */
export interface Leg {
  readonly ask: string
  readonly site: string
  readonly acquirer: string
  readonly currency: Currency
  readonly is_dry_run: boolean
  readonly received_at: Instant
  readonly status: 'waiting' | 'answered' | 'unreachable'
  readonly limit_minor: bigint
  readonly hold_minor: bigint
  readonly is_hold_open: boolean
  readonly captured_minor: bigint | null
  /** The offer by whose terms the ask was taken. */
  readonly terms: () => Offer
  readonly clearing_jws: string | null
}

/** @throws Fault `fault.not_found` when the site was not asked */
export async function findLeg(
  db: Database,
  { ask, site }: { ask: string; site: string },
  lock = sql``,
): Promise<Leg> {
  const { rows } = await sql<Omit<Leg, 'terms'> & { readonly terms: unknown }>`
    ${KEPT} select s.ask, s.site, a.acquirer, a.currency, a.is_dry_run, a.received_at, s.status, s.limit_minor, s.hold_minor, s.is_hold_open,
      s.captured_minor, o.terms, c.jws as clearing_jws
    from ask_site s join ask a on a.id = s.ask join offer o on o.id = s.offer left join clearing c on c.ask = s.ask and c.site = s.site
    where s.ask = ${ask} and s.site = ${site} ${lock}`.execute(db)
  const leg = rows[0]
  if (!leg) throw new Fault('fault.not_found', { what: 'There is no such ask for this site' })
  return { ...leg, terms: () => offerSchema.parse(leg.terms) }
}

/** What became of the site's share of the hold, in minor units. */
export interface CaptureOutcome {
  readonly ask: string
  readonly site: string
  readonly currency: Currency
  readonly limitMinor: bigint
  readonly capturedMinor: bigint | undefined
  readonly freedMinor: bigint | undefined
}

/** The outcome as the leg stands. */
export function outcomeOf({
  ask,
  site,
  currency,
  captured_minor,
  is_hold_open,
  hold_minor,
  limit_minor: limitMinor,
}: Leg): CaptureOutcome {
  const capturedMinor = captured_minor ?? undefined
  return {
    ask,
    site,
    currency,
    limitMinor,
    capturedMinor,
    freedMinor: is_hold_open ? undefined : hold_minor - (captured_minor ?? 0n),
  }
}
