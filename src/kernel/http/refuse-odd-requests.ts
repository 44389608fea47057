import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { Fault } from '../faults.ts'
import { announcesBody } from './end-slow-bodies.ts'
import { problemOf } from './problem-of.ts'

/**
 * Refuses requests that the parser lets through and that a proxy before the door may read in another way than we do, so that one
 * request for it would be two for us (RFC 9112 §3.2, §6.1, §11.2). The connection ends with the answer: what comes after on it may
 * be part of the same request.
 */
export function refuseOddRequests(listener: RequestListener): RequestListener {
  return (request, response) => {
    const what = whatIsOdd(request)
    if (what === undefined) listener(request, response)
    else refuse(response, what)
  }
}

function whatIsOdd(request: IncomingMessage): string | undefined {
  const { httpVersion, method, headers } = request
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return 'it is of no version of HTTP that is spoken here'
  if (isHostTwice(request)) return 'it names two hosts'
  const oddAddress = whatIsOddIn(request)
  if (oddAddress !== undefined) return oddAddress
  const coding = headers['transfer-encoding']
  if (coding !== undefined && (httpVersion === '1.0' || coding.toLowerCase() !== 'chunked'))
    return 'its body is coded for the way otherwise than in chunks'
  if ((method === 'GET' || method === 'HEAD') && announcesBody(request)) return `${method} takes no body`
  return undefined
}

/** A host as it is written in an address; a name in other letters is sent in these (RFC 5891). */
const HOST = /^(?:[\w.~-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i
const ABSOLUTE = /^https?:\/\/([^/?#]*)/i
/** A step up, or to the same place, as the adapter resolves it: by what a proxy reads, it would lead elsewhere. */
const STEP = /\/(?:\.|%2e){1,2}(?:\/|$)/i

/**
 * The address, and the host (RFC 9112 §3.2). What is left out of it here because no client sends it: a fragment, a backslash, steps. A
 * proxy that lets `/tile/../v1/officers` through as a tile would let everything through.
 */
function whatIsOddIn({ url = '', headers: { host = '' } }: IncomingMessage): string | undefined {
  if (host !== '' && !HOST.test(host)) return 'its host is none'
  const [begin = '', named] = ABSOLUTE.exec(url) ?? []
  if (named !== undefined && named.toLowerCase() !== host.toLowerCase()) return 'it names two hosts'
  const [path = ''] = url.slice(begin.length).split('?', 1)
  if (named === undefined && !path.startsWith('/')) return 'its address does not begin with "/"'
  // No value has one: a body with a NUL is refused as well, and PostgreSQL holds none.
  if (/%00/.test(url)) return 'its address has a NUL in it'
  if (path.includes('\\') || url.includes('#')) return 'its address has a "\\" or a "#" in it'
  return STEP.test(path) ? 'its address has steps in it, such as "/../"' : undefined
}

/** Node keeps the first of them, others the last. */
function isHostTwice({ rawHeaders }: IncomingMessage): boolean {
  let count = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]
    if (name?.length === 4 && name.toLowerCase() === 'host') count += 1
  }
  return count > 1
}

function refuse(response: ServerResponse, what: string): void {
  const problem = problemOf(
    new Fault('fault.request_malformed', { what: `Cannot take the request: ${what}` }),
  )
  const body = JSON.stringify(problem)
  response.writeHead(problem.status, {
    'content-type': 'application/problem+json',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    connection: 'close',
  })
  response.end(body)
}
