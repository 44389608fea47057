import type { WindowDef } from '@pgsql/types'
import type { FrameEnd, WindowFrame } from './bound-query.ts'
import type { Expr } from './bound-query.ts'
import type { Text } from './forms.ts'
import { notSupported } from './refusal.ts'

/** Bits of `frameOptions` (PostgreSQL's `parsenodes.h`). */
const BITS = {
  isGiven: 0x1,
  isRange: 0x2,
  isRows: 0x4,
  exclusion: 0x8000 | 0x10000 | 0x20000,
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

/** Most rows that a frame may reach before or after its own. */
export const FRAME_OFFSET_MAX = 1_000

/** Reads the frame of a window; `undefined` when it has none of its own. `readOffset` reads a number that is written out. */
export function frameOfWindow(
  { frameOptions = 0, startOffset, endOffset, location }: WindowDef,
  readOffset: (node: NonNullable<WindowDef['startOffset']>) => Expr,
): WindowFrame | undefined {
  if ((frameOptions & BITS.isGiven) === 0) return undefined
  if ((frameOptions & BITS.exclusion) !== 0) throw notSupported('EXCLUDE in a window', location)
  const unit =
    (frameOptions & BITS.isRows) !== 0 ? 'rows' : (frameOptions & BITS.isRange) !== 0 ? 'range' : 'groups'
  const offsetOf = (node: WindowDef['startOffset']): number => {
    const value = node && readOffset(node)
    const count = value?.kind === 'literal' ? Number(value.value ?? Number.NaN) : Number.NaN
    if (!Number.isSafeInteger(count) || count < 0 || count > FRAME_OFFSET_MAX)
      throw notSupported(`a frame by anything but a written number from 0 to ${FRAME_OFFSET_MAX}`, location)
    return count
  }
  const endOf = (ends: typeof STARTS, node: WindowDef['startOffset']): FrameEnd => {
    const kind = ends.find(([bit]) => (frameOptions & bit) !== 0)?.[1] ?? 'current row'
    if (kind !== 'preceding' && kind !== 'following') return { kind }
    if (unit !== 'rows') throw notSupported('RANGE and GROUPS by an offset; write ROWS', location)
    return { kind, offset: offsetOf(node) }
  }
  return { unit, start: endOf(STARTS, startOffset), end: endOf(ENDS, endOffset) }
}

/** Whether a frame is all of the partition, for whatever row. */
export function isWholePartition({ start, end }: WindowFrame): boolean {
  return start.kind === 'unbounded preceding' && end.kind === 'unbounded following'
}

/** A frame as both engines write it. */
export function printFrame({ unit, start, end }: WindowFrame): Text {
  const endText = ({ kind, offset }: FrameEnd): Text => (offset === undefined ? kind : `${offset} ${kind}`)
  return ` ${unit} between ${endText(start)} and ${endText(end)}`
}
