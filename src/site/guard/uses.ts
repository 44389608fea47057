import type { Partition } from './partition.ts'

/** How it is kept among the row shapes of a partition what its answers used; no value that has a row shape is named so. */
const USE = 'use '
const SINCE = 'use since the first answer'
/** That two histories became one of which one is from before it was kept. */
const UNKNOWN = 'use of before'
const NOTED = '1'

type Shapes = ReadonlyMap<string, string>

/** Row shapes with what an answer uses. */
export function withUse(shapes: Shapes, use: string | undefined, { cellCount }: Partition): Shapes {
  if (use === undefined) return shapes
  const first = cellCount === 1 ? [[SINCE, NOTED] as const] : []
  return new Map([...shapes, ...first, [USE + use, NOTED] as const])
}

/**
 * Whether an answer that used the same was given before, so that who may not be used now may be one who left. Of answers from before it
 * was kept, and where it is not known what is used, it may be so.
 */
export function wasUsed({ cellCount, rowShapes }: Partition, use: string | undefined): boolean {
  if (cellCount === 1) return false
  const isKnown = use !== undefined && rowShapes.has(SINCE) && !rowShapes.has(UNKNOWN)
  return !isKnown || rowShapes.has(USE + use)
}

/** Row shapes of two histories that become one. */
export function withUsesOf(shapes: Shapes, histories: readonly Partition[]): Shapes {
  const isKnown = histories.every(({ cellCount, rowShapes }) => cellCount === 1 || rowShapes.has(SINCE))
  return isKnown ? shapes : new Map([...shapes, [UNKNOWN, NOTED]])
}
