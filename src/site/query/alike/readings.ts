import type { ColumnType, Manifest } from '../../../protocol/data-set.ts'
import { hasManyRows } from '../bind/aggregate/bounded-argument.ts'
import { innermost, STORED } from '../bound/bound-query.ts'
import type { ColumnRef, Expr, Source, WindowFunction } from '../bound/bound-query.ts'
import { definitionOf } from '../bound/derived-column.ts'
import type { Definition } from '../bound/derived-column.ts'
import { childrenOf, partsOf } from '../bound/same-expression.ts'

/** A column of a data set as something that is decided by, or summed. */
export interface BaseColumn {
  readonly dataSet: string
  readonly column: string
  readonly type: ColumnType
}

/** Expressions that decide for themselves: what is inside them is looked at apart. */
export function isDecision(expr: Expr): boolean {
  return expr.kind === 'case' || (expr.kind === 'call' && expr.type === 'boolean')
}

/** The columns that a value is made of, each as often as it is read; what decides which value it is does not count. */
export function columnsRead(expr: Expr): readonly ColumnRef[] {
  if (expr.kind === 'column') return expr.column === STORED ? [] : [expr]
  return valuesOf(expr).flatMap(columnsRead)
}

/** What a value is made of: of a choice whatever may be chosen; of what is true or false nothing, because that is told. */
export function valuesOf(expr: Expr): readonly Expr[] {
  if (expr.kind === 'case')
    return [...expr.whens.map(({ value }) => value), ...(expr.otherwise ? [expr.otherwise] : [])]
  return isDecision(expr) ? [] : childrenOf(expr)
}

/**
 * The largest parts of a value that read one column once each. Of `(medals - 1) * (extract(day from born) - 9)` they are both
 * factors: whoever knows all of them but one knows of that one what the whole says.
 */
export function readingsOf(expr: Expr): readonly Expr[] {
  const count = columnsRead(expr).length
  if (count === 0) return []
  return count === 1 && !holdsDecision(expr) ? [expr] : valuesOf(expr).flatMap(readingsOf)
}

/** The same of an expression and of all that decides in it, but for whether a column has a value. */
export function readingsWithin(expr: Expr): readonly Expr[] {
  if (isDecision(expr)) {
    return asksForValue(expr) ? [] : childrenOf(expr).flatMap(readingsWithin)
  }
  return [...readingsOf(expr), ...decisionsBelow(expr).flatMap(readingsWithin)]
}

function decisionsBelow(expr: Expr): readonly Expr[] {
  return childrenOf(expr).flatMap((child) => (isDecision(child) ? [child] : decisionsBelow(child)))
}

/** Whether an expression asks if a column has a value, which its measures tell. What is made may be null for any reason. */
export function asksForValue(expr: Expr): boolean {
  if (expr.kind !== 'call' || (expr.call !== 'is_null' && expr.call !== 'is_not_null')) return false
  return expr.args.every(
    ({ kind, ...arg }) => kind === 'person' || (kind === 'column' && !('isDerived' in arg)),
  )
}

function holdsDecision(expr: Expr): boolean {
  return [...partsOf(expr)].some(isDecision)
}

/** Everything of data sets that a column depends on, through the sub-selects that it is made in: how many rows there are as well. */
export function baseColumns(
  { source: index, column }: ColumnRef,
  sources: readonly Source[],
  manifests: ReadonlyMap<string, Manifest>,
): readonly BaseColumn[] {
  const found = sources[index]
  const source = found && innermost(found)
  if (source === undefined || source.kind === 'outer' || column === STORED) return []
  if (source.kind === 'data-set') {
    const type = manifests.get(source.dataSet)?.columns.find(({ name }) => name === column)?.type
    return type === undefined ? [] : [{ dataSet: source.dataSet, column, type }]
  }
  const made = definitionOf(source, column)
  const read = [made.expr, made.aggregate?.argument].flatMap((expr) => (expr ? columnsRead(expr) : []))
  return [
    ...read.flatMap((one) => baseColumns(one, source.sources, manifests)),
    ...(isOfRows(made, read) ? rowsCounted(source.sources, manifests) : []),
  ]
}

/** What is made of some rows whichever they are: it tells of their values, not how many there are. */
const OF_VALUES: ReadonlySet<WindowFunction> = new Set<WindowFunction>([
  'sum',
  'avg',
  'min',
  'max',
  'first_value',
  'last_value',
  'bool_or',
  'bool_and',
])

/** Whether a column follows from how many rows there are: a count, a place among them, a sum of ones. */
function isOfRows({ expr, aggregate }: Definition, read: readonly ColumnRef[]): boolean {
  if (expr?.kind === 'window') return read.length === 0 || !OF_VALUES.has(expr.function)
  return aggregate !== undefined && (aggregate.function === 'count' || read.length === 0)
}

/** How many rows somebody has in data sets in which they may have several: something that is counted, and decided by, like a column. */
export function rowsCounted(
  sources: readonly Source[],
  manifests: ReadonlyMap<string, Manifest>,
): readonly BaseColumn[] {
  return sources.flatMap((found) => {
    const source = innermost(found)
    if (source.kind === 'outer' || !hasManyRows(source, manifests)) return []
    return source.kind === 'data-set'
      ? [{ dataSet: source.dataSet, column: STORED, type: 'integer' as const }]
      : rowsCounted(source.sources, manifests)
  })
}
