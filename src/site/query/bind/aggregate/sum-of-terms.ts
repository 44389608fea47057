import type { Expr, Measure } from '../../bound/bound-query.ts'
import type { CallId } from '../../catalogue/catalogue.ts'
import type { MeasureKind } from '../../../guard/collected-group.ts'
import { withinBounds } from './bounded-argument.ts'
import { SCALE_MAX } from './branches.ts'
import { call, literal } from '../expression/build-expression.ts'

/** One of what is added: an expression and what it is multiplied by. */
export interface ScaledTerm {
  readonly expr: Expr
  readonly scale: number
}

/** What is added up in each row. */
interface Terms {
  readonly terms: readonly ScaledTerm[]
  readonly constant: number
}

/** Makes the measures that a sum of terms is taken apart into. */
export interface TermSink {
  /** The aggregate of one term over the rows where all the others have a value. */
  readonly add: (term: Expr, filter: Expr | undefined) => Expr
  /** How many rows have a value of all of it. */
  readonly count: () => Expr
}

/** Most terms that are taken apart. */
const TERMS_MAX = 8

/**
 * An aggregate of a sum as a sum of aggregates: `sum(x + y)` is `sum(x) + sum(y)` over the rows where both have a value, `avg(x + 1)`
 * is `avg(x) + 1`. Each of them is a measure of its own with people of its own, whom the guard judges: what hardly anybody
 * has cannot hide behind what everybody has, as it would in one sum of both (`check-quantities.ts`). Undefined where the argument is no such
 * sum, or the aggregate does not follow from those of its terms.
 */
export function aggregateOfSum(
  kind: MeasureKind,
  { argument, filter }: Pick<Measure, 'argument' | 'filter'>,
  sink: TermSink,
): Expr | undefined {
  const sum = argument && sumOf(argument)
  if (sum === undefined) return undefined
  const { terms, constant } = sum
  const parts = terms.map(({ expr, scale }) => ({
    scale,
    made: () => sink.add(expr, whereOthers(expr, terms, filter)),
  }))
  const [only, another] = parts
  if (kind === 'var_pop' || kind === 'var_samp' || kind === 'stddev_pop' || kind === 'stddev_samp') {
    // What is added to everybody moves nobody from the others.
    if (only === undefined || another) return undefined
    const isSquare = kind === 'var_pop' || kind === 'var_samp'
    return scaled(only.made(), isSquare ? only.scale ** 2 : Math.abs(only.scale))
  }
  if (kind !== 'sum' && kind !== 'avg') return undefined
  const total = parts
    .map(({ scale, made }) => scaled(made(), scale))
    .reduce((all, one) => call('add_number', [all, one]))
  if (constant === 0) return total
  const added = literal('number', constant)
  if (kind === 'avg') return call('add_number', [total, added])
  const count = call('cast_integer_number', [sink.count()])
  return call('add_number', [total, call('mul_number', [count, added])])
}

function scaled(expr: Expr, scale: number): Expr {
  return scale === 1 ? expr : call('mul_number', [expr, literal('number', scale)])
}

function whereOthers(own: Expr, terms: readonly ScaledTerm[], filter: Expr | undefined): Expr | undefined {
  return terms
    .filter(({ expr }) => expr !== own)
    .map(({ expr }): Expr => call('is_not_null', [withinBounds(expr)]))
    .reduce<Expr | undefined>((all, one) => (all ? call('and', [all, one]) : one), filter)
}

/** What is added up in each row; the whole of it where nothing is. */
export function termsOf(argument: Expr): readonly ScaledTerm[] {
  return sumOf(argument)?.terms ?? [{ expr: argument, scale: 1 }]
}

/** The terms of an addition; undefined where nothing is added, or too much. */
function sumOf(argument: Expr): Terms | undefined {
  const found: { terms: ScaledTerm[]; constant: number; isSum: boolean } = {
    terms: [],
    constant: 0,
    isSum: false,
  }
  const gather = (expr: Expr, scale: number): void => {
    if (expr.kind === 'literal' && typeof expr.value === 'number') {
      found.constant += scale * expr.value
      return
    }
    const linear = expr.kind === 'call' ? linearOf(expr) : undefined
    if (linear === undefined) {
      found.terms.push({ expr, scale })
      return
    }
    found.isSum ||= linear.length > 1
    for (const one of linear) gather(one.expr, scale * one.scale)
  }
  gather(argument, 1)
  const { terms, constant, isSum } = found
  const areUsable = [constant, ...terms.map(({ scale }) => scale)].every((one) => Math.abs(one) < SCALE_MAX)
  return isSum && areUsable && terms.length > 0 && terms.length <= TERMS_MAX ? { terms, constant } : undefined
}

const ADDITIONS: ReadonlySet<CallId> = new Set(['add_integer', 'add_number'])
const SUBTRACTIONS: ReadonlySet<CallId> = new Set(['sub_integer', 'sub_number'])
const NEGATIONS: ReadonlySet<CallId> = new Set(['neg_integer', 'neg_number'])
const UNCHANGED: ReadonlySet<CallId> = new Set(['plus_integer', 'plus_number', 'cast_integer_number'])
const PRODUCTS: ReadonlySet<CallId> = new Set(['mul_integer', 'mul_number'])

/** What a call is made of where it is linear in it; undefined where it is not. */
function linearOf({ call: made, args }: Extract<Expr, { kind: 'call' }>): readonly ScaledTerm[] | undefined {
  const [a, b] = args
  if (a === undefined) return undefined
  if (UNCHANGED.has(made)) return [{ expr: a, scale: 1 }]
  if (NEGATIONS.has(made)) return [{ expr: a, scale: -1 }]
  if (b === undefined) return undefined
  if (ADDITIONS.has(made)) return [a, b].map((expr) => ({ expr, scale: 1 }))
  if (SUBTRACTIONS.has(made))
    return [
      { expr: a, scale: 1 },
      { expr: b, scale: -1 },
    ]
  const [left, right] = [a, b].map((one) =>
    one.kind === 'literal' && typeof one.value === 'number' ? one.value : undefined,
  )
  if (PRODUCTS.has(made) && right !== undefined) return [{ expr: a, scale: right }]
  if (PRODUCTS.has(made) && left !== undefined) return [{ expr: b, scale: left }]
  return made === 'div_number' && right !== undefined && right !== 0
    ? [{ expr: a, scale: 1 / right }]
    : undefined
}
