import { Bitset } from '../../kernel/bitset.ts'
import { cellAt, copyOfNumbers, roomOf, withRoom } from './cell-numbers.ts'
import type { CellNumbers } from './cell-numbers.ts'
import { countMembers, moveMembers, NOBODY, splitCells, UNTOUCHED } from './cell-passes.ts'
import type { CellSplit } from './cell-passes.ts'
import { addedAsAny, addedBy, joinKnown, NO_COLUMN, NOTHING_KNOWN, partlyKnown } from './known-columns.ts'
import type { KnownColumns, UsedColumn } from './known-columns.ts'
import { PairNumbers } from './pair-numbers.ts'
import type { Partition } from './partition.ts'
import { lengthened, numberAt } from './short-numbers.ts'

/** Room for so many cells is made at once where cells are split. */
const SPLIT_ROOM = 1_024

/** Somebody of a set that was cut stands in the cell. */
const TOUCHED = 1
/** Its people all stand in one. */
const INSIDE = 2

const NO_NUMBERS = new Int32Array(0)

/** What cuts cells: sets that sums are released over, or what a question tells people apart by. */
type CutBy = 'answer' | 'question'

/**
 * What an answer would make of a partition, beside it: as many bytes a person once more. Thrown away when the cuts are refused.
 * Whoever moves comes to a new cell.
 */
export class PartitionDraft {
  readonly before: Partition
  cells: CellNumbers
  sizes: Int32Array
  cellCount: number
  /** Those who become known, and those whose mark of changed rows is set or taken away. */
  readonly newlyKnown = new Bitset()
  readonly toggled = new Bitset()
  /** What becomes known of columns. */
  learnt: KnownColumns = NOTHING_KNOWN
  /** Whether somebody in a set had changed rows. */
  hasChanged = false
  /** Cells in which somebody of a set stands, old and new, each once. */
  readonly touched: number[] = []
  /** Of each new cell, in their order, the one that it was cut off. */
  readonly parents: number[] = []
  /** Of each new cell, in their order, the least people of the one that it was cut off, as that was then. */
  readonly #inherited: number[] = []
  /** Of each cell those whose rows were given, or become known, counted when asked for; forgotten when cells are cut. */
  #givenSizes: Int32Array | undefined
  /** What minimum group cells were raised to; empty while none was. */
  #raised: Int32Array = NO_NUMBERS
  /** What each earlier cell is raised to at least. */
  #floor = 0
  /** Of each cell `TOUCHED` and `INSIDE`. */
  #marks: Uint8Array
  /** Members of the set at hand in each cell, then the cell that they move to; 0 between two sets. */
  #hits: Int32Array

  /** `from`: what it begins with, where that is not the partition itself. */
  constructor(before: Partition, personCount: number, from: { readonly cells: CellNumbers } = before) {
    const { cellCount, sizes } = before
    this.before = before
    this.cells = copyOfNumbers(from.cells, { personCount, cellCount })
    this.sizes = lengthened(sizes, cellCount)
    this.cellCount = cellCount
    this.#hits = new Int32Array(cellCount)
    this.#marks = new Uint8Array(cellCount)
  }

