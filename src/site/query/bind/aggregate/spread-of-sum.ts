import type { Expr, Measure } from '../../bound/bound-query.ts'
import type { MeasureKind } from '../../../guard/collected-group.ts'
import { asFactor } from './bind-pair.ts'
import type { PairSink, Side } from './bind-pair.ts'
import { withinBounds } from './bounded-argument.ts'
import { call, caseOf, literal } from '../expression/build-expression.ts'
import type { ScaledTerm } from './sum-of-terms.ts'

/** Most terms whose variances and covariances are asked for. */
const TERMS_MAX = 3

/** What is left of a variance by rounding alone is this much of what it is made of, at most. */
const ROUNDING = 1e-13

/**
 * A variance or deviation of a sum of several terms, `stddev(x - y)`, from the variances and covariances of these over the rows where all have a value. Each
 * of them could be asked by itself, and is guarded as if it had been. Undefined where it is none, or of too many.
 */
export function spreadOfSum(
  kind: MeasureKind,
  { terms, filter }: { readonly terms: readonly ScaledTerm[]; readonly filter: Measure['filter'] },
  sink: PairSink,
): Expr | undefined {
  const isSpread =
    kind === 'var_pop' || kind === 'var_samp' || kind === 'stddev_pop' || kind === 'stddev_samp'
  if (!isSpread || terms.length < 2 || terms.length > TERMS_MAX) return undefined
  const areThere = terms.map(({ expr }): Expr => call('is_not_null', [withinBounds(expr)]))
  const where = call('and', filter ? [filter, ...areThere] : areThere)
  const sides = terms.map(({ expr, scale }) => {
    const side: Side = { value: asFactor({ value: expr, filter: where }, kind), filter: where }
    return { side, scale }
  })
  const own = sides.map(({ side, scale }) => times(sink.spread('var_pop', side), scale * scale))
  const common = sides.flatMap((one, index) =>
    sides
      .slice(index + 1)
      .map((other) =>
        times(sink.covariance({ y: one.side, x: other.side, filter: where }), 2 * one.scale * other.scale),
      ),
  )
  const least = times(total(own), ROUNDING)
  const variance = total([...own, ...common])
  // Of x - x nothing is left, and the root of a rounding error would be read as a deviation.
  const rounded = caseOf([{ when: call('le', [variance, least]), value: literal('number', 0) }], variance)
  const [first] = sides
  const made = kind === 'var_samp' || kind === 'stddev_samp' ? ofSample(rounded, first?.side, sink) : rounded
  return kind === 'stddev_pop' || kind === 'stddev_samp' ? call('sqrt', [made]) : made
}

function ofSample(variance: Expr, side: Side | undefined, sink: PairSink): Expr {
  if (side === undefined) return variance
  const count = call('cast_integer_number', [sink.count(side)])
  return call('div_number', [
    call('mul_number', [variance, count]),
    call('sub_number', [count, literal('number', 1)]),
  ])
}

function total(parts: readonly Expr[]): Expr {
  const [first = literal('number', 0), ...others] = parts
  return others.reduce<Expr>((all, one) => call('add_number', [all, one]), first)
}

function times(expr: Expr, by: number): Expr {
  return call('mul_number', [expr, literal('number', by)])
}
