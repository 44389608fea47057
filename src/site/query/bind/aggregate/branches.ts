import type { Call, Case, Expr } from '../../bound/bound-query.ts'
import { sameExpression } from '../../bound/same-expression.ts'
import type { CallId } from '../../catalogue/catalogue.ts'
import { boundValues, withinBounds } from './bounded-argument.ts'
import { call, literal } from '../expression/build-expression.ts'

/** A product of values, some of them divided by, and what it is multiplied by. */
export interface Product {
  readonly factors: readonly Expr[]
  readonly divisors: readonly Expr[]
  readonly scale: number
}

/** What a value comes to where some conditions hold: a sum of products and a number. */
export interface Branch {
  /** All of them are true there. */
  readonly when: readonly Expr[]
  /** Where one of them is null, so is the value. */
  readonly needs: readonly Expr[]
  /** Absent: null. */
  readonly sum: Polynomial | undefined
}

export interface Polynomial {
  readonly products: readonly Product[]
  readonly constant: number
}

/** Bounds on what is taken apart, so that a text of a few words does not become hundreds of sums. */
const BRANCHES_MAX = 8
const PRODUCTS_MAX = 8
/** More than a sum may have are refused there, with what to write instead. */
const FACTORS_MAX = 8
/** A number past this has left the domain of doubles by the next two multiplications. */
export const SCALE_MAX = 1e100

/**
 * What a value comes to, by the conditions that decide it: no two of them hold in one row, and where none does it is null. `least(x, 8)` is
 * x where it is less than 8, and 8 elsewhere; `(x - 2) * (x - 2)` is x·x - 4x + 4. Undefined where that would be too much to take apart.
 *
 * `isAtom` says of a value that it is taken as it is.
 */
export function branchesOf(expr: Expr, isAtom: (expr: Expr) => boolean): readonly Branch[] | undefined {
  try {
    return taken(expr, isAtom)
  } catch (error) {
    if (error instanceof TooMuch) return undefined
    throw error
  }
}

/** Thrown as soon as it is too much, so that what doubles at each level does not do so for long. */
class TooMuch extends Error {}

function few(branches: readonly Branch[]): readonly Branch[] {
  if (branches.length > BRANCHES_MAX || !branches.every(({ sum }) => sum === undefined || isSmall(sum)))
    throw new TooMuch()
  return branches
}

function isSmall({ products, constant }: Polynomial): boolean {
  return (
    products.length <= PRODUCTS_MAX &&
    products.every(({ factors, divisors }) => factors.length + divisors.length <= FACTORS_MAX) &&
    [constant, ...products.map(({ scale }) => scale)].every((number) => Math.abs(number) < SCALE_MAX)
  )
}

type IsAtom = (expr: Expr) => boolean

function taken(expr: Expr, isAtom: IsAtom): readonly Branch[] {
  return few(takenApart(expr, isAtom))
}

function takenApart(expr: Expr, isAtom: IsAtom): readonly Branch[] {
  if (expr.kind === 'literal')
    return [{ when: [], needs: [], sum: typeof expr.value === 'number' ? constantOf(expr.value) : undefined }]
  if (isAtom(expr)) return [atomOf(expr)]
  if (expr.kind === 'case') return takenCase(expr, isAtom)
  const made = expr.kind === 'call' ? takenCall(expr, isAtom) : undefined
  if (made) return made
  return isIndicator(expr) ? truthOf(comparison('eq', expr, literal('integer', 1)), expr) : [atomOf(expr)]
}

function constantOf(constant: number): Polynomial {
  return { products: [], constant }
}

function atomOf(expr: Expr): Branch {
  const product: Product = { factors: [expr], divisors: [], scale: 1 }
  return { when: [], needs: [expr], sum: { products: [product], constant: 0 } }
}

/** A whole number that is 0 or 1: whoever has 1 is a set. */
function isIndicator({ type, range }: Expr): boolean {
  return type === 'integer' && range !== undefined && range.least >= 0 && range.greatest <= 1
}

/** 1 where a condition holds, 0 where it does not, null where what it is about is. */
function truthOf(condition: Expr, about: Expr): readonly Branch[] {
  const needs = [about]
  return [
    { when: [condition], needs, sum: constantOf(1) },
    { when: [call('is_not_true', [condition])], needs, sum: constantOf(0) },
  ]
}

/** What a call comes to, by the branches of its arguments. */
type Taking = (args: {
  readonly a: Expr
  readonly b: Expr
  readonly of: (arg: Expr) => readonly Branch[]
}) => readonly Branch[]

