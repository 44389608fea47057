import type { Offer } from '../../protocol/offer.ts'
import { offerOf } from '../line/sign-offers.ts'
import type { SiteContext } from '../site-context.ts'

/** Everything the site offers now, by data set; nothing once it winds down. */
export function offersNow({
  site,
  territory,
  keys,
  manifests,
  isOffering,
}: Pick<SiteContext, 'site' | 'territory' | 'keys' | 'manifests' | 'isOffering'>): readonly Offer[] {
  if (!isOffering()) return []
  const public_ = { signing: keys.signing.publicJwk, sealing: keys.sealing.publicJwk }
  const offers = [...manifests().values()].map((manifest) =>
    offerOf(manifest, { site, territory, keys: public_ }),
  )
  return offers.toSorted((a, b) => (a.dataSet < b.dataSet ? -1 : 1))
}
