import { innermost, STORED } from './bound-query.ts'
import type { DataSetId } from '../../../protocol/wire.ts'
import type { BoundQuery, Clause, ColumnUse, Expr, Source } from './bound-query.ts'
import { CLAUSES } from './bound-query.ts'
import { definitionOf } from './derived-column.ts'
import { childrenOf } from './same-expression.ts'

/** One reading of a column, before equal ones are gathered. `output` is where it can be seen, if it is shown only. */
interface Reading {
  readonly clause: Clause
  readonly output: number | undefined
}

/**
 * Every column a question reads, in which clause, and which outputs depend on it. The person key is none of them: it
 * is a number inside and a pseudonym outside, whatever the question does with it.
 */
export function usesOf(query: BoundQuery): readonly ColumnUse[] {
  const found = new Map<string, { use: ColumnUse; outputs: Set<number> }>()
  const note = (dataSet: DataSetId, column: string, { clause, output }: Reading): void => {
    const key = `${dataSet}.${column}.${clause}`
    const entry = found.get(key) ?? {
      use: { dataSet, column, clause, outputs: [] },
      outputs: new Set<number>(),
    }
    if (output !== undefined) entry.outputs.add(output)
    found.set(key, entry)
  }
  const notebook: Notebook = { note, seen: new Map() }
  const walk = walker(query, notebook)
  for (const source of query.sources) readSource(source, notebook)
  readJoins(query.sources, notebook)
  for (const { expr, clause } of query.where) walk(expr, { clause, output: undefined })
  for (const key of query.keys) walk(key, { clause: 'group', output: undefined })
  for (const [output, { expr }] of query.outputs.entries()) walk(expr, { clause: 'select', output })
  if (query.having) walk(query.having, { clause: 'having', output: undefined })
  if (query.qualify) walk(query.qualify, { clause: 'having', output: undefined })
  for (const { expr } of query.orderBy) walk(expr, { clause: 'order', output: undefined })
  return [...found.values()]
    .map(({ use, outputs }) => ({ ...use, outputs: [...outputs].toSorted((a, b) => a - b) }))
    .toSorted(compareUses)
}

type Note = (dataSet: DataSetId, column: string, reading: Reading) => void
type Walk = (expr: Expr, reading: Reading) => void

/** Where readings go, and which columns of sub-selects were gone through: each is once for each reading, however often it is named. */
interface Notebook {
  readonly note: Note
  readonly seen: Map<Source, Set<string>>
}

function walker(query: BoundQuery, notebook: Notebook): Walk {
  const walk: Walk = (expr, reading) => {
    if (expr.kind === 'column') return readColumn(query.sources, expr, { ...notebook, reading })
    if (expr.kind === 'measure') {
      const measure = query.measures[expr.measure]
      if (measure?.argument) walk(measure.argument, reading)
      if (measure?.filter) walk(measure.filter, filterReading(reading))
    }
    if (expr.kind === 'key') {
      const key = query.keys[expr.key]
      if (key) walk(key, reading)
    }
    for (const child of childrenOf(expr)) walk(child, reading)
  }
  return walk
}

interface Noting extends Notebook {
  readonly reading: Reading
}

/** A FILTER goes with what shows its aggregate; where something else looks at the aggregate, it decides as that does. */
function filterReading(reading: Reading): Reading {
  return reading.clause === 'select' ? { ...reading, clause: 'filter' } : reading
}

/** What a sub-select that is grouped by the person reads whichever of its columns are looked at: it decides over rows. */
function readSource(source: Source, notebook: Notebook): void {
  if (source.kind !== 'per-person' && source.kind !== 'rows') return
  for (const inner of source.sources) readSource(inner, notebook)
  for (const { expr, clause } of source.where)
    readAll(source.sources, expr, { ...notebook, reading: { clause, output: undefined } })
  readJoins(source.sources, notebook)
  if (source.kind === 'rows') return
  for (const key of source.keys)
    readAll(source.sources, key, { ...notebook, reading: { clause: 'group', output: undefined } })
}

function readJoins(sources: readonly Source[], notebook: Notebook): void {
  for (const expr of sources.flatMap(({ join }) => join?.on ?? []))
    readAll(sources, expr, { ...notebook, reading: { clause: 'join', output: undefined } })
}

/** A column of a data set, or everything that a column computed per person depends on. */
function readColumn(
  sources: readonly Source[],
  { source, column }: Extract<Expr, { kind: 'column' }>,
  noting: Noting,
): void {
  const found = sources[source]
  const from = found && innermost(found)
  if (from === undefined || from.kind === 'outer') return
  // Where a row is stored is none of its values.
  if (from.kind === 'data-set')
    return column === STORED ? undefined : noting.note(from.dataSet, column, noting.reading)
  if (!isNew(from, { column, noting })) return
  const { expr, aggregate } = definitionOf(from, column)
  for (const made of [expr, aggregate?.argument]) if (made) readAll(from.sources, made, noting)
  if (aggregate?.filter)
    readAll(from.sources, aggregate.filter, { ...noting, reading: filterReading(noting.reading) })
}

function isNew(source: Source, { column, noting }: { column: string; noting: Noting }): boolean {
  const seen = noting.seen.get(source) ?? new Set()
  const name = `${column} ${noting.reading.clause} ${noting.reading.output ?? ''}`
  if (seen.has(name)) return false
  noting.seen.set(source, seen.add(name))
  return true
}

function readAll(sources: readonly Source[], expr: Expr, noting: Noting): void {
  if (expr.kind === 'column') return readColumn(sources, expr, noting)
  for (const child of childrenOf(expr)) readAll(sources, child, noting)
}

function compareUses(a: ColumnUse, b: ColumnUse): number {
  return (
    compare(a.dataSet, b.dataSet) ||
    compare(a.column, b.column) ||
    CLAUSES.indexOf(a.clause) - CLAUSES.indexOf(b.clause)
  )
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
