import type { Node, RangeSubselect, SelectStmt } from '@pgsql/types'
import { isPerPersonAggregate, perPersonSink } from '../relation/bind-per-person.ts'
import { bindCondition } from '../expression/bind-expression.ts'
import type { Frame } from '../expression/bind-expression.ts'
import { bindOrder, bindTargets } from '../aggregate/bind-groups.ts'
import type { Target } from '../aggregate/bind-groups.ts'
import { bindItems, renamed } from '../relation/bind-relation.ts'
import { overAggregates } from './bind-sub-query.ts'
import type { PersonRef } from '../../bound/bound-query.ts'
import { rowsOfOnePerson } from '../aggregate/bounded-argument.ts'
import { call } from '../expression/build-expression.ts'
import {
  addConditions,
  checkIssuers,
  checkOptionalRows,
  frameOf,
  frameOfJoin,
} from '../relation/from-context.ts'
import type { FromContext } from '../relation/from-context.ts'
import { isolate } from '../expression/isolate.ts'
import { isNullablePerson, personSources } from '../../bound/joined-level.ts'
import { textsOf } from '../../text/nodes.ts'
import { besideNames, isKnown } from '../expression/outer-names.ts'
import { bindWith } from '../relation/named-queries.ts'
import { notSupported } from '../../text/refusal.ts'
import type { Level, Scope, ScopeColumn, ScopeRelation } from '../expression/scope.ts'
import { bindRows, correlationOf, readSub } from './sub-rows.ts'
import type { Place } from './sub-rows.ts'
import { boundsOfLimit, personOfLevel, sortedBy, topRows } from '../relation/top-rows.ts'

/** How the rows of a LATERAL sub-query are joined: rows around it that find none stay or go. */
export type LateralKind = 'inner' | 'left'

/**
 * A LATERAL sub-query. It is of the person of the row before it, and means what can be written without it: an expression,
 * a sub-query of one row, or a join on the person key with further conditions.
 */
export function bindLateral(
  { subquery, alias }: RangeSubselect,
  context: FromContext,
  kind: LateralKind,
): ScopeRelation {
  if (subquery === undefined || !('SelectStmt' in subquery)) throw notSupported('this sub-select')
  const select = subquery.SelectStmt
  const { groupClause, havingClause, distinctClause, larg, valuesLists } = select
  if (groupClause || havingClause || distinctClause || larg || valuesLists || hasOver(select.targetList))
    throw notSupported(
      'GROUP BY, HAVING, DISTINCT, windows and set operations in a LATERAL sub-query; group by the person key in a sub-select and join that',
    )
  const facts = { context, kind, beside: context.beside ?? [] }
  const { columns, tiedTo } = select.fromClause
    ? hasAggregate(select.targetList)
      ? bindAggregated(select, facts)
      : bindJoined(select, facts)
    : bindComputed(select, facts)
  const aliases = textsOf(alias?.colnames ?? []) ?? []
  return { name: alias?.aliasname ?? '', columns: renamed(columns, aliases, undefined), tiedTo }
}

interface Facts {
  readonly context: FromContext
  readonly kind: LateralKind
  /** The names before it. */
  readonly beside: Scope
}

interface Bound {
  readonly columns: readonly ScopeColumn[]
  /** The sources before it whose person its rows are of; none where it has no rows of its own. */
  readonly tiedTo: readonly number[]
}

/** Without FROM it has one row: names for what is computed of the row before it. */
function bindComputed(select: SelectStmt, { context, kind, beside }: Facts): Bound {
  const frame = frameOf(context, beside)
  if (select.limitCount || select.limitOffset) throw notSupported('LIMIT of a LATERAL sub-query without FROM')
  if (select.whereClause && kind === 'left')
    throw notSupported('WHERE in a LATERAL sub-query without FROM after LEFT JOIN')
  if (select.whereClause) addConditions(select.whereClause, frame, { level: context.level, clause: 'where' })
  return { columns: columnsOf(bindTargets(select, frame)), tiedTo: [] }
}

/** Aggregates of the person's rows: one row always, as a sub-query of one value has. */
function bindAggregated(select: SelectStmt, { context, beside }: Facts): Bound {
  const place: Place = { context, frame: frameOf(context, beside), offset: undefined }
  if (boundsOfLimit(select, { binding: context.binding, scope: [] }))
    throw notSupported('LIMIT and OFFSET beside an aggregate')
  const rows = bindRows(select, place)
  const { level, frame } = rows
  const sink = perPersonSink(frame, {
    sources: level.sources,
    rowsMax: () => rowsOfOnePerson(level, context.binding),
  })
  const targets = bindTargets(select, { ...frame, bindAggregate: sink.bind })
  const read = readSub(rows, sink.aggregates, place)
  return {
    columns: targets.map(({ name, expr, offset }) => ({ name, expr: overAggregates(expr, read, offset) })),
    tiedTo: rows.by ?? [],
  }
}

