import type { SelectStmt, SubLink } from '@pgsql/types'
import { perPersonSink } from '../relation/bind-per-person.ts'
import type { Frame } from '../expression/bind-expression.ts'
import { bindCondition } from '../expression/bind-expression.ts'
import { bindTargets } from '../aggregate/bind-groups.ts'
import { COUNTED, bindInSets, isThere } from './bind-in.ts'
import type { Expr, PerPersonAggregate } from '../../bound/bound-query.ts'
import { hasManyRows, rowsOfOnePerson } from '../aggregate/bounded-argument.ts'
import { call, caseOf, literal } from '../expression/build-expression.ts'
import type { FromContext } from '../relation/from-context.ts'
import { bindWith } from '../relation/named-queries.ts'
import { besideNames } from '../expression/outer-names.ts'
import type { ScopeRelation } from '../expression/scope.ts'
import { textsOf } from '../../text/nodes.ts'
import { IN_STAGES, notSupported } from '../../text/refusal.ts'
import { mapExpression, partsOf } from '../../bound/same-expression.ts'
import { bindRows, limitRows, readSub } from './sub-rows.ts'
import type { Place } from './sub-rows.ts'
import { boundsOfLimit } from '../relation/top-rows.ts'
import { readWritten, writtenItem } from '../relation/written-table.ts'
import type { WrittenTable } from '../relation/written-table.ts'

/**
 * A sub-query in an expression. It has to be of the person of the row around it, so that what it says is that person's
 * own: it becomes a source of one row, joined by the person, whose columns the expression reads. A sub-query over other
 * people could switch every row by what nobody guarded, and is declined (`docs/decisions/0018`).
 */
export function bindSubLink(
  { subLinkType, testexpr, operName, subselect, location }: SubLink,
  context: FromContext,
  frame: Frame,
): Expr {
  if (subselect === undefined || !('SelectStmt' in subselect)) throw notSupported('this sub-query', location)
  const place: Place = { context, frame, offset: location }
  const select = subselect.SelectStmt
  const isAll = subLinkType === 'ALL_SUBLINK'
  if (subLinkType === 'EXISTS_SUBLINK') return bindExists(select, place)
  if (subLinkType === 'EXPR_SUBLINK')
    return select.fromClause || select.larg ? bindScalar(select, place) : bindConstant(select, place)
  if (!isAll && subLinkType !== 'ANY_SUBLINK')
    throw notSupported('ARRAY of a sub-query: columns have no array type', location)
  const sign = operName === undefined ? '=' : (textsOf(operName)?.join() ?? '')
  return bindInSets(select, { test: testexpr, sign, isAll }, place)
}

/** The same frame without what only stands over groups. */
function frameOfRow({ binding, scope, outer, isNullable, bindSubLink }: Frame): Frame {
  return {
    binding,
    scope,
    outer,
    ...(isNullable ? { isNullable } : {}),
    ...(bindSubLink ? { bindSubLink } : {}),
  }
}

function bindExists(select: SelectStmt, place: Place): Expr {
  if (select.groupClause || select.havingClause)
    throw notSupported('GROUP BY and HAVING in EXISTS; use IN (SELECT <person key> …)', place.offset)
  const bounds = boundsOfLimit(select, { binding: place.context.binding, scope: [] })
  if (bounds && (bounds.count === 0 || bounds.from > 0))
    throw notSupported('LIMIT 0 and OFFSET in EXISTS', place.offset)
  const written = writtenRows(select, place)
  if (written) return existsWritten(select, written, place)
  const rows = bindRows(select, place)
  bindTargets(select, rows.frame)
  return isThere(readSub(rows, COUNTED, place)(0))
}

/** The rows of nobody that an EXISTS looks through: of a relation that is written out, or the one of a SELECT without FROM. */
function writtenRows(
  select: SelectStmt,
  { context: { binding, known } }: Place,
): readonly ScopeRelation[] | undefined {
  const { fromClause = [], larg, valuesLists, withClause } = select
  const [item, another] = fromClause
  const reading = { binding, known: bindWith(withClause, known) }
  if (another) return undefined
  if (item === undefined && !larg && !valuesLists) return [{ name: '', columns: [] }]
  const table = item ? writtenItem(item, reading) : readWritten(select, reading)
  return table?.rows.map((values) => ({
    name: item && 'name' in table ? String(table.name) : '',
    columns: table.columns.flatMap((name, at) => {
      const expr = values[at]
      return expr ? [{ name, expr }] : []
    }),
  }))
}

