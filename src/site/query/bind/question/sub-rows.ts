import type { Node, SelectStmt } from '@pgsql/types'
import { bindTerm } from '../expression/bind-expression.ts'
import type { Frame } from '../expression/bind-expression.ts'
import { bindOrder } from '../aggregate/bind-groups.ts'
import type { Target } from '../aggregate/bind-groups.ts'
import { bindItems } from '../relation/bind-relation.ts'
import type { Expr, PerPersonAggregate, PerPersonSource } from '../../bound/bound-query.ts'
import { call, derivedColumn, literal } from '../expression/build-expression.ts'
import { isSameSource } from '../expression/canonical-query.ts'
import type { Range } from '../../catalogue/expression-type.ts'
import { addConditions, checkIssuers, frameOf } from '../relation/from-context.ts'
import type { FromContext } from '../relation/from-context.ts'
import { personSources, sourcesOf } from '../../bound/joined-level.ts'
import { offsetOf, textsOf } from '../../text/nodes.ts'
import { outerNames } from '../expression/outer-names.ts'
import type { OuterNames } from '../expression/outer-names.ts'
import { bindWith } from '../relation/named-queries.ts'
import { IN_STAGES, notSupported } from '../../text/refusal.ts'
import { addSource } from '../expression/scope.ts'
import type { Level } from '../expression/scope.ts'
import { boundsOfLimit, personOfLevel, sortedBy, topRows } from '../relation/top-rows.ts'

/** Where a sub-query stands: in which level of sources, and among which names. */
export interface Place {
  readonly context: FromContext
  readonly frame: Frame
  readonly offset: number | undefined
}

/** The rows of a sub-query before anything is made of them. */
export interface SubRows {
  readonly level: Level
  readonly frame: Frame
  readonly outer: OuterNames
  /** The source around it whose person its own are of. */
  readonly by: readonly number[] | undefined
}

/** FROM and WHERE of a sub-query. */
export function bindRows(select: SelectStmt, place: Place): SubRows {
  const level: Level = { sources: [], where: [] }
  const outer = outerNames(level, place.context.level.sources, place.frame)
  const known = bindWith(select.withClause, place.context.known)
  const context = { ...place.context, level, known, outer, beside: undefined }
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
export function correlationOf(node: Node, frame: Frame): readonly number[] | undefined {
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

/** Rows of a sub-query, with what is looked at of each. */
export interface ChosenRows extends SubRows {
  readonly target: Expr
  /** Whether a LIMIT leaves one row of the person at most. */
  readonly isOneRow?: boolean
}

/**
 * The rows that ORDER BY, LIMIT and OFFSET leave, which are those of one person. Which rows there are may depend on the
 * person around it only: the order is looked at once for each person and not for each row.
 */
export function limitRows(
  select: SelectStmt,
  rows: SubRows,
  { targets, place }: { readonly targets: readonly Target[]; readonly place: Place },
): ChosenRows {
  const [target, another] = targets
  if (target === undefined || another)
    throw notSupported('a sub-query of more than one column here', place.offset)
  const bounds = boundsOfLimit(select, { binding: place.context.binding, scope: [] })
  // An order without a limit changes nothing of a set of values.
  if (bounds === undefined) return { ...rows, target: target.expr }
  if (select.distinctClause) throw notSupported('DISTINCT with LIMIT in a sub-query', place.offset)
  const { level, frame } = rows
  requireOwnRows(rows, place.offset)
  const person = personOfLevel(level, personSources(level.sources))
  const order = bindOrder(select, targets, frame).map(sortedBy)
  const top = topRows(level, [target.expr], { person, partition: [], order, ...bounds })
  const outer = outerNames(top.level, place.context.level.sources, place.frame)
  return {
    level: top.level,
    frame: { ...frame, isNullable: () => false },
    outer,
    by: rows.by,
    target: top.exprs[0] ?? target.expr,
    isOneRow: bounds.count === 1,
  }
}

function requireOwnRows({ level, by }: Pick<SubRows, 'level' | 'by'>, offset: number | undefined): void {
  if (by === undefined || level.sources.some(({ kind }) => kind === 'outer'))
    throw notSupported(
      'LIMIT and OFFSET in a sub-query that looks at more of the row around it than its person; tie the person keys and nothing else',
      offset,
    )
}

/**
 * Joins what is made of a sub-query's rows to the level around it, once for equal ones, and reads its columns. Where
 * there are no rows a count is 0 and anything else null.
 */
export function readSub(
  { level, by }: Pick<SubRows, 'level' | 'by'>,
  aggregates: readonly PerPersonAggregate[],
  { context, offset }: Place,
): (index: number, range?: Range) => Expr {
  if (by === undefined)
    throw notSupported(
      `a sub-query that is not of the person of its row; tie the person keys, as in WHERE s.<key> = a.<key>, ${IN_STAGES}`,
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
    const column = derivedColumn(index, `a${aggregate}`, {
      type,
      range,
      copies: aggregates[aggregate]?.copies ?? aggregates[aggregate]?.argument?.copies,
      isSpan: made === 'count' ? undefined : aggregates[aggregate]?.argument?.isSpan,
    })
    return made === 'count' ? call('coalesce', [column, literal('integer', 0)]) : column
  }
}

function addOnce(level: Level, source: PerPersonSource): number {
  const known = level.sources.findIndex(
    (one) => one.kind === 'per-person' && one.join && isSameSource(one, source),
  )
  return known >= 0 ? known : addSource(level, source)
}
