import type { Node, SelectStmt } from '@pgsql/types'
import { isPersonColumn, namesOf } from './relations.ts'
import type { Scope } from './relations.ts'

/** What a SELECT makes of the rows of its FROM: one row, rows of groups, rows of people, or these rows as they are. */
export type Made = 'one row' | 'groups' | 'people' | 'rows'

/** What makes one row of many. Those that a mode does not have are declined by the site, as of any question. */
const AGGREGATES = new Set([
  'count',
  'sum',
  'avg',
  'min',
  'max',
  'variance',
  'var_samp',
  'var_pop',
  'stddev',
  'stddev_samp',
  'stddev_pop',
  'median',
  'percentile_cont',
  'percentile_disc',
  'mode',
  'bool_and',
  'bool_or',
  'every',
])

/** What a SELECT makes of its rows. */
export function madeBy(select: SelectStmt, scope: Scope): Made {
  const { groupClause, havingClause, distinctClause, targetList = [] } = select
  const targets = targetList.flatMap((node) => ('ResTarget' in node ? [node.ResTarget] : []))
  const named = new Map(targets.flatMap(({ name, val }) => (name !== undefined && val ? [[name, val]] : [])))
  if (groupClause) {
    const keys = groupClause.flatMap(keysIn).map((key) => {
      const place = placeOf(key)
      if (place !== undefined) return targets[place - 1]?.val
      return isPersonColumn(key, scope) ? key : (named.get(nameOf(key) ?? '') ?? key)
    })
    return keys.some((key) => isPersonColumn(key, scope)) ? 'people' : 'groups'
  }
  if (havingClause || targets.some(({ val }) => hasAggregate(val))) return 'one row'
  if (!isBareDistinct(distinctClause)) return 'rows'
  const isStar = targets.some(({ val }) => val && 'ColumnRef' in val && hasStar(val.ColumnRef.fields))
  return isStar || targets.some(({ val }) => isPersonColumn(val, scope)) ? 'people' : 'groups'
}

/** DISTINCT without ON stands in the tree as a list with nothing in it. */
function isBareDistinct(clause: readonly Node[] | undefined): boolean {
  const [only, another] = clause ?? []
  return only !== undefined && another === undefined && Object.keys(only).length === 0
}

function hasStar(fields: readonly Node[] | undefined): boolean {
  return (fields ?? []).some((field) => 'A_Star' in field)
}

function keysIn(node: Node): readonly Node[] {
  if ('GroupingSet' in node) return (node.GroupingSet.content ?? []).flatMap(keysIn)
  return 'RowExpr' in node ? (node.RowExpr.args ?? []).flatMap(keysIn) : [node]
}

function placeOf(node: Node): number | undefined {
  return 'A_Const' in node ? node.A_Const.ival?.ival : undefined
}

function nameOf(node: Node): string | undefined {
  const names = 'ColumnRef' in node ? namesOf(node.ColumnRef.fields) : []
  return names.length === 1 ? names[0] : undefined
}

/** Whether an expression has an aggregate of its own level, not one of a window or of a sub-query. */
function hasAggregate(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || 'SubLink' in value) return false
  if (Array.isArray(value)) return value.some(hasAggregate)
  if ('FuncCall' in value) {
    const { funcname, over } = value.FuncCall as {
      readonly funcname?: readonly Node[]
      readonly over?: unknown
    }
    if (over === undefined && AGGREGATES.has(namesOf(funcname).at(-1) ?? '')) return true
  }
  return Object.values(value).some(hasAggregate)
}

/** Nodes that are null where a part of them is. */
const STRICT_NODES = ['ResTarget', 'TypeCast', 'A_Const', 'ColumnRef', 'FuncCall', 'A_Expr']

/** Whether a value made of aggregates is null where there are no rows: not a count, and nothing that says something of null. */
export function makesNullOfNothing(node: Node): boolean {
  const [kind = ''] = Object.keys(node)
  if (!STRICT_NODES.includes(kind)) return false
  if ('ResTarget' in node) return node.ResTarget.val !== undefined && makesNullOfNothing(node.ResTarget.val)
  if ('TypeCast' in node) return node.TypeCast.arg !== undefined && makesNullOfNothing(node.TypeCast.arg)
  if ('A_Expr' in node) return isStrict(node) && sidesOf(node).every(makesNullOfNothing)
  if (!('FuncCall' in node)) return true
  const name = namesOf(node.FuncCall.funcname).at(-1) ?? ''
  return AGGREGATES.has(name) && name !== 'count'
}

const STRICT_SIGNS = new Set(['=', '<>', '<', '>', '<=', '>=', '+', '-', '*', '/'])

/** Whether a comparison or a sum is null where one of its sides is. */
export function isStrict(node: Node): boolean {
  return (
    'A_Expr' in node &&
    node.A_Expr.kind === 'AEXPR_OP' &&
    STRICT_SIGNS.has(namesOf(node.A_Expr.name).join('.'))
  )
}

function sidesOf(node: Node): readonly Node[] {
  const { lexpr, rexpr } = 'A_Expr' in node ? node.A_Expr : {}
  return [lexpr, rexpr].filter((side) => side !== undefined)
}

/** Whether a SELECT of rows that are known gives some of their columns as they are, which is all that is read of such rows. */
export function isPlainRead(select: SelectStmt): boolean {
  const { fromClause = [], targetList = [] } = select
  if (select.whereClause || select.groupClause || select.havingClause || select.distinctClause) return false
  if (select.limitCount || select.limitOffset || fromClause.length !== 1) return false
  const [item] = fromClause
  if (item === undefined || 'JoinExpr' in item) return false
  return targetList.every(
    (node) => 'ResTarget' in node && node.ResTarget.val && 'ColumnRef' in node.ResTarget.val,
  )
}
