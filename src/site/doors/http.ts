import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import type { Clock } from '../../kernel/clock.ts'
import type { PublicJwk } from '../../kernel/crypto/keys.ts'
import { createDoor } from '../../kernel/http/door.ts'
import type { Door } from '../../kernel/http/door.ts'
import type { IdempotencyStore } from '../../kernel/http/idempotency.ts'
import type { AccessTokens } from '../../kernel/http/access-tokens.ts'
import type { RequestRates } from '../../kernel/http/request-rates.ts'
import type { UsedTokens } from '../../kernel/http/used-tokens.ts'
import type { IdSource } from '../../kernel/id.ts'
import type { Log } from '../../kernel/log.ts'
import { SITE_API } from '../../protocol/http/site-api.ts'
import { serveAccess, serveEnforcementPoints } from './access.ts'
import { serveAskAgain } from './ask-again.ts'
import { callerAuthentication, exchangeAssertion } from './authenticate-caller.ts'
import type { Authentication, PeopleSignIn } from './authenticate-caller.ts'
import { nameOfPerson } from './on-behalf.ts'
import { serveBases } from './bases.ts'
import { serveAuthorityRequests } from './authority-requests.ts'
import { serveContracts } from './contracts.ts'
import { CallerKeys, forgettingKeys } from './caller-keys.ts'
import { confineCallers } from './confine-callers.ts'
import type { AgentDesk } from '../data-rights/agent-desk.ts'
import { serveDataRights } from './data-rights.ts'
import { serveDataSets } from './data-sets.ts'
import { serveGrants } from './grants.ts'
import { requireOperator } from './may.ts'
import { serveBackups } from './backups.ts'
import { serveHandOver } from './hand-over.ts'
import { serveLocalAsks } from './local-asks.ts'
import { serveOfficer } from './officer.ts'
import { serveOfficers } from './officers.ts'
import { servePeople } from './people.ts'
import { servePrincipals } from './principals.ts'
import { serveReceipts } from './receipts.ts'
import { serveRetention } from './retention.ts'
import { serveRights } from './rights.ts'
import { serveRequests } from './requests.ts'
import type { DoorCaller, SiteActs, SiteCaller } from './site-acts.ts'

/** What the door of a site is made of. `site` is the audience of tokens. */
export interface SiteDoorParts {
  readonly site: string
  readonly version: string
  readonly log: Log
  readonly clock: Clock
  readonly ids: IdSource
  readonly operatorKey: PublicJwk
  readonly signIn?: PeopleSignIn | undefined
  readonly idempotency: IdempotencyStore
  readonly rates?: RequestRates | undefined
  readonly usedTokens: UsedTokens
  readonly accessTokens: AccessTokens
  readonly agentDesk: AgentDesk
  /** Where callers reach the site, when that is not where they seem to: behind a proxy. */
  readonly publicUrl?: string | undefined
  readonly mayReadMetrics?: ((context: Context) => boolean) | undefined
}

/** The web door of a site: the endpoints of `SITE_API`, each with who may. It translates, and decides nothing else. */
export function siteDoor(given: SiteActs, parts: SiteDoorParts): OpenAPIHono {
  const authentication = authenticationOf(given, parts)
  const acts = forgettingKeys(given, authentication.keys)
  const open = createDoor<DoorCaller>({
    title: `Hedgerow site ${parts.site}`,
    description: 'Keeps people’s data in its perimeter: data sets, grants, place, receipts.',
    version: parts.version,
    log: parts.log,
    clock: parts.clock,
    ids: parts.ids,
    authenticate: callerAuthentication(authentication),
    nameOf: (caller) => callerName(caller, acts),
    idempotency: parts.idempotency,
    rates: parts.rates,
    isPerson: ({ kind }) => kind === 'person' || kind === 'guardian',
    readiness: () => acts.readiness(),
    metrics: () => acts.metrics(),
    ...(parts.mayReadMetrics && { mayReadMetrics: parts.mayReadMetrics }),
  })
  open.serve(SITE_API.token, ({ body }) => exchangeAssertion(body.assertion, authentication))
  serveLocalAsks(open, acts)
  const reachedAt = (request: Request): string => parts.publicUrl ?? new URL(request.url).origin
  serveAccess(open, acts, reachedAt)
  const door = confineCallers(open)
  serveSite(door, acts)
  serveDataSets(door, acts)
  serveGrants(door, acts)
  serveAskAgain(door, acts)
  serveReceipts(door, acts)
  serveOfficer(door, acts)
  serveBases(door, acts)
  serveContracts(door, acts)
  serveAuthorityRequests(door, acts)
  serveOfficers(door, acts.officer)
  serveEnforcementPoints(door, acts)
  serveHandOver(door, acts)
  serveBackups(door, acts)
  servePeople(door, acts)
  serveRights(door, acts)
  serveRetention(door, acts)
  serveRequests(door, acts)
  serveDataRights(door, parts.agentDesk, reachedAt)
  servePrincipals(door, acts)
  return door.app
}

function authenticationOf(acts: SiteActs, parts: SiteDoorParts): Authentication {
  const { site: audience, clock, operatorKey, usedTokens, accessTokens, signIn } = parts
  const sources = {
    operatorKey,
    issuerKey: (member: string, keyId: string) => acts.issuerKey(member, keyId),
    officerKey: (member: string, keyId: string) => acts.officer.officerKey(member, keyId),
    regulatorKey: (member: string, keyId: string) => acts.officer.regulatorKey(member, keyId),
    pointKey: (member: string, keyId: string) => acts.access.pointKey(member, keyId),
    acquirerKey: (member: string, keyId: string) => acts.acquirerKey(member, keyId),
  }
  const keys = new CallerKeys(sources, clock)
  return { audience, clock, keys, accessTokens, usedTokens, signIn }
}

function serveSite(door: Door<SiteCaller>, acts: SiteActs): void {
  // Whoever types the address of a site is shown what can be said to it.
  door.app.get('/', (context) => context.redirect('/docs'))
  door.serve(SITE_API.site, () => acts.site())
  door.serve(SITE_API.evidence, ({ caller }) => {
    if (caller.kind !== 'regulator') requireOperator(caller)
    return acts.evidence()
  })
  door.serve(SITE_API.giveEvidence, ({ caller, body }) => {
    requireOperator(caller)
    return acts.giveEvidence(body.evidence)
  })
  door.serve(SITE_API.registerIssuer, async ({ caller, params, body }) => {
    requireOperator(caller)
    await acts.registerIssuer({ member: params.member, keys: body.keys })
    return { member: params.member, keys: body.keys }
  })
}

function callerName(caller: DoorCaller, { requestMark }: Pick<SiteActs, 'requestMark'>): string {
  switch (caller.kind) {
    case 'operator':
      return 'operator'
    case 'issuer':
      return `issuer ${caller.member}`
    case 'acquirer':
      return `acquirer ${caller.member}`
    case 'regulator':
      return `regulator ${caller.member}`
    case 'officer':
      return `officer ${caller.officer}`
    case 'enforcement_point':
      return `enforcement ${caller.point}`
    case 'person':
    case 'guardian':
      // The person's key itself is not to stand in a table.
      return `person ${requestMark(nameOfPerson(caller))}`
  }
}
