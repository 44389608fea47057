import { createServer } from 'node:http'
import { after } from 'node:test'
import { SignJWT, exportJWK, generateKeyPair as generateJoseKeyPair } from 'jose'
import { instant, systemClock } from '../../../src/kernel/clock.ts'
import { generateKeyPair } from '../../../src/kernel/crypto/keys.ts'
import type { KeyPair } from '../../../src/kernel/crypto/keys.ts'
import { AccessTokens } from '../../../src/kernel/http/access-tokens.ts'
import type { UsedTokens } from '../../../src/kernel/http/used-tokens.ts'
import { idSource } from '../../../src/kernel/id.ts'
import { silentLog } from '../../../src/kernel/log.ts'
import { systemRandom } from '../../../src/kernel/random.ts'
import { signClientAssertion } from '../../../src/protocol/http/client-assertion.ts'
import { memberIdSchema } from '../../../src/protocol/wire.ts'
import { siteDoor } from '../../../src/site/doors/http.ts'
import { idempotencyInMemory } from '../../../src/testing/idempotency-in-memory.ts'
import { fakeActs, unusedAgentDesk } from './fake-acts.ts'
import type { Calls } from './fake-acts.ts'

/* The door of a site before acts that only note what they are asked, and the tokens with which it is entered. */

/** Who runs the site. */
export const operator = generateKeyPair('Ed25519')

/** The issuer of `athletes`; the persons of the provider are known by its keys. */
export const issuer = generateKeyPair('Ed25519')
const otherIssuer = generateKeyPair('Ed25519')
const ids = idSource(systemClock, systemRandom)

// An OpenID Connect provider on this machine: discovery and keys over real HTTP.
const { privateKey, publicKey } = await generateJoseKeyPair('ES256', { extractable: true })
const jwk = { ...(await exportJWK(publicKey)), kid: 'provider-1', alg: 'ES256' }
const provider = createServer((request, response) => {
  response.setHeader('content-type', 'application/json')
  const { port } = provider.address() as { port: number }
  const base = `http://127.0.0.1:${port}`
  const body = request.url === '/jwks' ? { keys: [jwk] } : { issuer: base, jwks_uri: `${base}/jwks` }
  response.end(JSON.stringify(body))
})
await new Promise<void>((resolve) => void provider.listen(0, '127.0.0.1', () => resolve()))
const providerUrl = `http://127.0.0.1:${(provider.address() as { port: number }).port}`
after(() => {
  provider.closeAllConnections()
  provider.close()
})

/** A fresh door, and what its acts were asked. */
/** The door with acts that only note what they are given; more of its parts as told. */
export function openDoor(parts: { publicUrl?: string } = {}) {
  const calls: Calls = []
  const acts = fakeActs({ issuerKeys: { 'world-sport': issuer, 'play-lab': otherIssuer }, calls })
  const app = siteDoor(acts, {
    site: 'galway',
    version: '0',
    log: silentLog,
    clock: systemClock,
    ids,
    operatorKey: operator.publicJwk,
    idempotency: idempotencyInMemory(),
    usedTokens: usedTokensInMemory(),
    accessTokens: new AccessTokens({ clock: systemClock, random: systemRandom }),
    agentDesk: unusedAgentDesk,
    ...parts,
    signIn: {
      issuer: providerUrl,
      audience: 'galway-people',
      personClaim: 'sub',
      member: memberIdSchema.parse('world-sport'),
      otherClaims: { 'play-lab': 'player' },
    },
  })
  return { app, calls }
}

function usedTokensInMemory(): UsedTokens {
  const used = new Set<string>()
  return {
    use({ issuer, jti }) {
      const token = `${issuer}\0${jti}`
      const isNew = !used.has(token)
      used.add(token)
      return Promise.resolve(isNew)
    },
  }
}

/** A token that a member or the operator signs for itself. */
export function assertion(
  name: string,
  key: KeyPair,
  facts: { audience?: string; ageMs?: number; jti?: string } = {},
): string {
  const { audience = 'galway', ageMs = 0, jti = ids.next('jti') } = facts
  return signClientAssertion({ issuer: name, audience, now: instant(systemClock.now() - ageMs), jti, key })
}

/** A good token of each role. */
export const tokens = {
  operator: () => assertion('operator', operator),
  issuer: () => assertion('world-sport', issuer),
  otherIssuer: () => assertion('play-lab', otherIssuer),
  person: () => personToken({ sub: 'athlete-1' }),
  nobody: () => Promise.resolve(undefined),
} as const

/** The roles. */
export type Who = keyof typeof tokens

/** A token of the provider, for a person. */
export function personToken(
  claims: { sub: string; player?: string },
  facts: { audience?: string; expires?: string; issuedBy?: string } = {},
): Promise<string> {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'ES256', kid: 'provider-1' })
    .setIssuer(facts.issuedBy ?? providerUrl)
    .setAudience(facts.audience ?? 'galway-people')
    .setIssuedAt()
    .setExpirationTime(facts.expires ?? '5m')
    .sign(privateKey)
}

/** A request through the door, without a socket. */
export async function send(
  app: ReturnType<typeof openDoor>['app'],
  {
    method = 'GET',
    path,
    token,
    body,
  }: { method?: string; path: string; token: string | undefined; body?: unknown },
) {
  return app.request(`http://galway${path}`, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      'content-type': 'application/json',
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
}

/** What `athlete-1` may give. */
export const GRANT = {
  dataSet: 'athletes',
  person: 'athlete-1',
  grantee: { anyone: true },
  purposes: ['dpv:AcademicResearch'],
  modes: ['aggregate'],
}

/** What takes it back. */
export const REVOCATION = { dataSet: 'athletes', person: 'athlete-1' }
