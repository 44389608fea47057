import { z } from '@hono/zod-openapi'
import { endpoint } from '../../kernel/http/endpoint.ts'
import { ERASURE_REASONS, erasureIdSchema, erasureViewSchema } from '../rights/erasure.ts'
import { nextCursorSchema, pageQuerySchema } from './page.ts'
import { personScopeQuery } from './person-api.ts'
import {
  ACKNOWLEDGED_OUTCOMES,
  NOTICE_KINDS,
  NOTICE_STATES,
  noticeIdSchema,
} from '../rights/recipient-notice.ts'
import { RETENTION_API } from './retention-api.ts'
import {
  RESTRICTION_REASONS,
  columnValuesSchema,
  correctionViewSchema,
  restrictionViewSchema,
} from '../rights/restriction.ts'
import { dataSetIdSchema, instantSchema, memberIdSchema } from '../wire.ts'

/** A notice to a recipient of rows, as the site's side sees it: it does not say whom it names. */
export const sentNoticeSchema = z
  .strictObject({
    notice: noticeIdSchema,
    kind: z.enum(NOTICE_KINDS),
    /** The erasure, correction or restriction that it tells of. */
    cause: z.string(),
    issuer: memberIdSchema,
    acquirer: memberIdSchema,
    /** What the acquirer calls itself, as the network tells it. */
    acquirerName: z.string().optional(),
    /** Where it is written to, where it has said so on the network. */
    acquirerAddress: z.string().optional(),
    purpose: z.string(),
    dataSet: z.string(),
    /** How many releases it names. */
    releases: z.int().min(0),
    columns: z.array(z.string()).optional(),
    state: z.enum(NOTICE_STATES),
    notedAt: instantSchema,
    dueAt: instantSchema,
    sentAt: instantSchema.optional(),
    deliveredAt: instantSchema.optional(),
    acknowledgedAt: instantSchema.optional(),
    outcome: z.enum(ACKNOWLEDGED_OUTCOMES).optional(),
    ground: z.string().optional(),
    receipts: z.array(z.int().min(0)),
  })
  .openapi('SentNotice')

const personParams = z.object({
  ref: z
    .string()
    .min(1)
    .max(200)
    .openapi({ description: '"me", or the key the issuer knows the person by.' }),
})

/** Whose person it is. A person and an issuer need not say it; the operator has to. */
const issuerField = memberIdSchema.optional()

