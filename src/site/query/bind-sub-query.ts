import type { Node, SelectStmt, SubLink } from '@pgsql/types'
import type { Expr, PerPersonAggregate, PerPersonSource } from './bound-query.ts'
import { perPersonSink } from './bind-aggregate.ts'
import { bindTerm, offsetOf, textsOf } from './bind-expression.ts'
import type { Frame } from './bind-expression.ts'
import { bindTargets } from './bind-groups.ts'
import type { Target } from './bind-groups.ts'
import { bindDerived, bindItems, bindWith } from './bind-relation.ts'
import { hasManyRows, rowsOfOnePerson } from './bounded-argument.ts'
import { call, caseOf, literal, resolveCall } from './build-expression.ts'
import { isSameSource } from './canonical-query.ts'
import { addConditions, checkIssuers, frameOf } from './from-context.ts'
import type { FromContext } from './from-context.ts'
import { sourcesOf } from './joined-level.ts'
import { outerNames } from './outer-names.ts'
import type { OuterNames } from './outer-names.ts'
import type { Range } from './expression-type.ts'
import { notSupported, wrongColumn } from './refusal.ts'
import { mapExpression, partsOf } from './same-expression.ts'
import { addSource } from './scope.ts'
import type { Level } from './scope.ts'

/**
 * A sub-query in an expression. It has to be of the person of the row around it, so that what it says is that person's
 * own: it becomes a source of one row, joined by the person, whose columns the expression reads. A sub-query over other
 * people could switch every row by what nobody guarded, and is declined.
 */
export function bindSubLink(
  { subLinkType, testexpr, operName, subselect, location }: SubLink,
  context: FromContext,
  frame: Frame,
): Expr {
  if (subselect === undefined || !('SelectStmt' in subselect)) throw notSupported('this sub-query', location)
  const place: Place = { context, frame, offset: location }
  const select = subselect.SelectStmt
  if (select.sortClause || select.limitCount || select.limitOffset)
    throw notSupported('ORDER BY, LIMIT and OFFSET in a sub-query', location)
  if (subLinkType === 'EXISTS_SUBLINK') return bindExists(select, place)
  if (subLinkType === 'EXPR_SUBLINK') return bindScalar(select, place)
  if (subLinkType === 'ANY_SUBLINK' && (operName === undefined || textsOf(operName)?.join() === '='))
    return bindInSets(select, testexpr, place)
  throw notSupported('ANY, ALL and ARRAY of a sub-query; IN and EXISTS may stand', location)
}

/** Where a sub-query stands: in which level of sources, and among which names. */
interface Place {
  readonly context: FromContext
  readonly frame: Frame
  readonly offset: number | undefined
}

/** The rows of a sub-query before anything is made of them. */
interface SubRows {
  readonly level: Level
  readonly frame: Frame
  readonly outer: OuterNames
  /** The source around it whose person its own are of. */
  readonly by: readonly number[] | undefined
}

function bindExists(select: SelectStmt, place: Place): Expr {
  if (select.groupClause || select.havingClause)
    throw notSupported('GROUP BY and HAVING in EXISTS; use IN (SELECT <person key> …)', place.offset)
  const rows = bindRows(select, place)
  bindTargets(select, rows.frame)
  return isThere(readSub(rows, COUNTED, place)(0))
}

const COUNTED: readonly PerPersonAggregate[] = [{ function: 'count', type: 'integer' }]

function isThere(count: Expr): Expr {
  return call('gt', [count, literal('integer', 0)])
}

/**
 * IN over a set operation: to be in the union of two is to be in either. Only of person keys, which are never null, so
 * that the same holds for INTERSECT and EXCEPT.
 */
function bindInSets(select: SelectStmt, testexpr: Node | undefined, place: Place): Expr {
  const { larg, rarg, op, sortClause, limitCount, limitOffset } = select
  if (!larg || !rarg) return bindIn(select, testexpr, place)
  if (sortClause || limitCount || limitOffset)
    throw notSupported('ORDER BY, LIMIT and OFFSET in a sub-query', place.offset)
  if (bindTerm(testexpr, place.frame).kind !== 'person')
    throw notSupported('a set operation (UNION, INTERSECT, EXCEPT) but of person keys', place.offset)
  // EXCEPT ALL and INTERSECT ALL count how often somebody is in each.
  if (select.all && op !== 'SETOP_UNION') throw notSupported('INTERSECT ALL and EXCEPT ALL', place.offset)
  const known = bindWith(select.withClause, place.context.known)
  const inner: Place = { ...place, context: { ...place.context, known } }
  const [left, right] = [bindInSets(larg, testexpr, inner), bindInSets(rarg, testexpr, inner)]
  if (op === 'SETOP_UNION') return call('or', [left, right])
  return call('and', [left, op === 'SETOP_EXCEPT' ? call('not', [right]) : right])
}

