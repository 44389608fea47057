import { BitGatherer, Bitset } from '../../kernel/bitset.ts'
import { addedAsAny, addedBy, joinKnown, NO_COLUMN, NOTHING_KNOWN, partlyKnown } from './known-columns.ts'
import type { KnownColumns, UsedColumn } from './known-columns.ts'
import { PairNumbers } from './pair-numbers.ts'
import { CELL_MASK, CHANGED, KNOWN } from './partition.ts'
import type { Partition } from './partition.ts'

/**
 * Where people moved to: 0 for who did not, else the place of their cell among the new ones, from 1. Two bytes a person
 * unless there are more new cells than that.
 */
export type Labels = Uint16Array | Uint32Array

const MOST_SHORT_LABELS = 65_535

/** What cuts cells: sets that sums are released over, or what a question tells people apart by. */
type CutBy = 'answer' | 'question'

/**
 * What an answer would make of a partition, laid over it: two bytes a person beside the four that are there. Thrown
 * away when the cuts are refused.
 */
export class PartitionDraft {
  readonly before: Partition
  labels: Labels
  sizes: Int32Array
  unknownSizes: Int32Array
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
  /** What minimum group cells were raised to. */
  #raised: Int32Array
  /** What each earlier cell is raised to at least. */
  #floor = 0
  /** Cells whose people all stand in a set that was cut, by 1. */
  #isInside: Uint8Array
  #isTouched: Uint8Array
  /** Members of the set at hand in each cell, then the cell that they move to; 0 between two sets. */
  #hits: Int32Array

  constructor(before: Partition, personCount: number) {
    this.before = before
    this.labels = new Uint16Array(Math.max(before.cells.length, personCount))
    this.sizes = before.sizes.slice(0, before.cellCount)
    this.unknownSizes = before.unknownSizes.slice(0, before.cellCount)
    this.cellCount = before.cellCount
    this.#hits = new Int32Array(before.cellCount)
    this.#isTouched = new Uint8Array(before.cellCount)
    this.#isInside = new Uint8Array(before.cellCount)
    this.#raised = new Int32Array(before.cellCount)
  }

  /** The same cuts once more, to be cut further: this one stays as it is. */
  copy(personCount: number): PartitionDraft {
    const copy = new PartitionDraft(this.before, Math.max(personCount, this.labels.length))
    if (this.labels instanceof Uint32Array) copy.labels = new Uint32Array(copy.labels.length)
    copy.labels.set(this.labels)
    copy.sizes = this.sizes.slice()
    copy.unknownSizes = this.unknownSizes.slice()
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
    copy.#isInside = this.#isInside.slice()
    copy.#isTouched = this.#isTouched.slice()
    return copy
  }

  cellOf(person: number): number {
    const label = this.labels[person] ?? 0
    return label === 0 ? (this.before.cells[person] ?? 0) & CELL_MASK : this.before.cellCount + label - 1
  }

