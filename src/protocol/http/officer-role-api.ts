import { z } from '@hono/zod-openapi'
import { endpoint } from '../../kernel/http/endpoint.ts'
import { keySetSchema, newKeySetSchema } from '../member.ts'
import { instantSchema, memberIdSchema } from '../wire.ts'

export const namedOfficerSchema = z
  .strictObject({
    officer: memberIdSchema,
    /** Whose officer; absent: the custodian's. */
    issuer: memberIdSchema.optional(),
    keys: keySetSchema,
    namedAt: instantSchema,
  })
  .openapi('NamedOfficer')

const officerParams = z.object({ officer: memberIdSchema })

/** Data-protection officers with keys of their own (GDPR Art. 37 to 39): they read and change nothing. */
export const OFFICER_ROLE_API = {
  listOfficers: endpoint({
    method: 'get',
    path: '/v1/officers',
    tag: 'officer',
    summary: 'Data-protection officers who may read here with a key of their own',
    description: 'An issuer sees its own, the operator and a regulator all.',
    response: z.strictObject({ items: z.array(namedOfficerSchema) }).openapi('NamedOfficers'),
  }),
  nameOfficer: endpoint({
    method: 'put',
    path: '/v1/officers/{officer}',
    tag: 'officer',
    summary: 'Name a data-protection officer: it reads what its controller may read, and changes nothing',
    description:
      'The issuer for itself, the operator for the custodian. The officer looks at people’s data with a reason, and the person sees the officer’s name and the reason.',
    params: officerParams,
    body: z.strictObject({ keys: newKeySetSchema }).openapi('NameOfficer'),
    response: namedOfficerSchema,
  }),
  dismissOfficer: endpoint({
    method: 'delete',
    path: '/v1/officers/{officer}',
    tag: 'officer',
    summary: 'End an officer’s access, from the next call on',
    description: 'Who named it.',
    params: officerParams,
    status: 204,
  }),
} as const
