import type { Node } from '@pgsql/types'
import { LIMITS } from '../../../../kernel/limits.ts'
import { offsetOf } from '../../text/nodes.ts'
import { notSupported, tooLarge } from '../../text/refusal.ts'

/** What one set of a GROUP BY groups by. */
export type NodeSet = readonly Node[]

/** The sets that a GROUP BY asks for, as PostgreSQL writes them out; one set when there is no ROLLUP, CUBE or GROUPING SETS. */
export function groupingSetsOf(items: readonly Node[]): readonly NodeSet[] {
  return items.reduce<readonly NodeSet[]>(
    (sets, item) => limited(sets.flatMap((set) => setsOf(item).map((more) => [...set, ...more]))),
    [[]],
  )
}

function setsOf(item: Node): readonly NodeSet[] {
  if (!('GroupingSet' in item)) return [membersOf(item)]
  const { kind, content = [] } = item.GroupingSet
  if (kind === 'GROUPING_SET_SETS') return content.flatMap(setsOf)
  const parts = content.map(membersOf)
  if (kind === 'GROUPING_SET_ROLLUP')
    return Array.from({ length: parts.length + 1 }, (_, left) => parts.slice(0, parts.length - left).flat())
  if (kind === 'GROUPING_SET_CUBE') return parts.reduce(withAndWithout, [[]])
  return [parts.flat()]
}

function withAndWithout(sets: readonly NodeSet[], part: NodeSet): readonly NodeSet[] {
  return limited(sets.flatMap((set) => [[...set, ...part], set]))
}

/** `(a, b)` groups by both. */
function membersOf(item: Node): NodeSet {
  if ('RowExpr' in item) return (item.RowExpr.args ?? []).flatMap(membersOf)
  if (!('GroupingSet' in item)) return [item]
  if (item.GroupingSet.kind === 'GROUPING_SET_EMPTY') return []
  throw notSupported('GROUPING SETS within ROLLUP or CUBE', offsetOf(item))
}

function limited(sets: readonly NodeSet[]): readonly NodeSet[] {
  if (sets.length > LIMITS.queryGroupingSetsMax)
    throw tooLarge(`The question groups by more than ${LIMITS.queryGroupingSetsMax} sets of columns`)
  return sets
}
