import { formatDate } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Ask } from '../../protocol/ask.ts'
import { areaContains } from '../../protocol/law/legal-zones.ts'
import type { Offer } from '../../protocol/offer.ts'
import type { StandingOffer } from '../catalogue/catalogue.ts'
import { highestPriceMinor, leastPriceMinor, shareHold } from './share-hold.ts'

/** Where an ask could go: the offers that match, and what they could cost together. */
export interface Route {
  readonly offers: readonly StandingOffer[]
  /** Whether offers match but for their currency. */
  readonly isOtherCurrency: boolean
  readonly leastMinor: bigint
  /** What is held: the highest price. */
  readonly holdMinor: bigint
}

/** One site an ask goes to, and its share of the hold. */
export interface Leg {
  readonly site: string
  readonly offer: Offer
  readonly offerRow: number
  readonly limitMinor: bigint
}

/**
 * The offers of the sites that an ask may go to: same data set, mode and currency, a place that was asked for, open (`is-open.ts`),
 * and of a site to which the question is sealed. Whether a purpose is in an offer's terms is the site's to say, because purposes form a tree.
 */
export function routeAsk(
  ask: Ask,
  {
    offers,
    isOpen,
    now,
  }: { offers: readonly StandingOffer[]; isOpen: (offer: Offer) => boolean; now: Instant },
): Route {
  const today = formatDate(now)
  const named = ask.sites[0] === 'any' ? undefined : new Set<string>(ask.sites)
  const inPlace = offers.filter(
    ({ offer }) =>
      offer.modes.includes(ask.mode) &&
      (named === undefined || named.has(offer.site)) &&
      Object.hasOwn(ask.question.sealed, offer.site) &&
      (ask.within === undefined ||
        ask.within.some((area) => areaContains(area, offer.siteCountry, { today }))) &&
      isOpen(offer),
  )
  const payable = inPlace.filter(({ offer }) => offer.tariff.currency === ask.maxPrice.currency)
  const ranges = payable.map(priceRange)
  return {
    offers: payable,
    isOtherCurrency: payable.length < inPlace.length && (named !== undefined || payable.length === 0),
    leastMinor: leastPriceMinor(ranges),
    holdMinor: highestPriceMinor(ranges, ask.maxPrice.amountMinor),
  }
}

/** The sites an ask goes to, each with its share of the hold. */
export function legsOf({ offers, holdMinor }: Route): readonly Leg[] {
  const shares = shareHold(offers.map(priceRange), holdMinor)
  return offers.map(({ row, offer }, index) => ({
    site: offer.site,
    offer,
    offerRow: row,
    limitMinor: shares[index] ?? 0n,
  }))
}

function priceRange({ offer: { tariff } }: StandingOffer): { leastMinor: bigint; mostMinor: bigint } {
  return { leastMinor: BigInt(tariff.minimumFeeMinor), mostMinor: BigInt(tariff.capMinor) }
}
