import type { FuncCall, SelectStmt } from '@pgsql/types'
import type { Expr, WindowCall } from '../../bound/bound-query.ts'
import { childrenOf, mapExpression, sameExpression } from '../../bound/same-expression.ts'
import { offsetWithin } from '../../text/nodes.ts'
import { notAllowed, notSupported, wrongColumn } from '../../text/refusal.ts'
import type { Frame } from '../expression/bind-expression.ts'
import { bindGrouping, bindHaving, bindOrder, bindTargets } from '../aggregate/bind-groups.ts'
import { bindGroupWindow, isOfAllRows, windowCall } from './bind-window.ts'
import { call, caseOf, literal, requireScalar } from '../expression/build-expression.ts'

/** What a SELECT that groups shows of each group, and which of the rows it reads stands for it. */
interface Regrouped {
  readonly targets: ReturnType<typeof bindTargets>
  readonly orderBy: ReturnType<typeof bindOrder>
  readonly isFirst: Expr
  readonly having: Expr | undefined
  /** Whether it groups by keys, or makes one row of all groups, and also of none. */
  readonly regrouped: 'by keys' | 'as one'
}

/**
 * A SELECT that groups the groups of another: an aggregate of it is the same window function over those that are alike in its keys,
 * and of these the first is shown. So it is computed of what was let through, like any other window.
 */
export function bindGroupsOfGroups(select: SelectStmt, plain: Frame): Regrouped {
  const made = new Set<Expr>()
  const frame: Frame = {
    ...plain,
    bindAggregate: (node, name) => {
      if (!isOfAllRows(name)) return undefined
      const window = aggregateOf(node, name, plain)
      made.add(window)
      return window
    },
  }
  const targets = bindTargets(select, frame)
  const grouping = bindGrouping(select, targets, plain)
  if (grouping.sets)
    throw notSupported(
      'GROUPING SETS, ROLLUP and CUBE over the groups of a SELECT',
      offsetWithin(select.groupClause),
    )
  const isDistinct = select.distinctClause !== undefined
  if (isDistinct && (select.groupClause || made.size > 0))
    throw notSupported(
      'DISTINCT beside an aggregate over the groups of a SELECT',
      offsetWithin(select.targetList),
    )
  const keys = (isDistinct ? targets : grouping.keys).map(({ expr, offset }) => {
    requireScalar(expr, offset)
    return expr
  })
  const placed = (expr: Expr, offset: number | undefined): Expr => {
    requireGrouped(expr, { keys, made, offset })
    return mapExpression(expr, (part) =>
      made.has(part) && part.kind === 'window' ? { ...part, partition: keys } : undefined,
    )
  }
  const having = bindHaving(select, frame)
  return {
    targets: targets.map((target) => ({ ...target, expr: placed(target.expr, target.offset) })),
    orderBy: bindOrder(select, targets, frame).map((key) => ({ ...key, expr: placed(key.expr, key.offset) })),
    isFirst: call('eq', [firstOf(keys), literal('integer', 1)]),
    having: having && placed(having, offsetWithin(select.havingClause)),
    regrouped: keys.length > 0 ? 'by keys' : 'as one',
  }
}

/** The same expression over the groups alone for which a condition holds: where it holds for none, their count is 0. */
export function overThose(expr: Expr, when: Expr): Expr {
  return mapExpression(expr, (part) => {
    if (part.kind !== 'window') return undefined
    const [value = literal('integer', 1)] = part.args
    return windowCall({ ...part, args: [caseOf([{ when, value }], undefined)] })
  })
}

function aggregateOf(node: FuncCall, name: string, plain: Frame): Expr {
  if (node.agg_distinct || node.agg_order || node.agg_within_group)
    throw notAllowed(`"${name}" with DISTINCT or an order over the groups of a SELECT`, node.location)
  return bindGroupWindow({ ...node, over: { frameOptions: 0 } }, name, { frame: plain, named: [] })
}

/** Which of the rows that are alike in the keys comes first, by all that tells groups apart. */
function firstOf(keys: readonly Expr[]): WindowCall {
  return {
    kind: 'window',
    function: 'row_number',
    args: [],
    offset: 1,
    partition: keys,
    order: [],
    ties: [],
    type: 'integer',
    size: keys.reduce((size, key) => size + key.size, 1),
  }
}

interface Grouped {
  readonly keys: readonly Expr[]
  readonly made: ReadonlySet<Expr>
  readonly offset: number | undefined
}

function requireGrouped(expr: Expr, grouped: Grouped): void {
  if (grouped.made.has(expr) || grouped.keys.some((key) => sameExpression(key, expr))) return
  if (expr.kind === 'key' || expr.kind === 'measure' || expr.kind === 'window')
    throw wrongColumn(
      'A column of the groups of a SELECT must stand in GROUP BY or in an aggregate',
      grouped.offset,
    )
  for (const child of childrenOf(expr)) requireGrouped(child, grouped)
}