/** Endpoints of the rights of people that change what is kept of them. */
export const RIGHTS_API = {
  ...RETENTION_API,
  erasePerson: endpoint({
    method: 'post',
    path: '/v1/people/{ref}/erasure',
    tag: 'people',
    summary: 'Erase a person: unreadable and deleted when answered, in no file within the stated window',
    description:
      'The person, the issuer for its own people, or the operator on behalf of a person, naming the issuer. The same key given again later is a new person (GDPR Art. 17).',
    params: personParams,
    body: z
      .strictObject({
        issuer: issuerField,
        reason: z.enum(ERASURE_REASONS, `expected one of ${ERASURE_REASONS.join(', ')}`),
        /** Answer only when no file of the site holds anything any more. */
        isAtOnce: z.boolean().default(false),
      })
      .openapi('ErasePerson'),
    response: erasureViewSchema,
    status: 201,
    isIdempotent: true,
  }),
  listErasures: endpoint({
    method: 'get',
    path: '/v1/erasures',
    tag: 'people',
    summary: 'Erasures, oldest first; none says who was erased',
    description: 'The operator sees all, an issuer those of its people.',
    query: pageQuerySchema,
    response: z
      .strictObject({ items: z.array(erasureViewSchema), nextCursor: nextCursorSchema })
      .openapi('Erasures'),
  }),
  erasure: endpoint({
    method: 'get',
    path: '/v1/erasures/{erasure}',
    tag: 'people',
    summary: 'The certificate of one erasure: the grade that each store has reached',
    description:
      'The operator, the issuer whose person it was, and whoever signs in and has the id, which nobody can guess and the public log does not have: receipts name an erasure by the digest of its id.',
    params: z.object({ erasure: erasureIdSchema }),
    response: erasureViewSchema,
  }),
  completeErasures: endpoint({
    method: 'post',
    path: '/v1/erasures/completion',
    tag: 'people',
    summary: 'Remove what was deleted from every file of the site now, instead of within the window',
    description: 'The operator. Asks go on meanwhile.',
    response: z.strictObject({ completed: z.int().min(0) }).openapi('ErasuresCompleted'),
  }),
  correctPerson: endpoint({
    method: 'post',
    path: '/v1/people/{ref}/correction',
    tag: 'people',
    summary: 'Correct values in a person’s rows; every run that begins after the answer reads the new ones',
    description:
      'The person, the issuer for its own people, or the operator on behalf of a person, naming the issuer (GDPR Art. 16). "where" picks rows by values of columns that are not sealed; without it all rows of the person are meant.',
    params: personParams,
    body: z
      .strictObject({
        issuer: issuerField,
        dataSet: dataSetIdSchema,
        set: columnValuesSchema,
        where: columnValuesSchema.default({}),
      })
      .openapi('CorrectPerson'),
    response: correctionViewSchema,
    status: 201,
    isIdempotent: true,
  }),
  restrictPerson: endpoint({
    method: 'post',
    path: '/v1/people/{ref}/restriction',
    tag: 'people',
    summary: 'Restrict the processing of a person: stored and in their export, in no result',
    description:
      'The person, the issuer for its own people, or the operator on behalf of a person, naming the issuer (GDPR Art. 18). In force when answered, for runs that have begun too.',
    params: personParams,
    body: z
      .strictObject({
        issuer: issuerField,
        reason: z.enum(RESTRICTION_REASONS, `expected one of ${RESTRICTION_REASONS.join(', ')}`),
      })
      .openapi('RestrictPerson'),
    response: restrictionViewSchema,
    status: 201,
    isIdempotent: true,
  }),
  listSentNotices: endpoint({
    method: 'get',
    path: '/v1/notices',
    tag: 'people',
    summary: 'Notices to acquirers that were given rows of somebody, oldest first, with what became of each',
    description:
      'The operator and a supervisory authority see all, an issuer those about its people. None says whom it names.',
    query: pageQuerySchema.extend({
      state: z.enum(['open', 'all'], 'expected "open" or "all"').default('all'),
    }),
    response: z
      .strictObject({ items: z.array(sentNoticeSchema), nextCursor: nextCursorSchema })
      .openapi('SentNotices'),
  }),
  personNotices: endpoint({
    method: 'get',
    path: '/v1/people/{ref}/notices',
    tag: 'people',
    summary: 'Who was told of corrections and restrictions of a person, and what they answered',
    description:
      'The person, the issuer for its people and the operator, both with a reason, which the person sees. After an erasure its certificate tells it.',
    params: personParams,
    query: personScopeQuery,
    response: z.strictObject({ items: z.array(sentNoticeSchema) }).openapi('PersonNotices'),
  }),
  restriction: endpoint({
    method: 'get',
    path: '/v1/people/{ref}/restriction',
    tag: 'people',
    summary: 'The restriction of a person, and when it ends if that was told',
    description: 'Whoever may restrict.',
    params: personParams,
    query: z.object({ issuer: issuerField }),
    response: restrictionViewSchema,
  }),
  liftRestriction: endpoint({
    method: 'post',
    path: '/v1/people/{ref}/restriction/lifting',
    tag: 'people',
    summary: 'Tell that a restriction ends; it does after the notice, or at once at the person’s own word',
    description: 'Whoever may restrict (GDPR Art. 18(3)).',
    params: personParams,
    body: z.strictObject({ issuer: issuerField }).openapi('LiftRestriction'),
    response: restrictionViewSchema,
    isIdempotent: true,
  }),
} as const
