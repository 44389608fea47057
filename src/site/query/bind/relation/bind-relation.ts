import type { Node, RangeSubselect, RangeVar, SelectStmt } from '@pgsql/types'
import type { Manifest } from '../../../../protocol/data-set.ts'
import type { Column } from '../../../../protocol/data-set.ts'
import type { Expr } from '../../bound/bound-query.ts'
import { perPersonSink } from './bind-per-person.ts'
import { derivedColumn, requireScalar } from '../expression/build-expression.ts'
import { offsetOf, offsetWithin, textsOf } from '../../text/nodes.ts'
import type { Frame } from '../expression/bind-expression.ts'
import { bindGroupKeys, bindHaving, bindTargets, overGroups } from '../aggregate/bind-groups.ts'
import type { Target } from '../aggregate/bind-groups.ts'
import { bindJoin, hasOuterJoin, joinItems } from './bind-join.ts'
import { bindWindow } from './bind-window.ts'
import { rowsOfOnePerson } from '../aggregate/bounded-argument.ts'
import { addConditions, conjunctsOf, frameOf } from './from-context.ts'
import type { FromContext } from './from-context.ts'
import { isolate } from '../expression/isolate.ts'
import { bindWith } from './named-queries.ts'
import { bindPersonSet } from './person-sets.ts'
import { range } from '../../catalogue/ranges.ts'
import { IN_STAGES, atNode, groupsRefused, notSupported } from '../../text/refusal.ts'
import { childrenOf, mapExpression, partsOf } from '../../bound/same-expression.ts'
import { addSource } from '../expression/scope.ts'
import type { Level, Scope, ScopeColumn, ScopeRelation } from '../expression/scope.ts'
import { firstOfEach, isDistinctOn, topRows } from './top-rows.ts'

/** Binds FROM and WHERE of a SELECT: its sources and conditions go into the level, its names come back. */
export function bindFrom(select: SelectStmt, context: FromContext): Scope {
  const { scope, conditions } = bindItems(select, context)
  const frame = frameOf(context, scope)
  for (const condition of conditions)
    addConditions(condition, frame, { level: context.level, clause: 'where' })
  return scope
}

/** FROM alone, and the conditions of WHERE that are left when it has joined what stands there side by side. */
export function bindItems(
  select: SelectStmt,
  context: FromContext,
): { readonly scope: Scope; readonly conditions: readonly Node[] } {
  return atNode(select, () => bindItemsOf(select, context))
}

function bindItemsOf(select: SelectStmt, context: FromContext): ReturnType<typeof bindItems> {
  const [first, ...others] = select.fromClause ?? []
  if (select.larg || select.rarg)
    throw notSupported(
      'a set operation (UNION, INTERSECT, EXCEPT) but of person keys, after IN or as a relation, or of values that are written out; a total beside groups is GROUP BY ROLLUP, several conditions are FILTER or a CASE to group by; else ask each branch as a question of its own',
      offsetOf(select.larg?.targetList?.[0]),
    )
  if (select.valuesLists) throw notSupported('VALUES here', offsetWithin(select.valuesLists))
  if (isDistinctOn(select))
    throw notSupported('DISTINCT ON here; put it into a sub-select', offsetWithin(select.distinctClause))
  if (first === undefined) throw notSupported('a SELECT without FROM')
  const conditions = select.whereClause ? conjunctsOf(select.whereClause) : []
  return joinItems([first, ...others], conditions, { context, bindItem })
}

function bindItem(node: Node, context: FromContext): Scope {
  return atNode(node, () => bindItemOf(node, context))
}

function bindItemOf(node: Node, context: FromContext): Scope {
  if ('RangeVar' in node) return [bindNamedRelation(node.RangeVar, context)]
  if ('RangeSubselect' in node)
    return [
      node.RangeSubselect.lateral
        ? context.bindLateral(node.RangeSubselect, context, 'inner')
        : bindSubselect(node.RangeSubselect, context),
    ]
  if ('JoinExpr' in node) return bindJoin(node.JoinExpr, { context, bindItem })
  throw notSupported('this relation', offsetOf(node))
}

