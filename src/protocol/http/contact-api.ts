import { z } from '@hono/zod-openapi'
import { endpoint } from '../../kernel/http/endpoint.ts'
import { memberContactSchema, roleAddressSchema } from '../member-contact.ts'
import { memberIdSchema } from '../wire.ts'

const contactsSchema = z.strictObject({ items: z.array(memberContactSchema) }).openapi('MemberContacts')

/** Where members are written to: of changed terms, of an incident, of another sub-processor. */
export const CONTACT_API = {
  setContact: endpoint({
    method: 'put',
    path: '/v1/members/{id}/contact',
    tag: 'members',
    summary: 'Say where the member is written to',
    description:
      'The member, or the operator for it. The mailbox of a role, and no person’s. It takes the place of the one before; the same again changes nothing.',
    params: z.object({ id: memberIdSchema }),
    body: z.strictObject({ address: roleAddressSchema }).openapi('SetContact'),
    response: memberContactSchema,
  }),
  removeContact: endpoint({
    method: 'delete',
    path: '/v1/members/{id}/contact',
    tag: 'members',
    summary: 'Take back where the member is written to: nobody is told it any more',
    description: 'The member, or the operator for it. Taken back again, nothing changes.',
    params: z.object({ id: memberIdSchema }),
    response: z
      .strictObject({ member: memberIdSchema, isRemoved: z.boolean() })
      .openapi('MemberContactRemoved'),
  }),
  listContacts: endpoint({
    method: 'get',
    path: '/v1/contacts',
    tag: 'members',
    summary: 'Where members are written to, by name; who has not said is missing',
    description: 'The operator, regulators and sites see all, other members their own.',
    query: z.object({ member: memberIdSchema.optional() }),
    response: contactsSchema,
  }),
} as const
