import { Bitset } from '../../kernel/bitset.ts'
import { bytesOfNumbers, NO_NUMBERS } from './cell-numbers.ts'
import type { CellNumbers } from './cell-numbers.ts'
import { countCells } from './cell-passes.ts'
import { bytesOfKnown, NOTHING_KNOWN } from './known-columns.ts'
import type { KnownColumns } from './known-columns.ts'
import { ALL_ZERO, bytesOfShort, shortened } from './short-numbers.ts'
import type { ShortNumbers } from './short-numbers.ts'

/**
 * Into what parts the exact answers so far cut the people of a data set, for one acquirer or colluding group.
 *
 * People are in the same cell when every released set had both of them or neither. Cell 0 are those who were in no
 * answer yet: nothing about them was released, however few they are. Two or three bytes a person for the number of their cell, and
 * a few for each cell. Why this is enough: `docs/explanation/why-answers-cannot-be-combined.md`.
 */
export interface Partition {
  /** By person number. */
  readonly cells: CellNumbers
  /** People of each cell; cell 0 is not counted. */
  readonly sizes: ShortNumbers
  /** The acquirer has rows of these people. */
  readonly given: Bitset
  /** Rows of these people changed since they last stood in an answer to the acquirer. */
  readonly changed: Bitset
  /** Of each cell the largest minimum group of the answers that it was in: no part of it may ever be smaller. */
  readonly leasts: ShortNumbers
  /** What rows let be known, of each column of whom. */
  readonly known: KnownColumns
  /** The next number for a cell. */
  readonly cellCount: number
  /** For each summed value of data with several rows a person: the rows of a person that answers were made from. */
  readonly rowShapes: ReadonlyMap<string, string>
  /** How many entries of the record made it. */
  readonly head: number
}

/** The partition before the first answer. */
export const EMPTY_PARTITION: Partition = {
  cells: NO_NUMBERS,
  sizes: ALL_ZERO,
  given: new Bitset(),
  changed: new Bitset(),
  leasts: ALL_ZERO,
  known: NOTHING_KNOWN,
  cellCount: 1,
  rowShapes: new Map(),
  head: 0,
}

/** Sizes of cells from who is in which: after reading these back. */
export function countSizes(cells: CellNumbers, cellCount: number): ShortNumbers {
  const sizes = new Int32Array(cellCount)
  countCells(cells, sizes)
  sizes[0] = 0
  return shortened(sizes)
}

/** How much memory it takes. */
export function bytesOfPartition({ cells, sizes, given, changed, leasts, known }: Partition): number {
  return (
    bytesOfNumbers(cells) +
    bytesOfShort(sizes) +
    bytesOfShort(leasts) +
    given.byteLength +
    changed.byteLength +
    bytesOfKnown(known)
  )
}
