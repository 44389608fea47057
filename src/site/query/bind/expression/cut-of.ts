import type { Expr } from '../../bound/bound-query.ts'
import type { CallId } from '../../catalogue/catalogue.ts'
import { columnUnder } from './bin-width.ts'
import type { Found } from './bin-width.ts'
import { dayNumber } from './time-edges.ts'

/** Where a comparison tells the values of a column apart. */
export interface Cut {
  readonly column: Found
  /** The first value on the far side of each edge: `x < 18` and `x <= 18` of whole numbers are 18 and 19. */
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
const EXACT: ReadonlySet<CallId> = new Set(['eq', 'ne', 'in', 'not_in', 'distinct', 'not_distinct'])

/** On which side of a constant values are told from it. */
export type Side = 'below' | 'above' | 'both'

/** The sides of a comparison's constants, in their order; `both` of those that are left out. */
export function sidesOf(call: CallId, isFirst: boolean): readonly Side[] {
  if (EXACT.has(call)) return []
  if (call === 'between' || call === 'not_between') return isFirst ? ['below', 'above'] : []
  return [(call === 'lt' || call === 'ge') === isFirst ? 'below' : 'above']
}

/** A comparison of a number or time with constants: it tells apart what lies on either side of them. */
export function cutOf(expr: Expr): Cut | undefined {
  if (expr.kind !== 'call' || !COMPARISONS.has(expr.call)) return undefined
  const [column] = expr.args
    .map((arg) => columnUnder(arg, ['cast_integer_number', 'cast_date_timestamp']))
    .filter((found) => found !== undefined)
  const constants = expr.args.filter((arg) => arg.kind === 'literal')
  if (
    column === undefined ||
    constants.length !== expr.args.length - 1 ||
    column.type === 'text' ||
    column.type === 'boolean'
  )
    return undefined
  const sides = sidesOf(expr.call, expr.args[0]?.kind !== 'literal')
  const at = constants.flatMap(({ value }, index) => {
    const position = cutPosition(value)
    return position === undefined ? [] : edgesOf(position, sides[index] ?? 'both', column)
  })
  return { column, at }
}

function cutPosition(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  return typeof value === 'string' ? dayNumber(value) : undefined
}

function edgesOf(value: number, side: Side, { type }: Found): readonly number[] {
  const isWhole = type === 'integer' || type === 'date'
  const below = isWhole ? Math.ceil(value) : value
  const above = isWhole ? Math.floor(value) + 1 : nextAfter(value, type === 'timestamp' ? MICROSECOND : 0)
  return { below: [below], above: [above], both: [below, above] }[side]
}

/** In days. */
const MICROSECOND = 1 / 86_400e6

/** The next value that a column may have, or that a double tells from this one. */
function nextAfter(value: number, grain: number): number {
  return value + Math.max(grain, Math.abs(value) * 2 ** -51, Number.MIN_VALUE)
}
