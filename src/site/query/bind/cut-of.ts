import type { Expr } from '../bound/bound-query.ts'
import type { CallId } from '../catalogue/catalogue.ts'
import { columnUnder } from './bin-width.ts'
import type { Found } from './bin-width.ts'
import { dayNumber } from './time-edges.ts'

/** Where a comparison tells the values of a column apart. */
export interface Cut {
  readonly column: Found
  /** Where values are told apart; a value that is met exactly stands twice. */
  readonly at: readonly number[]
}

/** Calls that compare values. */
export const COMPARISONS: ReadonlySet<CallId> = new Set([
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
/** Of these, the ones that tell a single value apart. */
export const EXACT: ReadonlySet<CallId> = new Set(['eq', 'ne', 'in', 'not_in', 'distinct', 'not_distinct'])

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
