import type { BoundQuery, Expr } from '../../bound/bound-query.ts'
import type { Binding, Level } from './scope.ts'

interface UnitContext {
  readonly binding: Binding
  readonly level: Pick<Level, 'sources'>
  readonly keys?: readonly Expr[]
  readonly measures?: BoundQuery['measures']
}

const KEEPS_UNIT = new Set([
  'round',
  'round_digits',
  'floor',
  'ceil',
  'trunc',
  'abs_number',
  'abs_integer',
  'cast_integer_number',
  'cast_number_integer',
  'neg_number',
  'neg_integer',
])
const MEASURES_WITH_UNIT = new Set(['sum', 'avg', 'stddev_samp', 'stddev_pop'])

/** In the manifests' code of units (UCUM). */
const SECONDS = 's'

/** The unit of what is a column, its key, sum, average or deviation, rounded or not. */
export function unitOf(expr: Expr, context: UnitContext): string | undefined {
  if (expr.isSpan) return SECONDS
  const [first] = expr.kind === 'call' ? expr.args : []
  if (expr.kind === 'call') return KEEPS_UNIT.has(expr.call) && first ? unitOf(first, context) : undefined
  if (expr.kind === 'key') return unitOfOptional(context.keys?.[expr.key], context)
  if (expr.kind === 'measure') {
    const measure = context.measures?.[expr.measure]
    return measure && MEASURES_WITH_UNIT.has(measure.kind)
      ? unitOfOptional(measure.argument, context)
      : undefined
  }
  if (expr.kind !== 'column') return undefined
  const source = context.level.sources[expr.source]
  return source?.kind === 'data-set'
    ? context.binding.dataSets.get(source.dataSet)?.columns.find(({ name }) => name === expr.column)?.unit
    : undefined
}

function unitOfOptional(expr: Expr | undefined, context: UnitContext): string | undefined {
  return expr && unitOf(expr, context)
}
