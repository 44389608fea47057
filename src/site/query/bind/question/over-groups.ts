import type { FuncCall, Node, RangeSubselect, RangeVar, SelectStmt } from '@pgsql/types'
import { isAggregate } from '../aggregate/bind-aggregate.ts'
import { bindCondition } from '../expression/bind-expression.ts'
import type { Frame } from '../expression/bind-expression.ts'
import { bindCount, bindOrder, bindTargets } from '../aggregate/bind-groups.ts'
import { bindGroupsOfGroups, overThose } from '../relation/groups-of-groups.ts'
import { renamed } from '../relation/bind-relation.ts'
import { bindGroupWindow, isOfSingleRows } from '../relation/bind-window.ts'
import type { BoundQuery, Expr, KeyRef, WindowCall } from '../../bound/bound-query.ts'
import { call, literal } from '../expression/build-expression.ts'
import type { NamedQueries } from '../relation/from-context.ts'
import { bindWith } from '../relation/named-queries.ts'
import { offsetWithin, textsOf } from '../../text/nodes.ts'
import { mapExpression, partsOf } from '../../bound/same-expression.ts'
import { notSupported } from '../../text/refusal.ts'
import type { Binding, Scope } from '../expression/scope.ts'

/*
 * What is computed over the groups of an answer once the guard has let them through: window functions, and a SELECT around the
 * one that groups. It looks at what is shown anyway, so it tells nothing that the rows do not; a group that is not shown is
 * not there, whatever would have been computed of it.
 */

/** Binds window functions over the groups of a question; `frame` knows its aggregates. */
export function groupWindows(
  { windowClause = [] }: SelectStmt,
  frame: Frame,
): (node: FuncCall, name: string) => Expr {
  return (node, name) => bindGroupWindow(node, name, { frame, named: windowClause })
}

interface GroupKeys {
  readonly keys: readonly Expr[]
  /** Whether groups of several sets stand together, each with the number of its set. */
  readonly hasSets: boolean
}

/** The same expression with what tells groups apart where a window looks at single ones: all keys of the question. */
export function withGroupTies(expr: Expr, { keys, hasSets }: GroupKeys): Expr {
  const refs = keys.map(({ type }, key): KeyRef => ({ kind: 'key', key, type, size: 1 }))
  const number: KeyRef = { kind: 'key', key: keys.length, type: 'integer', size: 1 }
  return mapExpression(expr, (part) =>
    part.kind === 'window' && isOfSingleRows(part)
      ? { ...part, ties: hasSets ? [...refs, number] : refs }
      : undefined,
  )
}

/** FETCH … WITH TIES: the rows up to the last of them and its equals. */
export function withTies(query: BoundQuery, { limitOption, limitCount }: SelectStmt): BoundQuery {
  if (limitOption !== 'LIMIT_OPTION_WITH_TIES' || query.limit === undefined) return query
  const { limit, offset, orderBy, qualify } = query
  if (offset !== undefined || qualify || orderBy.length === 0 || orderBy.some(({ expr }) => hasWindows(expr)))
    throw notSupported(
      'FETCH … WITH TIES without ORDER BY, or with OFFSET, a window function in ORDER BY, or a condition on one',
      offsetWithin(limitCount),
    )
  const rank: WindowCall = {
    kind: 'window',
    function: 'rank',
    args: [],
    offset: 1,
    partition: [],
    order: orderBy,
    ties: [],
    type: 'integer',
    size: orderBy.reduce((size, { expr }) => size + expr.size, 1),
  }
  return { ...query, limit: undefined, qualify: call('le', [rank, literal('integer', limit)]) }
}

/** A SELECT over the groups of another: that one, under which name, and what it may name itself. */
export interface OverGroups {
  readonly inner: SelectStmt
  readonly known: NamedQueries
  readonly name: string
  readonly columnNames: readonly string[]
}

