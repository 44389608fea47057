import type { Clock, Instant } from '../../kernel/clock.ts'
import { later } from '../../kernel/clock.ts'
import type { KeyPair } from '../../kernel/crypto/keys.ts'
import { PeerRefusal, callJson } from '../../kernel/http/call-json.ts'
import { againIfClosed } from '../../kernel/http/send-request.ts'
import type { IdSource } from '../../kernel/id.ts'
import { LIMITS } from '../../kernel/limits.ts'
import { signClientAssertion } from './client-assertion.ts'
import { tokenSchema } from './token-endpoint.ts'

/** Refreshed this long before it ends, so that no request goes out with a token about to expire. */
const MARGIN_MS = 30_000

/** Access tokens of one caller at one server. */
export interface AccessTokenSource {
  /** Calls with a token, and once more with a fresh one when the server no longer knows it (it was started anew). */
  withToken<T>(call: (token: string) => Promise<T>): Promise<T>
  /** A token for one call that is made by hand. */
  current(): Promise<string>
}

/**
 * Keeps one access token (RFC 7523 §2.1): an assertion is signed, and remembered by the server, once in five minutes
 * and not once a request. `audience` is the server's name as the caller knows it, never as the server says it: one
 * that took another's name could use our assertions there.
 */
export function accessTokenSource(facts: {
  url: string
  audience: string
  issuer: string
  key: KeyPair
  clock: Clock
  ids: IdSource
}): AccessTokenSource {
  let kept: { readonly text: string; readonly until: Instant } | undefined
  let fetching: Promise<string> | undefined
  const fetchToken = async (isAgain: boolean): Promise<string> => {
    const { url, audience, issuer, key, clock, ids } = facts
    const now = clock.now()
    const assertion = signClientAssertion({ issuer, audience, now, jti: ids.next('jti'), key })
    const body = { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion }
    const token = await callJson({
      url: `${url}/v1/token`,
      method: 'POST',
      body,
      response: tokenSchema,
      isAgain,
      clock,
    })
    const lifetimeMs = Math.min(token.expires_in * 1000, LIMITS.tokenLifetimeMsMax) - MARGIN_MS
    kept = { text: token.access_token, until: later(now, lifetimeMs) }
    return token.access_token
  }
  const current = (): Promise<string> => {
    if (kept && kept.until > facts.clock.now()) return Promise.resolve(kept.text)
    // Each time by another assertion, so that one that had arrived after all is in nobody's way.
    fetching ??= againIfClosed(fetchToken).finally(() => {
      fetching = undefined
    })
    return fetching
  }
  return {
    current,
    async withToken(call) {
      const wasKept = kept !== undefined
      try {
        return await call(await current())
      } catch (error) {
        if (!wasKept || !(error instanceof PeerRefusal) || error.status !== 401) throw error
        kept = undefined
        return call(await current())
      }
    },
  }
}