const difference = (one: Polynomial, other: Polynomial): Polynomial => added(one, scaled(other, -1))

/** Of one argument. */
const OF_ONE: Readonly<Partial<Record<CallId, Taking>>> = {
  plus_integer: ({ a, of }) => of(a),
  plus_number: ({ a, of }) => of(a),
  cast_integer_number: ({ a, of }) => of(a),
  cast_boolean_integer: ({ a }) => truthOf(a, a),
  neg_integer: ({ a, of }) => each(of(a), (sum) => scaled(sum, -1)),
  neg_number: ({ a, of }) => each(of(a), (sum) => scaled(sum, -1)),
  abs_integer: ({ a, of }) => magnitude(a, of(a)),
  abs_number: ({ a, of }) => magnitude(a, of(a)),
  sign: ({ a }) => signOf(a),
}

/** Of two. */
const OF_TWO: Readonly<Partial<Record<CallId, Taking>>> = {
  add_integer: ({ a, b, of }) => both(of(a), of(b), added),
  add_number: ({ a, b, of }) => both(of(a), of(b), added),
  sub_integer: ({ a, b, of }) => both(of(a), of(b), difference),
  sub_number: ({ a, b, of }) => both(of(a), of(b), difference),
  mul_integer: ({ a, b, of }) => both(of(a), of(b), multiplied),
  mul_number: ({ a, b, of }) => both(of(a), of(b), multiplied),
  div_number: ({ a, b, of }) => divided(of(a), b),
  nullif: ({ a, b, of }) => {
    const isSame = comparison('eq', a, b)
    return [...only(of(a), isNot(isSame)), { when: [isSame], needs: [], sum: undefined }]
  },
  coalesce: ({ a, b, of }) => [
    ...only(of(a), call('is_not_null', [withinBounds(a)])),
    ...only(of(b), call('is_null', [withinBounds(a)])),
  ],
  least: ({ a, b, of }) => extreme('lt', [a, b], of),
  greatest: ({ a, b, of }) => extreme('gt', [a, b], of),
}

/** Undefined of a call that is nothing but its own value. */
function takenCall({ call: made, args }: Call, isAtom: IsAtom): readonly Branch[] | undefined {
  const [a, b] = args
  const of = (arg: Expr): readonly Branch[] => taken(arg, isAtom)
  if (a && args.length === 1) return OF_ONE[made]?.({ a, b: a, of })
  if (a === undefined || b === undefined || args.length !== 2) return undefined
  if (made === 'power') return isTwo(b) ? squared(of(a)) : undefined
  return OF_TWO[made]?.({ a, b, of })
}

/**
 * Of values that are kept to their bounds, as those that are summed are: with 100 stored where 50 is the most, `abs(x - 60)` is 10, and adds it.
 */
function comparison(id: 'lt' | 'gt' | 'eq', a: Expr, b: Expr): Expr {
  return call(id, isBetweenBounds(b, a) ? [a, b] : [boundValues(a), boundValues(b)])
}

/** Whether a column is on the same side of a number with its bounds and without them. */
function isBetweenBounds(number: Expr, { kind, range }: Expr): boolean {
  if (number.kind !== 'literal' || typeof number.value !== 'number') return false
  return (
    kind === 'column' && range !== undefined && number.value > range.least && number.value < range.greatest
  )
}

function squared(branches: readonly Branch[]): readonly Branch[] {
  return each(branches, (sum) => multiplied(sum, sum))
}

function isTwo(expr: Expr): boolean {
  return expr.kind === 'literal' && expr.value === 2
}

function isNot(condition: Expr): Expr {
  return call('is_not_true', [condition])
}

/** The same branches where a condition holds besides. */
function only(branches: readonly Branch[], condition: Expr): readonly Branch[] {
  return branches.map((branch) => ({ ...branch, when: [...branch.when, condition] }))
}

function each(branches: readonly Branch[], change: (sum: Polynomial) => Polynomial): readonly Branch[] {
  return branches.map((branch) => ({ ...branch, sum: branch.sum && change(branch.sum) }))
}

/** What two values come to together, for every two of their branches. */
function both(
  left: readonly Branch[],
  right: readonly Branch[],
  combine: (one: Polynomial, other: Polynomial) => Polynomial,
): readonly Branch[] {
  return left.flatMap((one) =>
    right.map((other) => ({
      when: different([...one.when, ...other.when]),
      needs: different([...one.needs, ...other.needs]),
      sum: one.sum && other.sum && combine(one.sum, other.sum),
    })),
  )
}

