import type { JoinExpr, Node, RangeSubselect, RangeVar, SelectStmt, SubLink, WithClause } from '@pgsql/types'
import type { Manifest } from '../../protocol/data-set.ts'
import type { Column } from '../../protocol/data-set.ts'
import type { Expr, Source } from './bound-query.ts'
import { perPersonSink } from './bind-aggregate.ts'
import { bindCondition, bindTerm, offsetOf, textsOf } from './bind-expression.ts'
import type { Frame } from './bind-expression.ts'
import { bindGroupKeys, bindHaving, bindTargets, overGroups } from './bind-groups.ts'
import type { Target } from './bind-groups.ts'
import { resolveCall } from './build-expression.ts'
import type { OuterNames } from './outer-names.ts'
import { range } from './ranges.ts'
import { notSupported, wrongColumn } from './refusal.ts'
import { mapExpression } from './same-expression.ts'
import { addSource, findColumn } from './scope.ts'
import type { Binding, Level, Scope, ScopeColumn, ScopeRelation } from './scope.ts'

/** A CTE: its text and what it may name itself. */
interface NamedQuery {
  readonly select: SelectStmt
  readonly columnNames: readonly string[]
  readonly known: NamedQueries
}

export type NamedQueries = ReadonlyMap<string, NamedQuery>

/** What a FROM clause is bound in: the question, the set of sources it is written out into, and the CTEs it may name. */
export interface FromContext {
  readonly binding: Binding
  readonly level: Level
  readonly known: NamedQueries
  /** The names around a sub-query of an expression; they mean something in its WHERE and ON, not in its own sub-selects. */
  readonly outer?: OuterNames | undefined
  readonly bindSubLink: (node: SubLink, context: FromContext, frame: Frame) => Expr
}

/** Expressions over what FROM names. */
export function frameOf(context: FromContext, scope: Scope): Frame {
  const { binding, outer, bindSubLink } = context
  return { binding, scope, outer, bindSubLink: (node, frame) => bindSubLink(node, context, frame) }
}

/** The CTEs of a WITH clause, each knowing those before it. */
export function bindWith(clause: WithClause | undefined, known: NamedQueries): NamedQueries {
  let all = known
  for (const node of clause?.ctes ?? []) {
    if (!('CommonTableExpr' in node)) throw notSupported('this WITH clause')
    const { ctename = '', ctequery, aliascolnames, location } = node.CommonTableExpr
    if (ctequery === undefined || !('SelectStmt' in ctequery))
      throw notSupported('a statement other than SELECT in a WITH clause', location)
    all = new Map(all).set(ctename, {
      select: ctequery.SelectStmt,
      columnNames: textsOf(aliascolnames ?? []) ?? [],
      known: all,
    })
  }
  return all
}

/** Binds FROM and WHERE of a SELECT: its sources and conditions go into the level, its names come back. */
export function bindFrom(select: SelectStmt, context: FromContext): Scope {
  const scope = bindItems(select, context)
  if (select.whereClause)
    addConditions(select.whereClause, frameOf(context, scope), { level: context.level, clause: 'where' })
  return scope
}

/** FROM alone. */
export function bindItems(select: SelectStmt, context: FromContext): Scope {
  const [item, another] = select.fromClause ?? []
  if (item === undefined) throw notSupported('a SELECT without FROM')
  if (another) throw notSupported('a cross join; write JOIN … USING (<person key>)', offsetOf(another))
  return bindItem(item, context)
}

function bindItem(node: Node, context: FromContext): Scope {
  if ('RangeVar' in node) return [bindNamedRelation(node.RangeVar, context)]
  if ('RangeSubselect' in node) return [bindSubselect(node.RangeSubselect, context)]
  if ('JoinExpr' in node) return bindJoin(node.JoinExpr, context)
  throw notSupported('this relation', offsetOf(node))
}

function bindNamedRelation({ relname = '', alias, location }: RangeVar, context: FromContext): ScopeRelation {
  const name = alias?.aliasname ?? relname
  const aliases = textsOf(alias?.colnames ?? []) ?? []
  const named = context.known.get(relname)
  if (named) {
    const columns = bindDerived(named.select, { ...context, known: named.known, outer: undefined })
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
  const columns = bindDerived(subquery.SelectStmt, { ...context, outer: undefined })
  return {
    name: alias?.aliasname ?? '',
    columns: renamed(columns, textsOf(alias?.colnames ?? []) ?? [], undefined),
  }
}

function renamed(
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
  if (select.sortClause || select.limitCount || select.limitOffset)
    throw notSupported('ORDER BY, LIMIT and OFFSET in a sub-select or CTE')
  if (select.havingClause && !select.groupClause)
    throw notSupported('HAVING without GROUP BY in a sub-select or CTE', offsetOf(select.havingClause))
  const known = bindWith(select.withClause, context.known)
  if (select.groupClause) return bindPerPerson(select, { ...context, known })
  const scope = bindFrom(select, { ...context, known })
  return bindTargets(select, frameOf({ ...context, known }, scope)).map(({ name, expr }) => ({ name, expr }))
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
  const keys = bindGroupKeys(select, targets, inner)
  const [person, another] = keys.filter(({ expr }) => expr.type === 'person')
  if (person === undefined || another)
    throw notSupported(
      'GROUP BY in a sub-select or CTE without exactly one person key',
      offsetOf(select.groupClause?.[0]),
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
    if (part.kind === 'key')
      return {
        kind: 'column',
        source,
        column: `k${part.key}`,
        isDerived: true,
        type: part.type,
        size: 1,
        range: part.range,
      }
    if (part.kind === 'measure')
      return {
        kind: 'column',
        source,
        column: `a${part.measure}`,
        isDerived: true,
        type: part.type,
        size: 1,
        range: part.range,
      }
    return undefined
  })
}

