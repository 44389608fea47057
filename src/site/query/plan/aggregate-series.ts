import type { BoundQuery, CheckedQuery, ColumnRef, Expr, Measure } from '../bound/bound-query.ts'
import type { CallId } from '../catalogue/catalogue.ts'
import type { Range } from '../catalogue/expression-type.ts'
import { nullableSources } from '../bound/joined-level.ts'
import type { PlanContext } from './plan-context.ts'
import { partsOf, sameOptional } from '../bound/same-expression.ts'

/**
 * What is collected per group of one argument and filter. Measures of the same argument and filter share it.
 * `x`, `f` and `c` are columns of the rows: the argument, the filter, and what counts of the argument, clamped where it is summed.
 */
export interface Series {
  readonly argument?: Expr | undefined
  readonly filter?: Expr | undefined
  readonly clamp?: Range | undefined
  readonly needsSquares: boolean
  /**
   * Whether `collect` asks for the people with a value, and for those with one that is not 0. Where the manifest lets
   * expect that they are the people of the rows, the counts are awaited: they tell, and a set costs more than they.
   */
  readonly asksWithValue: boolean
  readonly asksNonZero: boolean
}

/** The series of a question, each once, and for each measure the one that it is of. */
export function seriesOfMeasures({ query, manifests }: CheckedQuery): {
  readonly series: readonly Series[]
  readonly seriesOf: readonly number[]
} {
  const found: Measure[][] = []
  const seriesOf = query.measures.map((measure) => {
    const known = found.findIndex(
      ([one]) => sameOptional(one?.argument, measure.argument) && sameOptional(one?.filter, measure.filter),
    )
    if (known < 0) return found.push([measure]) - 1
    found[known]?.push(measure)
    return known
  })
  const present = presentColumns(query.where.map(({ expr }) => expr))
  return { series: found.map((measures) => seriesOfEqual(measures, { query, manifests, present })), seriesOf }
}

interface SeriesFacts extends Pick<CheckedQuery, 'query' | 'manifests'> {
  /** Columns that have a value in every row that is grouped. */
  readonly present: readonly ColumnRef[]
}

function seriesOfEqual(measures: readonly Measure[], facts: SeriesFacts): Series {
  const [first] = measures
  const { argument, filter } = first ?? {}
  const clamp = measures.find((measure) => measure.clamp)?.clamp
  const isFull = filter === undefined && (argument === undefined || isAlwaysThere(argument, facts))
  return {
    argument,
    filter,
    clamp,
    needsSquares: measures.some(({ kind }) => isOfSquares(kind)),
    asksWithValue: !isFull,
    // Without a 0 within the bounds they are the same people.
    asksNonZero: clamp !== undefined && holdsZero(clamp),
  }
}

/** Whether squares are summed for it. */
export function isOfSquares(kind: Measure['kind']): boolean {
  return kind.startsWith('var') || kind.startsWith('stddev')
}

/** What holds of a value only where there is one. */
const ONLY_OF_VALUES: readonly CallId[] = ['is_not_null', 'eq', 'ne', 'lt', 'le', 'gt', 'ge', 'between']

/** Columns that conditions let be no null. */
function presentColumns(conditions: readonly Expr[]): readonly ColumnRef[] {
  return conditions.flatMap((expr) => {
    if (expr.kind !== 'call') return []
    if (expr.call === 'and') return presentColumns(expr.args)
    if (!ONLY_OF_VALUES.includes(expr.call)) return []
    return expr.args.flatMap((arg) => (arg.kind === 'column' ? [arg] : []))
  })
}

/**
 * Made of columns that the manifest calls required, or the question's own conditions ask a value of, and of nothing that may be null
 * beside. Only a guess: the counts decide.
 */
function isAlwaysThere(argument: Expr, { query: { sources }, manifests, present }: SeriesFacts): boolean {
  const nullable = nullableSources(sources)
  return [...partsOf(argument)].every((part) => {
    if (part.kind === 'case' || part.kind === 'person') return false
    if (part.kind !== 'column') return true
    if (present.some(({ source, column }) => source === part.source && column === part.column)) return true
    const source = sources[part.source]
    if (source?.kind !== 'data-set' || nullable.has(part.source)) return false
    return (
      manifests.get(source.dataSet)?.columns.find(({ name }) => name === part.column)?.isRequired ?? false
    )
  })
}

/** Most rows of one person that can stand in a group, by the manifests and what the vault knows. */
export function rowsPerPerson(
  sources: BoundQuery['sources'],
  { manifests }: Pick<CheckedQuery, 'manifests'>,
  context: PlanContext,
): number {
  return sources.reduce((product, source) => {
    if (source.kind === 'outer') return product
    if (source.kind === 'rows') return product * rowsPerPerson(source.sources, { manifests }, context)
    if (source.kind === 'per-person')
      return product * (source.keys.length === 0 ? 1 : rowsPerPerson(source.sources, { manifests }, context))
    const rowsMax = manifests.get(source.dataSet)?.person.rowsMax ?? Number.POSITIVE_INFINITY
    return product * Math.min(rowsMax, context.relations.get(source.dataSet)?.rowsPerPerson ?? rowsMax)
  }, 1)
}

/** Whether a value within these bounds can be one that changes no sum. */
export function holdsZero({ least, greatest }: Range): boolean {
  return least <= 0 && greatest >= 0
}
