import { digestOf } from '../../kernel/digest.ts'
import { Fault } from '../../kernel/faults.ts'
import type { UsedTokens } from '../../kernel/http/used-tokens.ts'
import { ok } from '../../kernel/result.ts'
import type { Result } from '../../kernel/result.ts'
import {
  exerciseSchema,
  requestKindOf,
  revokeMessageSchema,
  signedMessageSchema,
} from '../../protocol/http/data-rights-protocol.ts'
import type {
  ExerciseMessage,
  ExerciseStatus,
  SignedMessage,
  StatusReason,
} from '../../protocol/http/data-rights-protocol.ts'
import type { DataRightsDirectory } from '../../protocol/http/data-rights-api.ts'
import { findKnownPeople } from '../rights/person-reading.ts'
import { handleRequest, makeRequests } from '../rights/request-desk.ts'
import type { SiteContext } from '../site-context.ts'
import { claimsOf, identityOf } from './claims.ts'
import { agentOfToken, findAgentRequest, insertAgentRequest, keepToken } from './data-rights-store.ts'
import { describeDirectory } from './describe-directory.ts'
import { keyOfAgent } from './directory.ts'
import type { Agent, Business, DataRightsSettings } from './directory.ts'
import { exerciseStatus } from './exercise-status.ts'
import { checkMessage, openMessage, refused } from './open-message.ts'
import type { OpenedMessage, Refusal } from './open-message.ts'

type Answer<T> = Promise<Result<T, Refusal>>

/** The door of the Data Rights Protocol: signed requests of agents, as requests of the desk. */
export interface AgentDesk {
  /** What the settings name; `issuer`: only its own businesses. */
  directory(request: { apiBase: string; issuer?: string | undefined }): Promise<DataRightsDirectory>
  setUpAgent(request: { agent: string; text: string }): Answer<{ 'agent-id': string; token: string }>
  /** Whether a token is this agent's. */
  agent(request: { agent: string; token: string | undefined }): Answer<Record<string, never>>
  exercise(request: { token: string | undefined; text: string }): Answer<ExerciseStatus>
  status(request: { token: string | undefined; id: string }): Answer<ExerciseStatus>
  revoke(request: { token: string | undefined; id: string; text: string }): Answer<ExerciseStatus>
}

interface Desk {
  readonly site: SiteContext
  readonly directory: DataRightsSettings
  readonly usedTokens: UsedTokens
}

export function openAgentDesk(
  site: SiteContext,
  {
    directory = { agents: [], businesses: [], mayCallPrivateAddresses: false },
    usedTokens,
  }: { directory?: DataRightsSettings | undefined; usedTokens: UsedTokens },
): AgentDesk {
  const desk: Desk = { site, directory, usedTokens }
  return {
    directory: (request) => describeDirectory(site, directory, request),
    setUpAgent: (request) => setUpAgent(desk, request),
    async agent({ agent, token }) {
      const known = await agentOf(desk, token)
      if (!known.ok) return known
      return known.value.id === agent ? ok({}) : refused(403, 'The token is of another agent')
    },
    exercise: (request) => exercise(desk, request),
    async status({ token, id }) {
      const agent = await agentOf(desk, token)
      return agent.ok ? statusOf(desk, { agent: agent.value, id }) : agent
    },
    revoke: (request) => revoke(desk, request),
  }
}

const TOKEN_BYTES = 32

/** A token for whoever holds the key that the directory has of the agent (2.05). */
async function setUpAgent(
  desk: Desk,
  { agent: id, text }: { agent: string; text: string },
): Answer<{ 'agent-id': string; token: string }> {
  const { site, directory } = desk
  const agent = directory.agents.find((one) => one.id === id)
  if (!agent) return refused(403, 'No such agent')
  const opened = openMessage(text, { schema: signedMessageSchema, key: keyOfAgent(agent) })
  if (!opened.ok) return opened
  const taken = await takeOnce(desk, agent, opened.value)
  if (!taken.ok) return taken
  const token = Buffer.from(site.random.bytes(TOKEN_BYTES)).toString('base64url')
  await keepToken(site.db, { agent: id, digest: digestOf(token), now: site.clock.now() })
  return ok({ 'agent-id': id, token })
}

async function agentOf({ site, directory }: Desk, token: string | undefined): Answer<Agent> {
  const id = token === undefined ? undefined : await agentOfToken(site.db, digestOf(token))
  // An agent that the settings no longer name is none, whatever tokens it has.
  const agent = directory.agents.find((one) => one.id === id)
  return agent ? ok(agent) : refused(401, 'Set up a token first: POST /v1/agent/{agent-id}')
}

/** The checks of 3.07 after the signature; and a message counts once, so that a copy of it is worth nothing. */
async function takeOnce(
  { site, directory, usedTokens }: Desk,
  agent: Agent,
  { message, digest }: OpenedMessage<SignedMessage>,
): Answer<true> {
  const businesses = directory.businesses.map(({ id }) => id)
  const checked = checkMessage(message, { agent: agent.id, businesses, now: site.clock.now() })
  if (!checked.ok) return checked
  const isNew = await usedTokens.use({
    issuer: `data-rights ${agent.id}`,
    jti: digest,
    expires: message['expires-at'],
  })
  return isNew ? ok(true) : refused(409, 'The message came before')
}

