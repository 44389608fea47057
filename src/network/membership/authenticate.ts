import type { UsedTokens } from '../../kernel/http/used-tokens.ts'
import type { Clock } from '../../kernel/clock.ts'
import { keyIdOf } from '../../kernel/crypto/keys.ts'
import type { PublicJwk } from '../../kernel/crypto/keys.ts'
import { Fault } from '../../kernel/faults.ts'
import { peekIssuer, verifyClientAssertion } from '../../protocol/http/client-assertion.ts'
import type { TokenProblem } from '../../protocol/http/client-assertion.ts'
import { OPERATOR } from '../../protocol/http/network-api.ts'
import { ACCESS_TOKEN_LENGTH } from '../../kernel/http/access-tokens.ts'
import type { AccessTokens } from '../../kernel/http/access-tokens.ts'
import { presentKey } from './directory.ts'
import type { Directory } from './directory.ts'
import { operatorPrincipal } from './principal.ts'
import type { Principal } from './principal.ts'

/** What it takes to tell who sends a request. */
export interface Authentication {
  readonly clock: Clock
  readonly directory: Directory
  readonly accessTokens: AccessTokens
  readonly usedTokens: UsedTokens
  readonly operatorKey: PublicJwk
  /** What an assertion must name as its audience. */
  readonly audience: string
}

/**
 * Who sends a request, by its `Authorization: Bearer` header: a client assertion, or an access token given for one.
 *
 * @throws Fault `fault.unauthenticated` with one word of reason and nothing else (security model, Requests)
 */
export async function authenticate(parts: Authentication, header: string | null): Promise<Principal> {
  const token = /^Bearer ([A-Za-z0-9_.-]+)$/i.exec(header ?? '')?.[1]
  if (token === undefined) throw unauthenticated('missing')
  if (token.includes('.')) return authenticateAssertion(parts, token)
  if (token.length !== ACCESS_TOKEN_LENGTH) throw unauthenticated('malformed')
  const name = parts.accessTokens.nameOf(token)
  if (name === undefined) throw unauthenticated('expired')
  return principalOf(parts, name)
}

/** Verifies an assertion, and that it comes for the first time. */
export async function authenticateAssertion(parts: Authentication, assertion: string): Promise<Principal> {
  const { clock, directory, usedTokens, operatorKey, audience } = parts
  const issuer = peekIssuer(assertion)
  if (issuer === undefined) throw unauthenticated('malformed')
  const verified = verifyClientAssertion(assertion, {
    audience,
    now: clock.now(),
    keyFor: (keyId) => {
      if (issuer === OPERATOR) return keyIdOf(operatorKey) === keyId ? operatorKey : undefined
      return presentKey(directory.find(issuer), keyId)
    },
  })
  if (!verified.ok) throw unauthenticated(verified.error)
  const { jti, expires } = verified.value
  if (!(await usedTokens.use({ issuer, jti, expires }))) throw unauthenticated('replayed')
  return principalOf(parts, issuer)
}

/**
 * Who waited may have been suspended meanwhile, and is told no more then.
 *
 * @throws Fault `fault.unauthenticated`
 */
export function requireStillIn(parts: Pick<Authentication, 'directory'>, { name }: Principal): void {
  principalOf(parts, name)
}

function principalOf({ directory }: Pick<Authentication, 'directory'>, name: string): Principal {
  if (name === OPERATOR) return operatorPrincipal
  const party = directory.find(name)
  if (!party) throw unauthenticated('unknown-key')
  if (party.record.status !== 'active') throw unauthenticated('suspended')
  return party.kind === 'member'
    ? { kind: 'member', name, member: party.record }
    : { kind: 'site', name, site: party.record }
}

function unauthenticated(reason: TokenProblem | 'missing' | 'suspended'): Fault {
  return new Fault('fault.unauthenticated', { what: reason })
}
