import type { FuncCall, Node } from '@pgsql/types'
import { LIMITS } from '../../../../kernel/limits.ts'
import type { Expr } from '../../bound/bound-query.ts'
import { notAllowed } from '../../text/refusal.ts'
import { caseOf, call, coerce, commonType, literal, requireScalar } from './build-expression.ts'
import type { Term } from './build-expression.ts'

/**
 * `width_bucket(x, array[…])`: how many of the edges, which are written out and rise, are not above the value. It is bound as
 * the CASE that it stands for, so that what a grouping by it tells apart is judged as that of comparisons. `undefined` for
 * any other call.
 */
export function bindBuckets(
  { args = [], location }: FuncCall,
  name: string,
  bind: (node: Node) => Term,
): Expr | undefined {
  const [value, list, more] = args
  if (name !== 'width_bucket' || !value || !list || more || !('A_ArrayExpr' in list)) return undefined
  const terms = [value, ...(list.A_ArrayExpr.elements ?? [])].map(bind)
  const place = { offset: location, name }
  const type = commonType(terms)
  if (type === undefined || type === 'boolean')
    throw notAllowed('"width_bucket" of a value and edges of other types', location)
  const [of, ...edges] = terms.map((term) => coerce(term, type, place))
  if (of === undefined) return undefined
  requireScalar(of, location)
  if (edges.length === 0 || edges.length > LIMITS.queryExpressionSizeMax || !areRising(edges))
    throw notAllowed('"width_bucket" by edges that are not written out and rising', location)
  const whens = edges.map((edge, index) => ({
    when: call('ge', [of, edge]),
    value: literal('integer', index + 1),
  }))
  const below = { when: call('is_not_null', [of]), value: literal('integer', 0) }
  return caseOf([...whens.toReversed(), below], undefined)
}

/** Numbers, or texts of days and times, which sort as these do. */
function areRising(edges: readonly Expr[]): boolean {
  const values = edges.map((edge) => (edge.kind === 'literal' ? edge.value : null))
  return values.every((value, index) => {
    const before = values[index - 1]
    if (typeof value === 'number') return index === 0 || (typeof before === 'number' && before < value)
    return typeof value === 'string' && (index === 0 || (typeof before === 'string' && before < value))
  })
}
