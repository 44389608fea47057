import type { Call, Expr } from '../../bound/bound-query.ts'
import type { CallId } from '../../catalogue/catalogue.ts'
import { unitsOf } from '../../catalogue/date-pattern.ts'
import { narrowestOf } from './time-edges.ts'
import { DAYS, FIELD_UNITS, TIME_UNITS } from '../../catalogue/time-units.ts'
import type { TimeUnit } from '../../catalogue/time-units.ts'

/** A column as it stands in a key. */
export type Found = Extract<Expr, { kind: 'column' }>

/** A step function of one column: constant on stretches of `width`, in the column's unit or as a unit of time. */
export interface Bin {
  readonly column: Found
  readonly width: number | TimeUnit
  /** Of a time that is written in several units: the others. */
  readonly besides?: readonly TimeUnit[]
}

type Binning = (expr: Call) => Bin | undefined

const byOne: Binning = ({ args: [a] }) => stepped(a, 1)
const byField: Binning = ({ args: [a], constants: [field] }) => timeBin(a, FIELD_UNITS[String(field)])
const byUnit: Binning = ({ args: [a], constants: [unit] }) =>
  timeBin(
    a,
    TIME_UNITS.find((one) => one === unit),
  )

/** By every part of a `to_char` pattern: weeks and months side by side part one another. */
const byPattern: Binning = ({ args: [a], constants: [pattern] }) => {
  const units = unitsOf(String(pattern)).toSorted(
    (one, other) => TIME_UNITS.indexOf(one) - TIME_UNITS.indexOf(other),
  )
  const bin = timeBin(a, units[0])
  if (typeof bin?.width !== 'number') return bin && { ...bin, besides: units.slice(1) }
  return { ...bin, width: Math.min(...units.flatMap((one) => units.map((other) => narrowestOf(one, other)))) }
}

/** A table: calls that make steps of a number or time. */
const BINNINGS: Partial<Readonly<Record<CallId, Binning>>> = {
  floor: byOne,
  ceil: byOne,
  trunc: byOne,
  round: byOne,
  cast_number_integer: byOne,
  round_digits: ({ args: [a], constants: [digits] }) => stepped(a, 10 ** -Number(digits)),
  trunc_digits: ({ args: [a], constants: [digits] }) => stepped(a, 10 ** -Number(digits)),
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
  if (column && width) return { column, width }
  // In days, because a unit that begins at another hour makes finer bins together with the unit.
  const moved = expr && width && movedColumn(expr)
  return moved ? { column: moved, width: DAYS[width] } : undefined
}

/** The column of `t + interval '2 hours'`, which is as far from every time. Months are not all as long. */
function movedColumn(expr: Expr): Found | undefined {
  if (expr.kind !== 'call') return undefined
  const [a, b] = expr.args
  if (expr.call === 'cast_date_timestamp') return a && movedColumn(a)
  const [of, by] = a?.kind === 'literal' ? [b, a] : [a, b]
  if (!MOVES.has(expr.call) || of === undefined || by?.kind !== 'literal') return undefined
  const hasMonths = typeof by.value === 'object' && by.value !== null && by.value.months !== 0
  return hasMonths ? undefined : columnUnder(of, ['cast_date_timestamp'])
}

const MOVES: ReadonlySet<CallId> = new Set([
  'add_timestamp_span',
  'add_span_timestamp',
  'sub_timestamp_span',
  'add_date_days',
  'add_days_date',
  'sub_date_days',
])

function stepped(expr: Expr | undefined, step: number): Bin | undefined {
  const linear = expr && linearOf(expr)
  if (linear === undefined) return undefined
  const width = step / Math.abs(linear.scale)
  if (linear.grain === undefined) return { column: linear.column, width }
  // So many whole numbers are in each step at least, each of which is as wide as what they were made of.
  return { column: linear.column, width: Math.floor(width * (1 + 1e-9)) * linear.grain }
}

function steppedBy(expr: Expr | undefined, divisor: Expr | undefined): Bin | undefined {
  return divisor?.kind === 'literal' && Number(divisor.value) !== 0
    ? stepped(expr, Math.abs(Number(divisor.value)))
    : undefined
}

interface Linear {
  readonly column: Found
  readonly scale: number
  /** The most that was added or taken away. */
  readonly moved: number
  /** Of a column that was made whole numbers of before: how much of it each of them is. */
  readonly grain?: number
}

/* What overflows is null, which would part a bin where the constants say: beyond ±2^53 of whole numbers, 1e150 of others. */
const SCALE_MIN = 1e-9
const SCALE_MAX = 1e3
const MOVED_MAX = 1e12

/** A linear expression, if it overflows for no number below 8e12. */
function inDomain(linear: Linear): Linear | undefined {
  const scale = Math.abs(linear.scale) / (linear.grain ?? 1)
  return scale >= SCALE_MIN && scale <= SCALE_MAX && linear.moved <= MOVED_MAX ? linear : undefined
}

/** `scale * column` plus something constant, also of `column::int` and its kin. */
function linearOf(expr: Expr): Linear | undefined {
  if (expr.kind === 'column') return { column: expr, scale: 1, moved: 0 }
  if (expr.kind !== 'call') return undefined
  const [a, b] = expr.args
  if (a === undefined) return undefined
  if (MAKES_WHOLE.has(expr.call)) {
    const bin = stepped(a, 1)
    return bin && typeof bin.width === 'number'
      ? inDomain({ column: bin.column, scale: 1, moved: 0, grain: bin.width })
      : undefined
  }
  if (expr.call === 'cast_integer_number' || expr.call === 'neg_number' || expr.call === 'neg_integer')
    return linearOf(a)
  if (b === undefined) return undefined
  const [operand, constant] = a.kind === 'literal' ? [b, a] : [a, b]
  const linear =
    constant.kind === 'literal' && typeof constant.value === 'number' ? linearOf(operand) : undefined
  if (linear === undefined || constant.kind !== 'literal') return undefined
  const value = Number(constant.value)
  if (SHIFTS.has(expr.call)) return inDomain({ ...linear, moved: linear.moved + Math.abs(value) })
  const times = SCALES.has(expr.call)
    ? value
    : expr.call === 'div_number' && constant === b && value !== 0
      ? 1 / value
      : 0
  return times === 0
    ? undefined
    : inDomain({ ...linear, scale: linear.scale * times, moved: linear.moved * Math.abs(times) })
}

const MAKES_WHOLE = new Set<CallId>(['floor', 'ceil', 'trunc', 'round', 'cast_number_integer'])
const SHIFTS = new Set<CallId>(['add_integer', 'add_number', 'sub_integer', 'sub_number'])
const SCALES = new Set<CallId>(['mul_integer', 'mul_number'])

/** The column that an expression is, but for some casts of it. */
export function columnUnder(expr: Expr, casts: readonly CallId[]): Found | undefined {
  if (expr.kind === 'column') return expr
  return expr.kind === 'call' && casts.includes(expr.call) && expr.args[0]
    ? columnUnder(expr.args[0], casts)
    : undefined
}
