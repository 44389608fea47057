import { FAULTS, Fault } from '../faults.ts'
import type { FaultCode, FieldProblem } from '../faults.ts'

/** An RFC 9457 problem document; its schema for the wire is `protocol/problem.ts`. */
export interface ProblemDocument {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: string
  readonly detail?: string
  readonly instance?: string
  readonly errors?: { readonly field: string; readonly expected: string }[]
}

/** Faults whose own words are about what the caller sent, and so are for the caller too. */
const SPOKEN: ReadonlySet<FaultCode> = new Set<FaultCode>([
  'fault.request_malformed',
  'fault.unauthenticated',
  'fault.outside_perimeter',
  'fault.method_not_allowed',
  'fault.conflict',
  'fault.idempotency_conflict',
  'fault.request_too_large',
  'fault.import_malformed',
  'fault.manifest_invalid',
])

/**
 * The problem document of anything that was thrown. What is ours to know (a database, a bug) is told only by its
 * public text and remedy; whether something exists that the caller may not see is not told at all.
 *
 * `instance` names the request, as the log does.
 */
export function problemOf(thrown: unknown, instance?: string): ProblemDocument {
  const code: FaultCode = thrown instanceof Fault ? thrown.code : 'fault.internal'
  const { status, publicText, remedy } = FAULTS[code]
  return problem({
    code,
    status,
    title: publicText,
    detail: thrown instanceof Fault ? detailOf(thrown) : remedy,
    ...(instance === undefined ? {} : { instance }),
    ...(thrown instanceof Fault && thrown.errors.length > 0 ? { errors: thrown.errors } : {}),
  })
}

function detailOf({ code, message, isForCaller }: Fault): string {
  const { remedy } = FAULTS[code]
  if (SPOKEN.has(code)) return message
  return isForCaller ? `${message}; ${remedy.charAt(0).toLowerCase()}${remedy.slice(1)}` : remedy
}

/** A problem document with the address of its code in the reference as its type. */
function problem({
  code,
  status,
  title,
  detail,
  instance,
  errors,
}: {
  code: string
  status: number
  title: string
  detail?: string
  instance?: string
  errors?: readonly FieldProblem[]
}): ProblemDocument {
  return {
    type: `urn:hedgerow:problem:${code}`,
    title,
    status,
    code,
    ...(detail === undefined ? {} : { detail }),
    ...(instance === undefined ? {} : { instance: `urn:hedgerow:request:${instance}` }),
    ...(errors === undefined ? {} : { errors: errors.map(({ field, expected }) => ({ field, expected })) }),
  }
}

/** The same as an HTTP response. */
export function problemResponse(
  document: ProblemDocument,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(JSON.stringify(document), {
    status: document.status,
    headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store', ...headers },
  })
}
