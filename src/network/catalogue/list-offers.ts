import { formatDate } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import { areaContains } from '../../protocol/law/legal-zones.ts'
import { isPurposeWithin } from '../../protocol/law/purpose.ts'
import type { Offer } from '../../protocol/offer.ts'
import type { Directory } from '../membership/directory.ts'
import type { Catalogue } from './catalogue.ts'
import { isOpen } from './is-open.ts'

/** What somebody looks for among the offers; absent means any. */
export interface OfferFilter {
  readonly dataSet?: string | undefined
  readonly site?: string | undefined
  readonly within?: string | undefined
  readonly mode?: string | undefined
  readonly purpose?: string | undefined
}

/** The offers that match and are open, by data set and site. */
export function listOffers(
  { catalogue, directory, now }: { catalogue: Catalogue; directory: Directory; now: Instant },
  filter: OfferFilter = {},
): readonly Offer[] {
  const { dataSet, site, within, mode, purpose } = filter
  const today = formatDate(now)
  return catalogue
    .all()
    .map(({ offer }) => offer)
    .filter(
      (offer) =>
        isOpen(offer, directory) &&
        (dataSet === undefined || offer.dataSet === dataSet) &&
        (site === undefined || offer.site === site) &&
        (within === undefined || areaContains(within, offer.siteCountry, { today })) &&
        (mode === undefined || offer.modes.some((offered) => offered === mode)) &&
        (purpose === undefined || isOfferedFor(offer, purpose)),
    )
}

/** A use is offered where its purpose is, or a broader one: as an ask for it would be admitted. */
function isOfferedFor({ purposes }: Offer, purpose: string): boolean {
  return purposes.some((offered) => offered === purpose || isPurposeWithin(purpose, offered))
}
