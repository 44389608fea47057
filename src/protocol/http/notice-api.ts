import { z } from '@hono/zod-openapi'
import { endpoint } from '../../kernel/http/endpoint.ts'
import { ERASURE_GRADES } from '../rights/erasure.ts'
import { nextCursorSchema, pageQuerySchema } from './page.ts'
import { noticeIdSchema } from '../rights/recipient-notice.ts'
import {
  askIdSchema,
  compactJweSchema,
  compactJwsSchema,
  instantSchema,
  memberIdSchema,
  siteIdSchema,
} from '../wire.ts'

// Notices to recipients of rows, and the withdrawal of sealed releases, on their way through the network.

const siteParams = z.object({ id: siteIdSchema })

/** A notice as its recipient finds it. Only the recipient can open what is sealed. */
export const carriedNoticeSchema = z
  .strictObject({
    notice: noticeIdSchema,
    site: siteIdSchema,
    acquirer: memberIdSchema,
    /** Gone once it is acknowledged. */
    sealed: compactJweSchema.optional(),
    sentAt: instantSchema,
    deliveredAt: instantSchema.optional(),
    acknowledgedAt: instantSchema.optional(),
  })
  .openapi('CarriedNotice')

/** What a site has not yet heard of its notices. */
export const noticeNewsSchema = z
  .strictObject({
    notice: noticeIdSchema,
    deliveredAt: instantSchema.optional(),
    acknowledgement: compactJwsSchema.optional(),
  })
  .openapi('NoticeNews')
export type NoticeNews = z.output<typeof noticeNewsSchema>

/** What became of one release that a site withdrew: `permanent` once no file of the network holds it. */
export const withdrawnReleaseSchema = z
  .strictObject({
    ask: askIdSchema,
    /** False: the network never had a release of this site for the ask, and takes none any more. */
    hadRelease: z.boolean(),
    grade: z.enum(ERASURE_GRADES),
  })
  .openapi('WithdrawnRelease')
export type WithdrawnRelease = z.output<typeof withdrawnReleaseSchema>

const waitField = z.coerce
  .number('expected milliseconds')
  .int()
  .min(0)
  .optional()
  .openapi({ type: 'integer' })

/** Endpoints of the network's door that carry notices. */
export const NOTICE_API = {
  sendNotice: endpoint({
    method: 'put',
    path: '/v1/sites/{id}/notices/{notice}',
    tag: 'notices',
    summary: 'Hand over a notice to a recipient of rows, sealed to it',
    description:
      'The site. The same notice again is kept once; sealed anew, it takes the place of the one before until it is acknowledged.',
    params: siteParams.extend({ notice: noticeIdSchema }),
    body: z.strictObject({ acquirer: memberIdSchema, sealed: compactJweSchema }).openapi('SendNotice'),
    response: carriedNoticeSchema,
  }),
  noticeNews: endpoint({
    method: 'get',
    path: '/v1/sites/{id}/notices',
    tag: 'notices',
    summary: 'Which notices of a site were fetched or acknowledged, as far as it has not confirmed it',
    description: 'The site. With "wait", answers when there is something or the time is over.',
    params: siteParams,
    query: z.object({ wait: waitField }),
    response: z.strictObject({ items: z.array(noticeNewsSchema) }).openapi('NoticeNewsList'),
  }),
  confirmNews: endpoint({
    method: 'post',
    path: '/v1/sites/{id}/notices/confirmation',
    tag: 'notices',
    summary: 'Confirm what was heard of notices: it is durable at the site',
    description:
      'The site. "isFinal" says that it has the acknowledgement, and not only that it was fetched.',
    params: siteParams,
    body: z
      .strictObject({
        items: z.array(z.strictObject({ notice: noticeIdSchema, isFinal: z.boolean() })).max(500),
      })
      .openapi('ConfirmNews'),
    response: z.strictObject({ confirmed: z.int().min(0) }).openapi('NewsConfirmed'),
  }),
  listNotices: endpoint({
    method: 'get',
    path: '/v1/notices',
    tag: 'notices',
    summary: 'Notices of sites to the caller, oldest first: what became of people whose rows it was given',
    description:
      'The member they are sealed to. Those that are not acknowledged come again each time; "all" gives the others too, without what was sealed.',
    query: pageQuerySchema.extend({
      state: z.enum(['open', 'all'], 'expected "open" or "all"').default('open'),
    }),
    response: z
      .strictObject({ items: z.array(carriedNoticeSchema), nextCursor: nextCursorSchema })
      .openapi('CarriedNotices'),
  }),
  acknowledgeNotice: endpoint({
    method: 'post',
    path: '/v1/notices/{notice}/acknowledgement',
    tag: 'notices',
    summary: 'Acknowledge a notice with a signed statement of what was done',
    description:
      'The member it is sealed to. The same statement again is answered as before; another one is a conflict.',
    params: z.object({ notice: noticeIdSchema }),
    body: z.strictObject({ acknowledgement: compactJwsSchema }).openapi('AcknowledgeNotice'),
    response: carriedNoticeSchema,
  }),
  withdrawReleases: endpoint({
    method: 'post',
    path: '/v1/sites/{id}/withdrawals',
    tag: 'notices',
    summary: 'Have sealed releases deleted, by a signed order; asking again tells how thoroughly it is done',
    description:
      'The site, for its own releases. "isAtOnce" has the database rewritten now, as far as it was not just done. Nothing of these asks is taken from the site any more.',
    params: siteParams,
    body: z
      .strictObject({ order: compactJwsSchema, isAtOnce: z.boolean().default(false) })
      .openapi('WithdrawReleases'),
    response: z.strictObject({ items: z.array(withdrawnReleaseSchema) }).openapi('WithdrawnReleases'),
  }),
} as const