/** Whether a SELECT groups or counts what it reads. */
export function isGrouping(select: SelectStmt): boolean {
  const { groupClause, havingClause, distinctClause, targetList, sortClause } = select
  return (
    [groupClause, havingClause, distinctClause].some((clause) => clause !== undefined) ||
    hasAggregate(targetList) ||
    hasAggregate(sortClause)
  )
}

/**
 * The SELECT that groups which another one reads. A sub-select of rows that is read so is declined in a question of groups
 * anyway, unless the one around it groups: then it may be of people.
 */
export function groupsBehind(select: SelectStmt, known: NamedQueries): OverGroups | undefined {
  const { fromClause = [], larg, valuesLists } = select
  const [item, another] = fromClause
  if (item === undefined || another || larg || valuesLists) return undefined
  const all = bindWith(select.withClause, known)
  const found = 'RangeVar' in item ? namedGroups(item.RangeVar, all) : writtenGroups(item, all)
  return found && isOfGroups(found.inner, found.known) ? found : undefined
}

function namedGroups({ relname = '', alias }: RangeVar, known: NamedQueries): OverGroups | undefined {
  const named = known.get(relname)
  if (named === undefined) return undefined
  const aliases = textsOf(alias?.colnames ?? []) ?? []
  const columnNames = [...aliases, ...named.columnNames.slice(aliases.length)]
  return { inner: named.select, known: named.known, name: alias?.aliasname ?? relname, columnNames }
}

function writtenGroups(item: Node, known: NamedQueries): OverGroups | undefined {
  const { subquery, alias, lateral }: RangeSubselect = 'RangeSubselect' in item ? item.RangeSubselect : {}
  if (subquery === undefined || !('SelectStmt' in subquery) || lateral) return undefined
  const columnNames = textsOf(alias?.colnames ?? []) ?? []
  return { inner: subquery.SelectStmt, known, name: alias?.aliasname ?? '', columnNames }
}

/** Whether a SELECT gives groups: by itself, or of another. */
function isOfGroups(select: SelectStmt, known: NamedQueries): boolean {
  const { groupClause, distinctClause, larg, valuesLists, targetList } = select
  if (larg || valuesLists) return false
  if (groupClause !== undefined || distinctClause !== undefined || hasAggregate(targetList)) return true
  return groupsBehind(select, known) !== undefined
}

/** Whether an aggregate, but one with OVER, stands in a part of a tree and in no sub-query of it. */
function hasAggregate(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || 'SubLink' in value) return false
  if (!('FuncCall' in value)) return Object.values(value).some(hasAggregate)
  const { funcname = [], over, args } = value.FuncCall as FuncCall
  const name = textsOf(funcname)?.at(-1)
  return (
    (over === undefined && name !== undefined && isAggregate(name)) ||
    hasAggregate(args) ||
    hasAggregate(over)
  )
}

