import type { Manifest } from '../../../../protocol/data-set.ts'
import type { Expr, Source } from '../../bound/bound-query.ts'
import { call } from '../expression/build-expression.ts'
import { nullableSources } from '../../bound/joined-level.ts'

/**
 * The same argument with each column in it kept to its declared bounds. Keeping the whole to the bounds that follow
 * from them is not enough: values past the bounds would show in `sum(x * x / x) - sum(x)`. A column alone stays as it
 * is, because it is kept to its bounds as the whole argument. Conditions, of a CASE or made a number, see values as they are.
 */
export function withinBounds(argument: Expr): Expr {
  return argument.kind === 'column' ? argument : boundValues(argument)
}

/** Past this a square of values, and the sum of such, would leave the domain of doubles. */
const SPREAD_MAX = 1e100

/** The same of what a variance is taken of, which is kept within bounds of the gate's own where none are declared. */
export function spreadArgument(argument: Expr): Expr {
  if (argument.range !== undefined) return withinBounds(argument)
  const number = argument.type === 'integer' ? call('cast_integer_number', [argument]) : argument
  return call('clamp_number', [number], [-SPREAD_MAX, SPREAD_MAX])
}

/** The same of a column alone, for what is compared. */
export function boundValues(expr: Expr): Expr {
  if (expr.kind === 'column') return bounded(expr)
  if (expr.type === 'boolean') return expr
  if (expr.kind === 'call') return { ...expr, args: expr.args.map(boundValues) }
  if (expr.kind !== 'case') return expr
  const whens = expr.whens.map(({ when, value }) => ({ when, value: boundValues(value) }))
  return { ...expr, whens, otherwise: expr.otherwise && boundValues(expr.otherwise) }
}

/** A column within its declared bounds; one without any stays as it is. */
export function bounded(column: Expr): Expr {
  if (column.range === undefined) return column
  const { least, greatest } = column.range
  return call(column.type === 'integer' ? 'clamp_integer' : 'clamp_number', [column], [least, greatest])
}

/**
 * Whether an argument may not be summed over these joined sources, for being repeated: joined to a source with several rows of one
 * person, a value of another source counts as often as there are rows of the first, and which rows those are is the
 * asker's to choose. So values come from the one source that has several rows, or there is none.
 */
export function isMultiplied(
  argument: Expr,
  sources: readonly Source[],
  dataSets: ReadonlyMap<string, Manifest>,
): boolean {
  const many = sources.flatMap((source, index) => (hasManyRows(source, dataSets) ? [index] : []))
  if (many.length === 0) return false
  const [only] = many.length === 1 ? many : []
  return columnsOfValue(argument).some(({ source }) => source !== only)
}

/** Columns that a value is made of; a condition around it only chooses rows. */
export function columnsOfValue(expr: Expr): readonly Extract<Expr, { kind: 'column' }>[] {
  if (expr.kind === 'column') return [expr]
  if (expr.kind === 'call') return expr.args.flatMap(columnsOfValue)
  if (expr.kind !== 'case') return []
  const values = [...expr.whens.map(({ value }) => value), ...(expr.otherwise ? [expr.otherwise] : [])]
  return values.flatMap(columnsOfValue)
}

/** Whether a source can have several rows of one person, by the manifests. */
export function hasManyRows(source: Source, dataSets: ReadonlyMap<string, Manifest>): boolean {
  if (source.kind === 'data-set') return (dataSets.get(source.dataSet)?.person.rowsMax ?? 2) > 1
  if (source.kind === 'outer') return false
  if (source.kind === 'rows') return source.sources.some((inner) => hasManyRows(inner, dataSets))
  return source.keys.length > 0 && source.sources.some((inner) => hasManyRows(inner, dataSets))
}

/** Most rows that one person can have in a joined set of sources, by the manifests. */
export function rowsOfOnePerson(
  level: { readonly sources: readonly Source[] },
  { dataSets }: { readonly dataSets: ReadonlyMap<string, Manifest> },
): number {
  return level.sources.reduce((product, source) => {
    if (source.kind === 'outer') return product
    if (source.kind === 'data-set') return product * (dataSets.get(source.dataSet)?.person.rowsMax ?? 1)
    if (source.kind === 'rows') return product * rowsOfOnePerson(source, { dataSets })
    return product * (source.keys.length === 0 ? 1 : rowsOfOnePerson(source, { dataSets }))
  }, 1)
}

/**
 * Whether each person has at most one row in each group: the only source with several rows a person is a sub-select, and each group of the
 * question is one of its groups.
 */
export function isOneRowAGroup(
  { sources, keys }: { readonly sources: readonly Source[]; readonly keys: readonly Expr[] },
  dataSets: ReadonlyMap<string, Manifest>,
): boolean {
  const many = [...sources.entries()].filter(([, source]) => hasManyRows(source, dataSets))
  const [index, source] = many[0] ?? []
  if (many.length !== 1 || source?.kind !== 'per-person') return false
  return source.keys.every((_, key) =>
    keys.some((expr) => expr.kind === 'column' && expr.source === index && expr.column === `k${key}`),
  )
}

/** Sources of which a person may have several rows or, by an outer join, one row of nulls. */
export function optionalManySources(
  sources: readonly Source[],
  dataSets: ReadonlyMap<string, Manifest>,
): readonly number[] {
  const nullable = nullableSources(sources)
  return [...sources.entries()].flatMap(([index, source]) =>
    nullable.has(index) && hasManyRows(source, dataSets) ? [index] : [],
  )
}
