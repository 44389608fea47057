import { z } from '@hono/zod-openapi'
import { endpoint } from '../../kernel/http/endpoint.ts'
import { LIMITS } from '../../kernel/limits.ts'
import { keySetSchema, newKeySetSchema } from '../member.ts'
import { instantSchema, memberIdSchema } from '../wire.ts'

/**
 * OpenID AuthZEN Authorization API 1.0 as a site speaks it. Fields that a shape does not name are ignored, as its text says;
 * what `properties` and `context` mean here is in `docs/reference/authzen.md`.
 */

const object = z.record(z.string(), z.unknown())
const text = (expected: string) => z.string(expected)

const accessSubjectSchema = z
  .object({
    type: text('expected the type of the subject'),
    id: text('expected the id of the subject'),
    properties: object.optional(),
  })
  .openapi('AccessSubject')

const accessActionSchema = z
  .object({ name: text('expected the name of the action'), properties: object.optional() })
  .openapi('AccessAction')

const accessResourceSchema = z
  .object({
    type: text('expected the type of the resource'),
    id: text('expected the id of the resource'),
    properties: object.optional(),
  })
  .openapi('AccessResource')

const tupleShape = {
  subject: accessSubjectSchema,
  action: accessActionSchema,
  resource: accessResourceSchema,
  context: object.optional(),
}

/** What one evaluation is about (§6.1). */
export const accessRequestSchema = z.object(tupleShape).openapi('AccessEvaluationRequest')
export type AccessRequest = z.output<typeof accessRequestSchema>

export const accessDecisionSchema = z
  .object({ decision: z.boolean(), context: object.optional() })
  .openapi('AccessEvaluationResponse')
export type AccessDecision = z.output<typeof accessDecisionSchema>

/** Which of several evaluations are made (§7.1.2). */
export const EVALUATIONS_SEMANTICS = ['execute_all', 'deny_on_first_deny', 'permit_on_first_permit'] as const
export type EvaluationsSemantic = (typeof EVALUATIONS_SEMANTICS)[number]

const partOf = z.object(tupleShape).partial()

/** Several at once: what stands at the top is what each evaluation has that does not say it itself (§7.1.1). */
export const accessRequestsSchema = z
  .object({
    ...partOf.shape,
    evaluations: z
      .array(partOf)
      .max(LIMITS.evaluationsAtOnceMax, `expected at most ${LIMITS.evaluationsAtOnceMax} evaluations`)
      .optional(),
    options: z
      .object({
        evaluations_semantic: z
          .enum(EVALUATIONS_SEMANTICS, `expected one of ${EVALUATIONS_SEMANTICS.join(', ')}`)
          .optional(),
      })
      .optional(),
  })
  .openapi('AccessEvaluationsRequest')
export type AccessRequests = z.output<typeof accessRequestsSchema>

const pageSchema = z
  .object({
    token: z.string().max(200).optional(),
    limit: z.int('expected a whole number').min(1, 'expected 1 or more').optional(),
  })
  .optional()

export const resourceSearchSchema = z
  .object({ ...tupleShape, resource: accessResourceSchema.partial({ id: true }), page: pageSchema })
  .openapi('AccessResourceSearch')
export type ResourceSearch = z.output<typeof resourceSearchSchema>

export const actionSearchSchema = z
  .object({ subject: tupleShape.subject, resource: tupleShape.resource, context: tupleShape.context })
  .openapi('AccessActionSearch')
export type ActionSearch = z.output<typeof actionSearchSchema>

const found = <S extends z.ZodType>(one: S) =>
  z.object({ results: z.array(one), page: z.object({ next_token: z.string() }).optional() })

/** §9: where the decision point can be asked what. */
const accessConfigurationSchema = z
  .object({
    policy_decision_point: z.string(),
    access_evaluation_endpoint: z.string(),
    access_evaluations_endpoint: z.string(),
    search_resource_endpoint: z.string(),
    search_action_endpoint: z.string(),
  })
  .openapi('AccessConfiguration')

