import { z } from '@hono/zod-openapi'
import { endpoint } from '../../kernel/http/endpoint.ts'
import { BASIS_KINDS, basisPeopleSchema, basisRequestSchema, basisViewSchema } from '../law/basis-record.ts'
import { personParams, personScopeQuery } from './person-api.ts'
import { dataSetIdSchema, purposeSchema } from '../wire.ts'

const basisParams = z.object({ basis: z.string().max(60) })
const reasonSchema = z.string('expected a reason').trim().min(1, 'expected a reason').max(500)

export const missingBasisSchema = z.strictObject({
  dataSet: dataSetIdSchema,
  purpose: purposeSchema,
  needs: z.enum(BASIS_KINDS),
  /** What is declined without: everything, or what uses special categories. */
  for: z.enum(['every use', 'special categories', 'consent of employees']),
})

/** What legal bases other than consent rest on, at the officer's seat and for the people whom they cover. */
export const BASIS_API = {
  listBases: endpoint({
    method: 'get',
    path: '/v1/officer/bases',
    tag: 'officer',
    summary: 'Records of legal bases, and those that are needed and missing',
    description: 'The operator and a regulator see all, an issuer those of its own data sets.',
    response: z
      .strictObject({ items: z.array(basisViewSchema), missing: z.array(missingBasisSchema) })
      .openapi('Bases'),
  }),
  recordBasis: endpoint({
    method: 'post',
    path: '/v1/officer/bases',
    tag: 'officer',
    summary: 'Record what a legal basis rests on; uses on it are declined without one in force',
    description:
      'The issuer whose data sets they are, or the operator; only the issuer lists people. A receipt of the kind "policy" stands for each data set.',
    body: basisRequestSchema,
    response: basisViewSchema,
    status: 201,
    isIdempotent: true,
  }),
  endBasis: endpoint({
    method: 'post',
    path: '/v1/officer/bases/{basis}/end',
    tag: 'officer',
    summary: 'End a basis: nothing stands on it from when this is answered, runs under way included',
    description: 'The issuer whose data sets they are, or the operator.',
    params: basisParams,
    body: z.strictObject({ reason: reasonSchema }).openapi('EndBasis'),
    response: basisViewSchema,
  }),
  basisPeople: endpoint({
    method: 'post',
    path: '/v1/officer/bases/{basis}/people',
    tag: 'officer',
    summary: 'Add people to those whom a basis lists, or take them away; in force when answered',
    description: 'The issuer.',
    params: basisParams,
    body: z
      .strictObject({ add: basisPeopleSchema.default([]), remove: basisPeopleSchema.default([]) })
      .openapi('BasisPeople'),
    response: basisViewSchema,
  }),
  personBases: endpoint({
    method: 'get',
    path: '/v1/people/{ref}/bases',
    tag: 'people',
    summary: 'On which legal bases other than consent one person’s data may be used, with what they rest on',
    description:
      'The person ("me", or their own key); the issuer for its people and the operator, both with a reason, which the person sees. The person may object to each purpose.',
    params: personParams,
    query: personScopeQuery,
    response: z.strictObject({ items: z.array(basisViewSchema) }).openapi('PersonBases'),
  }),
} as const
