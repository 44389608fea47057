import { createRemoteJWKSet, decodeJwt, errors, jwtVerify } from 'jose'
import type { JWTVerifyGetKey } from 'jose'
import { dateOf } from '../../kernel/clock.ts'
import type { Clock } from '../../kernel/clock.ts'
import { peekJws } from '../../kernel/crypto/jws.ts'
import { keyIdOf } from '../../kernel/crypto/keys.ts'
import { withDeadline } from '../../kernel/deadline.ts'
import { Fault } from '../../kernel/faults.ts'
import { ACCESS_TOKEN_LENGTH } from '../../kernel/http/access-tokens.ts'
import type { AccessTokens } from '../../kernel/http/access-tokens.ts'
import type { UsedTokens } from '../../kernel/http/used-tokens.ts'
import { LIMITS } from '../../kernel/limits.ts'
import { peekIssuer, verifyClientAssertion } from '../../protocol/http/client-assertion.ts'
import type { MemberId } from '../../protocol/wire.ts'
import { memberIdSchema } from '../../protocol/wire.ts'
import type { CallerKeys, KnownKey, NamedKey } from './caller-keys.ts'
import type { DoorCaller } from './site-acts.ts'

/** How people sign in: an OpenID Connect provider whose claim holds the key by which `member` knows the person. */
export interface PeopleSignIn {
  readonly issuer: string
  readonly audience: string
  readonly personClaim: string
  readonly member: MemberId
  /** Claims that hold the keys by which other issuers know the same person. */
  readonly otherClaims?: Readonly<Record<string, string>> | undefined
  /** Where the keys are; absent: as the discovery document says. */
  readonly jwksUrl?: string | undefined
}

/** What it takes to know who calls. `audience` is the name of the site. */
export interface Authentication {
  readonly audience: string
  readonly clock: Clock
  readonly keys: CallerKeys
  readonly accessTokens: AccessTokens
  readonly usedTokens: UsedTokens
  readonly signIn?: PeopleSignIn | undefined
}

/** A caller waits for it, and anybody may claim a token of the provider. */
const PROVIDER_TIMEOUT_MS = 5_000

/**
 * Knows the caller of a request by its token: a client assertion of the operator or of an issuer (RFC 7523 §3), the access
 * token that was given for one, or a person's token of the OpenID Connect provider. Anything else throws `fault.unauthenticated` with one word of reason.
 */
export function callerAuthentication(parts: Authentication): (request: Request) => Promise<DoorCaller> {
  const providerKeys = parts.signIn && remoteKeys(parts.signIn, parts.clock)
  return async (request) => {
    const token = /^Bearer ([A-Za-z0-9._-]+)$/.exec(request.headers.get('authorization') ?? '')?.[1]
    if (token === undefined) throw unauthenticated('no token')
    const issuer = claimedIssuer(token)
    if (parts.signIn && providerKeys && issuer === parts.signIn.issuer) {
      return personOf(token, { signIn: parts.signIn, keys: providerKeys, clock: parts.clock })
    }
    // Members have names; only a provider has an address (OpenID Connect Core 1.0 §2).
    if (issuer?.includes('://') === true) throw unauthenticated('wrong-issuer')
    // An assertion is a JWS; an access token has no parts.
    return token.includes('.') ? memberOf(token, parts) : holderOf(token, parts)
  }
}

/** Verifies an assertion for the first time, and gives an access token for it. */
export async function exchangeAssertion(assertion: string, parts: Authentication) {
  const { named } = await acceptAssertion(assertion, parts)
  return parts.accessTokens.answer(`${named.keyId} ${named.issuer}`)
}

async function memberOf(token: string, parts: Authentication): Promise<DoorCaller> {
  const { named, known } = await acceptAssertion(token, parts)
  return callerOf(named, known)
}

/** Who holds an access token: it counts as long as the key does that it was given for. */
async function holderOf(token: string, { accessTokens, keys }: Authentication): Promise<DoorCaller> {
  if (token.length !== ACCESS_TOKEN_LENGTH) throw unauthenticated('malformed')
  const [keyId, issuer] = accessTokens.nameOf(token)?.split(' ') ?? []
  if (keyId === undefined || issuer === undefined) throw unauthenticated('expired')
  const known = await keys.find({ issuer, keyId })
  if (!known || keyIdOf(known.key) !== keyId) throw unauthenticated('unknown-key')
  return callerOf({ issuer, keyId }, known)
}

