import { z } from '@hono/zod-openapi'
import { endpoint } from '../kernel/http/endpoint.ts'
import { establishGuardianshipSchema, guardianshipIdSchema, guardianshipViewSchema } from './guardianship.ts'
import { personParams, personScopeQuery } from './person-api.ts'

// The part of a site's door that is about who decides for whom: a table of schemas and endpoints.

const guardianshipsSchema = z
  .strictObject({ items: z.array(guardianshipViewSchema) })
  .openapi('Guardianships')

/** The endpoints of principals. Who may is said in each description and checked by `site/doors/`. */
export const PRINCIPAL_API = {
  establishGuardianship: endpoint({
    method: 'post',
    path: '/v1/people/{ref}/guardians',
    tag: 'principals',
    summary: 'Establish who is the guardian of a child, by a document that was seen',
    description:
      'The issuer for its people; nobody else, the operator included. The guardian then signs in with a token of their own and names the child by its key. Where the set of those who decide changes with it, what guardians granted before ends.',
    params: personParams,
    body: establishGuardianshipSchema,
    response: guardianshipViewSchema,
    status: 201,
    isIdempotent: true,
  }),
  listGuardians: endpoint({
    method: 'get',
    path: '/v1/people/{ref}/guardians',
    tag: 'principals',
    summary: 'Who may speak for a person, and who could, with receipts',
    description: 'The person, a guardian; the issuer for its people and the operator, both with a reason.',
    params: personParams,
    query: personScopeQuery,
    response: guardianshipsSchema,
  }),
  listWards: endpoint({
    method: 'get',
    path: '/v1/guardianships',
    tag: 'principals',
    summary: 'For whom the person who is signed in may speak, and could',
    response: guardianshipsSchema,
  }),
  endGuardianship: endpoint({
    method: 'post',
    path: '/v1/guardianships/{guardianship}/end',
    tag: 'principals',
    summary: 'End a guardianship: no power from the answer on, and what was granted under it ends',
    description:
      'The issuer that established it, the operator, or the guardian. A token that was issued before gives nothing either.',
    params: z.object({ guardianship: guardianshipIdSchema }),
    response: guardianshipViewSchema,
  }),
} as const
