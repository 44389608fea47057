import { NOTHING_KNOWN } from './known-columns.ts'
import type { KnownColumns } from './known-columns.ts'

/**
 * Into what parts the exact answers so far cut the people of a data set, for one acquirer or colluding group.
 *
 * People are in the same cell when every released set had both of them or neither. Cell 0 are those who were in no
 * answer yet: nothing about them was released, however few they are. Four bytes a person: the number
 * of the cell and two marks. Why this is enough: `docs/explanation/why-answers-cannot-be-combined.md`.
 */
export interface Partition {
  /** By person number. */
  readonly cells: Int32Array
  /** People of each cell, and those of them whose rows the acquirer does not have; cell 0 is not counted. */
  readonly sizes: Int32Array
  readonly unknownSizes: Int32Array
  /** Of each cell the largest minimum group of the answers that it was in: no part of it may ever be smaller. */
  readonly leasts: Int32Array
  /** What rows let be known, of each column of whom. */
  readonly known: KnownColumns
  /** The next number for a cell. */
  readonly cellCount: number
  /** For each summed value of data with several rows a person: the rows of a person that answers were made from. */
  readonly rowShapes: ReadonlyMap<string, string>
  /** How many entries of the record made it. */
  readonly head: number
}

/** Lower bits: the number of the cell. */
export const CELL_MASK = 0x1fff_ffff
/** The acquirer has rows of this person. */
export const KNOWN = 0x2000_0000
/** Rows of this person changed since they last stood in an answer to the acquirer. */
export const CHANGED = 0x4000_0000

/** The partition before the first answer. */
export const EMPTY_PARTITION: Partition = {
  cells: new Int32Array(0),
  sizes: new Int32Array(1),
  unknownSizes: new Int32Array(1),
  leasts: new Int32Array(1),
  known: NOTHING_KNOWN,
  cellCount: 1,
  rowShapes: new Map(),
  head: 0,
}

/** Sizes of cells from the cells alone: after reading them back. */
export function countSizes(
  cells: Int32Array,
  cellCount: number,
): { sizes: Int32Array; unknownSizes: Int32Array } {
  const sizes = new Int32Array(cellCount)
  const unknownSizes = new Int32Array(cellCount)
  for (let person = 0; person < cells.length; person += 1) {
    const value = cells[person] ?? 0
    const cell = value & CELL_MASK
    if (cell === 0) continue
    sizes[cell] = (sizes[cell] ?? 0) + 1
    if ((value & KNOWN) === 0) unknownSizes[cell] = (unknownSizes[cell] ?? 0) + 1
  }
  return { sizes, unknownSizes }
}
