import { z } from '@hono/zod-openapi'
import { endpoint } from '../../kernel/http/endpoint.ts'
import {
  disputeAnswerSchema,
  disputeOutcomeSchema,
  disputeRequestSchema,
  disputeSchema,
} from '../money/dispute.ts'
import { nextCursorSchema, pageQuerySchema } from './page.ts'

const disputeParams = z.object({ id: z.string().max(60) })

/** Disputes over trades: either side, with a reason, within a window; what is upheld moves money or deletes what was released. */
export const DISPUTE_API = {
  raiseDispute: endpoint({
    method: 'post',
    path: '/v1/disputes',
    tag: 'money',
    summary: 'Dispute what one site answered to an ask',
    description:
      'Within 30 days of the answer: its acquirer, who claims money back, or the issuer, its processor or the custodian, who claim that what was released is deleted. The reason says which. One at a time for each side (409); the same again while it is open gives it again. A text with what looks like an e-mail address or a telephone number is refused: a network keeps nothing about people.',
    body: disputeRequestSchema,
    response: disputeSchema,
    status: 201,
    isIdempotent: true,
  }),
  listDisputes: endpoint({
    method: 'get',
    path: '/v1/disputes',
    tag: 'money',
    summary: 'Disputes, newest first',
    description:
      'Acquirer, issuer, its processor and custodian see those about their trades, the operator and regulators all. `waitsFor` says who has something to do.',
    query: pageQuerySchema,
    response: z
      .strictObject({ items: z.array(disputeSchema), nextCursor: nextCursorSchema })
      .openapi('DisputePage'),
  }),
  dispute: endpoint({
    method: 'get',
    path: '/v1/disputes/{id}',
    tag: 'money',
    summary: 'One dispute',
    params: disputeParams,
    response: disputeSchema,
  }),
  answerDispute: endpoint({
    method: 'post',
    path: '/v1/disputes/{id}/answer',
    tag: 'money',
    summary: 'Say what the other side says of a dispute: accepted or contested',
    description:
      'Each of the side that did not raise it, once, within 14 days. The same again changes nothing.',
    params: disputeParams,
    body: disputeAnswerSchema,
    response: disputeSchema,
  }),
  withdrawDispute: endpoint({
    method: 'post',
    path: '/v1/disputes/{id}/withdrawal',
    tag: 'money',
    summary: 'Take a dispute back, as long as nothing is decided',
    description: 'Who raised it. Again changes nothing.',
    params: disputeParams,
    response: disputeSchema,
  }),
  decideDispute: endpoint({
    method: 'post',
    path: '/v1/disputes/{id}/outcome',
    tag: 'money',
    summary: 'Decide a dispute: rejected, or upheld with money back, deletion, or both',
    description:
      'The operator, once, after the answers of everybody on the other side or the time for them; the same again changes nothing. Money comes back from whoever shared in the price, in the proportion of their shares; the share of the people stays theirs. Where somebody has too little, nothing is decided (409).',
    params: disputeParams,
    body: disputeOutcomeSchema,
    response: disputeSchema,
  }),
  confirmDeletion: endpoint({
    method: 'post',
    path: '/v1/disputes/{id}/deletion',
    tag: 'money',
    summary: 'Say that what was released is deleted, as the outcome asks',
    description: 'The acquirer. Again changes nothing.',
    params: disputeParams,
    response: disputeSchema,
  }),
  removeDisputeTexts: endpoint({
    method: 'delete',
    path: '/v1/disputes/{id}/texts',
    tag: 'money',
    summary: 'Remove what was written about a dispute, for example since it names somebody',
    description:
      'The operator. All texts go, out of every file of the database where it is the network’s own; a digest stays. Otherwise they go a year after the last step. Again changes nothing.',
    params: disputeParams,
    response: disputeSchema,
  }),
} as const
