import { z } from 'zod'
import { canonicalJson } from '../../kernel/canonical-json.ts'
import type { Instant } from '../../kernel/clock.ts'
import { instant } from '../../kernel/clock.ts'
import { peekJws, signJws, verifyJws } from '../../kernel/crypto/jws.ts'
import type { KeyPair, PublicJwk } from '../../kernel/crypto/keys.ts'
import { LIMITS } from '../../kernel/limits.ts'
import { parseJson } from '../../kernel/parse-json.ts'
import { err, ok } from '../../kernel/result.ts'
import type { Result } from '../../kernel/result.ts'
import { TYP } from '../proof/message-types.ts'

/**
 * The short-lived signed token of a request (a JWT after RFC 7523 §3): issuer and subject = who asks, audience = the
 * server, at most five minutes, a `jti` that is used once.
 */
const claimsSchema = z.strictObject({
  iss: z.string().min(1),
  sub: z.string().min(1),
  aud: z.string().min(1),
  iat: z.int(),
  exp: z.int(),
  jti: z.string().min(16).max(100),
})

export interface ClientAssertion {
  readonly issuer: string
  readonly jti: string
  readonly expires: Instant
}

/** Why a token was refused; the door says 401 and this word, nothing else. */
export type TokenProblem =
  | 'malformed'
  | 'unknown-key'
  | 'bad-signature'
  | 'wrong-audience'
  | 'expired'
  | 'not-yet-valid'
  | 'lives-too-long'
  | 'replayed'

/** Signs a token for one request. */
export function signClientAssertion(facts: {
  issuer: string
  audience: string
  now: Instant
  jti: string
  key: KeyPair
}): string {
  const issuedAtS = Math.floor(facts.now / 1000)
  const claims = {
    iss: facts.issuer,
    sub: facts.issuer,
    aud: facts.audience,
    iat: issuedAtS,
    exp: issuedAtS + 120,
    jti: facts.jti,
  }
  return signJws(canonicalJson(claims), { typ: TYP.clientAssertion, key: facts.key })
}

/** Who a token says it is from, nothing verified: to look up the key. */
export function peekIssuer(token: string): string | undefined {
  const seen = peekJws(token)
  return seen && parseClaims(seen.payload)?.iss
}

/** Verifies everything of a token but whether its `jti` was used before, which is the caller's to remember. */
export function verifyClientAssertion(
  token: string,
  {
    audience,
    now,
    keyFor,
  }: { audience: string; now: Instant; keyFor: (keyId: string) => PublicJwk | undefined },
): Result<ClientAssertion, TokenProblem> {
  const verified = verifyJws(token, { typ: TYP.clientAssertion, keyFor })
  // A server that does not know the key is often not the one that was meant: said of a token that is refused either way.
  if (!verified.ok && verified.error === 'unknown-key' && isForAnother(token, audience))
    return err('wrong-audience')
  if (!verified.ok)
    return err(
      verified.error === 'unknown-key' || verified.error === 'bad-signature' ? verified.error : 'malformed',
    )
  const claims = parseClaims(verified.value.payload)
  if (!claims || claims.iss !== claims.sub) return err('malformed')
  if (claims.aud !== audience) return err('wrong-audience')
  if (claims.exp * 1000 <= now - LIMITS.clockSkewMsMax) return err('expired')
  if (claims.iat * 1000 > now + LIMITS.clockSkewMsMax) return err('not-yet-valid')
  if ((claims.exp - claims.iat) * 1000 > LIMITS.tokenLifetimeMsMax) return err('lives-too-long')
  return ok({ issuer: claims.iss, jti: claims.jti, expires: instant(claims.exp * 1000) })
}

function isForAnother(token: string, audience: string): boolean {
  const seen = peekJws(token)
  const claims = seen && parseClaims(seen.payload)
  return claims !== undefined && claims.aud !== audience
}

function parseClaims(payload: string): z.infer<typeof claimsSchema> | undefined {
  return claimsSchema.safeParse(parseJson(payload)).data
}
