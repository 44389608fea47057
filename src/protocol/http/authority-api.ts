import { z } from '@hono/zod-openapi'
import { endpoint } from '../../kernel/http/endpoint.ts'
import {
  authorityDecisionSchema,
  authorityRequestSchema,
  authorityRequestViewSchema,
} from '../law/authority-request.ts'

/** Requests of authorities of third countries, at the officer's seat (GDPR Art. 48; Data Governance Act, Art. 31; Data Act, Art. 32). */
export const AUTHORITY_API = {
  listAuthorityRequests: endpoint({
    method: 'get',
    path: '/v1/officer/authority-requests',
    tag: 'officer',
    summary: 'Requests of authorities of third countries, with what was decided',
    description:
      'The operator and a regulator see all; an issuer those about its data sets, from when they are recorded, or from the end of a secrecy.',
    response: z.strictObject({ items: z.array(authorityRequestViewSchema) }).openapi('AuthorityRequests'),
  }),
  recordAuthorityRequest: endpoint({
    method: 'post',
    path: '/v1/officer/authority-requests',
    tag: 'officer',
    summary:
      'Record a request of an authority of a third country; the holders of the data see it from then on',
    description:
      'The operator. A receipt of the kind "request" stands for it. It opens nothing: no authority reads data here.',
    body: authorityRequestSchema,
    response: authorityRequestViewSchema,
    status: 201,
    isIdempotent: true,
  }),
  decideAuthorityRequest: endpoint({
    method: 'post',
    path: '/v1/officer/authority-requests/{request}/decision',
    tag: 'officer',
    summary: 'Record what was decided, once: refused on which ground, or what was given and on which',
    description:
      'The operator. Personal data is given only on an international agreement and a ground of GDPR Chapter V; other data also under the conditions of Art. 31(3) of the Data Governance Act.',
    params: z.object({ request: z.string().max(60) }),
    body: authorityDecisionSchema,
    response: authorityRequestViewSchema,
  }),
} as const
