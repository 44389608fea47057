import type { Node } from '@pgsql/types'
import { offsetOf } from '../../text/nodes.ts'
import { notAllowed, notSupported } from '../../text/refusal.ts'
import { bindTerm } from '../expression/bind-expression.ts'
import type { Frame } from '../expression/bind-expression.ts'
import { coerce } from '../expression/build-expression.ts'

/** The fraction of a quantile that is written out, in millionths, so that it is a fraction of whole numbers. */
export function readFraction(node: Node, name: string, inner: Frame): number {
  const written = coerce(bindTerm(node, inner), 'number', { offset: offsetOf(node), name })
  const value = written.kind === 'literal' ? Number(written.value ?? Number.NaN) : Number.NaN
  if (!(value >= 0 && value <= 1))
    throw notAllowed(`"${name}" of a fraction that is not written out between 0 and 1`, offsetOf(node))
  return Math.round(value * 1_000_000)
}

/** What a value is ordered by in WITHIN GROUP, and which way. */
export function sortedValue(order: Node): { readonly value: Node; readonly isDescending: boolean } {
  if (!('SortBy' in order) || order.SortBy.node === undefined) throw notSupported('this ORDER BY')
  return { value: order.SortBy.node, isDescending: order.SortBy.sortby_dir === 'SORTBY_DESC' }
}
