import { OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import type { z } from 'zod'
import type { Clock } from '../clock.ts'
import { dateOf } from '../clock.ts'
import { Fault } from '../faults.ts'
import type { IdSource } from '../id.ts'
import type { Log } from '../log.ts'
import { parseWith } from '../parse.ts'
import { allowedMethods } from './allowed-methods.ts'
import { answerThrown, endBroken } from './answer-thrown.ts'
import { describeOperation } from './describe-operation.ts'
import { DOCS_CONTENT_POLICY, docsPage } from './docs-page.ts'
import type { Endpoint } from './endpoint.ts'
import { onceByKey } from './idempotency.ts'
import type { IdempotencyStore } from './idempotency.ts'
import { problemOf, problemResponse } from './problem-of.ts'
import { SenderLeft, readBody, requireJson } from './request-body.ts'
import { answeredIdOf, echoRequestId, noteRequestId, requestIdOf } from './request-id.ts'
import type { RequestRates } from './request-rates.ts'

/** What a handler is given: everything parsed, and who calls. */
export interface DoorRequest<Caller, P, Q, B> {
  readonly caller: Caller
  readonly params: P
  readonly query: Q
  readonly body: B
  /** The request as it came, for streams and headers. */
  readonly raw: Request
  /** Ended when the client goes away. */
  readonly signal: AbortSignal
  readonly requestId: string
  /** The `Idempotency-Key`, for acts that keep it in their own transaction. */
  readonly idempotencyKey: string | undefined
  /** Told what broke an answer that is on its way: it is logged as any failure is, and the connection ends. Whether there was one. */
  readonly broken: BrokenAnswer
}

/** See `DoorRequest.broken`. */
export type BrokenAnswer = (thrown: unknown) => boolean

/** What a door is made of. `Caller` is who a token says is calling. */
export interface DoorParts<Caller> {
  readonly title: string
  readonly description: string
  readonly version: string
  readonly log: Log
  readonly clock: Clock
  readonly ids: IdSource
  /** Who sends this request; throws `fault.unauthenticated`. */
  authenticate(request: Request): Promise<Caller>
  /** A name of the caller, under which idempotency keys are kept apart. */
  nameOf(caller: Caller): string
  readonly idempotency: IdempotencyStore
  /** How much one caller may ask for; absent: as much as they like. */
  readonly rates?: RequestRates | undefined
  /** Whether the caller is a person, who asks for less than a machine does. */
  isPerson?(caller: Caller): boolean
  /** Whether the server may serve; what is missing, in public words, when it may not. */
  readiness(): Promise<{ readonly isReady: boolean; readonly checks: Readonly<Record<string, boolean>> }>
  /** Prometheus text. */
  metrics(): Promise<string>
  /** Who may read them; absent: everybody. */
  mayReadMetrics?(context: Context): boolean
}

/** A door: a web application to which endpoints are added one by one. */
export interface Door<Caller> {
  readonly app: OpenAPIHono
  /** Adds an endpoint. The handler gives the wire form of its response, or a whole `Response` for files and texts. */
  serve<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType, R extends z.ZodType>(
    endpoint: Endpoint<P, Q, B, R>,
    handler: (
      request: DoorRequest<Caller, z.output<P>, z.output<Q>, z.output<B>>,
    ) => Promise<z.input<R> | Response>,
  ): void
}

/**
 * Makes a door with what every door has: request ids, problem documents, body limit, idempotency, `/healthz`,
 * `/readyz`, `/metrics`, `/openapi.json` and `/docs`.
 */
export function createDoor<Caller>(parts: DoorParts<Caller>): Door<Caller> {
  const app = new OpenAPIHono()
  app.openAPIRegistry.registerComponent('securitySchemes', 'token', {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description:
      'A short-lived token signed with the caller’s key (RFC 7523), at most five minutes, used once; people send the token of their OpenID Connect provider.',
  })
  app.notFound((context) => answerUnserved(app, context))
  app.onError((thrown, context) => answerThrown(parts.log, thrown, context))
  app.use('*', async (context, next) => {
    noteRequestId(context.req.raw, parts.ids.next('req'))
    await next()
    // Set on the response itself: going through the context would make it, and the stream of its body, anew.
    const { headers } = context.res
    headers.set('x-request-id', answeredIdOf(context))
    // Our own clock's time, by which tokens are judged: a caller whose clock differs can say so, and by how much.
    headers.set('date', dateOf(parts.clock.now()).toUTCString())
    headers.set('x-content-type-options', 'nosniff')
    if (!headers.has('cache-control')) headers.set('cache-control', 'no-store')
  })
  addOperations(app, parts)
  return {
    app,
    serve(endpoint, handler) {
      app.openAPIRegistry.registerPath(describeOperation(endpoint))
      const path = endpoint.path.replaceAll(/\{(\w+)\}/g, ':$1').replace(/:path$/, ':path{.+}')
      app.on(endpoint.method.toUpperCase(), path, (context) =>
        serveRequest(parts, { context, endpoint, handler }).catch((thrown: unknown) => {
          throw isGivenUp(thrown, context.req.raw) ? new SenderLeft(thrown) : thrown
        }),
      )
    },
  }
}

/** Whether nothing failed: an act was given up because its caller had left. What fails meanwhile is a failure all the same. */
function isGivenUp(thrown: unknown, raw: Request): boolean {
  return !(thrown instanceof Fault) && raw.signal.aborted && thrown === raw.signal.reason
}

interface Serving<
  Caller,
  P extends z.ZodObject,
  Q extends z.ZodObject,
  B extends z.ZodType,
  R extends z.ZodType,
> {
  readonly context: Context
  readonly endpoint: Endpoint<P, Q, B, R>
  readonly handler: (
    request: DoorRequest<Caller, z.output<P>, z.output<Q>, z.output<B>>,
  ) => Promise<z.input<R> | Response>
}

async function serveRequest<
  Caller,
  P extends z.ZodObject,
  Q extends z.ZodObject,
  B extends z.ZodType,
  R extends z.ZodType,
>(parts: DoorParts<Caller>, { context, endpoint, handler }: Serving<Caller, P, Q, B, R>): Promise<Response> {
  const raw = context.req.raw
  if (endpoint.echoesRequestId === true) echoRequestId(raw)
  const caller = await callerOf(parts, { context, endpoint })
  const text = endpoint.body === undefined ? '' : await readBody(raw, endpoint)
  const request = {
    caller,
    params: parsePart(endpoint.params, context.req.param()),
    query: parsePart(endpoint.query, queryOf(context)),
    body: parsePart(endpoint.body, endpoint.body === undefined ? undefined : requireJson(text)),
    raw,
    // Only on demand: it makes the server build a whole request.
    get signal() {
      return raw.signal
    },
    requestId: requestIdOf(context),
    idempotencyKey: raw.headers.get('idempotency-key') ?? undefined,
    broken: (thrown: unknown) => endBroken(parts.log, thrown, context),
  }
  const exchanged = endpoint.isExchange === true ? assertionIn(request.body) : undefined
  if (exchanged !== undefined) parts.rates?.admitExchange(context, exchanged)
  const act = async (): Promise<Response> => {
    const answer = await handler(request)
    // The handler gives no other token for one that is not good.
    if (exchanged !== undefined) parts.rates?.noteGood(exchanged)
    return answer instanceof Response ? answer : jsonResponse(answer, endpoint.status ?? 200)
  }
  const key = raw.headers.get('idempotency-key')
  if (endpoint.isIdempotent !== true || key === null || endpoint.isPublic === true) return act()
  return onceByKey(parts.idempotency, {
    caller: parts.nameOf(caller),
    key,
    body: `${endpoint.method} ${context.req.path}${new URL(raw.url).search}\n${text}`,
    act,
  })
}

/** Of a parameter that is there twice one reader takes the first and another the last. */
function queryOf({ req }: Context): Readonly<Record<string, string>> {
  const twice = Object.entries(req.queries()).find(([, values]) => values.length > 1)
  if (twice === undefined) return req.query()
  throw new Fault('fault.request_malformed', {
    what: `Cannot read the request: "${twice[0]}" is there twice`,
  })
}

/** Who calls, when they may call now. */
async function callerOf<Caller>(
  parts: DoorParts<Caller>,
  { context, endpoint }: { context: Context; endpoint: Pick<Endpoint, 'isPublic' | 'isExchange' | 'method'> },
): Promise<Caller> {
  const { rates } = parts
  if (endpoint.isPublic === true) {
    // What is read by anybody is a file or as good as one; what is sent by anybody is a signature to verify. A token that is
    // to be exchanged is looked at where it is read.
    if (endpoint.method !== 'get' && endpoint.isExchange !== true) rates?.admitUnknown(context)
    // Public endpoints never look at their caller; the type has no "nobody" for the sake of all the others.
    return undefined as Caller
  }
  const token = bearerOf(context.req.raw)
  rates?.admitToken(context, token)
  try {
    const caller = await parts.authenticate(context.req.raw)
    rates?.noteGood(token)
    rates?.admitCaller(parts.nameOf(caller), parts.isPerson?.(caller) === true ? 'person' : 'caller')
    return caller
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.code === 'fault.unauthenticated') rates?.noteRefused(context)
    throw thrown
  }
}

