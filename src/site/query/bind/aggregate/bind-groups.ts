import type { Node, SelectStmt } from '@pgsql/types'
import { LIMITS } from '../../../../kernel/limits.ts'
import { spokenColumn } from '../../bound/bound-query.ts'
import type { Expr, SortKey } from '../../bound/bound-query.ts'
import { bindCondition, bindTerm, bindValue } from '../expression/bind-expression.ts'
import { offsetOf, offsetWithin, textsOf } from '../../text/nodes.ts'
import type { Frame } from '../expression/bind-expression.ts'
import { coerce, requireScalar } from '../expression/build-expression.ts'
import { groupingSetsOf } from './grouping-sets.ts'
import { notSupported, tooLarge, wrongColumn } from '../../text/refusal.ts'
import { REORDERING } from '../../text/parse-question.ts'
import { mapExpression, sameExpression } from '../../bound/same-expression.ts'
import { allColumns } from '../expression/scope.ts'

/** An item of a SELECT list: its name as PostgreSQL gives it, and what it is. */
export interface Target {
  readonly name: string
  readonly expr: Expr
  readonly offset: number | undefined
}

/** Binds a SELECT list; `*` stands for every column that may be used. */
export function bindTargets(select: SelectStmt, frame: Frame): readonly Target[] {
  const targets = (select.targetList ?? []).flatMap((node): readonly Target[] => {
    if (!('ResTarget' in node)) throw notSupported('this SELECT list', offsetOf(node))
    const { name, val, location } = node.ResTarget
    const star = starOf(val)
    if (star)
      return allColumns(frame.scope, star.relation, location).map((column) => ({
        name: column.name,
        expr: column.expr,
        offset: location,
      }))
    return [{ name: name ?? nameOf(val), expr: bindValue(val, frame), offset: location }]
  })
  if (targets.length === 0) throw notSupported('an empty SELECT list', offsetWithin(select.fromClause))
  const reordered = targets.find(({ name }) => REORDERING.test(name))
  if (reordered)
    throw wrongColumn(
      'A name in the answer holds a sign that changes the direction of reading',
      reordered.offset,
    )
  if (targets.length > LIMITS.queryOutputColumnsMax)
    throw tooLarge(
      `The question has more than ${LIMITS.queryOutputColumnsMax} columns`,
      targets[LIMITS.queryOutputColumnsMax]?.offset,
    )
  return targets
}

function starOf(node: Node | undefined): { readonly relation: string | undefined } | undefined {
  if (node === undefined || !('ColumnRef' in node)) return undefined
  const fields = node.ColumnRef.fields ?? []
  const last = fields.at(-1)
  if (last === undefined || !('A_Star' in last)) return undefined
  const names = textsOf(fields.slice(0, -1))
  if (names === undefined || names.length > 1)
    throw notSupported('a name with a schema; data sets have plain names', node.ColumnRef.location)
  return { relation: names[0] }
}

/** What PostgreSQL calls a column without AS. */
export function nameOf(node: Node | undefined): string {
  if (node === undefined) return '?column?'
  if ('ColumnRef' in node) return textsOf(node.ColumnRef.fields ?? [])?.at(-1) ?? '?column?'
  if ('FuncCall' in node) return textsOf(node.FuncCall.funcname ?? [])?.at(-1) ?? '?column?'
  if ('TypeCast' in node) {
    const inner = nameOf(node.TypeCast.arg)
    return inner === '?column?' ? (textsOf(node.TypeCast.typeName?.names ?? [])?.at(-1) ?? inner) : inner
  }
  if ('CoalesceExpr' in node) return 'coalesce'
  if ('CaseExpr' in node) return 'case'
  if ('GroupingFunc' in node) return 'grouping'
  if ('MinMaxExpr' in node) return node.MinMaxExpr.op === 'IS_LEAST' ? 'least' : 'greatest'
  return '?column?'
}

/** A key of a GROUP BY and where it stands. */
export interface GroupKey {
  readonly expr: Expr
  readonly offset: number | undefined
}

/** Binds a GROUP BY: expressions, ordinals, and names of outputs where no column has the name. */
export function bindGroupKeys(
  select: SelectStmt,
  targets: readonly Target[],
  frame: Frame,
): readonly GroupKey[] {
  const keys: GroupKey[] = []
  for (const node of select.groupClause ?? []) addGroupKey(keys, node, { targets, frame })
  return keys
}

/** Adds a key unless it is there already, and gives its index. */
function addGroupKey(
  keys: GroupKey[],
  node: Node,
  { targets, frame }: { readonly targets: readonly Target[]; readonly frame: Frame },
): number {
  const target = ordinalTarget(node, targets) ?? namedTarget(node, targets, frame, 'column')
  const expr = target?.expr ?? bindValue(node, frame)
  const offset = target?.offset ?? offsetOf(node)
  requireScalar(expr, offset)
  const known = keys.findIndex((key) => sameExpression(key.expr, expr))
  return known >= 0 ? known : keys.push({ expr, offset }) - 1
}

/** The keys of a question's GROUP BY, and the sets of them if there are several. */
export interface Grouping {
  readonly keys: readonly GroupKey[]
  readonly sets?: readonly (readonly number[])[] | undefined
}

