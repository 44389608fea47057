import type { PackedWords } from '../../kernel/bitset.ts'
import type { CellNumbers } from './cell-numbers.ts'
import type { PairNumbers } from './pair-numbers.ts'

// Passes over people, of whom there are a million, in few words: they stand by themselves, over arrays that stay the same from
// beginning to end, because so they take half of the time that they take within methods that make objects as well.

/**
 * Counts the members of a set in each cell, and notes each cell once. Members of cell 0 move to a new one at once: nobody is counted
 * in cell 0, so a set never has all of it. Gives how many these are. Throws where somebody is in a cell that there is not.
 */
export function countMembers(
  { places, words }: PackedWords,
  { lower, upper }: CellNumbers,
  { hits, seen, newCell }: { readonly hits: Int32Array; readonly seen: number[]; readonly newCell: number },
): number {
  const isLong = upper.length > 0
  let newcomers = 0
  for (let at = 0; at < places.length; at += 1) {
    const from = (places[at] ?? 0) * 32 + 31
    // As a signed number, which takes two thirds of the time.
    let word = (words[at] ?? 0) | 0
    while (word !== 0) {
      const person = from - Math.clz32(word & -word)
      word &= word - 1
      const low = lower[person] ?? 0
      const cell = isLong ? low | ((upper[person] ?? 0) << 16) : low
      if (cell === 0) {
        lower[person] = newCell
        if (isLong) upper[person] = newCell >>> 16
        newcomers += 1
        continue
      }
      const count = hits[cell]
      // There is room for more cells than there are.
      if (count === undefined || cell >= newCell)
        throw new Error('A partition was cut while it was looked at')
      if (count === 0) seen.push(cell)
      hits[cell] = count + 1
    }
  }
  return newcomers
}

/** Moves members of a set that are in cells with a target, until so many have moved. */
export function moveMembers(
  { places, words }: PackedWords,
  { lower, upper }: CellNumbers,
  { targets, memberCount }: { readonly targets: Int32Array; readonly memberCount: number },
): void {
  const isLong = upper.length > 0
  let left = memberCount
  for (let at = 0; at < places.length && left > 0; at += 1) {
    const from = (places[at] ?? 0) * 32 + 31
    let word = (words[at] ?? 0) | 0
    while (word !== 0) {
      const person = from - Math.clz32(word & -word)
      word &= word - 1
      const low = lower[person] ?? 0
      const target = targets[isLong ? low | ((upper[person] ?? 0) << 16) : low] ?? 0
      if (target === 0) continue
      lower[person] = target
      if (isLong) upper[person] = target >>> 16
      left -= 1
    }
  }
}

/** Of each person 0, or the place of their cell among the new ones, from 1. */
export type Labels = Uint8Array | Uint16Array | Uint32Array

/** Labels whoever is in a cell from `firstNew` on. */
export function labelMoved({ lower, upper }: CellNumbers, labels: Labels, firstNew: number): void {
  const isLong = upper.length > 0
  for (let person = 0; person < lower.length; person += 1) {
    const low = lower[person] ?? 0
    const cell = isLong ? low | ((upper[person] ?? 0) << 16) : low
    if (cell >= firstNew) labels[person] = cell - firstNew + 1
  }
}

/** Moves whoever has a label. */
export function moveLabelled({ lower, upper }: CellNumbers, labels: Labels, firstNew: number): void {
  const isLong = upper.length > 0
  for (let person = 0; person < labels.length; person += 1) {
    const label = labels[person] ?? 0
    if (label === 0) continue
    const cell = firstNew + label - 1
    lower[person] = cell
    if (isLong) upper[person] = cell >>> 16
  }
}

/** How many people are in each cell; `counts` has a place for each. */
export function countCells({ lower, upper }: CellNumbers, counts: Int32Array): void {
  const isLong = upper.length > 0
  for (let person = 0; person < lower.length; person += 1) {
    const low = lower[person] ?? 0
    const cell = isLong ? low | ((upper[person] ?? 0) << 16) : low
    counts[cell] = (counts[cell] ?? 0) + 1
  }
}

/** A split of cells by the parts of another partition, on its way. */
export interface CellSplit {
  /** Who is next. */
  person: number
  /** The next number for a cell, and the first that there is no room for. */
  cellCount: number
  cellsMax: number
  sizes: Int32Array
  /** Those who are another part by it, and how many parts there are without that. */
  readonly changed: Uint32Array
  readonly partCount: number
  /** Of each cell the part of whoever of it was met first: that part stays. `NOBODY` before, and `UNTOUCHED` of a cell that is not split. */
  readonly firsts: Int32Array
  /** Of each part the cell and the new cell of whoever of it moved last: mostly a part is of one cell, and need not be looked up. */
  readonly lasts: Int32Array
  readonly pairs: PairNumbers
  /** Of each new cell the one that it is cut off. */
  readonly parents: number[]
}

export const NOBODY = -1
export const UNTOUCHED = -2

/** Goes on with a split as far as there is room for more cells. */
export function splitCells(own: CellNumbers, parts: CellNumbers, split: CellSplit): void {
  const { lower, upper } = own
  const { lower: partLower, upper: partUpper } = parts
  const [isLong, areLong] = [upper.length > 0, partUpper.length > 0]
  const { changed, partCount, firsts, lasts, pairs, sizes, parents, cellsMax } = split
  const areChanged = changed.length > 0
  let next = split.cellCount
  let person = split.person
  for (; person < lower.length; person += 1) {
    const low = lower[person] ?? 0
    const cell = isLong ? low | ((upper[person] ?? 0) << 16) : low
    const first = firsts[cell] ?? UNTOUCHED
    if (first === UNTOUCHED) continue
    const partLow = partLower[person] ?? 0
    let part = areLong ? partLow | ((partUpper[person] ?? 0) << 16) : partLow
    if (areChanged && isIn(changed, person)) part += partCount
    if (first === part) continue
    if (first === NOBODY) {
      firsts[cell] = part
      continue
    }
    let target = lasts[2 * part + 1] ?? 0
    if (target === 0 || lasts[2 * part] !== cell) {
      target = pairs.find(cell, part)
      if (target === 0) {
        if (next === cellsMax) break
        target = next
        next += 1
        parents.push(cell)
        pairs.add(cell, part, target)
      }
      lasts[2 * part] = cell
      lasts[2 * part + 1] = target
    }
    lower[person] = target
    if (isLong) upper[person] = target >>> 16
    sizes[target] = (sizes[target] ?? 0) + 1
  }
  split.person = person
  split.cellCount = next
}

function isIn(words: Uint32Array, person: number): boolean {
  return person >>> 5 < words.length && (((words[person >>> 5] ?? 0) >>> (person & 31)) & 1) === 1
}
