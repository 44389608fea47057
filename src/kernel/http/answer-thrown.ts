import type { Context } from 'hono'
import type { ServerResponse } from 'node:http'
import { FAULTS, Fault, sayOf } from '../faults.ts'
import type { Log } from '../log.ts'
import { faultOf } from '../postgres/fault-of.ts'
import { problemOf, problemResponse } from './problem-of.ts'
import { SenderLeft } from './request-body.ts'
import { requestIdOf } from './request-id.ts'
import { TooManyRequests } from './request-rates.ts'

/** The problem document of what was thrown; what is a failure of ours is told to the log too. */
export function answerThrown(log: Log, thrown: unknown, context: Context): Response {
  const fault = faultOf(thrown, 'Cannot serve the request')
  const document = problemOf(fault, requestIdOf(context))
  noteThrown(log, { thrown, fault, status: document.status }, context)
  const { isRetryable } = FAULTS[fault.code]
  return problemResponse(document, {
    ...(document.status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
    ...(isRetryable ? { 'retry-after': String(retryAfterSeconds(fault)) } : {}),
  })
}

/**
 * Ends the connection of an answer that broke on its way. What the adapter would print of it, message and all, may have been about a
 * person.
 *
 * @returns whether there was a connection
 */
export function endBroken(log: Log, thrown: unknown, context: Context): boolean {
  const fault = faultOf(thrown, 'Cannot go on with the answer')
  noteThrown(log, { thrown, fault, status: FAULTS[fault.code].status }, context)
  // Without a connection the door was called in the same process.
  const { outgoing } = (context.env ?? {}) as { outgoing?: ServerResponse }
  outgoing?.destroy()
  return outgoing !== undefined
}

function noteThrown(
  log: Log,
  { thrown, fault, status }: { thrown: unknown; fault: Fault; status: number },
  context: Context,
): void {
  const hasLeft = fault instanceof SenderLeft
  if (status < 500 && !hasLeft) return
  const isForeseen = fault.code !== 'fault.internal'
  const facts = {
    requestId: requestIdOf(context),
    code: fault.code,
    what: sayOf(thrown),
    stack: isForeseen ? undefined : stackOf(thrown),
  }
  if (hasLeft) log.info('request.left', facts)
  else log.error('request.failed', facts)
}

/** Whole seconds, rounded up (RFC 9110 §10.2.3). */
function retryAfterSeconds(fault: Fault): number {
  return fault instanceof TooManyRequests ? Math.max(1, Math.ceil(fault.waitMs / 1_000)) : 1
}

/** The places in the code, without the message. */
function stackOf(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || thrown instanceof Fault) return undefined
  return thrown.stack
    ?.split('\n')
    .filter((line) => line.trimStart().startsWith('at '))
    .slice(0, 8)
    .join(' | ')
}
