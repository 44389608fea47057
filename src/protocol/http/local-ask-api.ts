import { z } from '@hono/zod-openapi'
import { endpoint } from '../../kernel/http/endpoint.ts'
import { FLOOR_STATES, floorLimitIdSchema } from '../floor-limit.ts'
import { askStateSchema, offerPageSchema } from './network-api.ts'
import { nextCursorSchema, pageQuerySchema } from './page.ts'
import { askIdSchema, compactJwsSchema, instantSchema, memberIdSchema, moneySchema } from '../wire.ts'

/** A floor limit as the site that books on it sees it. */
export const siteFloorLimitSchema = z
  .strictObject({
    id: floorLimitIdSchema,
    acquirer: memberIdSchema,
    amount: moneySchema,
    /** Booked by answers that stand. */
    booked: moneySchema,
    validFrom: instantSchema,
    validUntil: instantSchema,
    /** `withheld`: it was in force before the site was restored from a backup, and nothing more is booked on it. */
    state: z.enum([...FLOOR_STATES, 'withheld']),
    /** Answers booked on it that the network has not taken yet. */
    toClear: z.int().min(0),
    /** Answers that the network refused to capture; the log of the site says why. */
    refused: z.int().min(0),
  })
  .openapi('SiteFloorLimit')

/** Asks on the local network: a site that is cut off goes on serving them within the floor limits it was given. */
export const LOCAL_ASK_API = {
  localOffers: endpoint({
    method: 'get',
    path: '/v1/offers',
    tag: 'local asks',
    summary: 'What can be asked for at this site, with terms and prices',
    description: 'Open to everybody: prices are a public tariff.',
    query: pageQuerySchema,
    response: offerPageSchema,
    isPublic: true,
  }),
  localAsk: endpoint({
    method: 'post',
    path: '/v1/asks',
    tag: 'local asks',
    summary: 'Ask this site directly: the same signed ask as through the network, naming this site alone',
    description:
      'An acquirer whose keys this site has pinned, or a processor it has named. Paid from a floor limit that the network gave in advance. A decline is an answer with a reason and a receipt. The same ask again gives the same answer, whichever way it comes.',
    body: z.strictObject({ ask: compactJwsSchema }).openapi('LocalAsk'),
    response: askStateSchema,
    status: 201,
  }),
  localAskState: endpoint({
    method: 'get',
    path: '/v1/asks/{id}',
    tag: 'local asks',
    summary: 'The answer to an ask that came on the local network, again',
    description: 'Its acquirer only.',
    params: z.object({ id: askIdSchema }),
    response: askStateSchema,
  }),
  siteFloorLimits: endpoint({
    method: 'get',
    path: '/v1/floor-limits',
    tag: 'local asks',
    summary: 'Floor limits of this site: what is booked on each, and what is still to be cleared',
    description: 'The operator.',
    query: pageQuerySchema,
    response: z
      .strictObject({ items: z.array(siteFloorLimitSchema), nextCursor: nextCursorSchema })
      .openapi('SiteFloorLimits'),
  }),
} as const
