import type { ReleaseValue } from '../../../protocol/release.ts'
import type { Expr } from '../bound/bound-query.ts'
import type { CallId } from '../catalogue/catalogue.ts'

/** The value of a column, key or measure; undefined where it is not known here. */
export type ValueOf = (leaf: Expr) => ReleaseValue | undefined

/**
 * The value of an expression where it is arithmetic alone, which this process does in the same doubles as an engine and to
 * the last bit with the same result: an engine would be asked for nothing else. Undefined where anything else stands in it.
 */
export function computeHere(expr: Expr, valueOf: ValueOf): ReleaseValue | undefined {
  const value = evaluate(expr, valueOf)
  // An engine's -0 is told as 0 too.
  return typeof value === 'number' ? value + 0 : value
}

function evaluate(expr: Expr, valueOf: ValueOf): ReleaseValue | undefined {
  switch (expr.kind) {
    case 'column':
    case 'key':
    case 'measure':
      return valueOf(expr)
    case 'literal':
      return isNumeric(expr) && (typeof expr.value === 'number' || expr.value === null)
        ? expr.value
        : undefined
    case 'call':
      return calculate(expr, valueOf)
    case 'person':
    case 'case':
    case 'window':
      return undefined
  }
}

function calculate(
  { call, args, constants }: Extract<Expr, { kind: 'call' }>,
  valueOf: ValueOf,
): number | null | undefined {
  const arithmetic = ARITHMETIC[call]
  if (!arithmetic) return undefined
  const values: number[] = []
  let hasNull = false
  for (const arg of args) {
    const value = evaluate(arg, valueOf)
    // Whole numbers past 2^53 are texts: those are for an engine.
    if (value === undefined || typeof value === 'string' || typeof value === 'boolean') return undefined
    if (value === null) hasNull = true
    else values.push(value)
  }
  if (hasNull) return null
  const [a = 0, b = 0] = values
  return arithmetic(a, b, Number(constants[0] ?? 0))
}

function isNumeric({ type }: Expr): boolean {
  return type === 'integer' || type === 'number'
}

/** The same ends and grain as in `forms.ts`. */
const NUMBER_MAX = 1e150
const INTEGER_MAX = 2 ** 53
const GRAIN = 2 ** -900

function finite(value: number): number | null {
  return value > -NUMBER_MAX && value < NUMBER_MAX ? value + GRAIN - GRAIN : null
}

function whole(value: number): number | null {
  return value > -INTEGER_MAX && value < INTEGER_MAX ? value : null
}

/** Half away from zero. What is taken away is exact, so no half is made by rounding. */
function rounded(value: number): number {
  const towardsZero = Math.trunc(value)
  return Math.abs(value - towardsZero) >= 0.5 ? towardsZero + Math.sign(value) : towardsZero
}

function roundedTo(value: number, digits: number): number {
  const scale = Number(`1e${Math.abs(digits)}`)
  return digits >= 0 ? rounded(value * scale) / scale : rounded(value / scale) * scale
}

type Arithmetic = (a: number, b: number, constant: number) => number | null

/** Rows of the catalogue that are arithmetic: null as soon as one argument is. */
export const ARITHMETIC: Partial<Readonly<Record<CallId, Arithmetic>>> = {
  add_number: (a, b) => finite(a + b),
  sub_number: (a, b) => finite(a - b),
  mul_number: (a, b) => finite(a * b),
  div_number: (a, b) => (b === 0 ? null : finite(a / b)),
  neg_number: (a) => -a,
  plus_number: (a) => a,
  abs_number: (a) => Math.abs(a),
  floor: (a) => Math.floor(a),
  ceil: (a) => Math.ceil(a),
  trunc: (a) => Math.trunc(a),
  round: (a) => rounded(a),
  round_digits: (a, _, digits) => roundedTo(a, digits),
  add_integer: (a, b) => whole(a + b),
  sub_integer: (a, b) => whole(a - b),
  mul_integer: (a, b) => whole(a * b),
  div_integer: (a, b) => (b === 0 ? null : whole(Math.trunc(a / b))),
  neg_integer: (a) => whole(-a),
  plus_integer: (a) => a,
  abs_integer: (a) => whole(Math.abs(a)),
  cast_integer_number: (a) => a,
  cast_number_integer: (a) => whole(rounded(a)),
}
