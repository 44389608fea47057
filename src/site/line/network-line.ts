import type { z } from 'zod'
import type { Clock, Instant } from '../../kernel/clock.ts'
import { later } from '../../kernel/clock.ts'
import { withDeadline } from '../../kernel/deadline.ts'
import type { KeyPair } from '../../kernel/crypto/keys.ts'
import { callJson } from '../../kernel/http/call-json.ts'
import { PeerRefusal } from '../../kernel/http/call-json.ts'
import type { IdSource } from '../../kernel/id.ts'
import { LIMITS } from '../../kernel/limits.ts'
import { signClientAssertion } from '../../protocol/client-assertion.ts'
import type { DecisionMessage } from '../../protocol/decision.ts'
import {
  captureAnswerSchema,
  networkInfoSchema,
  offerSubmissionSchema,
  tokenSchema,
  workSchema,
} from '../../protocol/network-api.ts'
import type { CaptureAnswer, NetworkInfo, Work } from '../../protocol/network-api.ts'
import type { SiteId } from '../../protocol/wire.ts'

/** A site's line to its network. The site dials; nothing is ever dialled into. */
export interface NetworkLine {
  info(): Promise<NetworkInfo>
  /** Waits up to `waitMs` for work. `isResuming` asks for all that is unanswered, also what was given out before. */
  pullWork(request: { waitMs: number; isResuming: boolean; signal?: AbortSignal }): Promise<Work>
  pushDecision(message: DecisionMessage): Promise<CaptureAnswer>
  /** Publishes the signed list of everything that the site offers. */
  publishOffers(offers: string): Promise<void>
}

/** Refreshed this long before it ends, so that no request goes out with a token about to expire. */
const TOKEN_MARGIN_MS = 30_000
const REQUEST_TIMEOUT_MS = 30_000

/** Opens the line of a site to the network at `url`, authenticated with the site's signing key. */
export function networkLine(facts: {
  url: string
  site: SiteId
  key: KeyPair
  clock: Clock
  ids: IdSource
}): NetworkLine {
  const { url, site } = facts
  const token = tokenSource(facts)
  const call = async <S extends z.ZodType>(
    method: 'GET' | 'POST' | 'PUT',
    path: string,
    { body, response, signal }: { body?: unknown; response: S; signal?: AbortSignal | undefined },
  ): Promise<z.output<S>> => {
    const send = async () =>
      callJson({ url: `${url}${path}`, method, body, response, signal, token: await token.current() })
    try {
      return await send()
    } catch (error) {
      if (!(error instanceof PeerRefusal) || error.status !== 401) throw error
      token.forget()
      return send()
    }
  }
  return {
    info: () =>
      withDeadline({ clock: facts.clock, timeoutMs: REQUEST_TIMEOUT_MS }, (signal) =>
        callJson({ url: `${url}/v1/network`, method: 'GET', response: networkInfoSchema, signal }),
      ),
    pullWork: ({ waitMs, isResuming, signal }) =>
      call('GET', `/v1/sites/${site}/work?wait=${waitMs}&resume=${String(isResuming)}`, {
        response: workSchema,
        signal,
      }),
    pushDecision: (message) =>
      call('POST', `/v1/sites/${site}/decisions`, { body: message, response: captureAnswerSchema }),
    publishOffers: async (offers) => {
      await call('PUT', `/v1/sites/${site}/offers`, { body: { offers }, response: offerSubmissionSchema })
    },
  }
}

/** Keeps one access token (RFC 7523 §2.1): an assertion is signed once in five minutes, not once a request. */
function tokenSource({
  url,
  site,
  key,
  clock,
  ids,
}: {
  url: string
  site: SiteId
  key: KeyPair
  clock: Clock
  ids: IdSource
}) {
  let kept: { readonly text: string; readonly until: Instant } | undefined
  let audience: string | undefined
  const fetchToken = async (): Promise<string> => {
    const now = clock.now()
    audience ??= (await callJson({ url: `${url}/v1/network`, method: 'GET', response: networkInfoSchema }))
      .name
    const assertion = signClientAssertion({ issuer: site, audience, now, jti: ids.next('jti'), key })
    const body = { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion }
    const token = await callJson({ url: `${url}/v1/token`, method: 'POST', body, response: tokenSchema })
    kept = {
      text: token.access_token,
      until: later(now, Math.min(token.expires_in * 1000, LIMITS.tokenLifetimeMsMax) - TOKEN_MARGIN_MS),
    }
    return token.access_token
  }
  return {
    current: async () => (kept && kept.until > clock.now() ? kept.text : fetchToken()),
    forget: () => {
      kept = undefined
    },
  }
}
