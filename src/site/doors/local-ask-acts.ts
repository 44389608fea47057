import type { z } from 'zod'
import { formatInstant } from '../../kernel/clock.ts'
import { keyIdOf } from '../../kernel/crypto/keys.ts'
import type { PublicJwk } from '../../kernel/crypto/keys.ts'
import type { siteFloorLimitSchema } from '../../protocol/http/local-ask-api.ts'
import type { offerSchema } from '../../protocol/offer.ts'
import { wireMoney } from '../../protocol/wire.ts'
import type { MemberId } from '../../protocol/wire.ts'
import { answerLocally, findLocalAnswer } from '../floor/answer-locally.ts'
import type { LocalParts } from '../floor/answer-locally.ts'
import { countToClear, readFloorLimits } from '../floor/floor-store.ts'
import type { LocalState } from '../floor/local-state.ts'
import { offersNow } from '../floor/offers-now.ts'
import type { Page, PageRequest } from './page-of.ts'

export type SiteFloorLimit = z.input<typeof siteFloorLimitSchema>

/** What the door does for acquirers on the local network. */
export interface LocalAskActs {
  offers(page: PageRequest): Promise<Page<z.input<typeof offerSchema>>>
  localAsk(request: { jws: string; sender: MemberId }): Promise<LocalState>
  /** `undefined` when there is none, or it is somebody else's. */
  findLocalAnswer(request: { ask: string; caller: MemberId }): Promise<LocalState | undefined>
  floorLimits(page: PageRequest): Promise<Page<SiteFloorLimit>>
  /** The present signing key of a member whose keys this site has pinned, by its key id. */
  acquirerKey(member: string, keyId: string): Promise<PublicJwk | undefined>
}

export function localAskActs(parts: LocalParts): LocalAskActs {
  const { site } = parts
  return {
    offers({ cursor, limit }) {
      const all = offersNow(site).filter(({ dataSet }) => cursor === undefined || dataSet > cursor)
      const items = all.slice(0, limit)
      const last = items.at(-1)
      return Promise.resolve(all.length > limit && last ? { items, nextCursor: last.dataSet } : { items })
    },
    localAsk: (request) => answerLocally(request, parts),
    findLocalAnswer: (request) => findLocalAnswer(site, request),
    async floorLimits({ cursor, limit }) {
      const rows = await readFloorLimits(site.db, { after: cursor, limit: limit + 1 })
      const kept = rows.slice(0, limit)
      const counts = await countToClear(
        site.db,
        kept.map(({ id }) => id),
      )
      // What is shown as open is answered on: an ask on one that is just being taken up would be declined for good.
      const known = kept.filter(({ id, isClosed }) => isClosed || site.floor.has(id))
      const items = known.map(({ id, acquirer, currency, ...one }): SiteFloorLimit => ({
        id,
        acquirer,
        amount: wireMoney({ amountMinor: one.amountMinor, currency }),
        booked: wireMoney({ amountMinor: one.bookedMinor, currency }),
        validFrom: formatInstant(one.validFrom),
        validUntil: formatInstant(one.validUntil),
        state: one.isClosed ? 'closed' : one.isWithheld ? 'withheld' : 'open',
        ...(counts.get(id) ?? { toClear: 0, refused: 0 }),
      }))
      const last = kept.at(-1)
      return rows.length > limit && last ? { items, nextCursor: last.id } : { items }
    },
    async acquirerKey(member, keyId) {
      const record = await site.pins.record(member, site.clock.now())
      if (record?.status !== 'active') return undefined
      return keyIdOf(record.keys.signing) === keyId ? record.keys.signing : undefined
    },
  }
}
