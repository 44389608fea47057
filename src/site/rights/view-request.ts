import type { z } from 'zod'
import { formatInstant } from '../../kernel/clock.ts'
import type { requestDetailSchema, requestViewSchema } from '../../protocol/http/request-api.ts'
import { remediesFor } from '../../protocol/law/supervisory-authorities.ts'
import type { SiteContext } from '../site-context.ts'
import { openPersonText } from '../vault/keys/person-text.ts'
import { REQUEST_SAID } from './request-desk.ts'
import { standingOf } from './request-state.ts'
import type { StoredRequest } from './request-store.ts'

export type RequestView = z.input<typeof requestViewSchema>
export type RequestDetail = z.input<typeof requestDetailSchema>

/** A request with its clock, without the person. */
export function requestView({ territory, clock }: SiteContext, request: StoredRequest): RequestView {
  const { id, kind, issuer, receivedAt, events } = request
  const standing = standingOf({ receivedAt, events, country: territory, now: clock.now() })
  const { endedAt, ...others } = standing
  return {
    id,
    kind,
    issuer,
    receivedAt: formatInstant(receivedAt),
    ...others,
    ...(endedAt === undefined ? {} : { endedAt: formatInstant(endedAt) }),
  }
}

/** The same with all that happened and was said, and for a refusal where it can be taken (GDPR Art. 12(4)). */
export async function requestDetail(site: SiteContext, request: StoredRequest): Promise<RequestDetail> {
  const key = (await site.personKeys.keyOf(site.db, request.person))?.reveal()
  const view = requestView(site, request)
  return {
    ...view,
    events: request.events.map(({ event, at, by, ground, said, receipt }) => {
      const text = said && key && openPersonText(said, { key, use: REQUEST_SAID })
      return {
        event,
        at: formatInstant(at),
        by,
        ...(ground === undefined ? {} : { ground }),
        ...(text === undefined ? {} : { said: text }),
        receipt,
      }
    }),
    ...(view.state === 'refused'
      ? { remedies: remediesFor({ residence: request.residence, siteCountry: site.territory }) }
      : {}),
  }
}
