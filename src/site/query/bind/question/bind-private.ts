import type { FuncCall } from '@pgsql/types'
import {
  AGGREGATES,
  addMeasure,
  countedArgument,
  measureRef,
  ofSpans,
  readAggregate,
  whyUnbounded,
} from '../aggregate/bind-aggregate.ts'
import { bindTerm, bindValue } from '../expression/bind-expression.ts'
import type { Frame } from '../expression/bind-expression.ts'
import type { Expr, Measure, MeasureRef, QuantileKind } from '../../bound/bound-query.ts'
import { withinBounds } from '../aggregate/bounded-argument.ts'
import { call, coerce, literal } from '../expression/build-expression.ts'
import type { Place } from '../expression/build-expression.ts'
import { asFactor, bindPair } from '../aggregate/bind-pair.ts'
import type { PairSink } from '../aggregate/bind-pair.ts'
import { readFraction, sortedValue } from '../aggregate/written-quantile.ts'
import type { Range } from '../../catalogue/expression-type.ts'
import { middleOf } from '../../catalogue/ranges.ts'
import type { MeasureKind } from '../../../guard/collected-group.ts'
import { notAllowed, wrongColumn } from '../../text/refusal.ts'

/** A table: aggregates of mode `private` beside those of mode `aggregate`. Each is chosen from a declared grid. */
export const QUANTILES: Readonly<Record<string, { readonly kind: QuantileKind; readonly says: string }>> = {
  percentile_cont: {
    kind: 'percentile_cont',
    says: '`percentile_cont(0.9) within group (order by x)`, or of several as a list: `percentile_cont(array[0.25, 0.5, 0.75])`, each a figure of its own',
  },
  percentile_disc: {
    kind: 'percentile_disc',
    says: '`percentile_disc(0.9) within group (order by x)`; a whole number where x is one',
  },
  median: { kind: 'percentile_cont', says: '`median(x)`, the same as `percentile_cont(0.5)`' },
}

/**
 * Collects the measures of a question of mode `private`. What is summed may be any expression with bounds that follow
 * from declared ones: noise hides one person whatever the expression picks out, so nothing need be a fixed quantity.
 */
export function privateMeasureSink(inner: Frame): {
  readonly measures: Measure[]
  readonly bind: (node: FuncCall, name: string) => Expr | undefined
} {
  const measures: Measure[] = []
  const bind = (node: FuncCall, name: string): Expr | undefined => {
    const quantile = Object.hasOwn(QUANTILES, name) ? QUANTILES[name] : undefined
    if (quantile) return addQuantile(measures, { node, name, kind: quantile.kind, inner })
    const row = Object.hasOwn(AGGREGATES, name) ? AGGREGATES[name] : undefined
    if (row === undefined)
      return bindPair(node, { name, inner, sink: pairSink(measures, { name, offset: node.location }) })
    const { argument, filter, isOfPeople } = readAggregate(node, name, inner)
    if (row.kind === 'count') {
      const measure: Measure = isOfPeople
        ? { kind: 'people', filter, tells: [] }
        : { kind: 'count', argument: countedArgument(argument), filter, tells: [] }
      return measureRef(addMeasure(measures, measure), 'integer', undefined)
    }
    const made = addSum(measures, row.kind, { argument, filter, place: { name, offset: node.location } })
    return ofSpans(made, row.kind, argument)
  }
  return { measures, bind }
}

interface Summed {
  readonly argument: Expr | undefined
  readonly filter: Expr | undefined
  readonly place: Place
  readonly margins?: Measure['margins']
}

function addSum(
  measures: Measure[],
  kind: MeasureKind,
  { argument, filter, place, margins }: Summed,
): MeasureRef {
  const { bounded, clamp } = boundedArgument(argument, place)
  const index = addMeasure(measures, { kind, argument: bounded, filter, clamp, margins, tells: [] })
  return measureRef(index, 'number', kind === 'avg' ? clamp : undefined)
}

/**
 * Of a pair, products of distances to the middles of the bounds are summed: one person changes those by far less than
 * products of the values, and the averages of both sides tell the rest.
 */
