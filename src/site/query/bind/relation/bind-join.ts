import type { JoinExpr, Node } from '@pgsql/types'
import type { Join } from '../../bound/bound-query.ts'
import { bindCondition } from '../expression/bind-expression.ts'
import { offsetOf, textsOf } from '../../text/nodes.ts'
import type { Frame } from '../expression/bind-expression.ts'
import { call } from '../expression/build-expression.ts'
import {
  addConditions,
  checkIssuers,
  checkOptionalRows,
  conjunctsOf,
  frameOf,
  frameOfJoin,
} from './from-context.ts'
import type { FromContext } from './from-context.ts'
import { isolate } from '../expression/isolate.ts'
import { conditionsOf, isOf, mergedScope, notPersonJoin, personEquality } from './join-conditions.ts'
import type { Sides } from './join-conditions.ts'
import { isNullablePerson, sourcesOf } from '../../bound/joined-level.ts'
import { notSupported } from '../../text/refusal.ts'
import type { Level, Scope } from '../expression/scope.ts'
import { conditionsAbout, joinWritten, namesOfOnly } from './join-written.ts'
import { writtenItem } from './written-table.ts'
import type { NamedTable } from './written-table.ts'

/** Where a join stands, and how what it joins is bound. */
export interface Joining {
  readonly context: FromContext
  readonly bindItem: (node: Node, context: FromContext) => Scope
}

/**
 * Joins what stands side by side in FROM by person keys that WHERE says are equal, and gives the conditions that are
 * left of WHERE. Equal keys of sources that are joined anyway hold always.
 */
export function joinItems(
  items: readonly Node[],
  conditions: readonly Node[],
  joining: Joining,
): { readonly scope: Scope; readonly conditions: readonly Node[] } {
  const all = items.flatMap((item) => loose(item))
  const tables = all.flatMap((item) => writtenItem(item, joining.context) ?? [])
  const others = all.filter((item) => writtenItem(item, joining.context) === undefined)
  if (others.length === 0)
    throw notSupported(
      'a relation that is written out alone: nobody stands behind its rows',
      offsetOf(items[0]),
    )
  const { context } = joining
  const beside = [...(context.beside ?? []), ...tables.flatMap((table) => namesOfOnly(table) ?? [])]
  const found = joinSides(others, conditions, { ...joining, context: { ...context, beside } })
  requireDistinctNames([...found.scope, ...tables.map(({ name }) => ({ name, columns: [] }))], undefined)
  return joinTables(tables, found, context)
}

/** Joins tables that are written out, each by the conditions that look at it. */
function joinTables(
  tables: readonly NamedTable[],
  { scope, conditions }: ReturnType<typeof joinItems>,
  context: FromContext,
): ReturnType<typeof joinItems> {
  let joined = { scope, conditions }
  for (const [index, table] of tables.entries()) {
    const only = namesOfOnly(table)
    const later = tables.slice(index + 1)
    const { about, rest } = only
      ? { about: [], rest: joined.conditions }
      : conditionsAbout(joined.conditions, { table, later, others: joined.scope })
    const made = only ?? joinWritten({ table, nodes: about, using: [], kind: 'inner' }, joined.scope, context)
    joined = { scope: [...joined.scope, made], conditions: rest }
  }
  return joined
}

/** Joins what has rows of people. */
function joinSides(
  items: readonly Node[],
  conditions: readonly Node[],
  joining: Joining,
): ReturnType<typeof joinItems> {
  const sides = sideBySide(items, joining)
  const scope = sides.flatMap((side) => side.scope)
  if (sides.length === 1) return { scope, conditions }
  if (sides.some(({ item }, index) => index > 0 && hasOuterJoin(item)))
    throw notSupported('an outer join after a comma or CROSS JOIN; put it first')
  requireDistinctNames(scope, undefined)
  const frame = frameOf(joining.context, scope)
  const joined = new Set(sides.slice(0, 1).map((side) => side.scope))
  const equalities = conditions.map((node) => ({
    node,
    sides: equalSides(
      node,
      sides.map((side) => side.scope),
      frame,
    ),
  }))
  const ties = sides.flatMap((side): readonly (readonly [Scope, Scope])[] => {
    const tied = tiedSide(side, sides)
    return tied ? [[side.scope, tied.scope]] : []
  })
  const links = [...ties, ...equalities.flatMap((one) => (one.sides ? [one.sides] : []))]
  for (let size = 0; size !== joined.size;) {
    size = joined.size
    for (const [a, b] of links) if (joined.has(a) !== joined.has(b)) joined.add(a).add(b)
  }
  const apart = sides.find((side) => !joined.has(side.scope))
  if (apart) throw notPersonJoin(offsetOf(apart.item))
  checkIssuers(joining.context.level, joining.context.binding)
  return { scope, conditions: equalities.flatMap(({ node, sides: found }) => (found ? [] : [node])) }
}

interface Side {
  readonly item: Node
  readonly scope: Scope
}

