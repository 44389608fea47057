import { Fault } from '../../kernel/faults.ts'
import type { FieldProblem } from '../../kernel/faults.ts'
import type { AccessRequest, AccessRequests, EvaluationsSemantic } from '../../protocol/http/access-api.ts'

/** What several evaluations come to: with `evaluations` a list, without one or with an empty one a single one. */
export type Boxcarred =
  | { readonly single: AccessRequest }
  | { readonly several: readonly AccessRequest[]; readonly semantic: EvaluationsSemantic }

/**
 * Fills in what stands at the top (AuthZEN 1.0 §7.1.1): a part that an evaluation has is its own, whole; nothing is merged into
 * it. Pure.
 *
 * @throws Fault `fault.request_malformed` naming each part that stands nowhere
 */
export function unpackEvaluations({ evaluations = [], options, ...defaults }: AccessRequests): Boxcarred {
  if (evaluations.length === 0) return { single: wholeRequest(defaults) }
  const problems: FieldProblem[] = []
  const several = evaluations.map((own, index) => {
    const merged = { ...defaults, ...own }
    problems.push(...missingParts(merged, `evaluations[${index}].`))
    return merged
  })
  if (problems.length > 0) throw malformed(problems)
  return {
    several: several.map(wholeRequest),
    semantic: options?.evaluations_semantic ?? 'execute_all',
  }
}

/**
 * Evaluates in the order of the list, each once those before it are done: `deny_on_first_deny` ends with the first that is not
 * allowed, `permit_on_first_permit` with the first that is (§7.1.2). What comes after is not looked at at all.
 */
export async function evaluateInOrder<T>(
  { several, semantic }: Extract<Boxcarred, { several: unknown }>,
  evaluate: (request: AccessRequest) => Promise<{ readonly isAllowed: boolean; readonly value: T }>,
): Promise<T[]> {
  const done: T[] = []
  for (const request of several) {
    const { isAllowed, value } = await evaluate(request)
    done.push(value)
    if (semantic === 'deny_on_first_deny' && !isAllowed) break
    if (semantic === 'permit_on_first_permit' && isAllowed) break
  }
  return done
}

type Parts = Omit<AccessRequests, 'evaluations' | 'options'>

function wholeRequest(parts: Parts): AccessRequest {
  const { subject, action, resource, context } = parts
  if (!subject || !action || !resource) throw malformed(missingParts(parts, ''))
  return { subject, action, resource, ...(context ? { context } : {}) }
}

function missingParts(parts: Parts, prefix: string): readonly FieldProblem[] {
  return (['subject', 'action', 'resource'] as const)
    .filter((part) => parts[part] === undefined)
    .map((part) => ({ field: `${prefix}${part}`, expected: `expected the ${part}; it is missing` }))
}

function malformed(errors: readonly FieldProblem[]): Fault {
  return new Fault('fault.request_malformed', {
    what: 'Cannot read the request: some fields are not what was expected',
    errors: [...errors],
  })
}
