import http from 'node:http'
import https from 'node:https'
import type { Socket } from 'node:net'
import { Fault } from '../faults.ts'
import { agentFor, dropAllKept, noteAnswered } from './kept-connections.ts'

/** One request. */
export interface HttpRequest {
  readonly url: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: { readonly type: string; readonly bytes: Buffer } | undefined
  readonly signal?: AbortSignal | undefined
  /** Sent once more: over a connection of its own, because a kept one had been closed. */
  readonly isAgain?: boolean | undefined
}

/**
 * The other side closed a kept connection as the request was sent, and not a byte of an answer came. Hardly ever was it taken on then,
 * but that is not certain: it may be sent again where doing it twice does no more than once (RFC 9112 §9.3.1).
 */
export class KeptConnectionClosed extends Fault {
  constructor(host: string, cause: unknown) {
    super('fault.peer_unreachable', { what: `Cannot reach ${host}`, cause })
  }
}

/**
 * Does it once more, over a new connection, if a kept one had been closed. Only for what the other side takes as a replay when it comes
 * twice.
 */
export async function againIfClosed<T>(send: (isAgain: boolean) => Promise<T>): Promise<T> {
  try {
    return await send(false)
  } catch (error) {
    if (!(error instanceof KeptConnectionClosed)) throw error
    return send(true)
  }
}

/**
 * Sends a request over a connection that is kept, and gives the answer as soon as its head is there. Not by `fetch`, which takes half
 * a millisecond more of the processor for each call; nobody here is redirected.
 *
 * @throws Fault `fault.peer_unreachable` when nothing answers; of it `KeptConnectionClosed`; `fault.request_malformed` for a
 *   header that cannot be sent
 */
export function sendRequest({
  url,
  method,
  headers,
  body,
  signal,
  isAgain = false,
}: HttpRequest): Promise<http.IncomingMessage> {
  const all = {
    ...headers,
    ...(body === undefined ? {} : { 'content-type': body.type, 'content-length': body.bytes.byteLength }),
  }
  return new Promise((resolve, reject) => {
    const { host } = new URL(url)
    const request = url.startsWith('https:') ? https.request : http.request
    try {
      const agent = !isAgain && agentFor(url)
      const sent = request(url, { method, headers: all, agent, ...(signal === undefined ? {} : { signal }) })
      let bytesBefore = 0
      sent.on('socket', (socket) => {
        bytesBefore = socket.bytesRead
      })
      sent.on('error', (cause) => {
        const isClosed = sent.reusedSocket && isUnanswered(sent.socket, bytesBefore) && isReset(cause)
        if (isClosed) dropAllKept()
        reject(isClosed ? new KeptConnectionClosed(host, cause) : unreachable(host, cause))
      })
      sent.on('response', (incoming) => {
        noteAnswered(incoming)
        resolve(incoming)
      })
      sent.end(body?.bytes)
    } catch (cause) {
      reject(unsendable(cause) ?? unreachable(host, cause))
    }
  })
}

/** A value that no header can carry was given by whoever makes the request: nobody was called. */
function unsendable(cause: unknown): Fault | undefined {
  if (!(cause instanceof Error && 'code' in cause && cause.code === 'ERR_INVALID_CHAR')) return undefined
  const header = /\["(?<name>[^"]+)"\]/.exec(cause.message)?.groups?.['name'] ?? 'a header'
  return new Fault('fault.request_malformed', {
    what: `Cannot send the request: ${header} holds a character that no header can carry`,
    cause,
  })
}

function unreachable(host: string, cause: unknown): Fault {
  return new Fault('fault.peer_unreachable', { what: `Cannot reach ${host}`, cause })
}

function isUnanswered(socket: Socket | null, bytesBefore: number): boolean {
  return socket !== null && socket.bytesRead === bytesBefore
}

/** The other side is gone: told by a reset, by an end before the answer ("socket hang up"), or when writing. */
function isReset(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && (cause.code === 'ECONNRESET' || cause.code === 'EPIPE')
}