function bindNamedRelation({ relname = '', alias, location }: RangeVar, context: FromContext): ScopeRelation {
  const name = alias?.aliasname ?? relname
  const aliases = textsOf(alias?.colnames ?? []) ?? []
  const named = context.known.get(relname)
  if (named) {
    const columns = bindDerived(named.select, {
      ...context,
      known: named.known,
      outer: undefined,
      beside: undefined,
    })
    return { name, columns: renamed(renamed(columns, named.columnNames, location), aliases, location) }
  }
  const manifest = context.binding.dataSets.get(relname)
  if (manifest === undefined)
    throw notSupported(`"${relname}": it is no data set of this ask and no CTE before this`, location)
  if (aliases.length > 0) throw notSupported('other column names for a data set', location)
  return {
    name,
    columns: dataSetColumns(
      manifest,
      addSource(context.level, { kind: 'data-set', dataSet: manifest.dataSet }),
    ),
  }
}

function bindSubselect({ subquery, alias }: RangeSubselect, context: FromContext): ScopeRelation {
  if (subquery === undefined || !('SelectStmt' in subquery)) throw notSupported('this sub-select')
  const columns = bindDerived(subquery.SelectStmt, { ...context, outer: undefined, beside: undefined })
  return {
    name: alias?.aliasname ?? '',
    columns: renamed(columns, textsOf(alias?.colnames ?? []) ?? [], undefined),
  }
}

/** Columns under other names. */
export function renamed(
  columns: readonly ScopeColumn[],
  names: readonly string[],
  offset: number | undefined,
): readonly ScopeColumn[] {
  if (names.length > columns.length) throw notSupported('more column names than there are columns', offset)
  return columns.map((column, index) => ({ ...column, name: names[index] ?? column.name }))
}

/** A data set's columns. Sealed ones are known by name only; the one that names the person is the person. */
function dataSetColumns(manifest: Manifest, source: number): readonly ScopeColumn[] {
  return manifest.columns.map((column): ScopeColumn => {
    if (column.name === manifest.person.key)
      return { name: column.name, expr: { kind: 'person', source, type: 'person', size: 1 } }
    if (column.sensitivity === 'direct_identifier')
      return { name: column.name, refusal: 'identifies people directly and may stand in no question' }
    if (column.sensitivity === 'free_text')
      return { name: column.name, refusal: 'is free text and may stand in no question' }
    return {
      name: column.name,
      expr: {
        kind: 'column',
        source,
        column: column.name,
        type: column.type,
        size: 1,
        range: declaredRange(column),
      },
    }
  })
}

function declaredRange({ bounds, type }: Column): Expr['range'] {
  if (bounds === undefined || (type !== 'number' && type !== 'integer')) return undefined
  return type === 'integer' ? range(Math.ceil(bounds[0]), Math.floor(bounds[1])) : range(bounds[0], bounds[1])
}

/** A sub-select or CTE: what projects and filters is written out into the level, what groups by the person becomes a source. */
export function bindDerived(select: SelectStmt, context: FromContext): readonly ScopeColumn[] {
  return atNode(select, () => bindDerivedOf(select, context))
}

function bindDerivedOf(select: SelectStmt, context: FromContext): readonly ScopeColumn[] {
  // An order without a limit changes nothing of a relation.
  if (select.limitCount || select.limitOffset)
    throw notSupported(
      'LIMIT and OFFSET over rows of different people in a sub-select or CTE; take the first of each person by DISTINCT ON, LATERAL or row_number',
      offsetWithin(select.limitCount ?? select.limitOffset),
    )
  if (select.havingClause && !select.groupClause)
    throw notSupported('HAVING without GROUP BY in a sub-select or CTE', offsetOf(select.havingClause))
  const known = bindWith(select.withClause, context.known)
  if (select.larg)
    return bindPersonSet(
      select,
      (member, level) => bindDerived(member, { ...context, known, level }),
      context,
    )
  if (isDistinctOn(select)) return bindFirst(select, { ...context, known })
  if (select.distinctClause && select.groupClause)
    throw notSupported('DISTINCT beside GROUP BY in a sub-select or CTE', offsetOf(select.groupClause[0]))
  if (select.distinctClause)
    return hasWindow(select)
      ? bindDistinctWindowed(select, { ...context, known })
      : bindPerPerson(select, { ...context, known })
  if (select.fromClause?.some(hasOuterJoin) && !select.groupClause && context.level.sources.length > 0)
    return bindIsolated(select, context)
  if (select.groupClause) return bindPerPerson(select, { ...context, known })
  if (hasWindow(select)) return bindWindowed(select, { ...context, known })
  const scope = bindFrom(select, { ...context, known })
  return bindTargets(select, frameOf({ ...context, known }, scope)).map(({ name, expr }) => ({ name, expr }))
}

