import type { ClearingRecord } from '../../protocol/money/clearing-record.ts'
import type { Offer } from '../../protocol/offer.ts'
import { SPLIT_PARTIES } from '../../protocol/money/split.ts'
import { priceOf } from '../../protocol/money/tariff.ts'

/** What an ask was given to a site under. */
export interface ClearingTerms {
  readonly acquirer: string
  readonly currency: string
  /** The site's share of the hold, in minor units. */
  readonly limitMinor: bigint
  readonly offer: Offer
}

/**
 * What is wrong with a clearing record under the terms the ask was routed by; `undefined` when nothing is. The price is
 * at most the tariff's for the units that were metered, and at most what was held: the same class of ask costs the
 * same for everybody (DGA Art. 12(f)), and nobody pays more than they agreed to.
 */
export function clearingProblem(record: ClearingRecord, terms: ClearingTerms): string | undefined {
  const { offer, acquirer, currency, limitMinor } = terms
  if (record.acquirer !== acquirer) return 'the clearing record names another acquirer'
  if (record.dataSet !== offer.dataSet) return 'the clearing record names another data set'
  if (record.issuer !== offer.issuer || record.issuerProcessor !== offer.issuerProcessor) {
    return 'the clearing record names another issuer or processor than the offer'
  }
  if (SPLIT_PARTIES.some((party) => record.splits[party] !== offer.splits[party])) {
    return 'the clearing record splits otherwise than the offer'
  }
  if (record.price.currency !== currency) return 'the clearing record is in another currency'
  if (record.price.amountMinor > limitMinor) return 'the price is above what was held for the site'
  if (record.price.amountMinor > priceOf(record.units, offer.tariff).amountMinor) {
    return 'the price is above the tariff'
  }
  return undefined
}
