import { Fault } from '../../kernel/faults.ts'
import { NETWORK_API } from '../../protocol/http/network-endpoints.ts'
import { listOffers } from '../catalogue/list-offers.ts'
import { publishOffers, readOfferList } from '../catalogue/publish-offers.ts'
import { requireSelf } from '../membership/principal.ts'
import { requireSite } from '../membership/directory.ts'
import { pageAfter } from './cursor.ts'
import type { NetworkDoor, NetworkParts } from './network-parts.ts'

/** What sites offer. */
export function serveOffers(door: NetworkDoor, parts: NetworkParts): void {
  const { db, clock, catalogue, membership, events } = parts
  const { directory } = membership
  door.serve(NETWORK_API.publishOffers, async ({ caller, params, body }) => {
    requireSelf(caller, params.id)
    const site = requireSite(directory, params.id)
    const { offers } = await publishOffers({ db, clock, directory, catalogue }, { site, jws: body.offers })
    events.offersPublished({ site: site.id, offers })
    return body
  })
  door.serve(NETWORK_API.siteOffers, async ({ params }) => {
    const offers = await readOfferList(db, params.id)
    if (offers === undefined) throw new Fault('fault.not_found', { what: 'The site has published no offers' })
    return { offers }
  })
  door.serve(NETWORK_API.listOffers, ({ query: { cursor, limit, ...filter } }) => {
    const offers = listOffers({ catalogue, directory, now: clock.now() }, filter)
    return Promise.resolve(
      pageAfter(offers, { cursor, limit, nameOf: ({ dataSet, site }) => `${dataSet} ${site}` }),
    )
  })
}