  /** The cells whose people all stand in a set that was cut. */
  get inside(): readonly number[] {
    return this.touched.filter((cell) => this.#isInside[cell] === 1)
  }

  /** The cell that this one was cut off, as they were when there were `cellCount` cells. */
  ancestorOf(cell: number, cellCount: number): number {
    let ancestor = cell
    while (ancestor >= cellCount) ancestor = this.parents[ancestor - this.before.cellCount] ?? 0
    return ancestor
  }

  /** Cells that are in an answer of this minimum group now: no part of them may ever be smaller. */
  raise(cells: readonly number[], least: number): void {
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
    all.set(leasts.subarray(0, cellCount))
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
    const own = cell < cellCount ? leasts[cell] : this.#inherited[cell - cellCount]
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
    const seen = this.#countHits(set)
    this.#ensureRoom(this.cellCount + 1)
    const target = this.#hits[0] === 0 ? 0 : this.#addCell(0)
    for (const cell of seen) {
      if (cell !== 0 && this.#hits[cell] !== this.sizes[cell]) this.#touch(cell)
      this.#hits[cell] = 0
    }
    if (target === 0) return
    this.#hits[0] = target
    this.#move(set)
    this.#hits[0] = 0
  }

  /**
   * Splits cells that are touched by which cell of another partition people are in, and by whether their rows had changed before its
   * cuts. One pass over everybody.
   */
  splitBy({ before: { cells: others, cellCount: otherCount }, labels: otherLabels }: PartitionDraft): void {
    const { labels, before } = this
    const { cells, cellCount } = before
    const firsts = new Int32Array(this.cellCount).fill(-1)
    const isTouched = this.#isTouched
    const pairs = new PairNumbers()
    const firstNew = this.cellCount
    // Where room for more cells is made, that is in other memory; nobody is looked at twice.
    let [ownLabels, sizes, unknownSizes] = [labels, this.sizes, this.unknownSizes]
    for (let person = 0; person < labels.length; person += 1) {
      const value = person < cells.length ? (cells[person] ?? 0) : 0
      const label = labels[person] ?? 0
      const cell = label === 0 ? value & CELL_MASK : cellCount + label - 1
      if (cell === 0 || isTouched[cell] !== 1) continue
      const mark = person < others.length ? (others[person] ?? 0) : 0
      const otherLabel = person < otherLabels.length ? (otherLabels[person] ?? 0) : 0
      const otherCell = otherLabel === 0 ? mark & CELL_MASK : otherCount + otherLabel - 1
      const other = otherCell | (mark & CHANGED)
      const first = firsts[cell] ?? -1
      if (first === other) continue
      if (first === -1) {
        firsts[cell] = other
        continue
      }
      let target = pairs.find(cell, other)
      if (target === 0) {
        target = this.#addCell(cell)
        pairs.add(cell, other, target)
        ;({ labels: ownLabels, sizes, unknownSizes } = this)
      }
      ownLabels[person] = target - cellCount + 1
      sizes[target] = (sizes[target] ?? 0) + 1
      if ((value & KNOWN) === 0) unknownSizes[target] = (unknownSizes[target] ?? 0) + 1
    }
    for (let cell = firstNew; cell < this.cellCount; cell += 1) {
      const parent = this.parents[cell - cellCount] ?? 0
      sizes[parent] = (sizes[parent] ?? 0) - (sizes[cell] ?? 0)
      unknownSizes[parent] = (unknownSizes[parent] ?? 0) - (unknownSizes[cell] ?? 0)
    }
  }

  #cut(set: Bitset, by: CutBy): readonly number[] {
    const seen = this.#countHits(set)
    const targets = this.#chooseTargets(seen, by)
    if (targets.some((cell, index) => cell !== seen[index])) this.#move(set)
    for (const cell of seen) this.#hits[cell] = 0
    return targets
  }

  /** Somebody's rows become known: they do not count among the unknown of their cell any more. */
  addKnown(person: number): void {
    this.newlyKnown.add(person)
    const cell = this.cellOf(person)
    if (cell === 0) return
    this.unknownSizes[cell] = (this.unknownSizes[cell] ?? 0) - 1
    this.#touch(cell)
  }

  /** Columns of people become known. */
  learn(people: Bitset, columns: readonly UsedColumn[]): void {
    const { cells, known } = this.before
    const before = new BitGatherer()
    for (const person of people)
      if (((cells[person] ?? 0) & KNOWN) !== 0) before.add(person)
      else if (!this.newlyKnown.has(person)) this.addKnown(person)
    this.addLearnt(addedAsAny(known, before.take()))
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
    const cells = this.touched.filter((cell) => this.unknownSizes[cell] === 0 && this.sizes[cell] !== 0)
    const found = new Map(cells.map((cell) => [cell, { size: this.sizes[cell] ?? 0, least: leastOf(cell) }]))
    return partlyKnown(joinKnown(this.before.known, this.learnt), found, (person) => this.cellOf(person))
  }

  /** How many members of the set stand in each cell; gives the cells that any of them stands in. */
  #countHits(set: Bitset): number[] {
    const { labels } = this
    const { cells, cellCount } = this.before
    const { places, words } = set.packed()
    const seen: number[] = []
    const hits = this.#hits
    let marks = 0
    for (let at = 0; at < places.length; at += 1) {
      const from = (places[at] ?? 0) * 32 + 31
      let word = words[at] ?? 0
      while (word !== 0) {
        const lowest = word & -word
        word ^= lowest
        const person = from - Math.clz32(lowest)
        const value = person < cells.length ? (cells[person] ?? 0) : 0
        const label = labels[person] ?? 0
        const cell = label === 0 ? value & CELL_MASK : cellCount + label - 1
        marks |= value
        const count = hits[cell]
        if (count === undefined) throw new Error('A partition was cut while it was looked at')
        if (count === 0) seen.push(cell)
        hits[cell] = count + 1
      }
    }
    if ((marks & CHANGED) !== 0) this.hasChanged = true
    return seen
  }

