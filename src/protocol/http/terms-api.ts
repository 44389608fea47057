import { z } from '@hono/zod-openapi'
import { endpoint } from '../../kernel/http/endpoint.ts'
import { acceptanceSchema, newTermsSchema, termsVersionSchema } from '../terms-of-use.ts'
import { compactJwsSchema, memberIdSchema } from '../wire.ts'

const termsPageSchema = z.strictObject({ items: z.array(termsVersionSchema) }).openapi('TermsVersions')
const acceptancePageSchema = z.strictObject({ items: z.array(acceptanceSchema) }).openapi('TermsAcceptances')

/** The terms under which acquirers use a network. */
export const TERMS_API = {
  terms: endpoint({
    method: 'get',
    path: '/v1/terms',
    tag: 'members',
    summary: 'The terms of use in all their versions, newest first',
    description:
      'Anybody, before joining too. None: the operator has published none, and acquirers ask without.',
    response: termsPageSchema,
    isPublic: true,
  }),
  publishTerms: endpoint({
    method: 'post',
    path: '/v1/terms',
    tag: 'members',
    summary: 'Publish the terms of use, or a new version of them',
    description:
      'The operator. From the moment `from` on, acquirers that have not accepted this version or a newer one are declined (`declined.terms`). A version that has not begun to count is overtaken by whatever is published before it does, and never counts. The text of the newest version again changes nothing; with another `from`, or none, it is published anew while that version has not begun to count, and refused after.',
    body: newTermsSchema,
    response: termsVersionSchema,
  }),
  acceptTerms: endpoint({
    method: 'post',
    path: '/v1/members/{id}/terms',
    tag: 'members',
    summary: 'Accept a version of the terms of use, by a statement signed with the member’s key',
    description:
      'The member. Accepting it again changes nothing. A statement is of the newest version with its text that was published when it was signed (give or take a minute): of a text that comes back later it says nothing.',
    params: z.object({ id: memberIdSchema }),
    body: z.strictObject({ statement: compactJwsSchema }).openapi('AcceptTerms'),
    response: acceptanceSchema,
  }),
  acceptances: endpoint({
    method: 'get',
    path: '/v1/terms/acceptances',
    tag: 'members',
    summary: 'Who accepted which version of the terms of use, and when, newest first',
    description: 'The operator and regulators see all, others their own.',
    query: z.object({ member: memberIdSchema.optional() }),
    response: acceptancePageSchema,
  }),
} as const