function pairSink(measures: Measure[], place: Place): PairSink {
  const spread: PairSink['spread'] = (kind, { value, filter }) =>
    addSum(measures, kind, { argument: value, filter, place })
  return {
    count: ({ value, filter }) =>
      measureRef(
        addMeasure(measures, {
          kind: 'count',
          argument: boundedArgument(value, place).bounded,
          filter,
          tells: [],
        }),
        'integer',
        undefined,
      ),
    spread,
    covariance: ({ y, x, filter }) => {
      const [one, other] = [spread('avg', y), spread('avg', x)]
      const argument = call('mul_number', [
        centred(asFactor(y, place.name), one.range),
        centred(asFactor(x, place.name), other.range),
      ])
      const margins = [one.measure, other.measure] as const
      return addSum(measures, 'covar_pop', { argument, filter, place, margins })
    },
  }
}

function centred(factor: Expr, bounds: Range | undefined): Expr {
  return bounds ? call('sub_number', [factor, literal('number', middleOf(bounds))]) : factor
}

interface Written {
  readonly node: FuncCall
  readonly name: string
  readonly kind: QuantileKind
  readonly inner: Frame
}

function addQuantile(measures: Measure[], { node, name, kind, inner }: Written): Expr {
  const isMedian = name === 'median'
  if (node.agg_distinct || node.agg_star) throw notAllowed(`"${name}" of distinct values or *`, node.location)
  const read = isMedian ? readMedian(node, inner) : readWithinGroup(node, name, inner)
  const { bounded, clamp } = boundedArgument(read.argument, { name, offset: node.location })
  const filter =
    node.agg_filter && coerce(bindTerm(node.agg_filter, inner), 'boolean', { offset: node.location, name })
  const type = kind === 'percentile_disc' ? bounded.type : 'number'
  const made = read.quantilesMicro.map((quantileMicro) => {
    const measure: Measure = { kind, argument: bounded, filter, clamp, quantileMicro, tells: [] }
    return measureRef(addMeasure(measures, measure), type, clamp)
  })
  const [only] = made
  if (!read.isList && only) return only
  return call(type === 'integer' ? 'list_of_integers' : 'list_of_numbers', made)
}

/** Of one fraction, or of several that are asked for as a list. */
interface Quantile {
  readonly argument: Expr
  readonly quantilesMicro: readonly number[]
  readonly isList: boolean
}

/** Each is a figure of its own with a part of epsilon. */
const FRACTIONS_MAX = 16

function readMedian(node: FuncCall, inner: Frame): Quantile {
  const [argument, more] = node.args ?? []
  if (argument === undefined || more !== undefined || node.agg_within_group || node.agg_order)
    throw notAllowed('"median" of anything but one argument', node.location)
  return { argument: bindValue(argument, inner), quantilesMicro: [500_000], isList: false }
}

function readWithinGroup(node: FuncCall, name: string, inner: Frame): Quantile {
  const [fraction, more] = node.args ?? []
  const [order, another] = node.agg_order ?? []
  if (
    !node.agg_within_group ||
    fraction === undefined ||
    more !== undefined ||
    order === undefined ||
    another
  )
    throw notAllowed(`"${name}" without one fraction and WITHIN GROUP (ORDER BY one value)`, node.location)
  const { value, isDescending } = sortedValue(order)
  const list = 'A_ArrayExpr' in fraction ? (fraction.A_ArrayExpr.elements ?? []) : undefined
  if (list && (list.length === 0 || list.length > FRACTIONS_MAX))
    throw notAllowed(`"${name}" of no fraction, or of more than ${FRACTIONS_MAX}`, node.location)
  const micros = (list ?? [fraction]).map((one) => readFraction(one, name, inner))
  return {
    argument: bindValue(value, inner),
    quantilesMicro: micros.map((micro) => (isDescending ? 1_000_000 - micro : micro)),
    isList: list !== undefined,
  }
}

function boundedArgument(
  argument: Expr | undefined,
  { name, offset }: { readonly name: string; readonly offset: number | undefined },
): { readonly bounded: Expr; readonly clamp: Range } {
  if (argument === undefined || (argument.type !== 'integer' && argument.type !== 'number'))
    throw notAllowed(`"${name}" of ${argument?.type ?? 'nothing'}`, offset)
  const { range } = argument
  if (range === undefined || !Number.isFinite(range.least) || !Number.isFinite(range.greatest))
    throw wrongColumn(whyUnbounded(argument, name), offset)
  return { bounded: withinBounds(argument), clamp: range }
}
