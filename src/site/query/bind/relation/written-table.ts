import type { Node, RangeSubselect, RangeVar, SelectStmt } from '@pgsql/types'
import { LIMITS } from '../../../../kernel/limits.ts'
import { bindTerm } from '../expression/bind-expression.ts'
import type { Literal } from '../../bound/bound-query.ts'
import { coerce, commonType } from '../expression/build-expression.ts'
import type { Term } from '../expression/build-expression.ts'
import type { FromContext, NamedQueries } from './from-context.ts'
import { bindWith } from './named-queries.ts'
import { offsetOf, textsOf } from '../../text/nodes.ts'
import { notSupported, tooLarge } from '../../text/refusal.ts'
import type { Binding } from '../expression/scope.ts'

/** A relation of values that are written out in the question: its rows are of nobody. */
export interface WrittenTable {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly Literal[])[]
}

/** A written table under its name in FROM, and where it stands. */
export interface NamedTable extends WrittenTable {
  readonly name: string
  readonly offset: number | undefined
}

interface Reading {
  readonly binding: Binding
  readonly known: NamedQueries
}

/** An item of FROM that is a written table, under its name there; `undefined` for any other. */
export function writtenItem(
  node: Node,
  { binding, known }: Pick<FromContext, 'binding' | 'known'>,
): NamedTable | undefined {
  if ('RangeVar' in node) return writtenNamed(node.RangeVar, { binding, known })
  return 'RangeSubselect' in node ? writtenSubselect(node.RangeSubselect, { binding, known }) : undefined
}

function writtenNamed({ relname = '', alias, location }: RangeVar, reading: Reading): NamedTable | undefined {
  const named = reading.known.get(relname)
  const table = named && readWritten(named.select, { ...reading, known: named.known })
  if (table === undefined) return undefined
  const columns = withNames(
    withNames(table.columns, named?.columnNames ?? [], location),
    aliasesOf(alias),
    location,
  )
  return { ...table, name: alias?.aliasname ?? relname, columns, offset: location }
}

function writtenSubselect(
  { subquery, alias, lateral }: RangeSubselect,
  reading: Reading,
): NamedTable | undefined {
  if (subquery === undefined || !('SelectStmt' in subquery) || lateral) return undefined
  const table = readWritten(subquery.SelectStmt, reading)
  if (table === undefined) return undefined
  const [first] = subquery.SelectStmt.valuesLists ?? subquery.SelectStmt.targetList ?? []
  const offset = offsetOf(first && 'List' in first ? first.List.items?.[0] : first)
  return {
    ...table,
    name: alias?.aliasname ?? '',
    columns: withNames(table.columns, aliasesOf(alias), offset),
    offset,
  }
}

function aliasesOf(alias: RangeVar['alias']): readonly string[] {
  return textsOf(alias?.colnames ?? []) ?? []
}

function withNames(
  columns: readonly string[],
  names: readonly string[],
  offset: number | undefined,
): readonly string[] {
  if (names.length > columns.length) throw notSupported('more column names than there are columns', offset)
  return columns.map((column, index) => names[index] ?? column)
}

/**
 * VALUES, a SELECT of constants without FROM, a set operation of such, or columns of one: its rows, each column of one
 * type. `undefined` for a SELECT that reads anything else.
 */
export function readWritten(select: SelectStmt, { binding, known }: Reading): WrittenTable | undefined {
  const table = readRows(select, { binding, known: bindWith(select.withClause, known) })
  if (table === undefined) return undefined
  if (table.rows.length > LIMITS.queryWrittenRowsMax)
    throw tooLarge(`The question writes out a relation of more than ${LIMITS.queryWrittenRowsMax} rows`)
  const types = table.columns.map((_, column) => {
    const type = commonType(table.rows.flatMap((row) => row[column] ?? []))
    if (type === undefined)
      throw notSupported('values of different types in one column of a written relation')
    return type
  })
  const rows = table.rows.map((row) =>
    types.map((type, column): Literal => {
      const value = row[column]
      const typed = value && coerce(value, type, { offset: undefined, name: 'VALUES' })
      if (typed?.kind !== 'literal') throw notSupported('VALUES of what is not written out')
      return typed
    }),
  )
  return { columns: table.columns, rows }
}

