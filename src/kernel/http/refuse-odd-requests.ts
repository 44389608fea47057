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
  const coding = headers['transfer-encoding']
  if (coding !== undefined && (httpVersion === '1.0' || coding.toLowerCase() !== 'chunked'))
    return 'its body is coded for the way otherwise than in chunks'
  if ((method === 'GET' || method === 'HEAD') && announcesBody(request)) return `${method} takes no body`
  return undefined
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
