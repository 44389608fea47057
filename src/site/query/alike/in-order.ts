import type { Expr } from '../bound/bound-query.ts'
import type { CallId } from '../catalogue/catalogue.ts'
import { partsOf } from '../bound/same-expression.ts'
import { columnsRead, valuesOf } from './readings.ts'

/** Calls that grow, or fall, with each of their arguments. */
const IN_ORDER: ReadonlySet<CallId> = new Set([
  ...(['add_integer', 'add_number', 'sub_integer', 'sub_number', 'mul_integer', 'mul_number'] as const),
  ...(['neg_integer', 'neg_number', 'plus_integer', 'plus_number', 'clamp_integer', 'clamp_number'] as const),
  ...(['cast_integer_number', 'cast_number_integer', 'cast_boolean_integer'] as const),
  ...(['cast_date_timestamp', 'cast_timestamp_date', 'trunc_date', 'trunc_timestamp'] as const),
  ...([
    'round',
    'round_digits',
    'floor',
    'ceil',
    'trunc',
    'trunc_digits',
    'sqrt',
    'ln',
    'exp',
    'cbrt',
  ] as const),
  ...(['age_years', 'sub_dates', 'epoch_between', 'extract_epoch'] as const),
  ...(['add_date_days', 'add_days_date', 'sub_date_days'] as const),
  ...(['add_timestamp_span', 'add_span_timestamp', 'sub_timestamp_span'] as const),
  ...(['list_length', 'list_length_of_dimension'] as const),
])

/**
 * Calls that are so of what is stored alone. A field of a date is taken for a thing of its own, and one of the lesser of two dates is
 * an *or*; so is what stands in the place of a value that was computed, and is none where a root of it is none.
 */
const IN_ORDER_OF_STORED: ReadonlySet<CallId> = new Set<CallId>([
  'extract_date',
  'extract_timestamp',
  'least',
  'greatest',
  'coalesce',
])

/** Calls that have a value wherever their argument has one. */
const NEVER_NONE: ReadonlySet<CallId> = new Set<CallId>([
  'cast_date_timestamp',
  'cast_timestamp_date',
  'cast_integer_number',
])

/** Whether a value says of each column in it no more than how great it is. */
export function isInOrder(expr: Expr): boolean {
  if (expr.kind === 'column' || columnsRead(expr).length === 0) return true
  // A place among somebody's rows, or what is made of those before it: nothing written chooses there.
  if (expr.kind === 'window') return valuesOf(expr).every(isStored)
  return (expr.kind === 'case' || isCallInOrder(expr)) && valuesOf(expr).every(isInOrder)
}

function isCallInOrder(expr: Expr): boolean {
  if (expr.kind !== 'call') return false
  const [, divisor] = expr.args
  if (expr.call === 'div_number' || expr.call === 'div_integer')
    return divisor?.range !== undefined && divisor.range.least * divisor.range.greatest > 0
  if (IN_ORDER_OF_STORED.has(expr.call)) return expr.args.every(isStored)
  return IN_ORDER.has(expr.call)
}

/** A column of a data set as it is, or what is written; of a sub-select it is not known here what it made of one. */
function isStored(expr: Expr): boolean {
  if (expr.kind === 'call') return NEVER_NONE.has(expr.call) && expr.args.every(isStored)
  return expr.kind === 'literal' || (expr.kind === 'column' && !expr.isDerived)
}

/** Whether a reading is of a text, a document, a list or a truth, of which there are no sums: whatever is asked of it is one thing. */
export function isOneThing(reading: Expr): boolean {
  return [...partsOf(reading)].some(({ kind, type }) => kind === 'column' && !ORDERED.includes(type))
}

const ORDERED: readonly Expr['type'][] = ['integer', 'number', 'date', 'timestamp']

/** The largest part of a reading of one column that is in order: what all that is made of it follows from. */
export function orderedPart(reading: Expr): Expr {
  if (isOneThing(reading) || isInOrder(reading)) return reading
  const inside = valuesOf(reading).find((part) => columnsRead(part).length > 0)
  return inside ? orderedPart(inside) : reading
}
