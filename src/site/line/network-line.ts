import { z } from 'zod'
import type { Clock } from '../../kernel/clock.ts'
import { withDeadline } from '../../kernel/deadline.ts'
import type { KeyPair } from '../../kernel/crypto/keys.ts'
import { callJson } from '../../kernel/http/call-json.ts'
import { againIfClosed } from '../../kernel/http/send-request.ts'
import type { IdSource } from '../../kernel/id.ts'
import { accessTokenSource } from '../../protocol/http/access-token-source.ts'
import type { DecisionMessage } from '../../protocol/decision.ts'
import { floorLimitListSchema, floorLimitViewSchema } from '../../protocol/floor-limit.ts'
import type { FloorLimitList, LocalAnswer } from '../../protocol/floor-limit.ts'
import {
  captureAnswerSchema,
  memberRecordSchema,
  networkInfoSchema,
  offerSubmissionSchema,
  workSchema,
} from '../../protocol/http/network-api.ts'
import type { CaptureAnswer, MemberRecord, NetworkInfo, Work } from '../../protocol/http/network-api.ts'
import {
  carriedNoticeSchema,
  noticeNewsSchema,
  withdrawnReleaseSchema,
} from '../../protocol/http/notice-api.ts'
import type { NoticeNews, WithdrawnRelease } from '../../protocol/http/notice-api.ts'
import { memberContactSchema } from '../../protocol/member-contact.ts'
import type { MemberContact } from '../../protocol/member-contact.ts'
import type { MemberId, SiteId } from '../../protocol/wire.ts'

/** What a site tells of an answer: one that was booked on a floor limit comes with the ask that was signed for it. */
export type SiteMessage = DecisionMessage | LocalAnswer

/** A site's line to its network. The site dials; nothing is ever dialled into. */
export interface NetworkLine {
  info(): Promise<NetworkInfo>
  /**
   * Waits up to `waitMs` for work, or until what the network knows of its members is not what it was at the answer whose
   * `directory` is given. `isResuming` asks for all that is unanswered, also what was given out before.
   */
  pullWork(request: {
    waitMs: number
    isResuming: boolean
    directory?: string
    signal?: AbortSignal
  }): Promise<Work>
  /** A member with the chain of its keys. */
  member(id: MemberId, signal?: AbortSignal): Promise<MemberRecord>
  /** Where members are written to. */
  contacts(signal?: AbortSignal): Promise<readonly MemberContact[]>
  /** Hands over a sealed notice to a recipient of rows; the same again does no harm. */
  sendNotice(notice: { notice: string; acquirer: MemberId; sealed: string }): Promise<void>
  /** Waits up to `waitMs` for news of notices. */
  noticeNews(waitMs: number, signal: AbortSignal): Promise<readonly NoticeNews[]>
  confirmNews(items: readonly { notice: string; isFinal: boolean }[]): Promise<void>
  /** Has sealed releases deleted, by a signed order. */
  withdrawReleases(order: { order: string; isAtOnce: boolean }): Promise<readonly WithdrawnRelease[]>
  pushDecision(message: SiteMessage): Promise<CaptureAnswer>
  /** The site's floor limits that are not closed, with the members they are for. */
  floorLimits(): Promise<FloorLimitList>
  /** Nothing more will be booked on a limit. */
  closeFloorLimit(limit: string): Promise<void>
  /** Publishes the signed list of everything that the site offers. */
  publishOffers(offers: string): Promise<void>
}

const REQUEST_TIMEOUT_MS = 30_000

interface LineFacts {
  readonly url: string
  /** The network's name in the site's own settings: the audience of its tokens. */
  readonly networkName: string
  readonly site: SiteId
  readonly key: KeyPair
  readonly clock: Clock
  readonly ids: IdSource
}

/** Opens the line of a site to the network at `url`, authenticated with the site's signing key. */
export function networkLine(facts: LineFacts): NetworkLine {
  const { url, site, clock } = facts
  const { once, call } = callsOf(facts)
  return {
    info: () =>
      withDeadline({ clock, timeoutMs: REQUEST_TIMEOUT_MS }, (signal) =>
        againIfClosed((isAgain) =>
          callJson({
            url: `${url}/v1/network`,
            method: 'GET',
            response: networkInfoSchema,
            signal,
            isAgain,
            clock,
          }),
        ),
      ),
    pullWork: ({ waitMs, isResuming, directory = '', signal }) =>
      againIfClosed((isAgain) => {
        // What was given out in an answer that was lost comes again only to a pull that resumes.
        const known = `directory=${encodeURIComponent(directory)}`
        const path = `/v1/sites/${site}/work?wait=${waitMs}&resume=${String(isResuming || isAgain)}&${known}`
        return once('GET', path, { response: workSchema, signal, isAgain })
      }),
    pushDecision: (message) =>
      call('POST', `/v1/sites/${site}/${'floorLimit' in message ? 'local-answers' : 'decisions'}`, {
        body: message,
        response: captureAnswerSchema,
      }),
    member: (id, signal) => call('GET', `/v1/members/${id}`, { response: memberRecordSchema, signal }),
    contacts: async (signal) => {
      const response = z.strictObject({ items: z.array(memberContactSchema) })
      return (await call('GET', '/v1/contacts', { response, signal })).items
    },
    sendNotice: async ({ notice, ...body }) => {
      await call('PUT', `/v1/sites/${site}/notices/${notice}`, {
        body,
        response: carriedNoticeSchema,
      })
    },
    noticeNews: async (waitMs, signal) => {
      const response = z.strictObject({ items: z.array(noticeNewsSchema) })
      return (await call('GET', `/v1/sites/${site}/notices?wait=${waitMs}`, { response, signal })).items
    },
    confirmNews: async (items) => {
      const response = z.strictObject({ confirmed: z.int() })
      await call('POST', `/v1/sites/${site}/notices/confirmation`, { body: { items }, response })
    },
    withdrawReleases: async (body) => {
      const response = z.strictObject({ items: z.array(withdrawnReleaseSchema) })
      return (await call('POST', `/v1/sites/${site}/withdrawals`, { body, response })).items
    },
    floorLimits: () =>
      withDeadline({ clock, timeoutMs: REQUEST_TIMEOUT_MS }, (signal) =>
        call('GET', `/v1/sites/${site}/floor-limits`, { response: floorLimitListSchema, signal }),
      ),
    closeFloorLimit: async (limit) => {
      await call('POST', `/v1/sites/${site}/floor-limits/${limit}/closing`, {
        response: floorLimitViewSchema,
      })
    },
    publishOffers: async (offers) => {
      await call('PUT', `/v1/sites/${site}/offers`, { body: { offers }, response: offerSubmissionSchema })
    },
  }
}

/** Calls with the site's token. */
function callsOf(facts: LineFacts) {
  const { url, clock } = facts
  const tokens = accessTokenSource({ ...facts, audience: facts.networkName, issuer: facts.site })
  const once = <S extends z.ZodType>(
    method: 'GET' | 'POST' | 'PUT',
    path: string,
    {
      response,
      ...more
    }: { body?: unknown; response: S; signal?: AbortSignal | undefined; isAgain?: boolean },
  ): Promise<z.output<S>> =>
    tokens.withToken((token) => callJson({ url: `${url}${path}`, method, response, ...more, token, clock }))
  /** Of what is a replay when it comes twice: it is said again after a line that broke, too. */
  const call: typeof once = (method, path, said) =>
    againIfClosed((isAgain) => once(method, path, { ...said, isAgain }))
  return { once, call }
}