  /** Turns counts into the cells to move to, 0 where the set has all of the cell. Gives where the members are then. */
  #chooseTargets(seen: readonly number[], by: CutBy): readonly number[] {
    this.#ensureRoom(this.cellCount + seen.length)
    return seen.map((cell) => {
      // Nobody is counted in cell 0, so a set never has all of it.
      const isWhole = this.#hits[cell] === this.sizes[cell]
      if (cell !== 0 && (by === 'answer' || !isWhole)) this.#touch(cell)
      const target = isWhole ? cell : this.cellCount
      this.#hits[cell] = isWhole ? 0 : target
      if (by === 'answer') this.#isInside[target] = 1
      return isWhole ? target : this.#addCell(cell)
    })
  }

  /** A new cell that is cut off another one. */
  #addCell(parent: number): number {
    const cell = this.cellCount
    this.#ensureRoom(cell + 1)
    this.parents.push(parent)
    this.#inherited.push(this.#leastOf(parent))
    this.#touch(cell)
    this.cellCount += 1
    return cell
  }

  #move(set: Bitset): void {
    const { labels } = this
    const { cells, cellCount } = this.before
    const targets = this.#hits
    const { places, words } = set.packed()
    let last = -1
    let target = 0
    let moved = 0
    let unknown = 0
    for (let at = 0; at < places.length; at += 1) {
      const from = (places[at] ?? 0) * 32 + 31
      let word = words[at] ?? 0
      while (word !== 0) {
        const lowest = word & -word
        word ^= lowest
        const person = from - Math.clz32(lowest)
        const value = person < cells.length ? (cells[person] ?? 0) : 0
        const label = labels[person] ?? 0
        const cell = label === 0 ? value & CELL_MASK : cellCount + label - 1
        if (cell !== last) {
          this.#moveCount({ from: last, target }, moved, unknown)
          last = cell
          target = targets[cell] ?? 0
          moved = 0
          unknown = 0
        }
        if (target === 0) continue
        labels[person] = target - cellCount + 1
        moved += 1
        unknown += (value & KNOWN) === 0 ? 1 : 0
      }
    }
    this.#moveCount({ from: last, target }, moved, unknown)
  }

  #moveCount({ from, target }: { from: number; target: number }, moved: number, unknown: number): void {
    if (target === 0 || moved === 0) return
    const { sizes, unknownSizes } = this
    sizes[target] = (sizes[target] ?? 0) + moved
    unknownSizes[target] = (unknownSizes[target] ?? 0) + unknown
    if (from === 0) return
    sizes[from] = (sizes[from] ?? 0) - moved
    unknownSizes[from] = (unknownSizes[from] ?? 0) - unknown
  }

  #touch(cell: number): void {
    if (this.#isTouched[cell] === 1) return
    this.#isTouched[cell] = 1
    this.touched.push(cell)
  }

  #ensureRoom(cellCount: number): void {
    if (cellCount - this.before.cellCount > MOST_SHORT_LABELS && this.labels instanceof Uint16Array)
      this.labels = Uint32Array.from(this.labels)
    if (cellCount <= this.sizes.length) return
    const length = Math.max(cellCount, Math.ceil(this.sizes.length * 1.25))
    this.sizes = lengthened(this.sizes, length)
    this.unknownSizes = lengthened(this.unknownSizes, length)
    this.#hits = lengthened(this.#hits, length)
    const isTouched = new Uint8Array(length)
    isTouched.set(this.#isTouched)
    this.#isTouched = isTouched
    this.#raised = lengthened(this.#raised, length)
    const isInside = new Uint8Array(length)
    isInside.set(this.#isInside)
    this.#isInside = isInside
  }
}

function lengthened(from: Int32Array, length: number): Int32Array {
  const to = new Int32Array(length)
  to.set(from)
  return to
}
