import { z } from '@hono/zod-openapi'
import { endpoint } from '../../kernel/http/endpoint.ts'
import { subProcessorRequestSchema, subProcessorViewSchema } from '../law/sub-processor.ts'

const changeParams = z.object({ change: z.string().max(60) })
const reasonSchema = z.string('expected a reason').trim().min(1, 'expected a reason').max(500)

/** What the custodian announces of other processors, and what controllers say (GDPR Art. 28(2)), at the officer's seat. */
export const SUB_PROCESSOR_API = {
  listSubProcessors: endpoint({
    method: 'get',
    path: '/v1/officer/sub-processors',
    tag: 'officer',
    summary: 'Other processors that the custodian announced under its contracts, newest first',
    description:
      'The operator and a regulator see all, an issuer its own. `asked` waits for approval; `announced` comes in on its day unless the controller objects before.',
    response: z.strictObject({ items: z.array(subProcessorViewSchema) }).openapi('SubProcessorChanges'),
  }),
  announceSubProcessor: endpoint({
    method: 'post',
    path: '/v1/officer/sub-processors',
    tag: 'officer',
    summary: 'Announce that another processor is to be engaged under a contract',
    description:
      'The operator. Where the contract gives a general authorisation (`noticeDays`), `from` lies at least that many days ahead; otherwise it waits for approval. A receipt of the kind "policy" stands for it.',
    body: subProcessorRequestSchema,
    response: subProcessorViewSchema,
    status: 201,
    isIdempotent: true,
  }),
  answerSubProcessor: endpoint({
    method: 'post',
    path: '/v1/officer/sub-processors/{change}/answer',
    tag: 'officer',
    summary: 'Approve a sub-processor, object to it, or withdraw it',
    description:
      'The issuer that is the controller approves or objects, the operator withdraws; once (409). Under a general authorisation an objection comes before the day on which it comes in. An objection and a withdrawal need a reason.',
    params: changeParams,
    body: z
      .discriminatedUnion('answer', [
        z.strictObject({ answer: z.literal('approved') }),
        z.strictObject({ answer: z.literal('objected'), reason: reasonSchema }),
        z.strictObject({ answer: z.literal('withdrawn'), reason: reasonSchema }),
      ])
      .openapi('SubProcessorAnswer'),
    response: subProcessorViewSchema,
  }),
} as const