/** `<person key> in (select <person key> …)`, or a value among those of the same person. */
function bindIn(select: SelectStmt, testexpr: Node | undefined, place: Place): Expr {
  if (select.sortClause || select.limitCount || select.limitOffset)
    throw notSupported('ORDER BY, LIMIT and OFFSET in a sub-query', place.offset)
  const { target, ...found } = select.groupClause
    ? bindGroupedRows(select, place)
    : bindChosenRows(select, place)
  const test = bindTerm(testexpr, place.frame)
  if (test.kind === 'person') {
    if (target.kind !== 'person')
      throw wrongColumn('The person key may only be looked for among person keys', place.offset)
    if (place.frame.isNullable?.(test) || found.frame.isNullable?.(target))
      throw notSupported('IN of a person key that may be missing in a row; use EXISTS', place.offset)
    return isThere(readSub({ ...found, by: sourcesOf(test) }, COUNTED, place)(0))
  }
  if (target.kind === 'person')
    throw wrongColumn('Among person keys only the person key may be looked for', place.offset)
  const equal = resolveCall([test.kind === 'untyped' ? test : found.outer.take(test), target], {
    offset: place.offset,
    name: '=',
  })
  const read = readSub(
    found,
    [
      { function: 'count', filter: equal, type: 'integer' },
      { function: 'count', filter: call('is_null', [equal]), type: 'integer' },
    ],
    place,
  )
  // Three values, as in PostgreSQL: what is compared with null may or may not be there.
  return caseOf(
    [
      { when: isThere(read(0)), value: literal('boolean', true) },
      { when: isThere(read(1)), value: literal('boolean', null) },
    ],
    literal('boolean', false),
  )
}

interface ChosenRows extends SubRows {
  /** What is looked among. */
  readonly target: Expr
}

function bindChosenRows(select: SelectStmt, place: Place): ChosenRows {
  const rows = bindRows(select, place)
  const [target, another] = bindTargets(select, rows.frame)
  if (target === undefined || another)
    throw notSupported('a sub-query of more than one column here', place.offset)
  return { ...rows, target: target.expr }
}

/** A sub-query that groups by the person itself, in front of IN. */
function bindGroupedRows(select: SelectStmt, place: Place): ChosenRows {
  const level: Level = { sources: [], where: [] }
  const outer = outerNames(level, place.context.level.sources, place.frame)
  const context = { ...place.context, level, outer: undefined }
  const [target, another] = bindDerived(select, context)
  if (target?.expr === undefined || another)
    throw notSupported('a sub-query of more than one column here', place.offset)
  return { level, frame: frameOf(context, []), outer, by: undefined, target: target.expr }
}

/** FROM and WHERE of a sub-query. */
function bindRows(select: SelectStmt, place: Place): SubRows {
  const level: Level = { sources: [], where: [] }
  const outer = outerNames(level, place.context.level.sources, place.frame)
  const known = bindWith(select.withClause, place.context.known)
  const context = { ...place.context, level, known, outer }
  const { scope, conditions } = bindItems(select, context)
  const frame = frameOf(context, scope)
  let by: readonly number[] | undefined
  for (const conjunct of conditions) {
    const found = correlationOf(conjunct, frame)
    if (found === undefined) addConditions(conjunct, frame, { level, clause: 'where' })
    else by ??= found
  }
  return { level, frame, outer, by }
}

/** Of `<inner person key> = <outer person key>` the source of the outer one. */
function correlationOf(node: Node, frame: Frame): readonly number[] | undefined {
  if (!('A_Expr' in node)) return undefined
  const { kind, name = [], lexpr, rexpr } = node.A_Expr
  if (kind !== 'AEXPR_OP' || textsOf(name)?.join() !== '=') return undefined
  const [left, right] = [personOf(lexpr, frame), personOf(rexpr, frame)]
  if (left === undefined || right === undefined || left.isOuter === right.isOuter) return undefined
  return left.isOuter ? left.sources : right.sources
}