/** Rows of the person: what depends on the row before it is a condition of the join. */
function bindJoined(select: SelectStmt, { context, kind, beside }: Facts): Bound {
  const known = bindWith(select.withClause, context.known)
  const inner: Level = { sources: [], where: [] }
  const innerContext = { ...context, level: inner, known, outer: undefined, beside: undefined }
  const { scope, conditions } = bindItems(select, innerContext)
  const { tiedTo, own, about } = partedConditions(conditions, {
    scope,
    beside,
    frame: frameOf(innerContext, scope),
  })
  for (const condition of own)
    addConditions(condition, frameOf(innerContext, scope), { level: inner, clause: 'where' })
  const isOwn = !(select.targetList ?? []).some((target) => looksAround(target, scope))
  const bounds = boundsOfLimit(select, { binding: context.binding, scope: [] })
  if ((bounds && (about.length > 0 || !isOwn)) || (kind === 'left' && !isOwn))
    throw notSupported(
      bounds
        ? 'LIMIT in a LATERAL sub-query that looks at more of the row before it than its person'
        : 'a column of the row before it in the SELECT list of LEFT JOIN LATERAL; compute it outside',
    )
  const frame = frameOf(innerContext, scope)
  const targets = isOwn ? bindTargets(select, frame) : []
  const { level, columns } = limited(select, { inner, targets, frame, bounds })
  const made = isolate(level, [...(bounds ? [] : scope), { name: MADE, columns }], context.level)
  joinRows({ context, kind, beside, tiedTo, about, scope: made })
  const outside = { ...frameOf(context, made), outer: besideNames(beside) }
  const shown = isOwn ? (made.at(-1)?.columns ?? []) : columnsOf(bindTargets(select, outside))
  return { columns: shown, tiedTo }
}

/** No relation of a question is called so. */
const MADE = '\0'

function columnsOf(targets: readonly Target[]): readonly ScopeColumn[] {
  return targets.map(({ name, expr }) => ({ name, expr }))
}

interface Parted {
  readonly tiedTo: readonly number[]
  /** Conditions on its own rows alone, and those that look at the row before it. */
  readonly own: readonly Node[]
  readonly about: readonly Node[]
}

function partedConditions(
  conditions: readonly Node[],
  { scope, beside, frame }: { readonly scope: Scope; readonly beside: Scope; readonly frame: Frame },
): Parted {
  const outer = besideNames(beside)
  const ties = conditions.map((node) => correlationOf(node, { ...frame, outer }))
  const tiedTo = ties.find((by) => by !== undefined)
  if (tiedTo === undefined)
    throw notSupported(
      'a LATERAL sub-query that is not of the person of the row before it; tie the person keys, as in WHERE s.<key> = a.<key>',
    )
  const others = conditions.filter((_, index) => ties[index] === undefined)
  return {
    tiedTo,
    own: others.filter((node) => !looksAround(node, scope)),
    about: others.filter((node) => looksAround(node, scope)),
  }
}

/** Whether a name in it is none of the sub-query's own. */
function looksAround(value: unknown, scope: Scope): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (!('ColumnRef' in value)) return Object.values(value).some((inner) => looksAround(inner, scope))
  const { fields = [] } = value.ColumnRef as { readonly fields?: readonly Node[] }
  const names = textsOf(fields.filter((field) => !('A_Star' in field))) ?? []
  return names.length > 0 && !isKnown(scope, names)
}

interface Limiting {
  readonly inner: Level
  readonly targets: readonly Target[]
  readonly frame: Frame
  readonly bounds: ReturnType<typeof boundsOfLimit>
}

function limited(
  select: SelectStmt,
  { inner, targets, frame, bounds }: Limiting,
): { readonly level: Level; readonly columns: readonly ScopeColumn[] } {
  if (bounds === undefined) return { level: inner, columns: columnsOf(targets) }
  const person = personOfLevel(inner, personSources(inner.sources))
  const order = bindOrder(select, targets, frame).map(sortedBy)
  const exprs = targets.map(({ expr }) => expr)
  const top = topRows(inner, exprs, { person, partition: [], order, ...bounds })
  return {
    level: top.level,
    columns: targets.flatMap(({ name }, index) => {
      const expr = top.exprs[index]
      return expr ? [{ name, expr }] : []
    }),
  }
}

interface JoiningRows extends Facts {
  readonly tiedTo: readonly number[]
  readonly about: readonly Node[]
  readonly scope: Scope
}

/** Joins the last source of the level to the person that it is tied to. */
function joinRows({ context, kind, beside, tiedTo, about, scope }: JoiningRows): void {
  const { level } = context
  const outer = besideNames(beside)
  if (kind === 'left') {
    const frame = { ...frameOfJoin(context, scope), outer }
    const on = about.map((node) => bindCondition(node, frame))
    const last = level.sources.length - 1
    const source = level.sources[last]
    if (source) level.sources[last] = { ...source, join: { kind, by: tiedTo, on } }
    checkOptionalRows(context, undefined)
  } else {
    const [source = 0, ...orElse] = tiedTo
    const person: PersonRef = { kind: 'person', source, type: 'person', size: 1, orElse }
    if (isNullablePerson(person, level.sources))
      level.where.push({ expr: call('is_not_null', [person]), clause: 'join' })
    const frame = { ...frameOf(context, scope), outer }
    for (const node of about) addConditions(node, frame, { level, clause: 'where' })
  }
  checkIssuers(level, context.binding)
}

function hasOver(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return 'over' in value || Object.values(value).some(hasOver)
}

function hasAggregate(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  if ('SubLink' in value) return false
  if ('FuncCall' in value) {
    const { funcname = [] } = value.FuncCall as { readonly funcname?: readonly Node[] }
    const name = textsOf(funcname)?.at(-1)
    if (name !== undefined && isPerPersonAggregate(name)) return true
  }
  return Object.values(value).some(hasAggregate)
}