async function exercise(
  desk: Desk,
  { token, text }: { token: string | undefined; text: string },
): Answer<ExerciseStatus> {
  const agent = await agentOf(desk, token)
  if (!agent.ok) return agent
  const opened = openMessage(text, { schema: exerciseSchema, key: keyOfAgent(agent.value) })
  if (!opened.ok) return opened
  const taken = await takeOnce(desk, agent.value, opened.value)
  if (!taken.ok) return taken
  const { message } = opened.value
  const business = desk.directory.businesses.find(({ id }) => id === message['business-id'])
  if (!business) return refused(403, 'The message is for a business that is not here')
  const callback = message.status_callback
  if (callback !== undefined && !agent.value.callbackOrigins.includes(new URL(callback).origin))
    return refused(400, 'The status_callback is at no origin that the directory has of the agent')
  // Signed anew because no answer came: it is the request that was made.
  const agentRequestId = message['agent-request-id']
  const known =
    agentRequestId === undefined
      ? undefined
      : await findAgentRequest(desk.site.db, { agent: agent.value.id, agentRequestId })
  const id = known?.id ?? (await takeOrFind(desk, { agent: agent.value, business, message }))
  return statusOf(desk, { agent: agent.value, id })
}

interface TakenExercise {
  readonly agent: Agent
  readonly business: Business
  readonly message: ExerciseMessage
}

/** Two messages with one id of the agent's, at once, are one request: the one that comes second finds the first. */
async function takeOrFind(desk: Desk, taken: TakenExercise): Promise<string> {
  try {
    return await takeExercise(desk, taken)
  } catch (error) {
    const agentRequestId = taken.message['agent-request-id']
    const known =
      agentRequestId && (await findAgentRequest(desk.site.db, { agent: taken.agent.id, agentRequestId }))
    if (known) return known.id
    throw error
  }
}

/** Enters a request at the desk, or denies it at the door; gives its id. */
async function takeExercise({ site }: Desk, { agent, business, message }: TakenExercise): Promise<string> {
  const row = {
    id: site.ids.next('drp'),
    agent: agent.id,
    business: business.id,
    agentRequestId: message['agent-request-id'],
    exercise: message.exercise,
    regime: message.regime,
    receivedAt: site.clock.now(),
    callback: message.status_callback,
  }
  const kind = requestKindOf(message.exercise)
  const identity = identityOf(message, business.personClaim)
  const people =
    identity === undefined
      ? []
      : await findKnownPeople(site, [{ issuer: business.issuer, person: identity.person }])
  const denied = denialOf({
    message,
    business,
    isRight: kind !== undefined,
    hasClaim: identity !== undefined,
  })
  const deniedReason = denied ?? (people.length === 0 ? 'no_match' : undefined)
  if (deniedReason !== undefined || kind === undefined) {
    await insertAgentRequest(site.db, { ...row, deniedReason })
    return row.id
  }
  await makeRequests(site, {
    people,
    kind,
    by: `agent:${agent.id}`,
    said: claimsOf(message, agent),
    doubt: identity?.isVerified === true ? undefined : DOUBT,
    alongside: (tx, [deskRequest]) => insertAgentRequest(tx, { ...row, deskRequest }),
  })
  return row.id
}

const DOUBT = 'The agent has not verified by which claim you are known: show who you are'

function denialOf({
  message,
  business,
  isRight,
  hasClaim,
}: {
  message: ExerciseMessage
  business: Business
  isRight: boolean
  hasClaim: boolean
}): StatusReason | undefined {
  if (message.regime !== undefined && !business.regimes.includes(message.regime))
    return 'outside_jurisdiction'
  if (!isRight) return 'claim_not_covered'
  return hasClaim ? undefined : 'insuf_verification'
}

async function statusOf(
  { site, directory }: Desk,
  { agent, id }: { agent: Agent; id: string },
): Answer<ExerciseStatus> {
  const request = await findAgentRequest(site.db, { agent: agent.id, id })
  if (!request) return refused(403, 'No request of this agent')
  const business = directory.businesses.find((one) => one.id === request.business)
  return ok(await exerciseStatus(site, { request, business }))
}

/** Takes a request back. What has ended otherwise stays as it is. */
async function revoke(
  desk: Desk,
  { token, id, text }: { token: string | undefined; id: string; text: string },
): Answer<ExerciseStatus> {
  const agent = await agentOf(desk, token)
  if (!agent.ok) return agent
  const opened = openMessage(text, { schema: revokeMessageSchema, key: keyOfAgent(agent.value) })
  if (!opened.ok) return opened
  const request = await findAgentRequest(desk.site.db, { agent: agent.value.id, id })
  if (!request) return refused(403, 'No request of this agent')
  const before = await statusOf(desk, { agent: agent.value, id })
  if (!before.ok || before.value.status === 'revoked') return before
  const { deskRequest } = request
  if (deskRequest === undefined || before.value.status === 'denied' || before.value.status === 'fulfilled')
    return refused(409, `The request is ${before.value.status} already`)
  const said = opened.value.message.reason?.trim()
  const act = {
    event: 'withdraw',
    by: `agent:${agent.value.id}`,
    said: said === '' ? undefined : said,
  } as const
  try {
    await handleRequest(desk.site, { id: deskRequest, act })
  } catch (error) {
    // It was answered in between.
    if (error instanceof Fault && error.code === 'fault.conflict') return refused(409, error.message)
    throw error
  }
  return statusOf(desk, { agent: agent.value, id })
}
