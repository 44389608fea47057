import type { Call, Expr } from '../bound/bound-query.ts'
import type { CallId } from '../catalogue/catalogue.ts'
import { QUOTED } from '../catalogue/catalogue-row.ts'
import { DAYS, FIELD_UNITS, TIME_UNITS } from './time-units.ts'
import type { TimeUnit } from './time-units.ts'

/** A column as it stands in a key. */
export type Found = Extract<Expr, { kind: 'column' }>

/** A step function of one column: constant on stretches of `width`, in the column's unit or as a unit of time. */
export interface Bin {
  readonly column: Found
  readonly width: number | TimeUnit
}

type Binning = (expr: Call) => Bin | undefined

const byOne: Binning = ({ args: [a] }) => stepped(a, 1)
const byField: Binning = ({ args: [a], constants: [field] }) => timeBin(a, FIELD_UNITS[String(field)])
const byUnit: Binning = ({ args: [a], constants: [unit] }) =>
  timeBin(
    a,
    TIME_UNITS.find((one) => one === unit),
  )

/** By the finest part of a `to_char` pattern. */
const byPattern: Binning = ({ args: [a], constants: [pattern] }) =>
  timeBin(
    a,
    PATTERN_UNITS.find(([parts]) => parts.test(String(pattern).replaceAll(QUOTED, '')))?.[1] ?? 'year',
  )
const PATTERN_UNITS: readonly (readonly [RegExp, TimeUnit])[] = [
  [/SS/, 'second'],
  [/MI/, 'minute'],
  [/HH24|HH12|AM/, 'hour'],
  [/DD|ID|Dy|FMDay/, 'day'],
  [/IW/, 'week'],
  [/MM|Mon/, 'month'],
  [/Q/, 'quarter'],
]

/** A table: calls that make steps of a number or time. */
const BINNINGS: Partial<Readonly<Record<CallId, Binning>>> = {
  floor: byOne,
  ceil: byOne,
  trunc: byOne,
  round: byOne,
  cast_number_integer: byOne,
  round_digits: ({ args: [a], constants: [digits] }) => stepped(a, 10 ** -Number(digits)),
  width_bucket: ({ args: [a], constants: [low, high, count] }) =>
    stepped(a, (Number(high) - Number(low)) / Number(count)),
  div_integer: ({ args: [a, b] }) => steppedBy(a, b),
  extract_date: byField,
  extract_timestamp: byField,
  trunc_date: byUnit,
  trunc_timestamp: byUnit,
  cast_timestamp_date: ({ args: [a] }) => timeBin(a, 'day'),
  // In days, because bins from another day on make finer ones together.
  date_bin: ({ args: [stride, of, origin] }) => {
    const bin = origin?.kind === 'literal' ? timeBin(of, 'second') : undefined
    return bin && { ...bin, width: daysOf(stride) }
  },
  to_char_date: byPattern,
  to_char_timestamp: byPattern,
  // In days, because years that begin on other days make finer bins together.
  age_years: ({ args: [a, b] }) => {
    const [of, at] = a?.kind === 'literal' ? [b, a] : [a, b]
    const bin = at?.kind === 'literal' ? timeBin(of, 'year') : undefined
    return bin && { ...bin, width: DAYS.year }
  },
}

/** `floor(x / w)` and its kin. */
export function binOf(expr: Expr): Bin | undefined {
  return expr.kind === 'call' ? BINNINGS[expr.call]?.(expr) : undefined
}

function daysOf(stride: Expr | undefined): number {
  const span = stride?.kind === 'literal' ? stride.value : null
  if (typeof span !== 'object' || span === null) return 0
  return Number(span.days) + Number(span.microseconds) / (86_400 * 1e6)
}

function timeBin(expr: Expr | undefined, width: TimeUnit | undefined): Bin | undefined {
  const column = expr && columnUnder(expr, ['cast_date_timestamp'])
  return column && width ? { column, width } : undefined
}

function stepped(expr: Expr | undefined, step: number): Bin | undefined {
  const linear = expr && linearOf(expr)
  return linear ? { column: linear.column, width: step / Math.abs(linear.scale) } : undefined
}

function steppedBy(expr: Expr | undefined, divisor: Expr | undefined): Bin | undefined {
  return divisor?.kind === 'literal' && Number(divisor.value) !== 0
    ? stepped(expr, Math.abs(Number(divisor.value)))
    : undefined
}

/** `scale * column` plus something constant. */
function linearOf(expr: Expr): { readonly column: Found; readonly scale: number } | undefined {
  if (expr.kind === 'column') return { column: expr, scale: 1 }
  if (expr.kind !== 'call') return undefined
  const [a, b] = expr.args
  if (a === undefined) return undefined
  if (expr.call === 'cast_integer_number' || expr.call === 'neg_number' || expr.call === 'neg_integer')
    return linearOf(a)
  if (b === undefined) return undefined
  const [operand, constant] = a.kind === 'literal' ? [b, a] : [a, b]
  const linear =
    constant.kind === 'literal' && typeof constant.value === 'number' ? linearOf(operand) : undefined
  if (linear === undefined || constant.kind !== 'literal') return undefined
  const value = Number(constant.value)
  if (SHIFTS.has(expr.call)) return linear
  if (SCALES.has(expr.call) && value !== 0) return { ...linear, scale: linear.scale * value }
  if (expr.call === 'div_number' && constant === b && value !== 0)
    return { ...linear, scale: linear.scale / value }
  return undefined
}

const SHIFTS = new Set<CallId>(['add_integer', 'add_number', 'sub_integer', 'sub_number'])
const SCALES = new Set<CallId>(['mul_integer', 'mul_number'])

/** The column that an expression is, but for some casts of it. */
export function columnUnder(expr: Expr, casts: readonly CallId[]): Found | undefined {
  if (expr.kind === 'column') return expr
  return expr.kind === 'call' && casts.includes(expr.call) && expr.args[0]
    ? columnUnder(expr.args[0], casts)
    : undefined
}
