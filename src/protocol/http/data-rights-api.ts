import { z } from '@hono/zod-openapi'
import { endpoint } from '../../kernel/http/endpoint.ts'
import { agentIdSchema, exerciseStatusSchema } from './data-rights-protocol.ts'

const SIGNED =
  'The body is base64 of an Ed25519 signature followed by the JSON that it is over, as text/plain. Errors are {"code", "message", "fatal"}.'
const agentParams = z.object({ agent: agentIdSchema })
const requestParams = z.object({ request: z.string().max(60) })

/** An entry of the service directory (3.05.2), as far as a site knows it. */
const businessEntrySchema = z.strictObject({
  id: z.string(),
  name: z.string(),
  api_base: z.string(),
  supported_actions: z.array(z.string()),
  /** Rights of the GDPR that the protocol has no words for; the protocol's own schema allows none of them among the others. */
  extended_actions: z.array(z.string()),
  supported_verifications: z.array(z.enum(['email', 'phone_number', 'address'])),
  business_contact: z.string().optional(),
})
export const dataRightsDirectorySchema = z
  .strictObject({
    agents: z.array(z.strictObject({ id: agentIdSchema, name: z.string() })),
    businesses: z.array(businessEntrySchema),
  })
  .openapi('DataRightsDirectory')
export type DataRightsDirectory = z.input<typeof dataRightsDirectorySchema>

/** Its own form of a refusal: code, message, and whether trying again is in vain. */
const refusal = {
  produces: 'application/json',
  schema: z
    .strictObject({ code: z.string(), message: z.string(), fatal: z.boolean().optional() })
    .openapi('DataRightsError'),
}

/** The Data Rights Protocol 1.0, for agents whom the settings of the site name. Each knows its own requests only. */
export const DATA_RIGHTS_API = {
  dataRightsDirectory: endpoint({
    method: 'get',
    path: '/v1/data-rights-directory',
    tag: 'data rights protocol',
    summary:
      'Which agents may ask, and the entries of businesses for the protocol’s service directory (3.05)',
    description: 'The operator, an issuer for itself, a regulator.',
    response: dataRightsDirectorySchema,
  }),
  setUpAgent: endpoint({
    method: 'post',
    path: '/v1/agent/{agent}',
    tag: 'data rights protocol',
    summary: 'A bearer token for an agent, for a message signed with its key (2.05)',
    description: `${SIGNED} A message that does not verify is 403 without a body. A new token takes the place of the one before.`,
    params: agentParams,
    stream: ['text/plain'],
    response: z.strictObject({ 'agent-id': agentIdSchema, token: z.string() }).openapi('AgentToken'),
    isPublic: true,
  }),
  agent: endpoint({
    method: 'get',
    path: '/v1/agent/{agent}',
    tag: 'data rights protocol',
    summary: 'Whether an agent’s token still holds (2.06)',
    params: agentParams,
    response: z.strictObject({}).openapi('AgentInformation'),
    refusal,
    isPublic: true,
  }),
  exerciseRight: endpoint({
    method: 'post',
    path: '/v1/data-rights-request',
    tag: 'data rights protocol',
    summary: 'Exercise a right for a person (2.01); it is a request of the desk, with its clock',
    description: `${SIGNED} The agent’s token as bearer. The person is found by the claim that the settings name; what the agent has not verified waits for the person to show who they are.`,
    stream: ['text/plain'],
    response: exerciseStatusSchema,
    refusal,
    isPublic: true,
  }),
  exerciseStatus: endpoint({
    method: 'get',
    path: '/v1/data-rights-request/{request}',
    tag: 'data rights protocol',
    summary: 'Where a request stands (2.02)',
    description: 'The agent that made it, with its token; anybody else 403.',
    params: requestParams,
    response: exerciseStatusSchema,
    refusal,
    isPublic: true,
  }),
  revokeExercise: endpoint({
    method: 'delete',
    path: '/v1/data-rights-request/{request}',
    tag: 'data rights protocol',
    summary: 'Take a request back for the person (2.04)',
    description: SIGNED,
    params: requestParams,
    stream: ['text/plain'],
    response: exerciseStatusSchema,
    refusal,
    isPublic: true,
  }),
} as const