/** Each expression once. */
export function different(exprs: readonly Expr[]): readonly Expr[] {
  return exprs.filter((expr, index) => exprs.findIndex((other) => sameExpression(other, expr)) === index)
}

function magnitude(value: Expr, branches: readonly Branch[]): readonly Branch[] {
  const isNegative = comparison('lt', value, literal(value.type, 0))
  return [...each(only(branches, isNegative), (sum) => scaled(sum, -1)), ...only(branches, isNot(isNegative))]
}

function signOf(value: Expr): readonly Branch[] {
  const nothing = literal(value.type, 0)
  const [isMore, isLess] = [comparison('gt', value, nothing), comparison('lt', value, nothing)]
  const needs = [value]
  return [
    { when: [isMore], needs, sum: constantOf(1) },
    { when: [isLess], needs, sum: constantOf(-1) },
    { when: [isNot(isMore), isNot(isLess)], needs, sum: constantOf(0) },
  ]
}

/** LEAST and GREATEST look past a null: it is the other then. */
function extreme(
  isBefore: 'lt' | 'gt',
  [a, b]: readonly [Expr, Expr],
  of: (arg: Expr) => readonly Branch[],
): readonly Branch[] {
  if (b.kind === 'literal' && b.value === null) return of(a)
  const isFirst = comparison(isBefore, a, b)
  const isAlone = b.kind === 'literal' ? isFirst : call('or', [isFirst, call('is_null', [withinBounds(b)])])
  return [...only(of(a), isAlone), ...only(of(b), isNot(isAlone))]
}

function takenCase({ whens, otherwise }: Case, isAtom: IsAtom): readonly Branch[] {
  if (whens.length > BRANCHES_MAX) throw new TooMuch()
  const before: Expr[] = []
  const branches: Branch[] = []
  for (const { when, value } of whens) {
    branches.push(
      ...taken(value, isAtom).map((branch) => ({ ...branch, when: [...before, when, ...branch.when] })),
    )
    before.push(isNot(when))
  }
  const rest = otherwise ? taken(otherwise, isAtom) : [{ when: [], needs: [], sum: undefined }]
  return [...branches, ...rest.map((branch) => ({ ...branch, when: [...before, ...branch.when] }))]
}

function scaled({ products, constant }: Polynomial, by: number): Polynomial {
  return {
    products: products.map((product) => ({ ...product, scale: product.scale * by })),
    constant: constant * by,
  }
}

function added(one: Polynomial, other: Polynomial): Polynomial {
  return { products: gathered([...one.products, ...other.products]), constant: one.constant + other.constant }
}

function multiplied(one: Polynomial, other: Polynomial): Polynomial {
  const products = one.products.flatMap((left) =>
    other.products.map((right) => ({
      factors: [...left.factors, ...right.factors],
      divisors: [...left.divisors, ...right.divisors],
      scale: left.scale * right.scale,
    })),
  )
  return {
    products: gathered([
      ...products,
      ...(other.constant === 0 ? [] : scaled(one, other.constant).products),
      ...(one.constant === 0 ? [] : scaled(other, one.constant).products),
    ]),
    constant: one.constant * other.constant,
  }
}

function divided(branches: readonly Branch[], divisor: Expr): readonly Branch[] {
  if (divisor.kind === 'literal' && typeof divisor.value === 'number' && divisor.value !== 0)
    return each(branches, (sum) => scaled(sum, 1 / Number(divisor.value)))
  const one = literal('number', 1)
  return branches.map(({ when, needs, sum }) => ({
    when,
    needs: different([...needs, call('div_number', [one, divisor])]),
    sum: sum && {
      products: [
        ...sum.products.map((product) => ({ ...product, divisors: [...product.divisors, divisor] })),
        ...(sum.constant === 0 ? [] : [{ factors: [one], divisors: [divisor], scale: sum.constant }]),
      ],
      constant: 0,
    },
  }))
}

/** Products of the same factors as one. */
function gathered(products: readonly Product[]): readonly Product[] {
  const found: Product[] = []
  for (const product of products) {
    const known = found.findIndex(
      (one) => areSame(one.factors, product.factors) && areSame(one.divisors, product.divisors),
    )
    const one = found[known]
    if (one) found[known] = { ...one, scale: one.scale + product.scale }
    else found.push(product)
  }
  return found.filter(({ scale }) => scale !== 0)
}

/** The same expressions, in whatever order. */
function areSame(some: readonly Expr[], others: readonly Expr[]): boolean {
  const left = [...others]
  for (const expr of some) {
    const index = left.findIndex((other) => sameExpression(other, expr))
    if (index < 0) return false
    left.splice(index, 1)
  }
  return left.length === 0
}
