import type { Node, SelectStmt } from '@pgsql/types'
import { bindTerm, personRefusal } from '../expression/bind-expression.ts'
import { bindTargets } from '../aggregate/bind-groups.ts'
import { bindDerived } from '../relation/bind-relation.ts'
import type { Expr, PerPersonAggregate } from '../../bound/bound-query.ts'
import { call, caseOf, literal, resolveCall } from '../expression/build-expression.ts'
import { frameOf } from '../relation/from-context.ts'
import { sourcesOf } from '../../bound/joined-level.ts'
import { outerNames } from '../expression/outer-names.ts'
import { bindWith } from '../relation/named-queries.ts'
import { notSupported, wrongColumn } from '../../text/refusal.ts'
import type { Level } from '../expression/scope.ts'
import { bindRows, limitRows, readSub } from './sub-rows.ts'
import type { ChosenRows, Place } from './sub-rows.ts'
import { readWritten } from '../relation/written-table.ts'
import type { WrittenTable } from '../relation/written-table.ts'

/** Counts rows: whether there are any is what EXISTS and IN ask. */
export const COUNTED: readonly PerPersonAggregate[] = [{ function: 'count', type: 'integer' }]

/** Whether a count counted something. */
export function isThere(count: Expr): Expr {
  return call('gt', [count, literal('integer', 0)])
}

/** `x = any (select …)`, which is IN, or another operator before ANY or ALL. */
export interface Compared {
  readonly test: Node | undefined
  readonly sign: string
  readonly isAll: boolean
}

/**
 * IN over a set operation: to be in the union of two is to be in either. Only of person keys, which are never null, so
 * that the same holds for INTERSECT and EXCEPT.
 */
export function bindInSets(select: SelectStmt, compared: Compared, place: Place): Expr {
  const { larg, rarg, op, sortClause, limitCount, limitOffset } = select
  if (select.valuesLists) return bindInValues(select.valuesLists, compared, place)
  const written = readWritten(select, place.context)
  if (written) return bindInWritten(written, compared, place)
  if (!larg || !rarg) return bindIn(select, compared, place)
  if (sortClause || limitCount || limitOffset)
    throw notSupported('ORDER BY, LIMIT and OFFSET of a set operation', place.offset)
  if (bindTerm(compared.test, place.frame).kind !== 'person')
    throw notSupported('a set operation (UNION, INTERSECT, EXCEPT) but of person keys', place.offset)
  // EXCEPT ALL and INTERSECT ALL count how often somebody is in each.
  if (select.all && op !== 'SETOP_UNION') throw notSupported('INTERSECT ALL and EXCEPT ALL', place.offset)
  const known = bindWith(select.withClause, place.context.known)
  const inner: Place = { ...place, context: { ...place.context, known } }
  const [left, right] = [bindInSets(larg, compared, inner), bindInSets(rarg, compared, inner)]
  if (op === 'SETOP_UNION') return call('or', [left, right])
  return call('and', [left, op === 'SETOP_EXCEPT' ? call('not', [right]) : right])
}

/** `x in (values (1), (2))` is IN a list. */
function bindInValues(lists: readonly Node[], { test, sign, isAll }: Compared, place: Place): Expr {
  if (sign !== '=' || isAll) throw notSupported('VALUES but after IN', place.offset)
  const items = lists.map((list) => {
    const [item, another] = 'List' in list ? (list.List.items ?? []) : []
    if (item === undefined || another) throw notSupported('VALUES of more than one column', place.offset)
    return bindTerm(item, { binding: place.context.binding, scope: [] })
  })
  return resolveCall([bindTerm(test, place.frame), ...items], { offset: place.offset, name: 'IN' })
}

/** The same for a column of a relation that is written out elsewhere. */
function bindInWritten({ columns, rows }: WrittenTable, { test, sign, isAll }: Compared, place: Place): Expr {
  if (sign !== '=' || isAll) throw notSupported('values that are written out but after IN', place.offset)
  if (columns.length !== 1) throw notSupported('a sub-query of more than one column here', place.offset)
  const items = rows.flatMap((row) => row)
  if (items.length === 0) return literal('boolean', false)
  const term = bindTerm(test, place.frame)
  if (term.kind === 'person') throw personRefusal(place.offset)
  return resolveCall([term, ...items], { offset: place.offset, name: 'IN' })
}

/** `<person key> in (select <person key> …)`, or a value compared with those of the same person. */
function bindIn(select: SelectStmt, compared: Compared, place: Place): Expr {
  const { target, ...found } = select.groupClause
    ? bindGroupedRows(select, place)
    : bindChosenRows(select, place)
  const test = bindTerm(compared.test, place.frame)
  if (test.kind === 'person') {
    if (compared.sign !== '=' || compared.isAll)
      throw wrongColumn('The person key may only be looked for with IN and NOT IN', place.offset)
    if (target.kind !== 'person')
      throw wrongColumn('The person key may only be looked for among person keys', place.offset)
    if (place.frame.isNullable?.(test) || found.frame.isNullable?.(target))
      throw notSupported('IN of a person key that may be missing in a row; use EXISTS', place.offset)
    return isThere(readSub({ ...found, by: sourcesOf(test) }, COUNTED, place)(0))
  }
  if (target.kind === 'person')
    throw wrongColumn('Among person keys only the person key may be looked for', place.offset)
  const holds = resolveCall([test.kind === 'untyped' ? test : found.outer.take(test), target], {
    offset: place.offset,
    name: compared.sign,
  })
  if (holds.type !== 'boolean') throw notSupported('ANY and ALL with what is no comparison', place.offset)
  return decideAmong({ ...found, target }, { holds, isAll: compared.isAll }, place)
}

/**
 * Three values, as in PostgreSQL: what is compared with null may or may not hold. ANY looks for a row where the comparison
 * holds, ALL for one where it does not.
 */
function decideAmong(
  found: ChosenRows,
  { holds, isAll }: { readonly holds: Expr; readonly isAll: boolean },
  place: Place,
): Expr {
  const read = readSub(
    found,
    [
      { function: 'count', filter: isAll ? call('not', [holds]) : holds, type: 'integer' },
      { function: 'count', filter: call('is_null', [holds]), type: 'integer' },
    ],
    place,
  )
  return caseOf(
    [
      { when: isThere(read(0)), value: literal('boolean', !isAll) },
      { when: isThere(read(1)), value: literal('boolean', null) },
    ],
    literal('boolean', isAll),
  )
}

function bindChosenRows(select: SelectStmt, place: Place): ChosenRows {
  const rows = bindRows(select, place)
  return limitRows(select, rows, { targets: bindTargets(select, rows.frame), place })
}

/** A sub-query that groups by the person itself, in front of IN. */
function bindGroupedRows(select: SelectStmt, place: Place): ChosenRows {
  const level: Level = { sources: [], where: [] }
  const outer = outerNames(level, place.context.level.sources, place.frame)
  const context = { ...place.context, level, outer: undefined, beside: undefined }
  const [target, another] = bindDerived(select, context)
  if (target?.expr === undefined || another)
    throw notSupported('a sub-query of more than one column here', place.offset)
  return { level, frame: frameOf(context, []), outer, by: undefined, target: target.expr }
}
