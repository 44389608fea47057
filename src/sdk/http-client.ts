import type { z } from 'zod'
import type { Clock } from '../kernel/clock.ts'
import type { KeyPair } from '../kernel/crypto/keys.ts'
import { withDeadline } from '../kernel/deadline.ts'
import { Fault } from '../kernel/faults.ts'
import { PeerRefusal, callJson, callText } from '../kernel/http/call-json.ts'
import type { Endpoint } from '../kernel/http/endpoint.ts'
import { KeptConnectionClosed } from '../kernel/http/send-request.ts'
import type { IdSource } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { accessTokenSource } from '../protocol/http/access-token-source.ts'
import { signClientAssertion } from '../protocol/http/client-assertion.ts'
import { addressOf } from './address-of.ts'

/**
 * A server and its name. The name is the audience of tokens, and so it is pinned by the caller and never taken from
 * the server's own word: a server that called itself by another's name could use our tokens there.
 */
export interface Server {
  readonly url: string
  readonly name: string
}

/** Whose tokens a client sends: a member, a site or `operator`, with its signing key. */
export interface Caller {
  readonly issuer: string
  readonly key: KeyPair
}

/** What a call carries beside its endpoint. Wire forms; the answer is parsed. */
export interface CallInput<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType> {
  readonly params?: z.input<P>
  readonly query?: z.input<Q>
  readonly body?: z.input<B>
  readonly idempotencyKey?: string
  /** Sent under a key of its own: what it did is found by that when it is tried again, where nothing else would tell. */
  readonly isKeyed?: boolean
  /** The same call twice does no more than once, so it may be tried again. Reads and keyed writes always may. */
  readonly isRepeatable?: boolean
  readonly signal?: AbortSignal | undefined
  readonly timeoutMs?: number
}

/** Calls the endpoints of one server. */
export interface HttpClient {
  readonly server: Server
  readonly clock: Clock
  call<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType, R extends z.ZodType>(
    endpoint: Endpoint<P, Q, B, R>,
    input?: CallInput<P, Q, B>,
  ): Promise<z.output<R>>
  /** The same for an answer that is not JSON, or none at all: its text. */
  text<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType, R extends z.ZodType>(
    endpoint: Endpoint<P, Q, B, R>,
    input?: CallInput<P, Q, B>,
  ): Promise<string>
  /** A fresh token for one request that is made by hand (a file that is sent as it is read). */
  readonly token: () => Promise<string | undefined>
}

const ATTEMPTS_MAX = 3
const RETRY_PAUSE_MS = 150
/** The longest that a caller waits without being told why. */
const RETRY_AFTER_MS_MAX = 10_000

/**
 * A client of one server. Every attempt carries an assertion of its own, because one is used once; or else
 * it is exchanged for an access token (`keepsToken`), which then serves for five minutes: for whoever makes many calls.
 */
export function httpClient({
  server,
  caller,
  bearer,
  clock,
  ids,
  keepsToken = false,
  signal,
}: {
  server: Server
  caller?: Caller | undefined
  /** A token that the caller was given, such as a person’s of their OpenID Connect provider; it takes the place of a key. */
  bearer?: string | undefined
  clock: Clock
  ids: IdSource
  keepsToken?: boolean
  /** Ends every call that has no signal of its own. */
  signal?: AbortSignal
}): HttpClient {
  const tokens =
    caller && keepsToken
      ? accessTokenSource({ ...caller, url: server.url, audience: server.name, clock, ids })
      : undefined
  const assertion = () =>
    bearer ??
    (caller &&
      signClientAssertion({ ...caller, audience: server.name, now: clock.now(), jti: ids.next('jti') }))
  const attempts = async <T>(
    endpoint: AnyEndpoint,
    given: AnyInput,
    send: (sending: Sending) => Promise<T>,
  ): Promise<T> => {
    const input = { ...given, signal: given.signal ?? signal }
    const url = addressOf(server.url, endpoint, input)
    const isRepeatable =
      endpoint.method !== 'post' || input.idempotencyKey !== undefined || input.isRepeatable === true
    let isAgain = false
    const sendWith = (token: string | undefined) => send({ url, endpoint, input, clock, token, isAgain })
    for (let attempt = 1; ; attempt += 1) {
      try {
        if (endpoint.isPublic === true) return await sendWith(undefined)
        return await (tokens ? tokens.withToken(sendWith) : sendWith(assertion()))
      } catch (thrown) {
        isAgain = thrown instanceof KeptConnectionClosed
        // One that came too soon did nothing, so that it may be sent again whatever it is.
        const mayRepeat = isTooSoon(thrown) || (isRepeatable && mayPass(thrown))
        if (attempt === ATTEMPTS_MAX || !mayRepeat || input.signal?.aborted === true) throw thrown
        await clock.sleep(pauseMs(thrown, attempt), input.signal)
      }
    }
  }
  return {
    server,
    clock,
    token: async () => (tokens ? tokens.current() : assertion()),
    call: (endpoint, given = {}) => {
      const input = given.isKeyed === true ? { ...given, idempotencyKey: ids.next('key') } : given
      return attempts(endpoint, input, (sending) => once(endpoint, sending))
    },
    text: (endpoint, input = {}) =>
      attempts(endpoint, input, (sending) =>
        beforeDeadline(sending, (signal) => callText({ ...requestOf(sending), signal })),
      ),
  }
}

type AnyEndpoint = Pick<Endpoint, 'method' | 'path' | 'isPublic'>
type AnyInput = CallInput<z.ZodType, z.ZodType, z.ZodType>

const TIMEOUT_MS = LIMITS.longPollMs + 5_000

async function once<R extends z.ZodType>(
  { path, response }: Endpoint<z.ZodObject, z.ZodObject, z.ZodType, R>,
  sending: Sending,
): Promise<z.output<R>> {
  if (response === undefined) throw new TypeError(`The endpoint "${path}" gives no JSON`)
  return beforeDeadline(sending, (signal) => callJson({ ...requestOf(sending), response, signal }))
}

function beforeDeadline<T>(
  { clock, input: { timeoutMs = TIMEOUT_MS, signal: outer } }: Sending,
  act: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return withDeadline({ clock, timeoutMs, outer }, act)
}

/** One attempt. */
interface Sending {
  readonly url: string
  readonly endpoint: AnyEndpoint
  readonly input: AnyInput
  readonly clock: Clock
  readonly token: string | undefined
  readonly isAgain: boolean
}

function requestOf({ endpoint, input: { body, idempotencyKey }, ...sending }: Sending) {
  return { ...sending, path: endpoint.path, method: METHODS[endpoint.method], body, idempotencyKey }
}

const METHODS = { get: 'GET', post: 'POST', put: 'PUT', delete: 'DELETE' } as const

/** Nothing answered, or a server said that it cannot serve just now. */
function mayPass(thrown: unknown): boolean {
  if (thrown instanceof PeerRefusal) return thrown.status === 503
  return thrown instanceof Fault && thrown.code === 'fault.peer_unreachable'
}

function isTooSoon(thrown: unknown): boolean {
  return (
    thrown instanceof PeerRefusal && thrown.status === 429 && (thrown.retryAfterMs ?? 0) <= RETRY_AFTER_MS_MAX
  )
}

function pauseMs(thrown: unknown, attempt: number): number {
  // The server is there; it had only hung up.
  if (thrown instanceof KeptConnectionClosed) return 0
  const asked = isTooSoon(thrown) && thrown instanceof PeerRefusal ? (thrown.retryAfterMs ?? 0) : 0
  return Math.max(RETRY_PAUSE_MS * attempt, asked)
}