/** Binds what stands side by side, each knowing the names before it. */
function sideBySide(items: readonly Node[], { context, bindItem }: Joining): readonly Side[] {
  const sides: Side[] = []
  for (const item of items) {
    const beside = [...(context.beside ?? []), ...sides.flatMap(({ scope }) => scope)]
    sides.push({ item, scope: bindItem(item, { ...context, beside }) })
  }
  return sides
}

/** The side whose rows a LATERAL sub-query is tied to; the first, for one that has no rows of its own. */
function tiedSide({ scope }: Side, sides: readonly Side[]): Side | undefined {
  const [relation] = scope
  const [source] = relation?.tiedTo ?? []
  if (relation?.tiedTo === undefined) return undefined
  if (source === undefined) return sides[0]
  return sides.find((side) => isOf(side.scope, { kind: 'person', source, type: 'person', size: 1 }))
}

/** What a CROSS JOIN puts side by side. */
function loose(item: Node): readonly Node[] {
  if (!('JoinExpr' in item)) return [item]
  const { jointype, larg, rarg, usingClause, quals, isNatural } = item.JoinExpr
  const isCross = jointype === 'JOIN_INNER' && !usingClause && !quals && !isNatural
  return isCross && larg && rarg ? [...loose(larg), ...loose(rarg)] : [item]
}

/** The two sides whose person keys a condition says are equal. */
function equalSides(node: Node, sides: readonly Scope[], frame: Frame): readonly [Scope, Scope] | undefined {
  const persons = personEquality(node, frame)
  if (persons === undefined || persons.some((person) => frame.isNullable?.(person))) return undefined
  const [a, b] = persons.map((person) => sides.find((side) => isOf(side, person)))
  return a && b ? [a, b] : undefined
}

/** Binds a join: sources go into the level. All joins are by the person. */
export function bindJoin(join: JoinExpr, joining: Joining): Scope {
  const { larg, rarg } = join
  if (larg === undefined || rarg === undefined) throw notSupported('this join')
  if (hasOuterJoin({ JoinExpr: join })) return bindChain(join, joining)
  const { context, bindItem } = joining
  const written = writtenSide(join, context)
  if (written) return joinSide(written, bindItem(written.other, context), context)
  const left = bindItem(larg, context)
  const right = bindItem(rarg, { ...context, beside: [...(context.beside ?? []), ...left] })
  requireDistinctNames([...left, ...right], offsetOf(rarg))
  if (isLateral(rarg)) return joinLateral(join, { left, right }, context)
  const found = conditionsOf(join, { left, right }, context)
  // Equal keys are both there.
  const isThere = found.persons
    .filter((person) => isNullablePerson(person, context.level.sources))
    .map((person) => call('is_not_null', [person]))
  for (const expr of [...isThere, ...found.on]) context.level.where.push({ expr, clause: 'join' })
  for (const node of found.nodes)
    addConditions(node, frameOf(context, [...left, ...right]), { level: context.level, clause: 'join' })
  checkIssuers(context.level, context.binding)
  return mergedScope({ left, right }, found.merged)
}

interface WrittenSide {
  readonly join: JoinExpr
  readonly table: NamedTable
  readonly other: Node
  /** Whether rows of the written table stay that meet nobody. */
  readonly isKept: boolean
  readonly kind: 'inner' | 'left'
}

/**
 * A join of which one side is a table that is written out. Its rows are nobody's. Where such rows stay that meet nobody, the question
 * has to group by what tells them apart, so that each is a group of nobody, which is not shown.
 */
function writtenSide(join: JoinExpr, context: FromContext): WrittenSide | undefined {
  const { larg, rarg, jointype } = join
  if (larg === undefined || rarg === undefined) return undefined
  const right = writtenItem(rarg, context)
  const table = right ?? writtenItem(larg, context)
  if (table === undefined) return undefined
  if (join.isNatural)
    throw notSupported('NATURAL JOIN of a relation that is written out; write USING', offsetOf(rarg))
  const isKept = jointype === 'JOIN_FULL' || jointype === (right ? 'JOIN_RIGHT' : 'JOIN_LEFT')
  if (isKept && (context.level !== context.question || context.binding.mode === 'rows'))
    throw notSupported(
      'an outer join that keeps rows of a relation that is written out: nobody stands behind them',
      offsetOf(rarg),
    )
  const isInner = jointype === 'JOIN_INNER' || (isKept && jointype !== 'JOIN_FULL')
  return { join, table, other: right ? larg : rarg, isKept, kind: isInner ? 'inner' : 'left' }
}

function joinSide({ join, table, isKept, kind }: WrittenSide, left: Scope, context: FromContext): Scope {
  const { quals, usingClause, rarg } = join
  requireDistinctNames([...left, { name: table.name, columns: [] }], offsetOf(rarg))
  const made = joinWritten(
    {
      table,
      nodes: quals ? conjunctsOf(quals) : [],
      using: textsOf(usingClause ?? []) ?? [],
      kind,
      isKept,
    },
    left,
    context,
  )
  return [...left, made]
}