/** Whether a SELECT list, which may only be as deep as a question, has a window function somewhere. */
export function hasWindow({ targetList = [] }: SelectStmt): boolean {
  const hasOver = (value: unknown): boolean => {
    if (typeof value !== 'object' || value === null) return false
    return 'over' in value || Object.values(value).some(hasOver)
  }
  return targetList.some(hasOver)
}

/** A sub-select with window functions: they see all of its rows, so it is joined as it is. */
function bindWindowed(select: SelectStmt, context: FromContext): readonly ScopeColumn[] {
  const level: Level = { sources: [], where: [] }
  const inner = { ...context, level }
  const frame = frameOf(inner, bindFrom(select, inner))
  const windows = { level, frame, named: select.windowClause ?? [] }
  const targets = bindTargets(select, {
    ...frame,
    bindWindow: (node, name) => bindWindow(node, name, windows),
  })
  const leaves = targets.map(({ expr }) => leavesBesideWindow(expr))
  const read = targets.flatMap(({ expr }, index) => leaves[index] ?? [expr])
  const isolated = isolate(
    level,
    [{ name: '', columns: read.map((expr) => ({ name: '', expr })) }],
    context.level,
  )
  const columns = isolated.flatMap((relation) => relation.columns)
  return targets.map(({ name, expr }, index) => {
    const parts = leaves[index]
    const own = columns.splice(0, parts?.length ?? 1)
    return { ...(parts ? rebuilt(expr, parts, own) : own[0]), name }
  })
}

/**
 * Of an expression around a window function, the windows, columns and persons that it is made of. An engine computes windows
 * first and the expression over their rows: a form of the catalogue may read its arguments in a select of its own, where a
 * window would see one row.
 */
function leavesBesideWindow(expr: Expr): readonly Expr[] | undefined {
  const leaves = leavesOf(expr)
  return expr.kind !== 'window' && leaves.some(({ kind }) => kind === 'window') ? leaves : undefined
}

function leavesOf(expr: Expr): readonly Expr[] {
  if (expr.kind === 'window' || expr.kind === 'column' || expr.kind === 'person') return [expr]
  return childrenOf(expr).flatMap(leavesOf)
}

function rebuilt(
  expr: Expr,
  leaves: readonly Expr[],
  columns: readonly ScopeColumn[],
): Pick<ScopeColumn, 'expr' | 'refusal'> {
  const refusal = columns.find((column) => column.refusal !== undefined)?.refusal
  if (refusal !== undefined) return { refusal }
  return { expr: mapExpression(expr, (part) => columns[leaves.indexOf(part)]?.expr) }
}

/** A sub-select of the first row of each person. */
function bindFirst({ distinctClause, ...select }: SelectStmt, context: FromContext): readonly ScopeColumn[] {
  if (select.groupClause || hasWindow(select))
    throw notSupported('DISTINCT ON beside GROUP BY or windows', offsetOf(distinctClause?.[0]))
  const level: Level = { sources: [], where: [] }
  const inner = { ...context, level }
  const frame = frameOf(inner, bindFrom(select, inner))
  const targets = bindTargets(select, frame)
  const first = firstOfEach({ ...select, ...(distinctClause ? { distinctClause } : {}) }, targets, frame)
  const top = topRows(
    level,
    targets.map(({ expr }) => expr),
    first,
  )
  const columns = targets.flatMap(({ name }, index) => {
    const expr = top.exprs[index]
    return expr ? [{ name, expr }] : []
  })
  return isolate(top.level, [{ name: '', columns }], context.level).flatMap((relation) => relation.columns)
}

/** A sub-select with an outer join beside other sources: these must not come between its own. */
function bindIsolated(select: SelectStmt, context: FromContext): readonly ScopeColumn[] {
  const level: Level = { sources: [], where: [] }
  const columns = bindDerived(select, { ...context, level })
  return isolate(level, [{ name: '', columns }], context.level).flatMap((relation) => relation.columns)
}

