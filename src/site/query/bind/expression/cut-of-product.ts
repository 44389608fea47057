import type { Expr } from '../../bound/bound-query.ts'
import type { CallId } from '../../catalogue/catalogue.ts'
import type { Range } from '../../catalogue/expression-type.ts'
import type { Found } from './bin-width.ts'
import { COMPARISONS, sidesOf } from './cut-of.ts'
import type { Side } from './cut-of.ts'

/** A column in a product, and to which power. */
interface Factor {
  readonly column: Found
  readonly power: number
}

/**
 * Where comparisons tell the values of a product of positive columns apart, such as a body mass index: `weight / (height * height)`.
 * Who knows all the others of these columns knows of one that it is between the edges that follow from them.
 */
export interface ProductCut {
  readonly factors: readonly Factor[]
  /** Values of the product without its constant factor, a little more where the value itself is on the near side. */
  readonly at: readonly number[]
}

/** A comparison of a product, also of a rounded one, with constants. */
export function cutOfProduct(expr: Expr): ProductCut | undefined {
  if (expr.kind !== 'call' || !COMPARISONS.has(expr.call)) return undefined
  const [of, another] = expr.args.filter(({ kind }) => kind !== 'literal')
  const values = expr.args.flatMap((arg) => (arg.kind === 'literal' ? [arg.value] : []))
  const rounding = of && roundingOf(of)
  const product = rounding && productOf(rounding.of)
  if (!product || another || !values.every((value) => typeof value === 'number')) return undefined
  const factors = [...product.factors.values()].filter(({ power }) => power !== 0)
  if (
    product.constant < 0 ||
    factors.length === 0 ||
    !factors.every(({ column }) => isPositive(column.range))
  )
    return undefined
  const sides = sidesOf(expr.call, expr.args[0] === of)
  const edges = values.flatMap((value, index) => edgesOf(value, sides[index] ?? 'both', rounding))
  const at = edges.map(({ value, isNear }) => settled(value / product.constant) * (isNear ? BESIDE : 1))
  return { factors, at }
}

interface Edge {
  readonly value: number
  /** Whether the value itself is on the near side. */
  readonly isNear: boolean
}

/** Where the values that were rounded to one another's neighbours part. */
function edgesOf(value: number, side: Side, { grain, shift }: Rounding): readonly Edge[] {
  if (grain === 0) {
    const [below, above] = [
      { value, isNear: false },
      { value, isNear: true },
    ]
    return { below: [below], above: [above], both: [below, above] }[side]
  }
  const place = value / grain
  const isMet = Math.abs(place - Math.round(place)) < 1e-6
  const [below, above] = isMet
    ? [Math.round(place) - 0.5, Math.round(place) + 0.5]
    : [Math.floor(place) + 0.5, Math.floor(place) + 0.5]
  const places = { below: [below], above: [above], both: [below, above] }[side]
  // What lies in the middle is rounded up, and what is whole is not by `ceil`.
  return places.map((edge) => ({ value: (edge + shift) * grain, isNear: shift < 0 }))
}

/** Tells the two sides of a value apart, and is narrower than any bin. */
const BESIDE = 1 + 2e-12

/** Without the last places, so that 24.9 and a tenth are 25. */
function settled(value: number): number {
  return Number(value.toPrecision(12))
}

function isPositive(range: Range | undefined): range is Range {
  return range !== undefined && range.least > 0
}

/**
 * The narrowest stretch of a column that two neighbouring edges of a product leave, whatever the other columns are within their
 * bounds, of stretches that reach into the bounds of the column itself; in whole numbers, of those.
 */
export function narrowestBetween(
  [from, to]: readonly [number, number],
  { factors }: ProductCut,
  { column, power }: Factor,
): number {
  if (!(from > 0 && to > from) || !isPositive(column.range)) return 0
  // A stretch reaches from e₁ to e₂, with e₂ / e₁ as below, and e₂ lies above the least value.
  const ratio = (to / from) ** (1 / Math.abs(power))
  const ofOwnBounds = column.range.least * (1 - 1 / ratio)
  const others = factors.filter((other) => other.column !== column)
  const apart = Math.abs(to ** (1 / power) - from ** (1 / power))
  const ofOthers = apart * Math.min(...extremesOf(others).map((value) => value ** (-1 / power)))
  const width = Math.max(ofOwnBounds, ofOthers)
  // Neither end may belong to it.
  return column.type === 'integer' ? Math.max(0, Math.ceil(width * (1 - 1e-9)) - 1) : width
}