/** A SELECT around one that groups: it chooses, orders and computes over groups that were let through. */
export function bindOverGroups(
  select: SelectStmt,
  inner: BoundQuery,
  { binding, over }: { readonly binding: Binding; readonly over: OverGroups },
): BoundQuery {
  if (inner.limit !== undefined || inner.offset !== undefined)
    throw notSupported(
      'a SELECT around one with LIMIT or OFFSET; put them last',
      offsetWithin(over.inner.limitCount ?? over.inner.limitOffset),
    )
  const scope: Scope = [{ name: over.name, columns: renamed(inner.outputs, over.columnNames, undefined) }]
  const plain: Frame = { binding, scope }
  const { targets, orderBy, isFirst, having, regrouped } = isGrouping(select)
    ? bindGroupsOfGroups(select, plain)
    : bindEachGroup(select, { ...plain, bindWindow: groupWindows(select, plain) })
  // What chooses among the rows is computed of the same as what is shown of them.
  const conditions = [isFirst, having].flatMap((condition) => condition ?? [])
  const own = [...[...targets, ...orderBy].map(({ expr }) => expr), ...conditions]
  const at = offsetWithin(select.targetList)
  requireSingleWindows(own, at)
  const where = select.whereClause && bindCondition(select.whereClause, plain)
  const hasSets = inner.groupingSets !== undefined
  const keys = hasSets ? inner.keys.slice(0, -1) : inner.keys
  const unitOf = (expr: Expr): string | undefined =>
    inner.outputs.find((output) => output.expr === expr)?.unit
  const chosen = chosenGroups(where, { inner, own, at })
  // A row of all groups is there also when a condition leaves none of them.
  const when = regrouped === 'as one' ? chosen.having : undefined
  const ties = (expr: Expr): Expr => withGroupTies(expr, { keys, hasSets })
  const computed = (expr: Expr): Expr => ties(when ? overThose(expr, when) : expr)
  const made: BoundQuery = {
    ...chosen,
    ...(when ? { having: undefined } : {}),
    ...(isFirst
      ? { qualify: having ? both(ties(isFirst), computed(having)) : ties(isFirst), regrouped }
      : {}),
    outputs: targets.map(({ name, expr }) => ({ name, expr: computed(expr), unit: unitOf(expr) })),
    orderBy: orderBy.map(({ offset: _, ...key }) => ({ ...key, expr: computed(key.expr) })),
    limit: bindCount(select.limitCount, plain),
    offset: bindCount(select.limitOffset, plain),
  }
  return withTies(made, select)
}

/** What a SELECT around shows, and by what it orders. Of one that groups also which row stands for each of its groups. */
interface Around {
  readonly targets: ReturnType<typeof bindTargets>
  readonly orderBy: ReturnType<typeof bindOrder>
  readonly isFirst?: Expr
  readonly having?: Expr | undefined
  readonly regrouped?: BoundQuery['regrouped']
}

function bindEachGroup(select: SelectStmt, frame: Frame): Around {
  const targets = bindTargets(select, frame)
  return { targets, orderBy: bindOrder(select, targets, frame) }
}

interface Choosing {
  readonly inner: BoundQuery
  /** What the SELECT around shows, orders by and chooses its rows by. */
  readonly own: readonly Expr[]
  readonly at: number | undefined
}

/** The WHERE around: a condition on groups before windows are computed, or after those of the SELECT within. */
function chosenGroups(where: Expr | undefined, { inner, own, at }: Choosing): BoundQuery {
  const known = new Set(inner.outputs.flatMap(({ expr }) => [...partsOf(expr)]))
  const hasOwnWindows = own
    .flatMap((expr) => [...partsOf(expr)])
    .some((part) => part.kind === 'window' && !known.has(part))
  const isAfter = inner.qualify !== undefined || inner.outputs.some(({ expr }) => hasWindows(expr))
  if (hasOwnWindows && (inner.qualify || (where && isAfter)))
    throw notSupported(
      'a window function over groups that a condition on another one left; compute both in one SELECT',
      at,
    )
  if (where === undefined) return inner
  if (!isAfter) return { ...inner, having: both(inner.having, where) }
  return { ...inner, qualify: both(inner.qualify, where) }
}

function both(one: Expr | undefined, other: Expr): Expr {
  return one ? call('and', [one, other]) : other
}

function hasWindows(expr: Expr): boolean {
  return [...partsOf(expr)].some(({ kind }) => kind === 'window')
}

/** A window function is computed of groups, never of what another one computed. */
function requireSingleWindows(exprs: readonly Expr[], offset: number | undefined): void {
  const isNested = exprs
    .flatMap((expr) => [...partsOf(expr)])
    .some(
      (part) =>
        part.kind === 'window' &&
        [...part.args, ...part.partition, ...part.order.map((key) => key.expr)].some(hasWindows),
    )
  if (isNested) throw notSupported('a window function over what another window function computed', offset)
}
