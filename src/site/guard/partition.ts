import type { Bitset } from '../../kernel/bitset.ts'

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
  cellCount: 1,
  rowShapes: new Map(),
  head: 0,
}

/** A copy to be refined in place, and thrown away when the cuts are refused. */
export class PartitionDraft {
  readonly cells: Int32Array
  sizes: Int32Array
  unknownSizes: Int32Array
  cellCount: number
  /** The first number that was not a cell before. */
  readonly firstNewCell: number
  /** Cells in which somebody of a set stands, old and new. */
  readonly touched = new Set<number>()
  #hits: Int32Array
  #targets: Int32Array

  constructor(partition: Partition, personCount: number) {
    this.cells = new Int32Array(Math.max(partition.cells.length, personCount))
    this.cells.set(partition.cells)
    this.sizes = partition.sizes.slice()
    this.unknownSizes = partition.unknownSizes.slice()
    this.cellCount = partition.cellCount
    this.firstNewCell = partition.cellCount
    this.#hits = new Int32Array(this.sizes.length)
    this.#targets = new Int32Array(this.sizes.length)
  }

  /** Cuts every cell by a set: members of a cell that is not wholly inside move to a new cell. */
  cut(set: Bitset): void {
    const seen = this.#countHits(set)
    const hasMoves = this.#chooseTargets(seen)
    if (hasMoves) this.#move(set)
    for (const cell of seen) {
      const target = this.#targets[cell] ?? 0
      if (cell !== 0) this.touched.add(cell)
      if (target !== 0) this.touched.add(target)
      this.#hits[cell] = 0
      this.#targets[cell] = 0
    }
  }

  /** How many members of the set stand in each cell; gives the cells that any of them stands in. */
  #countHits(set: Bitset): number[] {
    const { cells } = this
    const { places, words } = set.packed()
    const hits = this.#hits
    const seen: number[] = []
    for (let at = 0; at < places.length; at += 1) {
      const index = places[at] ?? 0
      let word = words[at] ?? 0
      while (word !== 0) {
        const lowest = word & -word
        const cell = (cells[index * 32 + 31 - Math.clz32(lowest)] ?? 0) & CELL_MASK
        const before = hits[cell] ?? 0
        if (before === 0) seen.push(cell)
        hits[cell] = before + 1
        word ^= lowest
      }
    }
    return seen
  }

  #chooseTargets(seen: readonly number[]): boolean {
    let hasMoves = false
    for (const cell of seen) {
      if (cell !== 0 && this.#hits[cell] === this.sizes[cell]) continue
      this.#ensureRoom(this.cellCount + 1)
      this.#targets[cell] = this.cellCount
      this.cellCount += 1
      hasMoves = true
    }
    return hasMoves
  }

  #move(set: Bitset): void {
    const { cells, sizes, unknownSizes } = this
    const targets = this.#targets
    const { places, words } = set.packed()
    for (let at = 0; at < places.length; at += 1) {
      const index = places[at] ?? 0
      let word = words[at] ?? 0
      while (word !== 0) {
        const lowest = word & -word
        word ^= lowest
        const person = index * 32 + 31 - Math.clz32(lowest)
        const value = cells[person] ?? 0
        const cell = value & CELL_MASK
        const target = targets[cell] ?? 0
        if (target === 0) continue
        const unknown = (value & KNOWN) === 0 ? 1 : 0
        cells[person] = (value & ~CELL_MASK) | target
        sizes[target] = (sizes[target] ?? 0) + 1
        unknownSizes[target] = (unknownSizes[target] ?? 0) + unknown
        if (cell === 0) continue
        sizes[cell] = (sizes[cell] ?? 0) - 1
        unknownSizes[cell] = (unknownSizes[cell] ?? 0) - unknown
      }
    }
  }

  #ensureRoom(cellCount: number): void {
    if (cellCount <= this.sizes.length) return
    const length = Math.max(cellCount, this.sizes.length * 2)
    this.sizes = lengthened(this.sizes, length)
    this.unknownSizes = lengthened(this.unknownSizes, length)
    this.#hits = lengthened(this.#hits, length)
    this.#targets = lengthened(this.#targets, length)
  }
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

function lengthened(from: Int32Array, length: number): Int32Array {
  const to = new Int32Array(length)
  to.set(from)
  return to
}
