import type { FuncCall } from '@pgsql/types'
import type { Expr, MeasureRef } from '../../bound/bound-query.ts'
import { notAllowed, notSupported } from '../../text/refusal.ts'
import { bindCondition, bindValue } from '../expression/bind-expression.ts'
import type { Frame } from '../expression/bind-expression.ts'
import { withinBounds } from './bounded-argument.ts'
import { call, caseOf, coerce, literal } from '../expression/build-expression.ts'

/** An average, variance or deviation of one side of a pair. */
export type SideKind = 'avg' | 'var_pop' | 'stddev_pop'

/** A value that a pair is made of, and the rows it is taken from: those where the other has a value too. */
export interface Side {
  readonly value: Expr
  readonly filter: Expr
}

/** How a mode collects what pairs are computed from; each gives what stands for the figure in the answer. */
export interface PairSink {
  readonly count: (side: Side) => Expr
  readonly spread: (kind: SideKind, side: Side) => MeasureRef
  /** The covariance of the population. */
  readonly covariance: (pair: Pair) => Expr
}

/** Both sides of an aggregate of two values, named as PostgreSQL names them: `regr_slope(y, x)`. */
export interface Pair {
  readonly y: Side
  readonly x: Side
  /** Rows that the asker wants looked at. */
  readonly filter: Expr | undefined
}

interface PairRow {
  readonly says: string
  readonly make: (pair: Pair, sink: PairSink) => Expr
}

/**
 * A table: aggregates of two values, over the rows where neither is null. Each is computed from averages, variances and a
 * covariance once those may leave, so that the guard judges every sum behind it, by the bounds of what it is the sum of.
 */
export const PAIR_AGGREGATES: Readonly<Record<string, PairRow>> = {
  regr_count: { says: 'rows where neither is null', make: ({ y }, sink) => sink.count(y) },
  regr_avgy: { says: 'the average of y over them', make: ({ y }, sink) => sink.spread('avg', y) },
  regr_avgx: { says: 'the average of x over them', make: ({ x }, sink) => sink.spread('avg', x) },
  regr_syy: {
    says: 'n times the variance of y',
    make: ({ y }, sink) => times(sink.spread('var_pop', y), countOf(y, sink)),
  },
  regr_sxx: {
    says: 'n times the variance of x',
    make: ({ x }, sink) => times(sink.spread('var_pop', x), countOf(x, sink)),
  },
  regr_sxy: {
    says: 'n times the covariance',
    make: (pair, sink) => times(sink.covariance(pair), countOf(pair.y, sink)),
  },
  covar_pop: {
    says: 'from the sums of y, of x and of their product, which is at most of 3 factors',
    make: (pair, sink) => sink.covariance(pair),
  },
  covar_samp: {
    says: 'the same, divided by n - 1',
    make: (pair, sink) => {
      const count = countOf(pair.y, sink)
      return over(times(sink.covariance(pair), count), call('sub_number', [count, literal('number', 1)]))
    },
  },
  corr: {
    says: 'the covariance over both deviations, from -1 to 1; null where one side is the same everywhere',
    make: (pair, sink) => {
      const deviations = times(sink.spread('stddev_pop', pair.y), sink.spread('stddev_pop', pair.x))
      return call('clamp_number', [over(sink.covariance(pair), deviations)], [-1, 1])
    },
  },
  regr_r2: {
    says: 'the square of `corr`; 1 where only y is the same everywhere',
    make: (pair, sink) => {
      const [covariance, varY, varX] = spreadsOf(pair, sink)
      const square = call('clamp_number', [over(times(covariance, covariance), times(varX, varY))], [0, 1])
      const nothing = literal('number', 0)
      const isLevel = call('and', [call('eq', [varY, nothing]), call('gt', [varX, nothing])])
      return caseOf([{ when: isLevel, value: literal('number', 1) }], square)
    },
  },
  regr_slope: { says: 'the covariance over the variance of x', make: slopeOf },
  regr_intercept: {
    says: 'what the line of that slope through both averages is where x is 0',
    make: (pair, sink) => {
      const [averageY, averageX] = [sink.spread('avg', pair.y), sink.spread('avg', pair.x)]
      return call('sub_number', [averageY, times(slopeOf(pair, sink), averageX)])
    },
  },
}

/** Binds an aggregate of two values; `undefined` for any other function. */
export function bindPair(
  node: FuncCall,
  { name, inner, sink }: { readonly name: string; readonly inner: Frame; readonly sink: PairSink },
): Expr | undefined {
  const row = Object.hasOwn(PAIR_AGGREGATES, name) ? PAIR_AGGREGATES[name] : undefined
  return row?.make(readPair(node, name, inner), sink)
}

function readPair(node: FuncCall, name: string, inner: Frame): Pair {
  const { args = [], agg_filter, agg_order, agg_within_group, agg_distinct, location: offset } = node
  if (agg_order || agg_within_group)
    throw notSupported(agg_within_group ? 'WITHIN GROUP' : 'ORDER BY in an aggregate', offset)
  if (agg_distinct) throw notAllowed(`"${name}" of distinct values`, offset)
  const [y, x] = args.map((arg) => bindValue(arg, inner))
  if (y === undefined || x === undefined || args.length !== 2)
    throw notAllowed(`"${name}" of ${args.length} arguments`, offset)
  const odd = [y, x].find(({ type }) => type !== 'integer' && type !== 'number')
  if (odd) throw notAllowed(`"${name}" of ${odd.type}`, offset)
  const filter = agg_filter && bindCondition(agg_filter, inner)
  const where = (other: Expr): Expr => {
    const isThere = call('is_not_null', [withinBounds(other)])
    return filter ? call('and', [filter, isThere]) : isThere
  }
  return { y: { value: y, filter: where(x) }, x: { value: x, filter: where(y) }, filter }
}

function countOf(side: Side, sink: PairSink): Expr {
  return call('cast_integer_number', [sink.count(side)])
}

function spreadsOf({ y, x, filter }: Pair, sink: PairSink): readonly [Expr, Expr, Expr] {
  return [sink.covariance({ y, x, filter }), sink.spread('var_pop', y), sink.spread('var_pop', x)]
}

function slopeOf(pair: Pair, sink: PairSink): Expr {
  return over(sink.covariance(pair), sink.spread('var_pop', pair.x))
}

function times(a: Expr, b: Expr): Expr {
  return call('mul_number', [a, b])
}

/** A side as a factor of the product. */
export function asFactor({ value }: Side, name: string): Expr {
  return coerce(value, 'number', { offset: undefined, name })
}

/** Null where the divisor is 0. */
function over(a: Expr, b: Expr): Expr {
  return call('div_number', [a, b])
}
