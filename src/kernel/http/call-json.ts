import type { z } from 'zod'
import { Fault } from '../faults.ts'
import { describeProblems, parseWith } from '../parse.ts'

/** One call of a JSON door. */
export interface JsonCall<S extends z.ZodType> {
  readonly url: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Bearer token, if the door wants one. */
  readonly token?: string | undefined
  readonly body?: unknown
  readonly idempotencyKey?: string | undefined
  /** Parses what comes back. */
  readonly response: S
  readonly signal?: AbortSignal | undefined
}

/** A refusal of the other side, with its status and the code of its problem document. */
export class PeerRefusal extends Fault {
  readonly status: number
  readonly problemCode: string

  constructor(facts: { what: string; status: number; problemCode: string }) {
    super('fault.peer_refused', { what: facts.what })
    this.status = facts.status
    this.problemCode = facts.problemCode
  }
}

/**
 * Calls a JSON door and parses the answer.
 *
 * @throws Fault `fault.peer_unreachable` when nothing answers, `PeerRefusal` when the other side says no.
 */
export async function callJson<S extends z.ZodType>(call: JsonCall<S>): Promise<z.output<S>> {
  const response = await send(call)
  const text = await readText(response, call.url)
  if (!response.ok) throw refusalOf(response.status, text)
  const parsed = parseWith(call.response, text === '' ? undefined : parseJson(text))
  if (!parsed.ok) {
    throw new Fault('fault.peer_refused', {
      what: `Cannot read the answer of ${hostOf(call.url)}: ${describeProblems(parsed.error)}`,
    })
  }
  return parsed.value
}

async function send({
  url,
  method,
  token,
  body,
  idempotencyKey,
  signal,
}: JsonCall<z.ZodType>): Promise<Response> {
  const headers = new Headers({ accept: 'application/json' })
  if (token !== undefined) headers.set('authorization', `Bearer ${token}`)
  if (body !== undefined) headers.set('content-type', 'application/json')
  if (idempotencyKey !== undefined) headers.set('idempotency-key', idempotencyKey)
  try {
    return await fetch(url, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    })
  } catch (cause) {
    throw new Fault('fault.peer_unreachable', { what: `Cannot reach ${hostOf(url)}`, cause })
  }
}

async function readText(response: Response, url: string): Promise<string> {
  try {
    return await response.text()
  } catch (cause) {
    throw new Fault('fault.peer_unreachable', { what: `The line to ${hostOf(url)} broke`, cause })
  }
}

function refusalOf(status: number, text: string): PeerRefusal {
  const problem = parseJson(text)
  const { code, title, detail } = (typeof problem === 'object' && problem !== null ? problem : {}) as Record<
    string,
    unknown
  >
  const problemCode = typeof code === 'string' ? code : `http.${status}`
  const said = [title, detail].filter((part) => typeof part === 'string').join(': ')
  return new PeerRefusal({
    what: said === '' ? `The other side answered ${status}` : said,
    status,
    problemCode,
  })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function hostOf(url: string): string {
  return new URL(url).host
}