  /** The same cuts once more, to be cut further: this one stays as it is. */
  copy(personCount: number): PartitionDraft {
    const copy = new PartitionDraft(this.before, personCount, this)
    copy.sizes = this.sizes.slice()
    copy.cellCount = this.cellCount
    copy.newlyKnown.addAll(this.newlyKnown)
    copy.toggled.addAll(this.toggled)
    copy.learnt = this.learnt
    copy.hasChanged = this.hasChanged
    for (const cell of this.touched) copy.touched.push(cell)
    for (const parent of this.parents) copy.parents.push(parent)
    for (const least of this.#inherited) copy.#inherited.push(least)
    copy.#raised = this.#raised.slice()
    copy.#floor = this.#floor
    copy.#hits = new Int32Array(this.#hits.length)
    copy.#marks = this.#marks.slice()
    return copy
  }

  cellOf(person: number): number {
    return cellAt(this.cells, person)
  }

  /** People of a cell whose rows the acquirer does not have. */
  unknownOf(cell: number): number {
    this.#givenSizes ??= this.#countGiven()
    return (this.sizes[cell] ?? 0) - (this.#givenSizes[cell] ?? 0)
  }

  /** The cells whose people all stand in a set that was cut. */
  get inside(): readonly number[] {
    return this.touched.filter((cell) => ((this.#marks[cell] ?? 0) & INSIDE) !== 0)
  }

  /** The cell that this one was cut off, as they were when there were `cellCount` cells. */
  ancestorOf(cell: number, cellCount: number): number {
    let ancestor = cell
    while (ancestor >= cellCount) ancestor = this.parents[ancestor - this.before.cellCount] ?? 0
    return ancestor
  }

  /** Cells that are in an answer of this minimum group now: no part of them may ever be smaller. */
  raise(cells: readonly number[], least: number): void {
    if (this.#raised.length === 0) this.#raised = new Int32Array(this.sizes.length)
    for (const cell of cells) this.#raised[cell] = Math.max(least, this.#raised[cell] ?? 0)
  }

  /** Raises every earlier cell, and whatever will be cut off one, to at least this. */
  raiseEarlier(least: number): void {
    this.#floor = least
  }

  /** Least people of each cell and of whatever will be cut off it. */
  leasts(): Int32Array {
    const { leasts, cellCount } = this.before
    const all = new Int32Array(this.cellCount)
    all.set(lengthened(leasts, cellCount))
    for (let cell = 1; cell < cellCount; cell += 1) all[cell] = Math.max(all[cell] ?? 0, this.#floor)
    all.set(this.#inherited, cellCount)
    for (let cell = 0; cell < all.length; cell += 1)
      all[cell] = Math.max(all[cell] ?? 0, this.#raised[cell] ?? 0)
    return all
  }

  /**
   * As of the cell that it was cut off, at that time, or more: what that one is raised to afterwards is of an answer that is not
   * about this one. Whoever was in no answer yet is in none of any minimum group.
   */
  #leastOf(cell: number): number {
    const { leasts, cellCount } = this.before
    const floor = cell > 0 && cell < cellCount ? this.#floor : 0
    const own = cell < cellCount ? numberAt(leasts, cell) : this.#inherited[cell - cellCount]
    return Math.max(own ?? 0, floor, this.#raised[cell] ?? 0)
  }

  /** Cuts every cell by a set: members of a cell that is not wholly inside move to a new cell. Gives the cells of the set. */
  cut(set: Bitset): readonly number[] {
    return this.#cut(set, 'answer')
  }

  /** The same by a set over which nothing is released: it touches the cells that it splits. */
  cutApart(set: Bitset): void {
    this.#cut(set, 'question')
  }

  /**
   * Touches the cells that a set would split if `cutApart` cut them by it; only who is in no cell moves. For a set that is in the
   * partition which cells are split by next: then this is half the work.
   */
  touchApart(set: Bitset): void {
    for (const cell of this.#countHits(set).seen) {
      if (this.#hits[cell] !== this.sizes[cell]) this.#touch(cell)
      this.#hits[cell] = 0
    }
  }

  /**
   * Splits cells that are touched by which cell of another partition people are in, and by whether their rows had changed before its
   * cuts. One pass over everybody.
   */
  splitBy(other: PartitionDraft): void {
    const firstNew = this.cellCount
    const split = this.#beginSplit(other)
    while (split.person < this.cells.lower.length) {
      this.#ensureRoom(this.cellCount + SPLIT_ROOM)
      split.sizes = this.sizes
      split.cellsMax = Math.min(this.sizes.length, roomOf(this.cells))
      splitCells(this.cells, other.cells, split)
      while (this.cellCount < split.cellCount) this.#noteCell()
    }
    this.#givenSizes = undefined
    const { sizes, before, parents } = this
    for (let cell = firstNew; cell < this.cellCount; cell += 1) {
      const parent = parents[cell - before.cellCount] ?? 0
      sizes[parent] = (sizes[parent] ?? 0) - (sizes[cell] ?? 0)
    }
  }

  #beginSplit({ before: { changed }, cellCount: partCount }: PartitionDraft): CellSplit {
    const { cellCount, sizes, parents } = this
    const firsts = Int32Array.from(this.#marks.subarray(0, cellCount), (marks, cell) =>
      cell === 0 || (marks & TOUCHED) === 0 ? UNTOUCHED : NOBODY,
    )
    return {
      person: 0,
      cellCount,
      cellsMax: 0,
      sizes,
      changed: changed.isEmpty ? new Uint32Array(0) : changed.words(),
      partCount,
      firsts,
      lasts: new Int32Array((changed.isEmpty ? 2 : 4) * partCount),
      pairs: new PairNumbers(),
      parents,
    }
  }

  #cut(set: Bitset, by: CutBy): readonly number[] {
    const { seen, newcomers } = this.#countHits(set)
    this.#ensureRoom(this.cellCount + seen.length)
    const targets = newcomers === 0 ? [] : [newcomers]
    let moving = 0
    for (const cell of seen) {
      const count = this.#hits[cell] ?? 0
      const isWhole = count === this.sizes[cell]
      if (by === 'answer' || !isWhole) this.#touch(cell)
      const target = isWhole ? cell : this.#addCell(cell)
      targets.push(target)
      this.#hits[cell] = isWhole ? 0 : target
      if (isWhole) continue
      moving += count
      this.sizes[target] = count
      this.sizes[cell] = (this.sizes[cell] ?? 0) - count
    }
    if (by === 'answer') for (const cell of targets) this.#marks[cell] = (this.#marks[cell] ?? 0) | INSIDE
    this.#givenSizes = undefined
    if (moving > 0) moveMembers(set.packed(), this.cells, { targets: this.#hits, memberCount: moving })
    for (const cell of seen) this.#hits[cell] = 0
    return targets
  }

  /** Somebody's rows become known: they do not count among the unknown of their cell any more. */
  addKnown(person: number): void {
    this.newlyKnown.add(person)
    this.#givenSizes = undefined
    const cell = this.cellOf(person)
    if (cell !== 0) this.#touch(cell)
  }

  /** Columns of people become known. */
  learn(people: Bitset, columns: readonly UsedColumn[]): void {
    const { given, known } = this.before
    for (const person of people) if (!given.has(person) && !this.newlyKnown.has(person)) this.addKnown(person)
    this.addLearnt(addedAsAny(known, people.intersection(given)))
    this.addLearnt(addedBy(known, { people, columns: [NO_COLUMN, ...columns] }))
  }

  /** Touches the cells that these people are in. */
  touchCellsOf(people: Bitset): void {
    people.forEach((person) => {
      const cell = this.cellOf(person)
      if (cell !== 0) this.#touch(cell)
    })
  }

  /** What others know becomes known. */
  addLearnt(added: KnownColumns): void {
    this.learnt = joinKnown(this.learnt, added)
    for (const { seen, exact } of added.values())
      for (const people of [seen, exact]) this.touchCellsOf(people)
  }

  /** Cells in which everybody is in rows that were given, and a few have a column that is not known. */
  partlyKnown(leastOf: (cell: number) => number): ReadonlySet<number> {
    const cells = this.touched.filter((cell) => this.unknownOf(cell) === 0 && this.sizes[cell] !== 0)
    const found = new Map(cells.map((cell) => [cell, { size: this.sizes[cell] ?? 0, least: leastOf(cell) }]))
    return partlyKnown(joinKnown(this.before.known, this.learnt), found, (person) => this.cellOf(person))
  }

  /**
   * How many members of the set stand in each cell but cell 0; gives these cells. Those of cell 0 move to a new one at once:
   * nobody is counted in cell 0, so a set never has all of it.
   */
  #countHits(set: Bitset): { readonly seen: readonly number[]; readonly newcomers: number } {
    const packed = set.packed()
    this.#ensureRoom(this.cellCount + 1, 32 * ((packed.places.at(-1) ?? -1) + 1))
    const seen: number[] = []
    const newcomers = this.cellCount
    const count = countMembers(packed, this.cells, { hits: this.#hits, seen, newCell: newcomers })
    const { changed } = this.before
    if (!changed.isEmpty && set.intersectionCount(changed) > 0) this.hasChanged = true
    if (count === 0) return { seen, newcomers: 0 }
    this.#addCell(0)
    this.#givenSizes = undefined
    this.sizes[newcomers] = count
    return { seen, newcomers }
  }

  #countGiven(): Int32Array {
    const { given } = this.before
    if (given.isEmpty && this.newlyKnown.isEmpty) return NO_NUMBERS
    const counts = new Int32Array(this.cellCount)
    given.union(this.newlyKnown).forEach((person) => {
      const cell = this.cellOf(person)
      counts[cell] = (counts[cell] ?? 0) + 1
    })
    return counts
  }

  /** A new cell that is cut off another one. */
  #addCell(parent: number): number {
    const cell = this.cellCount
    this.#ensureRoom(cell + 1)
    this.parents.push(parent)
    this.#noteCell()
    return cell
  }

  /** The next cell, whose parent is there. */
  #noteCell(): void {
    this.#inherited.push(this.#leastOf(this.parents[this.#inherited.length] ?? 0))
    this.#touch(this.cellCount)
    this.cellCount += 1
  }

  #touch(cell: number): void {
    const marks = this.#marks[cell] ?? 0
    if ((marks & TOUCHED) !== 0) return
    this.#marks[cell] = marks | TOUCHED
    this.touched.push(cell)
  }

  #ensureRoom(cellCount: number, personCount = 0): void {
    this.cells = withRoom(this.cells, { personCount, cellCount })
    if (cellCount <= this.sizes.length) return
    const length = Math.max(cellCount, Math.ceil(this.sizes.length * 1.25))
    this.sizes = longer(this.sizes, length)
    this.#hits = longer(this.#hits, length)
    if (this.#raised.length > 0) this.#raised = longer(this.#raised, length)
    const marks = new Uint8Array(length)
    marks.set(this.#marks)
    this.#marks = marks
  }
}

function longer(from: Int32Array, length: number): Int32Array {
  const to = new Int32Array(length)
  to.set(from)
  return to
}
