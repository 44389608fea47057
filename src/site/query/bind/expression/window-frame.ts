import type { WindowDef } from '@pgsql/types'
import type { Expr, FrameEnd, SortKey, WindowFrame } from '../../bound/bound-query.ts'
import { call } from './build-expression.ts'
import type { Dialect } from '../../catalogue/catalogue-row.ts'
import type { Span } from '../../catalogue/expression-type.ts'
import { duckdbDouble, duckdbSpan, postgresDouble, postgresSpan } from '../../catalogue/forms.ts'
import type { Text } from '../../catalogue/forms.ts'
import { notSupported } from '../../text/refusal.ts'

/** Bits of `frameOptions` (PostgreSQL's `parsenodes.h`). */
const BITS = {
  isGiven: 0x1,
  isRange: 0x2,
  isRows: 0x4,
} as const

/** Where a frame begins, and where it ends, by the bit that says so. */
const STARTS: readonly (readonly [bit: number, kind: FrameEnd['kind']])[] = [
  [0x20, 'unbounded preceding'],
  [0x80, 'unbounded following'],
  [0x200, 'current row'],
  [0x800, 'preceding'],
  [0x2000, 'following'],
]
const ENDS: readonly (readonly [bit: number, kind: FrameEnd['kind']])[] = [
  [0x40, 'unbounded preceding'],
  [0x100, 'unbounded following'],
  [0x400, 'current row'],
  [0x1000, 'preceding'],
  [0x4000, 'following'],
]

const EXCLUSIONS: readonly (readonly [bit: number, exclude: NonNullable<WindowFrame['exclude']>])[] = [
  [0x8000, 'current row'],
  [0x10000, 'group'],
  [0x20000, 'ties'],
]

/** Most rows, or groups of equal ones, that a frame may reach before or after its own. */
export const FRAME_OFFSET_MAX = 1_000

/** Whether a window says its frame. */
export function hasFrame({ frameOptions = 0 }: WindowDef): boolean {
  return (frameOptions & BITS.isGiven) !== 0
}

/** Reads the frame of a window; `undefined` when it has none of its own. `readOffset` reads a number that is written out. */
export function frameOfWindow(
  window: WindowDef,
  readOffset: (node: NonNullable<WindowDef['startOffset']>) => Expr,
): WindowFrame | undefined {
  if (!hasFrame(window)) return undefined
  const { frameOptions = 0, startOffset, endOffset, location } = window
  const unit =
    (frameOptions & BITS.isRows) !== 0 ? 'rows' : (frameOptions & BITS.isRange) !== 0 ? 'range' : 'groups'
  const offsetOf = (node: WindowDef['startOffset']): number | Span => {
    const value = node && readOffset(node)
    if (unit === 'range') return distanceOf(value, location)
    const count = value?.kind === 'literal' ? Number(value.value ?? Number.NaN) : Number.NaN
    if (!Number.isSafeInteger(count) || count < 0 || count > FRAME_OFFSET_MAX)
      throw notSupported(`a frame by anything but a written number from 0 to ${FRAME_OFFSET_MAX}`, location)
    return count
  }
  const endOf = (ends: typeof STARTS, node: WindowDef['startOffset']): FrameEnd => {
    const kind = ends.find(([bit]) => (frameOptions & bit) !== 0)?.[1] ?? 'current row'
    if (kind !== 'preceding' && kind !== 'following') return { kind }
    return { kind, offset: offsetOf(node) }
  }
  const exclude = EXCLUSIONS.find(([bit]) => (frameOptions & bit) !== 0)?.[1]
  // Rows of a frame of ROWS are told apart by where they are stored, so that none has an equal.
  if (unit === 'rows' && (exclude === 'group' || exclude === 'ties'))
    throw notSupported('EXCLUDE GROUP and EXCLUDE TIES in a frame of ROWS; write GROUPS', location)
  return {
    unit,
    start: endOf(STARTS, startOffset),
    end: endOf(ENDS, endOffset),
    ...(exclude ? { exclude } : {}),
  }
}

/** How far a frame of RANGE reaches: a number, or a span of time, that is written out and not negative. */
function distanceOf(value: Expr | undefined, location: number | undefined): number | Span {
  const distance = value?.kind === 'literal' ? value.value : undefined
  if (typeof distance === 'number' && distance >= 0 && distance <= DISTANCE_MAX) return distance
  if (
    typeof distance === 'object' &&
    distance !== null &&
    Object.values(distance).every((part) => Number(part) >= 0)
  )
    return distance
  throw notSupported(
    `a frame of RANGE by anything but a written number from 0 to ${DISTANCE_MAX} or a span of time, as in interval '7 days'`,
    location,
  )
}

const DISTANCE_MAX = 1e15

/**
 * What a frame by a distance is ordered by: one number or time, as the distance is. Whole numbers are taken as doubles, which do not
 * overflow. Any other frame leaves the order as it is.
 */
export function orderOfFrame(
  frame: WindowFrame | undefined,
  order: readonly SortKey[],
  location: number | undefined,
): readonly SortKey[] {
  const distances = [frame?.start.offset, frame?.end.offset].filter((offset) => offset !== undefined)
  if (frame?.unit !== 'range' || distances.length === 0) return order
  const [key, another] = order
  const isTime = key?.expr.type === 'date' || key?.expr.type === 'timestamp'
  const isNumber = key?.expr.type === 'integer' || key?.expr.type === 'number'
  if (!key || another || !distances.every((distance) => (typeof distance === 'number' ? isNumber : isTime)))
    throw notSupported(
      'a frame of RANGE by a distance without ORDER BY of one number or time like it',
      location,
    )
  if (key.expr.type === 'integer') return [{ ...key, expr: call('cast_integer_number', [key.expr]) }]
  return key.expr.type === 'date' ? [{ ...key, expr: call('cast_date_timestamp', [key.expr]) }] : order
}

/** Whether a frame is all of the partition, for whatever row. */
export function isWholePartition({ start, end }: WindowFrame): boolean {
  return start.kind === 'unbounded preceding' && end.kind === 'unbounded following'
}

/** A frame as an engine writes it. */
export function printFrame({ unit, start, end, exclude }: WindowFrame, dialect: Dialect): Text {
  const endText = ({ kind, offset }: FrameEnd): Text => {
    if (offset === undefined) return kind
    if (typeof offset === 'object')
      return `${dialect === 'duckdb' ? `(${duckdbSpan(offset)})` : postgresSpan(offset)} ${kind}`
    return `${unit === 'range' ? distanceText(offset, dialect) : offset} ${kind}`
  }
  return ` ${unit} between ${endText(start)} and ${endText(end)}${exclude ? ` exclude ${exclude}` : ''}`
}

function distanceText(distance: number, dialect: Dialect): Text {
  const text = `${distance.toExponential()}`
  return dialect === 'duckdb' ? duckdbDouble(text) : postgresDouble(text)
}