function isLateral(node: Node): boolean {
  return 'RangeSubselect' in node && node.RangeSubselect.lateral === true
}

/** A LATERAL sub-query is tied to the rows before it by itself; what ON says besides is a condition. */
function joinLateral(
  { quals, usingClause, isNatural, rarg }: JoinExpr,
  { left, right }: Sides,
  context: FromContext,
): Scope {
  if (usingClause || isNatural) throw notSupported('USING and NATURAL with LATERAL; write ON', offsetOf(rarg))
  const scope = [...left, ...right]
  if (quals && !isTrue(quals))
    addConditions(quals, frameOf(context, scope), { level: context.level, clause: 'join' })
  return scope
}

function isTrue(node: Node): boolean {
  return 'A_Const' in node && node.A_Const.boolval?.boolval === true
}

function requireDistinctNames(scope: Scope, offset: number | undefined): void {
  const names = scope.map(({ name }) => name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined)
    throw notSupported(`the name "${twice}" for two relations; give one an alias`, offset)
}

/** Whether rows without a counterpart stay somewhere in a FROM clause. */
export function hasOuterJoin(node: Node | undefined): boolean {
  if (node === undefined || !('JoinExpr' in node)) return false
  const { jointype, larg, rarg } = node.JoinExpr
  return jointype !== 'JOIN_INNER' || hasOuterJoin(larg) || hasOuterJoin(rarg)
}

const KINDS: Readonly<Record<string, Join['kind']>> = {
  JOIN_INNER: 'inner',
  JOIN_LEFT: 'left',
  JOIN_RIGHT: 'right',
  JOIN_FULL: 'full',
}

/**
 * Joins of which one is an outer one: each is kept with its conditions, in the order in which they are written. What
 * stands to the right of one is one source.
 */
function bindChain(join: JoinExpr, joining: Joining): Scope {
  const { context } = joining
  const { larg, rarg, jointype = 'JOIN_INNER' } = join
  const kind = KINDS[jointype]
  if (larg === undefined || rarg === undefined || kind === undefined) throw notSupported('this join')
  const bindLeft = (node: Node): Scope =>
    'JoinExpr' in node ? bindChain(node.JoinExpr, joining) : bindSide(node, joining)
  const written = writtenSide(join, context)
  if (written) return joinSide(written, bindLeft(written.other), context)
  const left = bindLeft(larg)
  if (isLateral(rarg)) return chainLateral(join, left, context)
  // What a LATERAL sub-query computed would not be null where its row is missing.
  if ((kind === 'right' || kind === 'full') && left.some(({ tiedTo }) => tiedTo))
    throw notSupported('a RIGHT or FULL JOIN after LATERAL', offsetOf(rarg))
  const right = bindSide(rarg, joining)
  requireDistinctNames([...left, ...right], offsetOf(rarg))
  const { level } = context
  const found = conditionsOf(join, { left, right }, context)
  const frame = frameOfJoin(context, [...left, ...right])
  const on = [...found.on, ...found.nodes.map((node) => bindCondition(node, frame))]
  // Otherwise a person could have a row of each side that do not meet, and the condition would say of whom.
  if (kind === 'full' && (on.length > 0 || frame.isNullable?.(found.persons[0])))
    throw notSupported(
      'a FULL JOIN on more than a person key that is always there; filter its sides in sub-selects',
      offsetOf(rarg),
    )
  const last = level.sources.length - 1
  const source = level.sources[last]
  if (source) level.sources[last] = { ...source, join: { kind, by: sourcesOf(found.persons[0]), on } }
  checkOptionalRows(context, offsetOf(rarg))
  checkIssuers(level, context.binding)
  return mergedScope({ left, right }, found.merged, kind)
}

/** A LATERAL sub-query among outer joins. */
function chainLateral(
  { jointype, quals, usingClause, rarg }: JoinExpr,
  left: Scope,
  context: FromContext,
): Scope {
  if (rarg === undefined || !('RangeSubselect' in rarg)) throw notSupported('this join')
  const isLeft = jointype === 'JOIN_LEFT'
  if ((!isLeft && jointype !== 'JOIN_INNER') || usingClause || (quals && !isTrue(quals)))
    throw notSupported('LATERAL among outer joins but with LEFT or INNER JOIN … ON true', offsetOf(rarg))
  const beside = [...(context.beside ?? []), ...left]
  const right = [context.bindLateral(rarg.RangeSubselect, { ...context, beside }, isLeft ? 'left' : 'inner')]
  requireDistinctNames([...left, ...right], offsetOf(rarg))
  return [...left, ...right]
}

/** One side of such a join as one source at the end of the level. */
function bindSide(node: Node, { context, bindItem }: Joining): Scope {
  const level: Level = { sources: [], where: [] }
  const inner = { ...context, level, outer: undefined, beside: undefined }
  return isolate(level, bindItem(node, inner), context.level)
}