async function acceptAssertion(
  token: string,
  { audience, clock, keys, usedTokens }: Authentication,
): Promise<{ readonly named: NamedKey; readonly known: KnownKey }> {
  const issuer = peekIssuer(token)
  const keyId = peekJws(token)?.header.kid
  if (issuer === undefined || keyId === undefined) throw unauthenticated('malformed')
  const known = await keys.find({ issuer, keyId })
  const verified = verifyClientAssertion(token, {
    audience,
    now: clock.now(),
    keyFor: (wanted) => (known && keyIdOf(known.key) === wanted ? known.key : undefined),
  })
  if (!verified.ok) throw unauthenticated(verified.error)
  if (!known) throw unauthenticated('unknown-key')
  if (!(await usedTokens.use(verified.value))) throw unauthenticated('replayed')
  return { named: { issuer, keyId }, known }
}

function callerOf({ issuer }: NamedKey, known: KnownKey): DoorCaller {
  if (known.kind === 'operator') return { kind: 'operator' }
  const member = memberIdSchema.parse(issuer)
  switch (known.kind) {
    case 'officer':
      return { kind: known.kind, officer: member, issuer: known.issuer }
    case 'enforcement_point':
      return { kind: known.kind, point: member, issuer: known.issuer }
    case 'issuer':
    case 'regulator':
    case 'acquirer':
      return { kind: known.kind, member }
  }
}

async function personOf(
  token: string,
  { signIn, keys, clock }: { signIn: PeopleSignIn; keys: JWTVerifyGetKey; clock: Clock },
): Promise<DoorCaller> {
  const { payload } = await jwtVerify(token, keys, {
    issuer: signIn.issuer,
    audience: signIn.audience,
    algorithms: ['RS256', 'PS256', 'ES256', 'EdDSA'],
    requiredClaims: ['exp', 'iat', signIn.personClaim],
    clockTolerance: LIMITS.clockSkewMsMax / 1000,
    currentDate: dateOf(clock.now()),
  }).catch((cause: unknown) => {
    throw personTokenFault(cause)
  })
  const person = personKeyIn(payload[signIn.personClaim])
  if (person === undefined) throw unauthenticated('names no person')
  const others = Object.entries(signIn.otherClaims ?? {}).flatMap(([issuer, claim]) => {
    const key = personKeyIn(payload[claim])
    return key === undefined ? [] : [{ issuer: memberIdSchema.parse(issuer), person: key }]
  })
  const first = { issuer: signIn.member, person }
  return { kind: 'person', ...first, identities: [first, ...others] }
}

function personKeyIn(claim: unknown): string | undefined {
  return typeof claim === 'string' && claim !== '' && claim.length <= 200 ? claim : undefined
}

/** The issuer that a token claims, nothing verified: it tells whose keys to verify it with. */
function claimedIssuer(token: string): string | undefined {
  try {
    const { iss }: { iss?: unknown } = decodeJwt(token)
    return typeof iss === 'string' ? iss : undefined
  } catch {
    return undefined
  }
}

function remoteKeys({ issuer, jwksUrl }: PeopleSignIn, clock: Clock): JWTVerifyGetKey {
  let keys: JWTVerifyGetKey | undefined
  return async (header, token) => {
    keys ??= createRemoteJWKSet(jwksUrl === undefined ? await jwksAddress(issuer, clock) : new URL(jwksUrl), {
      timeoutDuration: PROVIDER_TIMEOUT_MS,
    })
    return keys(header, token)
  }
}

/** OpenID Connect Discovery 1.0 §4. */
async function jwksAddress(issuer: string, clock: Clock): Promise<URL> {
  const found: unknown = await withDeadline({ clock, timeoutMs: PROVIDER_TIMEOUT_MS }, async (signal) => {
    const address = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
    return (await fetch(address, { redirect: 'error', signal })).json()
  })
  const address =
    typeof found === 'object' && found !== null && 'jwks_uri' in found ? found.jwks_uri : undefined
  const named = typeof found === 'object' && found !== null && 'issuer' in found ? found.issuer : undefined
  if (typeof address !== 'string' || named !== issuer)
    throw new TypeError('The provider describes another issuer')
  return new URL(address)
}

function personTokenFault(cause: unknown): Fault {
  if (cause instanceof errors.JWTExpired) return unauthenticated('expired')
  if (cause instanceof errors.JWTClaimValidationFailed)
    return unauthenticated(cause.claim === 'aud' ? 'wrong-audience' : 'malformed')
  if (cause instanceof errors.JOSEError) return unauthenticated('bad-signature')
  return new Fault('fault.peer_unreachable', {
    what: 'Cannot reach the OpenID Connect provider for its keys',
    cause,
  })
}

function unauthenticated(reason: string): Fault {
  return new Fault('fault.unauthenticated', { what: `Cannot accept the token: ${reason}` })
}
