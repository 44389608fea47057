import type { Context } from 'hono'

/** The id of a request, by which the log and a problem document name it. */
const requestIds = new WeakMap<Request, string>()

/** The caller's own id of a request, which only its answer carries: it stands in no log. */
const echoedIds = new WeakMap<Request, string>()

/** Remembers the id that a request was given. */
export function noteRequestId(raw: Request, requestId: string): void {
  requestIds.set(raw, requestId)
}

export function requestIdOf({ req: { raw } }: Context): string {
  return requestIds.get(raw) ?? 'unknown'
}

/** The id that the answer carries: the caller's own, where it is to be given back. */
export function answeredIdOf({ req: { raw } }: Context): string {
  return echoedIds.get(raw) ?? requestIds.get(raw) ?? 'unknown'
}

/** Anything that can be a name; what could be taken for more than that is not given back. */
export function echoRequestId(raw: Request): void {
  const own = raw.headers.get('x-request-id')
  if (own !== null && /^[\x21-\x7e]{1,200}$/.test(own)) echoedIds.set(raw, own)
}