function bearerOf(request: Request): string {
  return /^Bearer (.+)$/i.exec(request.headers.get('authorization') ?? '')?.[1] ?? ''
}

/** The token that is to be exchanged for another (RFC 7523 §2.1). */
function assertionIn(body: unknown): string {
  const isThere = typeof body === 'object' && body !== null && 'assertion' in body
  return isThere && typeof body.assertion === 'string' ? body.assertion : ''
}

function addOperations<Caller>(app: OpenAPIHono, parts: DoorParts<Caller>): void {
  app.get('/healthz', (context) => context.json({ status: 'alive' }))
  app.get('/readyz', async (context) => {
    const { isReady, checks } = await parts.readiness()
    return context.json({ status: isReady ? 'ready' : 'not ready', checks }, isReady ? 200 : 503)
  })
  app.get('/metrics', async (context) => {
    if (parts.mayReadMetrics?.(context) === false)
      throw new Fault('fault.forbidden', {
        what: 'Metrics are for this machine and for those that the settings name',
      })
    return context.text(await parts.metrics(), 200, {
      'content-type': 'text/plain; version=0.0.4; charset=utf-8',
    })
  })
  const document = once(() =>
    app.getOpenAPI31Document({
      openapi: '3.1.0',
      info: {
        title: parts.title,
        version: parts.version,
        description: parts.description,
        license: { name: 'Apache-2.0' },
      },
      security: [{ token: [] }],
    }),
  )
  // Made at the first request for it, when every endpoint is there: for anybody to read, and dear to make.
  const json = once(() => JSON.stringify(document()))
  const page = once(() => docsPage(document()))
  app.get('/openapi.json', (context) =>
    context.body(json(), 200, { 'content-type': 'application/json; charset=UTF-8' }),
  )
  app.get('/docs', (context) => context.html(page(), 200, { 'content-security-policy': DOCS_CONTENT_POLICY }))
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => (made ??= { value: make() }).value
}

/** No such address, or one that takes other methods, which are named (RFC 9110 §15.5.6). */
function answerUnserved(app: OpenAPIHono, context: Context): Response {
  const { path, method } = context.req
  const allowed = allowedMethods(app, path).join(', ')
  const fault =
    allowed === ''
      ? new Fault('fault.not_found', { what: 'No such address' })
      : new Fault('fault.method_not_allowed', {
          what: `Cannot ${method} this address: it takes ${allowed}`,
        })
  return problemResponse(problemOf(fault, requestIdOf(context)), allowed === '' ? {} : { allow: allowed })
}

function parsePart<S extends z.ZodType>(schema: S | undefined, value: unknown): z.output<S> {
  // Without a schema the handler's type for this part is never looked at.
  if (schema === undefined) return undefined as z.output<S>
  const parsed = parseWith(schema, value)
  if (!parsed.ok)
    throw new Fault('fault.request_malformed', {
      what: 'Cannot read the request: some fields are not what was expected',
      errors: parsed.error,
    })
  return parsed.value
}

function jsonResponse(value: unknown, status: number): Response {
  if (status === 204) return new Response(null, { status })
  return new Response(JSON.stringify(value), { status, headers: { 'content-type': 'application/json' } })
}
