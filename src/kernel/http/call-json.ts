import type { IncomingMessage } from 'node:http'
import type { z } from 'zod'
import { parseJson } from '../parse-json.ts'
import type { Clock } from '../clock.ts'
import { durationText, parseHttpDate } from '../clock.ts'
import { Fault } from '../faults.ts'
import type { FieldProblem } from '../faults.ts'
import { LIMITS } from '../limits.ts'
import { describeProblems, parseWith } from '../parse.ts'
import { sendRequest } from './send-request.ts'
import type { HttpRequest } from './send-request.ts'
import { whatIsMissing } from './what-is-missing.ts'
import type { NotFound } from './what-is-missing.ts'

/** One call of a JSON door. */
export interface JsonCall<S extends z.ZodType> {
  readonly url: string
  /** The same as the table of routes has it, with parameters in braces: by it a refusal calls what is missing by its name. */
  readonly path?: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Bearer token, if the door wants one. */
  readonly token?: string | undefined
  readonly body?: unknown
  readonly idempotencyKey?: string | undefined
  /** Parses what comes back. */
  readonly response: S
  readonly signal?: AbortSignal | undefined
  readonly isAgain?: HttpRequest['isAgain']
  /** Ours: a refused token is often one of a clock that is wrong, and then it is said by how much. */
  readonly clock: Clock
}

/** A refusal of the other side, with the status, the code and the fields of its problem document. */
export class PeerRefusal extends Fault {
  readonly status: number
  readonly problemCode: string
  /** For how long the other side wants not to be asked again, where it says so. */
  readonly retryAfterMs: number | undefined

  constructor(facts: {
    what: string
    status: number
    problemCode: string
    retryAfterMs?: number | undefined
    errors?: readonly FieldProblem[]
  }) {
    super('fault.peer_refused', { what: facts.what, errors: facts.errors ?? [] })
    this.status = facts.status
    this.problemCode = facts.problemCode
    this.retryAfterMs = facts.retryAfterMs
  }
}

/**
 * Calls a JSON door and parses the answer.
 *
 * @throws Fault `fault.peer_unreachable` when nothing answers, `PeerRefusal` when the other side says no.
 */
export async function callJson<S extends z.ZodType>(call: JsonCall<S>): Promise<z.output<S>> {
  const { response, text } = await send(call)
  if (!isOk(response)) throw refusalOf(response, { ...call, text, path: call.path })
  const parsed = parseWith(call.response, text === '' ? undefined : parseJson(text))
  if (!parsed.ok) {
    throw new Fault('fault.peer_refused', {
      what: `Cannot read the answer of ${hostOf(call.url)}: ${describeProblems(parsed.error)}`,
    })
  }
  return parsed.value
}

/** Calls a door that answers with a text or a file of another kind; refusals are the same. */
export async function callText(call: Omit<JsonCall<z.ZodType>, 'response'>): Promise<string> {
  const { response, text } = await send(call)
  if (!isOk(response)) throw refusalOf(response, { ...call, text, path: call.path })
  return text
}

/** What is looked at of an answer beside its text; the platform's own `Response` is one too. */
interface Answer {
  readonly status: number
  readonly headers: { get(name: string): string | null }
}

function isOk({ status }: Answer): boolean {
  return status >= 200 && status < 300
}

function send({
  url,
  method,
  token,
  body,
  idempotencyKey,
  signal,
  isAgain,
}: Omit<JsonCall<z.ZodType>, 'response'>): Promise<Sent> {
  const headers = {
    accept: 'application/json',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
  }
  const json =
    body === undefined ? undefined : { type: 'application/json', bytes: Buffer.from(JSON.stringify(body)) }
  return sendBytes({ url, method, headers, body: json, signal, isAgain })
}

interface Sent {
  readonly response: Answer
  readonly text: string
}

/** Sends and reads the whole answer. */
async function sendBytes(request: HttpRequest): Promise<Sent> {
  const incoming = await sendRequest(request)
  try {
    return { response: answerOf(incoming), text: await readText(incoming) }
  } catch (cause) {
    throw new Fault('fault.peer_unreachable', { what: `The line to ${hostOf(request.url)} broke`, cause })
  }
}

/** An answer of which the body is read apart. */
export function answerOf({ statusCode, headers }: IncomingMessage): Answer {
  return {
    status: statusCode ?? 0,
    headers: {
      get: (name) => {
        const value = headers[name]
        return Array.isArray(value) ? value.join(', ') : (value ?? null)
      },
    },
  }
}

/** The whole body of an answer. */
export async function readText(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

/** What another side refused, in the words of its problem document where it sent one. */
export function refusalOf(
  response: Answer,
  { text, url, path, clock }: { text: string; clock: Clock } & NotFound,
): PeerRefusal {
  const { code, title, detail, errors } = recordOf(parseJson(text))
  const { status } = response
  const what =
    unforeseen(response, url) ??
    (status === 404 && code === 'fault.not_found' ? whatIsMissing({ url, path }) : undefined) ??
    inOneSentence(title, detail) ??
    `${hostOf(url)} answered ${status}`
  const ours = status === 401 ? clockDifference(response, { url, clock }) : undefined
  return new PeerRefusal({
    what: ours === undefined ? what : `${what}; ${ours}`,
    status,
    problemCode: typeof code === 'string' ? code : `http.${status}`,
    retryAfterMs: secondsOf(response.headers.get('retry-after')),
    errors: Array.isArray(errors) ? errors.flatMap(fieldProblemOf) : [],
  })
}

/** A `Retry-After` in seconds; the other form, a date, is not used here. */
function secondsOf(header: string | null): number | undefined {
  return header !== null && /^\d{1,6}$/.test(header) ? Number(header) * 1_000 : undefined
}

/** A failure about which the other side tells its own log only. */
function unforeseen({ status, headers }: Answer, url: string): string | undefined {
  const requestId = headers.get('x-request-id')
  return status === 500 && requestId !== null
    ? `${hostOf(url)} could not do it; its log says why, under ${requestId}`
    : undefined
}

/** Title and detail as they are read on: what is to be done comes after a semicolon. */
function inOneSentence(title: unknown, detail: unknown): string | undefined {
  if (typeof title !== 'string') return undefined
  if (typeof detail !== 'string') return title
  const isAdvice = /^[A-Z][a-z]/.test(detail) && !detail.startsWith('Cannot ')
  return isAdvice ? `${title}; ${detail.charAt(0).toLowerCase()}${detail.slice(1)}` : `${title}: ${detail}`
}

/** `the clock of this machine is 60 minutes behind that of …`, when it is so wrong that tokens are refused for it. */
function clockDifference(
  response: Answer,
  { url, clock }: { url: string; clock: Clock },
): string | undefined {
  const theirs = parseHttpDate(response.headers.get('date') ?? '')
  if (theirs === undefined) return undefined
  const aheadMs = clock.now() - theirs
  // Half, because the header tells whole seconds, and the answer has been on its way.
  if (Math.abs(aheadMs) < LIMITS.clockSkewMsMax / 2) return undefined
  const difference = `${durationText(aheadMs)} ${aheadMs > 0 ? 'ahead of' : 'behind'}`
  return `the clock of this machine is ${difference} that of ${hostOf(url)}: set right the one that is wrong`
}

function fieldProblemOf(problem: unknown): readonly FieldProblem[] {
  const { field, expected } = recordOf(problem)
  return typeof field === 'string' && typeof expected === 'string' ? [{ field, expected }] : []
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function hostOf(url: string): string {
  return new URL(url).host
}