/** The least and the greatest value of a product. */
function extremesOf(factors: readonly Factor[]): readonly [number, number] {
  return factors.reduce<readonly [number, number]>(
    ([least, greatest], { column: { range }, power }) => {
      const ends = [(range?.least ?? 0) ** power, (range?.greatest ?? Infinity) ** power]
      return [least * Math.min(...ends), greatest * Math.max(...ends)]
    },
    [1, 1],
  )
}

/** What was rounded to multiples of `grain`; values part in the middle between two, `shift` of a grain further. */
interface Rounding {
  readonly of: Expr
  readonly grain: number
  readonly shift: number
}

function roundingOf(expr: Expr): Rounding {
  if (expr.kind === 'call' && expr.call === 'cast_integer_number' && expr.args[0])
    return roundingOf(expr.args[0])
  const shift = expr.kind === 'call' ? SHIFTS[expr.call] : undefined
  const [of, constant] = expr.kind === 'call' ? [expr.args[0], expr.constants[0]] : []
  if (shift === undefined || of === undefined) return { of: expr, grain: 0, shift: 0 }
  return { of, grain: 10 ** -Number(constant ?? 0), shift }
}

/** Of positive values. */
const SHIFTS: Partial<Readonly<Record<CallId, number>>> = {
  round: 0,
  round_digits: 0,
  cast_number_integer: 0,
  floor: 0.5,
  trunc: 0.5,
  trunc_digits: 0.5,
  ceil: -0.5,
}

interface Product {
  readonly constant: number
  readonly factors: ReadonlyMap<string, Factor>
}

function productOf(expr: Expr): Product | undefined {
  const product = readProduct(expr)
  return product && isInDomain(product) ? product : undefined
}

/** Whether no values within their bounds make a product null, which would part a bin where its constants say. */
function isInDomain({ constant, factors }: Product): boolean {
  const [least, greatest] = extremesOf([...factors.values()]).map((value) => value * Math.abs(constant))
  return (least ?? 0) >= LEAST && (greatest ?? Infinity) <= Number.MAX_SAFE_INTEGER
}

const LEAST = 1e-15

function readProduct(expr: Expr): Product | undefined {
  if (expr.kind === 'column')
    return { constant: 1, factors: new Map([[nameOf(expr), { column: expr, power: 1 }]]) }
  if (expr.kind === 'literal')
    return typeof expr.value === 'number' && expr.value !== 0
      ? { constant: expr.value, factors: new Map() }
      : undefined
  if (expr.kind !== 'call') return undefined
  const [a, b] = expr.args
  const left = a && productOf(a)
  if (left === undefined) return undefined
  if (UNCHANGED.has(expr.call)) return left
  if (expr.call === 'nullif') return b?.kind === 'literal' && b.value === 0 ? left : undefined
  if (expr.call === 'power') return raised(left, b)
  const right = b && productOf(b)
  if (right === undefined) return undefined
  if (PRODUCTS.has(expr.call)) return times(left, right, 1)
  return expr.call === 'div_number' ? times(left, right, -1) : undefined
}

const UNCHANGED: ReadonlySet<CallId> = new Set(['cast_integer_number', 'plus_integer', 'plus_number'])
const PRODUCTS: ReadonlySet<CallId> = new Set(['mul_integer', 'mul_number'])

function nameOf({ source, column }: Found): string {
  return `${source}.${column}`
}

function raised({ constant, factors }: Product, exponent: Expr | undefined): Product | undefined {
  const by = exponent?.kind === 'literal' ? exponent.value : undefined
  if (by !== 1 && by !== 2 && by !== 3) return undefined
  const powers = Array.from(
    factors,
    ([name, { column, power }]) => [name, { column, power: power * by }] as const,
  )
  return { constant: constant ** by, factors: new Map(powers) }
}

function times(left: Product, right: Product, sign: 1 | -1): Product {
  const factors = new Map(left.factors)
  for (const [name, { column, power }] of right.factors)
    factors.set(name, { column, power: (factors.get(name)?.power ?? 0) + sign * power })
  return { constant: left.constant * right.constant ** sign, factors }
}
