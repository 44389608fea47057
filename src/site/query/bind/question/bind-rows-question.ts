import type { Node, SelectStmt } from '@pgsql/types'
import type { BoundQuery, Expr, Output, SortKey } from '../../bound/bound-query.ts'
import { isNullablePerson } from '../../bound/joined-level.ts'
import { offsetOf, offsetWithin, textsOf } from '../../text/nodes.ts'
import { GroupsRefusal, notSupported, wrongColumn } from '../../text/refusal.ts'
import { personRefusal } from '../expression/bind-expression.ts'
import type { Frame } from '../expression/bind-expression.ts'
import { bindCount, bindOrder, bindTargets, nameOf, sortKeyOf } from '../aggregate/bind-groups.ts'
import type { Target } from '../aggregate/bind-groups.ts'
import { bindDerived, bindFrom, hasWindow } from '../relation/bind-relation.ts'
import { frameOf } from '../relation/from-context.ts'
import type { FromContext } from '../relation/from-context.ts'
import { bindWith } from '../relation/named-queries.ts'
import type { ScopeColumn } from '../expression/scope.ts'
import { isDistinctOn } from '../relation/top-rows.ts'
import { unitOf } from '../expression/unit-of.ts'

/** Binds a question of mode `rows`. */
export function bindRowsQuestion(select: SelectStmt, context: FromContext): BoundQuery {
  if (select.limitOption === 'LIMIT_OPTION_WITH_TIES')
    throw notSupported('FETCH … WITH TIES in mode rows', offsetWithin(select.limitCount))
  if (select.havingClause && !select.groupClause)
    throw notSupported(
      'HAVING without GROUP BY in mode rows; use mode aggregate',
      offsetWithin(select.havingClause),
    )
  const isMade = select.groupClause ?? select.distinctClause ?? hasWindow(select)
  return isMade ? bindMadeRows(select, context) : bindStoredRows(select, context)
}

/** Rows as they are stored, or as joins make them. */
function bindStoredRows(select: SelectStmt, around: FromContext): BoundQuery {
  const context = { ...around, known: bindWith(select.withClause, around.known) }
  const frame = frameOf(context, bindFrom(select, context))
  const targets = bindTargets(select, frame)
  const orderBy = bindOrder(select, targets, frame).map(({ offset, ...key }) => orderedBy(key, offset))
  return rowsQuery({ select, context, targets, orderBy, frame })
}

/** The order of numbers inside says who came first. */
function orderedBy(key: SortKey, offset: number | undefined): SortKey {
  if (key.expr.type === 'person') throw personRefusal(offset)
  return key
}

interface Rows {
  readonly select: SelectStmt
  readonly context: FromContext
  readonly targets: readonly Target[]
  readonly orderBy: readonly SortKey[]
  readonly frame: Frame
}

function rowsQuery({ select, context, targets, orderBy, frame }: Rows): BoundQuery {
  const { binding, level } = context
  const outputs = targets.map(({ name, expr, offset }): Output => {
    if (expr.kind === 'person' && isNullablePerson(expr, level.sources))
      throw wrongColumn('This person key may be missing in a row; show the one that is always there', offset)
    return { name, expr, unit: unitOf(expr, { binding, level }) }
  })
  return {
    mode: 'rows',
    sources: level.sources,
    where: level.where,
    keys: [],
    measures: [],
    outputs,
    orderBy,
    limit: bindCount(select.limitCount, frame),
    offset: bindCount(select.limitOffset, frame),
  }
}

/**
 * Rows that are made of a person's rows: by GROUP BY and DISTINCT with the person key, which then is of one person, and by window functions.
 * They are those of a sub-select, which the question shows in its order. What it orders by and does not show is a column of the sub-select, too.
 */
function bindMadeRows(select: SelectStmt, context: FromContext): BoundQuery {
  const { sortClause = [] } = select
  const isFirst = isDistinctOn(select)
  const order = isFirst ? [] : sortClause.map((node) => placedOrder(node, select))
  const hidden = order.flatMap(({ by }) => (typeof by === 'number' ? [] : [hiddenTarget(by)]))
  if (hidden.length > 0 && select.distinctClause)
    throw notSupported('ORDER BY beside DISTINCT of what is not shown', offsetWithin(sortClause))
  const inner: SelectStmt = { ...select, targetList: [...(select.targetList ?? []), ...hidden] }
  delete inner.limitCount
  delete inner.limitOffset
  if (!isFirst) delete inner.sortClause
  const columns = bindMade(inner, context)
  const shown = columns.slice(0, columns.length - hidden.length)
  const exprs = columns.slice(shown.length).map((column) => shownExpr(column, undefined))
  const targets = shown.map((column): Target => {
    const offset = offsetWithin(select.targetList)
    return { name: column.name, expr: shownExpr(column, offset), offset }
  })
  const orderBy = order.map(({ node, by }) => {
    const { offset, ...key } = sortKeyOf(node, () => {
      const expr = typeof by === 'number' ? targets.at(by)?.expr : exprs.shift()
      if (expr === undefined) throw notSupported('an ORDER BY by no column of the answer', offsetOf(node))
      return expr
    })
    return orderedBy(key, offset)
  })
  return rowsQuery({ select, context, targets, orderBy, frame: frameOf(context, []) })
}

function bindMade(select: SelectStmt, context: FromContext): readonly ScopeColumn[] {
  try {
    return bindDerived(select, context)
  } catch (error) {
    if (!(error instanceof GroupsRefusal)) throw error
    throw notSupported(
      'GROUP BY or DISTINCT without the person key in mode rows, where each row is of one person; add the key, or use mode aggregate',
      error.offset,
    )
  }
}

function shownExpr({ name, expr, refusal }: ScopeColumn, offset: number | undefined): Expr {
  if (expr) return expr
  throw wrongColumn(`Column "${name}" ${refusal ?? 'may not be shown'}`, offset)
}

interface PlacedOrder {
  readonly node: Node
  /** A column of the answer by its place, from 0, or below 0 from the end; or an expression that is none. */
  readonly by: number | Node
}

/** An item of an ORDER BY: an output by its number or name, as in PostgreSQL, or an expression. */
function placedOrder(node: Node, { targetList = [] }: SelectStmt): PlacedOrder {
  const by = 'SortBy' in node ? node.SortBy.node : undefined
  if (by === undefined) throw notSupported('this ORDER BY', offsetOf(node))
  if ('A_Const' in by) {
    const ordinal = by.A_Const.ival?.ival ?? 0
    if (ordinal < 1) throw notSupported('a constant in ORDER BY that is no number of an output', offsetOf(by))
    return { node, by: ordinal - 1 }
  }
  const names = 'ColumnRef' in by ? textsOf(by.ColumnRef.fields ?? []) : undefined
  const place = targetList.findIndex(
    (target) =>
      names?.length === 1 &&
      'ResTarget' in target &&
      (target.ResTarget.name ?? nameOf(target.ResTarget.val)) === names[0],
  )
  if (place < 0) return { node, by }
  // A star is several columns, so that places behind one are counted from the end.
  if (!targetList.slice(0, place).some(isStar)) return { node, by: place }
  return targetList.slice(place).some(isStar) ? { node, by } : { node, by: place - targetList.length }
}

function isStar(target: Node): boolean {
  const val = 'ResTarget' in target ? target.ResTarget.val : undefined
  return (val && 'ColumnRef' in val && val.ColumnRef.fields?.some((field) => 'A_Star' in field)) ?? false
}

function hiddenTarget(val: Node): Node {
  return { ResTarget: { val } }
}