/** Whether one of the rows meets the conditions: a condition on the row around, for each of them. */
function existsWritten(select: SelectStmt, rows: readonly ScopeRelation[], { frame }: Place): Expr {
  const tests = rows.map((row) => {
    const inner = { ...frameOfRow(frame), scope: [row], outer: besideNames(frame.scope, frame.outer) }
    if (select.fromClause) bindTargets(select, inner)
    return select.whereClause
      ? call('is_true', [bindCondition(select.whereClause, inner)])
      : literal('boolean', true)
  })
  const [first, ...others] = tests
  if (first === undefined) return literal('boolean', false)
  return others.length === 0 ? first : call('or', [first, ...others])
}

/** A SELECT without FROM has one row: what it computes is of the row around it, or of nobody. */
function bindConstant(select: SelectStmt, { frame, offset }: Place): Expr {
  const { whereClause, groupClause, havingClause, distinctClause, valuesLists } = select
  if (groupClause || havingClause || distinctClause || valuesLists || select.limitCount || select.limitOffset)
    throw notSupported('more than an expression and WHERE in a sub-query without FROM', offset)
  const plain = frameOfRow(frame)
  const [target, another] = bindTargets(select, plain)
  if (target === undefined || another) throw notSupported('a sub-query of more than one column here', offset)
  if (target.expr.type === 'person') throw notSupported('a sub-query of the person key here', offset)
  return whereClause
    ? caseOf([{ when: bindCondition(whereClause, plain), value: target.expr }], undefined)
    : target.expr
}

/** A value of the person: an aggregate over their rows, a column of the only row they can have, or of the first of several. */
function bindScalar(select: SelectStmt, place: Place): Expr {
  const written = readWritten(select, place.context)
  if (written) return onlyWritten(written, place)
  if (select.groupClause || select.havingClause)
    throw notSupported(
      `GROUP BY and HAVING in a sub-query of one value; leave them out, ${IN_STAGES}`,
      place.offset,
    )
  const rows = bindRows(select, place)
  const { level, frame } = rows
  const { dataSets } = place.context.binding
  const sink = perPersonSink(frame, {
    sources: level.sources,
    rowsMax: () => rowsOfOnePerson(level, { dataSets }),
  })
  const targets = bindTargets(select, { ...frame, bindAggregate: sink.bind })
  const [target, another] = targets
  if (target === undefined || another)
    throw notSupported('a sub-query of more than one column here', place.offset)
  if (sink.aggregates.length === 0) {
    const found = limitRows(select, rows, { targets, place })
    if (!found.isOneRow && found.level.sources.some((source) => hasManyRows(source, dataSets)))
      throw notSupported(
        'a sub-query of one value that may find several rows; aggregate them, or take the first with ORDER BY and LIMIT 1',
        place.offset,
      )
    return readSub(found, [onlyValue(found.target, place)], place)(0, found.target.range)
  }
  const bounds = boundsOfLimit(select, { binding: place.context.binding, scope: [] })
  if (bounds && (bounds.count === 0 || bounds.from > 0))
    throw notSupported('LIMIT 0 and OFFSET beside an aggregate', place.offset)
  return overAggregates(target.expr, readSub(rows, sink.aggregates, place), place.offset)
}

/** The value of a written relation of one row; null where it has none. */
function onlyWritten({ columns, rows }: WrittenTable, { offset }: Place): Expr {
  if (columns.length !== 1) throw notSupported('a sub-query of more than one column here', offset)
  if (rows.length > 1) throw notSupported('a sub-query of one value that has several rows', offset)
  return rows[0]?.[0] ?? literal('text', null)
}

/** What a sub-query computes of its aggregates, over the columns that they are read from. */
export function overAggregates(
  expr: Expr,
  read: ReturnType<typeof readSub>,
  offset: number | undefined,
): Expr {
  return mapExpression(expr, (part) => {
    if (part.kind === 'measure') return read(part.measure, part.range)
    if (part.kind !== 'column' && part.kind !== 'person') return undefined
    throw notSupported('a column beside an aggregate in a sub-query of one value', offset)
  })
}

function onlyValue(expr: Expr, { offset }: Place): PerPersonAggregate {
  const { type } = expr
  if (type === 'person' || type === 'interval' || [...partsOf(expr)].some(({ kind }) => kind === 'person'))
    throw notSupported('a sub-query of the person key here', offset)
  return { function: type === 'boolean' ? 'bool_or' : 'min', argument: expr, type }
}