/** Most rows that one person can have in a joined set of sources, by the manifests. */
export function rowsOfOnePerson(
  level: { readonly sources: readonly Source[] },
  { dataSets }: Pick<Binding, 'dataSets'>,
): number {
  return level.sources.reduce((product, source) => {
    if (source.kind === 'outer') return product
    if (source.kind === 'data-set') return product * (dataSets.get(source.dataSet)?.person.rowsMax ?? 1)
    return product * (source.keys.length === 0 ? 1 : rowsOfOnePerson(source, { dataSets }))
  }, 1)
}

function bindJoin({ larg, rarg, usingClause, quals }: JoinExpr, context: FromContext): Scope {
  if (larg === undefined || rarg === undefined) throw notSupported('this join')
  const left = bindItem(larg, context)
  const right = bindItem(rarg, context)
  const names = [...left, ...right].map(({ name }) => name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined)
    throw notSupported(`the name "${twice}" for two relations; give one an alias`, offsetOf(rarg))
  if (usingClause) return joinUsing({ left, right }, usingClause, context)
  if (quals === undefined)
    throw notSupported('a cross join; write JOIN … USING (<person key>)', offsetOf(rarg))
  joinOn({ left, right }, quals, context)
  return [...left, ...right]
}

interface Sides {
  readonly left: Scope
  readonly right: Scope
}

function joinUsing(
  { left, right }: Sides,
  usingClause: readonly Node[],
  { binding, level }: FromContext,
): Scope {
  const names = textsOf(usingClause) ?? []
  let isOnPerson = false
  for (const name of names) {
    const [a, b] = [findColumn(left, { name }, undefined), findColumn(right, { name }, undefined)]
    if (a.type === 'person' && b.type === 'person') isOnPerson = true
    else if (a.type === 'person' || b.type === 'person')
      throw wrongColumn(`Column "${name}" is the person key on one side of the join only`)
    else level.where.push({ expr: resolveCall([a, b], { offset: undefined, name: '=' }), clause: 'join' })
  }
  if (!isOnPerson) throw notPersonJoin(undefined)
  checkIssuers(level, binding)
  const merged = (columns: readonly ScopeColumn[]) =>
    columns.map((column) => (names.includes(column.name) ? { ...column, isMerged: true } : column))
  return [...left, ...right.map((relation) => ({ ...relation, columns: merged(relation.columns) }))]
}

function joinOn({ left, right }: Sides, quals: Node, context: FromContext): void {
  const { binding, level } = context
  const frame = frameOf(context, [...left, ...right])
  let isOnPerson = false
  for (const conjunct of conjunctsOf(quals)) {
    if (isPersonEquality(conjunct, { left, right }, frame)) isOnPerson = true
    else addConditions(conjunct, frame, { level, clause: 'join' })
  }
  if (!isOnPerson) throw notPersonJoin(offsetOf(quals))
  checkIssuers(level, binding)
}

function notPersonJoin(offset: number | undefined): Error {
  return notSupported('a join that is not on the person keys of both sides', offset)
}

/** `a.<person key> = b.<person key>`, one from each side. */
function isPersonEquality(node: Node, { left, right }: Sides, frame: Frame): boolean {
  if (!('A_Expr' in node)) return false
  const { kind, name = [], lexpr, rexpr } = node.A_Expr
  if (
    kind !== 'AEXPR_OP' ||
    textsOf(name)?.join() !== '=' ||
    !lexpr ||
    !rexpr ||
    !('ColumnRef' in lexpr) ||
    !('ColumnRef' in rexpr)
  )
    return false
  const [a, b] = [bindTerm(lexpr, frame), bindTerm(rexpr, frame)]
  if (a.kind !== 'person' || b.kind !== 'person') return false
  const sideOf = (side: Scope, source: number) =>
    side.some(({ columns }) => columns.some(({ expr }) => expr?.kind === 'person' && expr.source === source))
  return (
    (sideOf(left, a.source) && sideOf(right, b.source)) || (sideOf(left, b.source) && sideOf(right, a.source))
  )
}

/** The parts that must all hold. */
export function conjunctsOf(node: Node): readonly Node[] {
  return 'BoolExpr' in node && node.BoolExpr.boolop === 'AND_EXPR'
    ? (node.BoolExpr.args ?? []).flatMap(conjunctsOf)
    : [node]
}

/** Adds what must all hold to the conditions of a level. */
export function addConditions(
  node: Node,
  frame: Frame,
  { level, clause }: { readonly level: Level; readonly clause: 'where' | 'join' },
): void {
  for (const conjunct of conjunctsOf(node)) level.where.push({ expr: bindCondition(conjunct, frame), clause })
}

/** Only an issuer's own keys name the same people; those of two issuers are different people even where they look alike. */
export function checkIssuers({ sources }: Level, { dataSets }: Binding): void {
  const issuers = new Set<string | undefined>()
  const visit = (list: readonly Source[]): void => {
    for (const source of list) {
      if (source.kind === 'data-set') issuers.add(dataSets.get(source.dataSet)?.issuer)
      else if (source.kind === 'per-person') visit(source.sources)
    }
  }
  visit(sources)
  if (issuers.size > 1)
    throw notSupported('a join of data sets of different issuers: their people are not the same')
}
