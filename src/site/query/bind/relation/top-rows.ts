import type { SelectStmt } from '@pgsql/types'
import { bindCount, bindOrder, orderedBy } from '../aggregate/bind-groups.ts'
import type { Target } from '../aggregate/bind-groups.ts'
import { personRefusal } from '../expression/bind-expression.ts'
import type { Frame } from '../expression/bind-expression.ts'
import { windowCall } from './bind-window.ts'
import type { Expr, PersonRef, SortKey } from '../../bound/bound-query.ts'
import { call, derivedColumn, literal } from '../expression/build-expression.ts'
import { isBare } from '../../text/check-tree.ts'
import { isNullablePerson } from '../../bound/joined-level.ts'
import { offsetOf, offsetWithin } from '../../text/nodes.ts'
import { notSupported } from '../../text/refusal.ts'
import { sameExpression } from '../../bound/same-expression.ts'
import type { Level } from '../expression/scope.ts'
import { tiesOf } from '../expression/ties.ts'

/** Which rows of each person stay: `count` of them after `from`, in an order. Equal ones come as they are stored. */
export interface TopRows {
  readonly person: PersonRef
  /** What parts the rows of one person further. */
  readonly partition: readonly Expr[]
  readonly order: readonly SortKey[]
  readonly from: number
  readonly count: number
}

/**
 * The first rows of each person as a level of their own: a row number over the rows of the person, and a condition on
 * it. It chooses rows of a person by that person's own values, as any condition on a window does.
 */
export function topRows(
  inner: Level,
  exprs: readonly Expr[],
  { person, partition, order, from, count }: TopRows,
): { readonly level: Level; readonly exprs: readonly Expr[] } {
  const ties = tiesOf(inner)
  const number = windowCall({ function: 'row_number', person, args: [], offset: 1, partition, order, ties })
  const columns = [...exprs, number]
  const [place] = readColumns([number], exprs.length)
  const level: Level = {
    sources: [{ kind: 'rows', sources: inner.sources, where: inner.where, columns }],
    where: [],
  }
  if (place && from > 0)
    level.where.push({ expr: call('gt', [place, literal('integer', from)]), clause: 'where' })
  if (place)
    level.where.push({ expr: call('le', [place, literal('integer', from + count)]), clause: 'where' })
  return { level, exprs: readColumns(exprs, 0) }
}

function readColumns(exprs: readonly Expr[], first: number): readonly Expr[] {
  return exprs.map((expr, index): Expr =>
    expr.kind === 'person'
      ? { kind: 'person', source: 0, type: 'person', size: 1 }
      : derivedColumn(0, `c${first + index}`, expr),
  )
}

/** LIMIT and OFFSET that are written out; `undefined` where all rows are wanted. */
export function boundsOfLimit(
  { limitCount, limitOffset, limitOption }: SelectStmt,
  frame: Frame,
): Pick<TopRows, 'from' | 'count'> | undefined {
  const from = bindCount(limitOffset, frame) ?? 0
  const count = bindCount(limitCount, frame)
  if (limitOption === 'LIMIT_OPTION_WITH_TIES')
    throw notSupported('FETCH … WITH TIES in a sub-query; take rank()', offsetWithin(limitCount))
  if (count === undefined && from === 0) return undefined
  if (count === undefined)
    throw notSupported('OFFSET without LIMIT in a sub-query', offsetWithin(limitOffset))
  return { from, count }
}

/** Whether a SELECT says DISTINCT ON. */
export function isDistinctOn({ distinctClause }: SelectStmt): boolean {
  return distinctClause !== undefined && !isBare(distinctClause)
}

/** What DISTINCT ON keeps: the first row of each person, and of what else it names, in the order that is left of ORDER BY. */
export function firstOfEach(select: SelectStmt, targets: readonly Target[], frame: Frame): TopRows {
  const on = (select.distinctClause ?? []).map((node) => orderedBy(node, targets, frame))
  const offset = offsetOf(select.distinctClause?.[0])
  const [person, another] = on.filter((expr) => expr.kind === 'person')
  if (person === undefined || another || frame.isNullable?.(person))
    throw notSupported('DISTINCT ON without exactly one person key', offset)
  const order = bindOrder(select, targets, frame)
  const isNamed = (expr: Expr): boolean => on.some((one) => sameExpression(one, expr))
  const rest = order.findIndex(({ expr }) => !isNamed(expr))
  const leading = rest < 0 ? order : order.slice(0, rest)
  const isWhole = on.every((one) => leading.some(({ expr }) => sameExpression(expr, one)))
  if (rest >= 0 && !isWhole) throw notSupported('DISTINCT ON of what ORDER BY does not begin with', offset)
  return {
    person,
    partition: on.filter((expr) => expr !== person),
    order: rest < 0 ? [] : order.slice(rest).map(sortedBy),
    from: 0,
    count: 1,
  }
}

/** A sort key of what is no person: the order of numbers inside says who came first. */
export function sortedBy({ offset, ...key }: SortKey & { readonly offset: number | undefined }): SortKey {
  if (key.expr.type === 'person') throw personRefusal(offset)
  return key
}

/** The person of a row of a level. */
export function personOfLevel({ sources }: Level, persons: readonly number[]): PersonRef {
  const [source = 0, ...orElse] = persons
  const person: PersonRef = {
    kind: 'person',
    source,
    type: 'person',
    size: 1,
    ...(orElse.length > 0 ? { orElse } : {}),
  }
  if (isNullablePerson(person, sources)) throw new Error('Cannot order rows: they are nobody’s')
  return person
}