export const enforcementPointSchema = z
  .strictObject({
    point: memberIdSchema,
    /** Whose data sets it asks about; absent: the custodian named it, and it asks about data sets alone. */
    issuer: memberIdSchema.optional(),
    keys: keySetSchema,
    namedAt: instantSchema,
  })
  .openapi('EnforcementPoint')

const pointParams = z.object({ point: memberIdSchema })

const MAY =
  'An enforcement point, the issuer that named it for its own data sets and people, the operator for data sets. Nobody else.'

/** Decisions for the custodian's own enforcement points, and who these are. */
export const ACCESS_API = {
  accessConfiguration: endpoint({
    method: 'get',
    path: '/.well-known/authzen-configuration',
    tag: 'access',
    summary: 'Where this decision point is asked (AuthZEN 1.0)',
    response: accessConfigurationSchema,
    isPublic: true,
  }),
  evaluateAccess: endpoint({
    method: 'post',
    path: '/access/v1/evaluation',
    tag: 'access',
    summary: 'Whether a use is allowed now, by grants, legal bases and place (AuthZEN 1.0)',
    description: `${MAY} What is not allowed is 200 with \`{"decision": false}\` and a reason in \`context\`. That one person’s consent was looked at is noted, with a receipt, and the person sees it.`,
    body: accessRequestSchema,
    response: accessDecisionSchema,
    echoesRequestId: true,
  }),
  evaluateAccesses: endpoint({
    method: 'post',
    path: '/access/v1/evaluations',
    tag: 'access',
    summary: 'The same for several uses, answered in their order (AuthZEN 1.0)',
    description: `${MAY} Without \`evaluations\` it is one evaluation, answered as one.`,
    body: accessRequestsSchema,
    response: z.union([
      accessDecisionSchema,
      z.object({ evaluations: z.array(accessDecisionSchema) }).openapi('AccessEvaluationsResponse'),
    ]),
    echoesRequestId: true,
  }),
  searchResources: endpoint({
    method: 'post',
    path: '/access/v1/search/resource',
    tag: 'access',
    summary: 'The data sets that a use is allowed of (AuthZEN 1.0)',
    description: `${MAY} People are not searched: 403.`,
    body: resourceSearchSchema,
    response: found(accessResourceSchema).openapi('AccessResources'),
    echoesRequestId: true,
  }),
  searchActions: endpoint({
    method: 'post',
    path: '/access/v1/search/action',
    tag: 'access',
    summary: 'The actions that are allowed on one resource (AuthZEN 1.0)',
    description: MAY,
    body: actionSearchSchema,
    response: found(accessActionSchema).openapi('AccessActions'),
    echoesRequestId: true,
  }),
  listEnforcementPoints: endpoint({
    method: 'get',
    path: '/v1/enforcement-points',
    tag: 'access',
    summary: 'Applications that may ask for decisions here, with a key of their own',
    description: 'An issuer sees its own, the operator all.',
    response: z.strictObject({ items: z.array(enforcementPointSchema) }).openapi('EnforcementPoints'),
  }),
  nameEnforcementPoint: endpoint({
    method: 'put',
    path: '/v1/enforcement-points/{point}',
    tag: 'access',
    summary: 'Name an application that asks for decisions and enforces them, and can do nothing else',
    description: 'The issuer for its own data sets and people, the operator for data sets.',
    params: pointParams,
    body: z.strictObject({ keys: newKeySetSchema }).openapi('NameEnforcementPoint'),
    response: enforcementPointSchema,
  }),
  dismissEnforcementPoint: endpoint({
    method: 'delete',
    path: '/v1/enforcement-points/{point}',
    tag: 'access',
    summary: 'End an application’s access, from the next call on',
    description: 'Who named it.',
    params: pointParams,
    status: 204,
  }),
} as const
