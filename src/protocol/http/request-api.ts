import { z } from '@hono/zod-openapi'
import { endpoint } from '../../kernel/http/endpoint.ts'
import { nextCursorSchema, pageQuerySchema } from './page.ts'
import { accessReasonSchema, personParams, personScopeQuery } from './person-api.ts'
import { instantSchema, memberIdSchema } from '../wire.ts'

// The request desk of a site: a table of schemas and endpoints, longer than other files.

/** What a person can ask for (GDPR Art. 7(3), 15 to 22). */
export const REQUEST_KINDS = [
  'access',
  'rectification',
  'erasure',
  'restriction',
  'portability',
  'objection',
  'withdraw_consent',
  'human_review',
] as const
export type RequestKind = (typeof REQUEST_KINDS)[number]

/** What can happen to a request; `receive` is its beginning. */
export const REQUEST_EVENTS = [
  'receive',
  'begin',
  'doubt_identity',
  'confirm_identity',
  'extend',
  'fulfil',
  'refuse',
  'withdraw',
] as const
export type RequestEvent = (typeof REQUEST_EVENTS)[number]

export const REQUEST_STATES = [
  'open',
  'in_progress',
  'waiting_for_identity',
  'fulfilled',
  'refused',
  'withdrawn',
] as const
export type RequestState = (typeof REQUEST_STATES)[number]

/** Why a request may be refused (GDPR Art. 11(2), 12(5), 15(4), 17(3), 21(1)). */
export const REFUSAL_GROUNDS = [
  'manifestly_unfounded',
  'excessive',
  'identity_not_proven',
  'legal_obligation',
  'legal_claims',
  'rights_of_others',
  'compelling_grounds',
  'not_applicable',
] as const
export type RefusalGround = (typeof REFUSAL_GROUNDS)[number]

const saidSchema = z.string().trim().min(3, 'expected 3 characters or more').max(2_000)
const daySchema = z.iso.date()

export const requestViewSchema = z
  .strictObject({
    id: z.string(),
    kind: z.enum(REQUEST_KINDS),
    issuer: memberIdSchema,
    receivedAt: instantSchema,
    state: z.enum(REQUEST_STATES),
    /** The last day for the answer, by Regulation 1182/71. */
    dueOn: daySchema,
    /** The last day on which an extension can be told. */
    extendableUntil: daySchema,
    daysLeft: z.int(),
    isOverdue: z.boolean(),
    endedAt: instantSchema.optional(),
  })
  .openapi('Request')

export const requestDetailSchema = z
  .strictObject({
    ...requestViewSchema.shape,
    events: z.array(
      z.strictObject({
        event: z.enum(REQUEST_EVENTS),
        at: instantSchema,
        by: z.string(),
        ground: z.enum(REFUSAL_GROUNDS).optional(),
        said: z.string().optional(),
        receipt: z.int().min(0),
      }),
    ),
    /** With a refusal: where it can be taken (GDPR Art. 12(4)). */
    remedies: z
      .strictObject({
        authority: z.strictObject({ name: z.string(), url: z.string() }),
        court: z.string(),
      })
      .optional(),
  })
  .openapi('RequestDetail')

const requestParams = z.object({
  request: z.string().regex(/^req_[0-9A-Z]{26}$/, 'expected the id of a request'),
})

/** The endpoints of the request desk. */
export const REQUEST_API = {
  makeRequest: endpoint({
    method: 'post',
    path: '/v1/people/{ref}/requests',
    tag: 'requests',
    summary: 'Make a request under the GDPR; the clock runs from now, or from when it came',
    description:
      'The person; the issuer and the operator for somebody, with a reason. "receivedAt" is for those who enter what came by letter. One request for each issuer that has data of the person.',
    params: personParams,
    query: personScopeQuery,
    body: z
      .strictObject({
        kind: z.enum(REQUEST_KINDS, `expected one of ${REQUEST_KINDS.join(', ')}`),
        said: saidSchema.optional(),
        receivedAt: instantSchema.optional(),
      })
      .openapi('MakeRequest'),
    response: z.strictObject({ items: z.array(requestDetailSchema) }).openapi('RequestsMade'),
    status: 201,
    isIdempotent: true,
  }),
  requestsOfPerson: endpoint({
    method: 'get',
    path: '/v1/people/{ref}/requests',
    tag: 'requests',
    summary: 'A person’s requests with all that happened to them',
    description: 'The person; the issuer and the operator with a reason.',
    params: personParams,
    query: personScopeQuery,
    response: z.strictObject({ items: z.array(requestDetailSchema) }).openapi('RequestsOfPerson'),
  }),
  listRequests: endpoint({
    method: 'get',
    path: '/v1/requests',
    tag: 'requests',
    summary: 'The desk: requests with their clocks, oldest first, without people',
    description: 'The issuer sees those of its people, the operator all.',
    query: pageQuerySchema.extend({
      open: z
        .enum(['true', 'false'])
        .default('true')
        .openapi({ description: 'Only those that wait for an answer.' }),
    }),
    response: z
      .strictObject({ items: z.array(requestViewSchema), nextCursor: nextCursorSchema })
      .openapi('Requests'),
  }),
  request: endpoint({
    method: 'get',
    path: '/v1/requests/{request}',
    tag: 'requests',
    summary: 'One request with what was said, and for a refusal where it can be taken',
    description:
      'The issuer whose people it is about, the operator, the person; everybody but the person with a reason.',
    params: requestParams,
    query: z.object({ reason: accessReasonSchema.optional() }),
    response: requestDetailSchema,
  }),
  handleRequest: endpoint({
    method: 'post',
    path: '/v1/requests/{request}/events',
    tag: 'requests',
    summary: 'Begin, doubt who asks, confirm it, extend, fulfil, refuse; the person may withdraw',
    description:
      'The issuer whose people it is about, or the operator. An extension must be told in time and say why; a refusal needs a ground and says where it can be taken. What the clock or the state does not allow is 409.',
    params: requestParams,
    body: z
      .strictObject({
        event: z.enum(REQUEST_EVENTS).exclude(['receive']),
        ground: z.enum(REFUSAL_GROUNDS, `expected one of ${REFUSAL_GROUNDS.join(', ')}`).optional(),
        said: saidSchema.optional(),
      })
      .openapi('HandleRequest'),
    response: requestDetailSchema,
  }),
} as const
