import { z } from '@hono/zod-openapi'
import { endpoint } from '../../kernel/http/endpoint.ts'
import {
  contractRequestSchema,
  contractViewSchema,
  custodyEndSchema,
  missingContractSchema,
} from '../law/processing-contract.ts'

const contractParams = z.object({ contract: z.string().max(60) })
const reasonSchema = z.string('expected a reason').trim().min(1, 'expected a reason').max(500)

/** Under which contracts the custodian processes (GDPR Art. 28, 26), at the officer's seat. */
export const CONTRACT_API = {
  listContracts: endpoint({
    method: 'get',
    path: '/v1/officer/contracts',
    tag: 'officer',
    summary: 'Contracts under which data is processed here, and data sets that none in force covers',
    description:
      'The operator and a regulator see all, an issuer its own. What is missing is declined; where a contract has ended, what it says of the time afterwards is due (Art. 28(3)(g)); `ended` are data sets of which it is done.',
    response: z
      .strictObject({
        items: z.array(contractViewSchema),
        missing: z.array(missingContractSchema),
        ended: z.array(custodyEndSchema),
      })
      .openapi('Contracts'),
  }),
  recordContract: endpoint({
    method: 'post',
    path: '/v1/officer/contracts',
    tag: 'officer',
    summary: 'Record a contract of processing or an arrangement of joint controllers',
    description:
      'The issuer that is its controller, or the operator. What the controller records takes the place of the one of the same reference before; what the operator records is `unconfirmed` until the controller confirms it, and the one before stands until then. The same again changes nothing; from the other party it confirms. A receipt of the kind "policy" stands for it.',
    body: contractRequestSchema,
    response: contractViewSchema,
    status: 201,
    isIdempotent: true,
  }),
  confirmContract: endpoint({
    method: 'post',
    path: '/v1/officer/contracts/{contract}/confirmation',
    tag: 'officer',
    summary: 'Confirm a contract that the other party recorded',
    description:
      'The issuer that is its controller, or the operator: whoever did not record it (409). Again changes nothing. A receipt of the kind "policy" stands for it.',
    params: contractParams,
    response: contractViewSchema,
  }),
  endContract: endpoint({
    method: 'post',
    path: '/v1/officer/contracts/{contract}/end',
    tag: 'officer',
    summary: 'End a contract: nothing runs under it from when this is answered, runs under way included',
    description: 'The issuer that is its controller, or the operator.',
    params: contractParams,
    body: z.strictObject({ reason: reasonSchema }).openapi('EndContract'),
    response: contractViewSchema,
  }),
} as const
