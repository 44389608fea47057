import { Fault } from '../kernel/faults.ts'
import type { AskState } from '../protocol/http/network-api.ts'
import { SITE_API } from '../protocol/http/site-api.ts'
import { openAnswers } from './acquirer.ts'
import type { Acquirer, AcquirerParts } from './acquirer.ts'
import { buildAsk } from './build-ask.ts'
import { collectPages } from './collect-pages.ts'
import { pinSite } from './pinned-keys.ts'
import type { PinnedKeys } from './pinned-keys.ts'

/** An acquirer at one site on the local network. */
export type LocalAcquirer = Pick<Acquirer, 'offers' | 'prepare' | 'send' | 'open' | 'ask' | 'find'>

/**
 * An acquirer that asks one site directly, with the network away or not: the same signed and sealed ask, paid from a floor
 * limit that the network gave in advance. `client` calls the site's door.
 */
export function openLocalAcquirer(parts: AcquirerParts): LocalAcquirer {
  const { client } = parts
  const send = (jws: string): Promise<AskState> =>
    client.call(SITE_API.localAsk, { body: { ask: jws }, isRepeatable: true })
  const prepare: LocalAcquirer['prepare'] = async (request) => {
    const { site, pinned } = await pinLocalSite(parts)
    const sealing = pinned.sites[site]?.present.sealing
    if (!sealing)
      throw new Fault('fault.internal', { what: 'Cannot find the keys of a site that was just pinned' })
    return buildAsk(
      { ...request, sites: [site], acquirer: parts.member },
      { sealingKeys: new Map([[site, sealing]]), key: parts.signing, ids: parts.ids, random: parts.random },
    )
  }
  return {
    prepare,
    send,
    offers: async (filter = {}) => {
      const offers = await collectPages((cursor) =>
        client.call(SITE_API.localOffers, { query: { cursor, limit: 200 } }),
      )
      return offers.filter(
        (offer) =>
          (filter.dataSet ?? offer.dataSet) === offer.dataSet &&
          (filter.site ?? offer.site) === offer.site &&
          (filter.mode === undefined || offer.modes.includes(filter.mode)),
      )
    },
    open: async (state) => openAnswers(parts, state, await parts.pins.read()),
    async ask(request) {
      const { jws } = await prepare(request)
      return openAnswers(parts, await send(jws), await parts.pins.read())
    },
    find: (askId) => client.call(SITE_API.localAskState, { params: { id: askId } }),
  }
}

/** Takes up the keys of the site that is called, as far as the ones seen before lead to them. */
async function pinLocalSite({ client, pins }: AcquirerParts): Promise<{ site: string; pinned: PinnedKeys }> {
  const { site, keys, firstKeys = keys, rotations } = await client.call(SITE_API.site)
  const next = pinSite(await pins.read(), { id: site, keys, firstKeys, rotations })
  if (!next.ok) {
    throw new Fault('fault.peer_refused', {
      what: `Cannot seal to site "${site}": its keys are not the ones seen before and no rotation signed by it leads to them; ask its operator`,
    })
  }
  await pins.write(next.value)
  return { site, pinned: next.value }
}
