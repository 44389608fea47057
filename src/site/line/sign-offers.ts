import { canonicalJson } from '../../kernel/canonical-json.ts'
import { formatInstant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import { signJws } from '../../kernel/crypto/jws.ts'
import { minimumGroupOf } from '../../protocol/data-set.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import type { KeySet } from '../../protocol/member.ts'
import { TYP } from '../../protocol/proof/message-types.ts'
import type { Offer } from '../../protocol/offer.ts'
import type { SiteId } from '../../protocol/wire.ts'
import type { KeyPair } from '../../kernel/crypto/keys.ts'

/** Who offers. */
export interface OfferingSite {
  readonly site: SiteId
  readonly territory: string
  readonly keys: KeySet
}

/** The signed list of everything a site offers; it replaces the list before it. */
export function signOffers(
  manifests: readonly Manifest[],
  { site, key, now }: { site: OfferingSite; key: KeyPair; now: Instant },
): string {
  const offers = manifests.map((manifest) => offerOf(manifest, site))
  return signJws(canonicalJson({ site: site.site, offers, time: formatInstant(now) }), {
    typ: TYP.offer,
    key,
  })
}

/** What the world may know of a data set: its terms and columns; no count of people, no value. */
export function offerOf(manifest: Manifest, { site, territory, keys }: OfferingSite): Offer {
  const usesSpecialCategory = manifest.columns.some(({ sensitivity }) => sensitivity === 'special_category')
  return {
    site,
    siteCountry: territory,
    siteKeys: keys,
    dataSet: manifest.dataSet,
    title: manifest.title,
    ...(manifest.description === undefined ? {} : { description: manifest.description }),
    ...(manifest.attribution === undefined ? {} : { attribution: manifest.attribution }),
    issuer: manifest.issuer,
    ...(manifest.issuerProcessor === undefined ? {} : { issuerProcessor: manifest.issuerProcessor }),
    person: { key: manifest.person.key, rowsMax: manifest.person.rowsMax },
    columns: manifest.columns,
    purposes: manifest.purposes,
    modes: manifest.modes,
    legalBasis: manifest.legalBasis,
    perimeter: manifest.perimeter,
    minimumGroup: minimumGroupOf(manifest, usesSpecialCategory),
    dimensionsMax: manifest.dimensionsMax,
    tariff: manifest.tariff,
    splits: manifest.splits,
  }
}