/** A person key: one of the sub-query's own, or one of the row around it. */
function personOf(
  node: Node | undefined,
  frame: Frame,
): { readonly sources: readonly number[]; readonly isOuter: boolean } | undefined {
  const fields = node && 'ColumnRef' in node ? textsOf(node.ColumnRef.fields ?? []) : undefined
  if (node === undefined || fields === undefined || fields.length > 2) return undefined
  const around = frame.outer?.look(fields, frame.scope, offsetOf(node))
  if (around) return around.kind === 'person' ? { sources: sourcesOf(around), isOuter: true } : undefined
  const own = bindTerm(node, frame)
  return own.kind === 'person' && !frame.isNullable?.(own)
    ? { sources: sourcesOf(own), isOuter: false }
    : undefined
}

/** A value of the person: an aggregate over their rows, or a column of the only row they can have. */
function bindScalar(select: SelectStmt, place: Place): Expr {
  if (select.groupClause || select.havingClause)
    throw notSupported('GROUP BY and HAVING in a sub-query of one value', place.offset)
  const rows = bindRows(select, place)
  const { level, frame } = rows
  const { dataSets } = place.context.binding
  const sink = perPersonSink(frame, {
    sources: level.sources,
    rowsMax: () => rowsOfOnePerson(level, { dataSets }),
  })
  const [target, another] = bindTargets(select, { ...frame, bindAggregate: sink.bind })
  if (target === undefined || another)
    throw notSupported('a sub-query of more than one column here', place.offset)
  if (sink.aggregates.length === 0) {
    if (level.sources.some((source) => hasManyRows(source, dataSets)))
      throw notSupported('a sub-query of one value that may find several rows; aggregate them', place.offset)
    return readSub(rows, [onlyValue(target, place)], place)(0, target.expr.range)
  }
  const read = readSub(rows, sink.aggregates, place)
  return mapExpression(target.expr, (part) => {
    if (part.kind === 'measure') return read(part.measure, part.range)
    if (part.kind !== 'column' && part.kind !== 'person') return undefined
    throw notSupported('a column beside an aggregate in a sub-query of one value', place.offset)
  })
}

function onlyValue({ expr }: Target, { offset }: Place): PerPersonAggregate {
  const { type } = expr
  if (type === 'person' || type === 'interval' || [...partsOf(expr)].some(({ kind }) => kind === 'person'))
    throw notSupported('a sub-query of the person key here', offset)
  return { function: type === 'boolean' ? 'bool_or' : 'min', argument: expr, type }
}

/**
 * Joins what is made of a sub-query's rows to the level around it, once for equal ones, and reads its columns. Where
 * there are no rows a count is 0 and anything else null.
 */
function readSub(
  { level, by }: Pick<SubRows, 'level' | 'by'>,
  aggregates: readonly PerPersonAggregate[],
  { context, offset }: Place,
): (index: number, range?: Range) => Expr {
  if (by === undefined)
    throw notSupported(
      'a sub-query that is not of the person of its row; tie the person keys, as in WHERE s.<key> = a.<key>',
      offset,
    )
  const source: PerPersonSource = {
    kind: 'per-person',
    sources: level.sources,
    where: level.where,
    keys: [],
    aggregates,
    join: { kind: 'left', by, on: [] },
  }
  const index = addOnce(context.level, source)
  checkIssuers(context.level, context.binding)
  return (aggregate, range) => {
    const { function: made, type } = aggregates[aggregate] ?? { function: 'count', type: 'integer' }
    const column: Expr = {
      kind: 'column',
      source: index,
      column: `a${aggregate}`,
      isDerived: true,
      type,
      size: 1,
      range,
    }
    return made === 'count' ? call('coalesce', [column, literal('integer', 0)]) : column
  }
}

function addOnce(level: Level, source: PerPersonSource): number {
  const known = level.sources.findIndex(
    (one) => one.kind === 'per-person' && one.join && isSameSource(one, source),
  )
  return known >= 0 ? known : addSource(level, source)
}
