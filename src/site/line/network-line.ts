import type { z } from 'zod'
import type { Clock } from '../../kernel/clock.ts'
import { withDeadline } from '../../kernel/deadline.ts'
import type { KeyPair } from '../../kernel/crypto/keys.ts'
import { callJson } from '../../kernel/http/call-json.ts'
import type { IdSource } from '../../kernel/id.ts'
import { accessTokenSource } from '../../protocol/access-token-source.ts'
import type { DecisionMessage } from '../../protocol/decision.ts'
import {
  captureAnswerSchema,
  networkInfoSchema,
  offerSubmissionSchema,
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

const REQUEST_TIMEOUT_MS = 30_000

/** Opens the line of a site to the network at `url`, authenticated with the site's signing key. */
export function networkLine(facts: {
  url: string
  /** The network's name in the site's own settings: the audience of its tokens. */
  networkName: string
  site: SiteId
  key: KeyPair
  clock: Clock
  ids: IdSource
}): NetworkLine {
  const { url, site, clock } = facts
  const tokens = accessTokenSource({ ...facts, audience: facts.networkName, issuer: site })
  const call = async <S extends z.ZodType>(
    method: 'GET' | 'POST' | 'PUT',
    path: string,
    { body, response, signal }: { body?: unknown; response: S; signal?: AbortSignal | undefined },
  ): Promise<z.output<S>> => {
    return tokens.withToken((token) =>
      callJson({ url: `${url}${path}`, method, body, response, signal, token, clock }),
    )
  }
  return {
    info: () =>
      withDeadline({ clock, timeoutMs: REQUEST_TIMEOUT_MS }, (signal) =>
        callJson({ url: `${url}/v1/network`, method: 'GET', response: networkInfoSchema, signal, clock }),
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