/** The same for a GROUP BY that may ask for several sets of groups. */
export function bindGrouping(select: SelectStmt, targets: readonly Target[], frame: Frame): Grouping {
  const keys: GroupKey[] = []
  const sets = groupingSetsOf(select.groupClause ?? []).map((nodes) => [
    ...new Set(nodes.map((node) => addGroupKey(keys, node, { targets, frame }))),
  ])
  return sets.length === 1 ? { keys } : { keys, sets }
}

function ordinalTarget(node: Node, targets: readonly Target[]): Target | undefined {
  if (!('A_Const' in node)) return undefined
  const ordinal = node.A_Const.ival?.ival
  const target = ordinal === undefined ? undefined : targets[ordinal - 1]
  if (target === undefined)
    throw notSupported('a constant in GROUP BY or ORDER BY that is no number of an output', offsetOf(node))
  return target
}

/** A plain name: GROUP BY looks among the columns first, ORDER BY among the outputs, as PostgreSQL does. */
function namedTarget(
  node: Node,
  targets: readonly Target[],
  frame: Frame,
  first: 'column' | 'output',
): Target | undefined {
  if (!('ColumnRef' in node)) return undefined
  const names = textsOf(node.ColumnRef.fields ?? [])
  const [name] = names ?? []
  if (name === undefined || names?.length !== 1) return undefined
  if (first === 'column' && frame.scope.some(({ columns }) => columns.some((column) => column.name === name)))
    return undefined
  const found = targets.filter((target) => target.name === name)
  const [target, another] = found
  if (target && another && !sameExpression(target.expr, another.expr))
    throw wrongColumn(`"${name}" names more than one output`, offsetOf(node))
  return target
}

/**
 * Binds an ORDER BY. Nulls are largest unless said otherwise, as in PostgreSQL. What is the same in every row orders nothing,
 * and engines do not take it.
 */
export function bindOrder(
  select: SelectStmt,
  targets: readonly Target[],
  frame: Frame,
): readonly (SortKey & { readonly offset: number | undefined })[] {
  return (select.sortClause ?? [])
    .map((node) => sortKeyOf(node, (by) => orderedBy(by, targets, frame)))
    .filter(({ expr }) => expr.kind !== 'literal')
}

/** What is ordered by: an output by its number or name, as in PostgreSQL, or any expression. */
export function orderedBy(by: Node, targets: readonly Target[], frame: Frame): Expr {
  const target = ordinalTarget(by, targets) ?? namedTarget(by, targets, frame, 'output')
  const expr = target?.expr ?? bindValue(by, frame)
  requireScalar(expr, offsetOf(by))
  return expr
}

/** One item of an ORDER BY. */
export function sortKeyOf(
  node: Node,
  bind: (by: Node) => Expr,
): SortKey & { readonly offset: number | undefined } {
  if (!('SortBy' in node)) throw notSupported('this ORDER BY')
  const { node: by, sortby_dir: direction, sortby_nulls: nulls } = node.SortBy
  if (by === undefined) throw notSupported('this ORDER BY')
  const isDescending = direction === 'SORTBY_DESC'
  return {
    expr: bind(by),
    isDescending,
    nullsFirst: nulls === 'SORTBY_NULLS_FIRST' || (nulls !== 'SORTBY_NULLS_LAST' && isDescending),
    offset: offsetOf(by),
  }
}

/** Binds HAVING. */
export function bindHaving(select: SelectStmt, frame: Frame): Expr | undefined {
  return select.havingClause && bindCondition(select.havingClause, frame)
}

/**
 * The same expression over groups: parts that are a key become that key. A column that is left is no value of a
 * group, and is named.
 */
export function overGroups(expr: Expr, keys: readonly Expr[], offset: number | undefined): Expr {
  return mapExpression(expr, (part) => {
    const key = keys.findIndex((candidate) => sameExpression(candidate, part))
    if (key >= 0 && part.kind !== 'literal')
      return {
        kind: 'key',
        key,
        type: part.type,
        size: 1,
        range: part.range,
        copies: part.copies,
        isSpan: part.isSpan,
      }
    if (part.kind === 'column')
      throw wrongColumn(`${spokenColumn(part)} must stand in GROUP BY or in an aggregate`, offset)
    if (part.kind === 'person')
      throw wrongColumn('The person key may only be counted, joined on and, in mode rows, shown', offset)
    return undefined
  })
}

/** A LIMIT or OFFSET: a whole number that is written out, or nothing. */
export function bindCount(node: Node | undefined, frame: Frame): number | undefined {
  if (node === undefined) return undefined
  const term = bindTerm(node, frame)
  const expr = coerce(term, 'integer', { offset: offsetOf(node), name: 'LIMIT' })
  if (expr.kind !== 'literal') throw notSupported('LIMIT or OFFSET that is not written out', offsetOf(node))
  if (expr.value === null) return undefined
  const count = Number(expr.value)
  if (!Number.isSafeInteger(count) || count < 0)
    throw notSupported('a LIMIT or OFFSET below 0', offsetOf(node))
  return count
}