function bindPerPerson(select: SelectStmt, context: FromContext): readonly ScopeColumn[] {
  const level: Level = { sources: [], where: [] }
  const inner = frameOf({ ...context, level }, bindFrom(select, { ...context, level }))
  const sink = perPersonSink(inner, {
    sources: level.sources,
    rowsMax: () => rowsOfOnePerson(level, context.binding),
  })
  const frame: Frame = { ...inner, bindAggregate: sink.bind }
  const targets = bindTargets(select, frame)
  const having = bindHaving(select, frame)
  // Different rows are groups of equal ones.
  const keys = select.distinctClause ? targets : bindGroupKeys(select, targets, inner)
  for (const { expr, offset } of keys) {
    requireScalar(expr, offset)
    if ([...partsOf(expr)].some(({ kind }) => kind === 'measure'))
      throw notSupported('an aggregate in GROUP BY or beside DISTINCT', offset)
  }
  const [person, another] = keys.filter(({ expr }) => expr.type === 'person')
  if (person === undefined || another) {
    const what = `${select.distinctClause ? 'DISTINCT' : 'GROUP BY'} in a sub-select or CTE without exactly one person key; add it, ask for both sides of a join of groups in one SELECT with FILTER, ${IN_STAGES}`
    const offset = offsetOf(select.groupClause?.[0])
    throw another ? notSupported(what, offset) : groupsRefused(what, offset)
  }
  // Rows without one are a single group of nobody in particular.
  if (person.expr.kind === 'person' && inner.isNullable?.(person.expr))
    throw notSupported(
      `${select.distinctClause ? 'DISTINCT' : 'GROUP BY'} of a person key that may be missing in a row; use the one that is always there`,
      person.offset,
    )
  const others = keys.filter((key) => key !== person).map(({ expr }) => expr)
  const source = addSource(context.level, {
    kind: 'per-person',
    sources: level.sources,
    where: level.where,
    keys: others,
    aggregates: sink.aggregates,
  })
  const read = (target: Pick<Target, 'expr' | 'offset'>): Expr =>
    readFromSource(target, { source, person: person.expr, keys: others })
  // The groups it keeps are rows of the level above: leaving out the others there is leaving them out here.
  if (having)
    context.level.where.push({
      expr: read({ expr: having, offset: offsetOf(select.havingClause) }),
      clause: 'where',
    })
  return targets.map((target) => ({ name: target.name, expr: read(target) }))
}

/** DISTINCT over window functions: those see all rows, and of what they give with the rest equal rows are one. */
function bindDistinctWindowed(select: SelectStmt, context: FromContext): readonly ScopeColumn[] {
  const level: Level = { sources: [], where: [] }
  const columns = bindWindowed(select, { ...context, level })
  const offset = offsetWithin(select.targetList)
  const exprs = columns.flatMap(({ expr }) => expr ?? [])
  for (const expr of exprs) requireScalar(expr, offset)
  const [person, another] = exprs.filter(({ type }) => type === 'person')
  if (person === undefined || another || exprs.length < columns.length)
    throw notSupported(
      `DISTINCT in a sub-select or CTE without exactly one person key; add it, ${IN_STAGES}`,
      offset,
    )
  const keys = exprs.filter((expr) => expr !== person)
  const { sources, where } = level
  const source = addSource(context.level, { kind: 'per-person', sources, where, keys, aggregates: [] })
  return columns.map(({ name, expr = person }) => ({
    name,
    expr: readFromSource({ expr, offset }, { source, person, keys }),
  }))
}

/** An output of the sub-select as the level above reads it: keys and aggregates are columns of the source. */
function readFromSource(
  target: Pick<Target, 'expr' | 'offset'>,
  {
    source,
    person,
    keys,
  }: { readonly source: number; readonly person: Expr; readonly keys: readonly Expr[] },
): Expr {
  if (target.expr.type === 'person') return { kind: 'person', source, type: 'person', size: 1 }
  const grouped = overGroups(target.expr, [...keys, person], target.offset)
  return mapExpression(grouped, (part) => {
    if (part.kind === 'key') return derivedColumn(source, `k${part.key}`, part)
    if (part.kind === 'measure') return derivedColumn(source, `a${part.measure}`, part)
    return undefined
  })
}
