import type { Expr } from '../bound/bound-query.ts'
import type { CallId } from '../catalogue/catalogue.ts'
import { columnUnder } from './bin-width.ts'
import type { Found } from './bin-width.ts'

/** Where a comparison tells the values of a column apart. */
export interface Cut {
  readonly column: Found
  /** Where values are told apart; a value that is met exactly stands twice. */
  readonly at: readonly number[]
}

const COMPARISONS = new Set<CallId>([
  'lt',
  'le',
  'gt',
  'ge',
  'between',
  'not_between',
  'eq',
  'ne',
  'in',
  'not_in',
  'distinct',
  'not_distinct',
])
const EXACT = new Set<CallId>(['eq', 'ne', 'in', 'not_in', 'distinct', 'not_distinct'])

/** A comparison of a number or time with constants: it tells apart what lies on either side of them. */
export function cutOf(expr: Expr): Cut | undefined {
  if (expr.kind !== 'call' || !COMPARISONS.has(expr.call)) return undefined
  const column = expr.args
    .map((arg) => columnUnder(arg, ['cast_integer_number', 'cast_date_timestamp']))
    .find((found) => found !== undefined)
  const constants = expr.args.filter((arg) => arg.kind === 'literal')
  if (
    column === undefined ||
    constants.length !== expr.args.length - 1 ||
    column.type === 'text' ||
    column.type === 'boolean'
  )
    return undefined
  const values = constants.map(({ value }) => cutPosition(value)).filter((value) => value !== undefined)
  const width = column.type === 'integer' ? 1 : 0
  return { column, at: EXACT.has(expr.call) ? values.flatMap((value) => [value, value + width]) : values }
}

function cutPosition(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  return typeof value === 'string' ? dayNumber(value) : undefined
}

/** Days since a fixed day: `2026-01-31 12:00:00` (Hinnant, *days from civil*). */
function dayNumber(text: string): number {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = text.split(/[- :]/).map(Number)
  const [shiftedYear, shiftedMonth] = month <= 2 ? [year - 1, month + 9] : [year, month - 3]
  const days =
    shiftedYear * 365 +
    Math.floor(shiftedYear / 4) -
    Math.floor(shiftedYear / 100) +
    Math.floor(shiftedYear / 400) +
    Math.floor((153 * shiftedMonth + 2) / 5) +
    day
  return days + (hour + (minute + second / 60) / 60) / 24
}