interface Rows {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly Term[])[]
}

function readRows(select: SelectStmt, reading: Reading): Rows | undefined {
  const { valuesLists, larg, rarg, fromClause, targetList = [] } = select
  if (larg && rarg) return readSet(select, reading)
  if (select.whereClause || select.groupClause || select.havingClause || select.distinctClause)
    return undefined
  if (select.limitCount || select.limitOffset) return undefined
  if (valuesLists) return readValues(valuesLists, reading)
  if (fromClause) return readColumns(select, reading)
  const targets = targetList.map((node) => ('ResTarget' in node ? node.ResTarget : {}))
  return {
    columns: targets.map(({ name }) => name ?? '?column?'),
    rows: [targets.map(({ val }) => writtenTerm(val, reading))],
  }
}

function writtenTerm(node: Node | undefined, { binding }: Reading): Term {
  const term = bindTerm(node, { binding, scope: [] })
  if (term.kind !== 'untyped' && term.kind !== 'literal')
    throw notSupported(
      'a relation without a data set of anything but values that are written out',
      offsetOf(node),
    )
  return term
}

function readValues(lists: readonly Node[], reading: Reading): Rows {
  const rows = lists.map((list) => ('List' in list ? (list.List.items ?? []) : []))
  const width = rows[0]?.length ?? 0
  if (rows.some((row) => row.length !== width))
    throw notSupported('VALUES of different lengths', offsetOf(lists[0]))
  return {
    columns: (rows[0] ?? []).map((_, index) => `column${index + 1}`),
    rows: rows.map((row) => row.map((item) => writtenTerm(item, reading))),
  }
}

/** Columns of another written table, as they are. */
function readColumns({ fromClause = [], targetList = [] }: SelectStmt, reading: Reading): Rows | undefined {
  const [item, another] = fromClause
  const table = item && !another ? writtenItem(item, reading) : undefined
  if (table === undefined) return undefined
  const picked = targetList.flatMap((node): readonly { readonly name: string; readonly at: number }[] => {
    const { name, val } = 'ResTarget' in node ? node.ResTarget : {}
    const fields = val && 'ColumnRef' in val ? (val.ColumnRef.fields ?? []) : []
    const last = fields.at(-1)
    if (last && 'A_Star' in last) return table.columns.map((column, at) => ({ name: column, at }))
    const [column = ''] = textsOf(fields.slice(-1)) ?? []
    return [{ name: name ?? column, at: table.columns.indexOf(column) }]
  })
  if (picked.some(({ at }) => at < 0)) return undefined
  return {
    columns: picked.map(({ name }) => name),
    rows: table.rows.map((row) => picked.flatMap(({ at }) => row[at] ?? [])),
  }
}

/** UNION, INTERSECT and EXCEPT, with ALL or without, of rows that are known. */
function readSet({ larg, rarg, op, all, ...select }: SelectStmt, reading: Reading): Rows | undefined {
  const [left, right] = [larg, rarg].map((member) => member && readWritten(member, reading))
  if (left === undefined || right === undefined) return undefined
  if (select.limitCount || select.limitOffset)
    throw notSupported('LIMIT and OFFSET of a relation that is written out')
  if (left.columns.length !== right.columns.length)
    throw notSupported('a set operation of different numbers of columns')
  if (op === 'SETOP_UNION') {
    const rows = [...left.rows, ...right.rows]
    return { columns: left.columns, rows: all ? rows : different(rows) }
  }
  if (all) throw notSupported('INTERSECT ALL and EXCEPT ALL')
  const others = new Set(right.rows.map(keyOf))
  const rows = left.rows.filter((row) => others.has(keyOf(row)) === (op === 'SETOP_INTERSECT'))
  return { columns: left.columns, rows: different(rows) }
}

function different(rows: readonly (readonly Literal[])[]): readonly (readonly Literal[])[] {
  return [...new Map(rows.map((row) => [keyOf(row), row])).values()]
}

/** Equal for equal rows: whole numbers and others are one, nulls too. */
function keyOf(row: readonly Literal[]): string {
  return JSON.stringify(row.map(({ value }) => value))
}
