import { cellAt } from './cell-numbers.ts'
import type { Partition } from './partition.ts'
import { numberAt } from './short-numbers.ts'

/**
 * How it is noted, beside whom questions told apart, that a cell was told to be lost. Where two histories become one, cells have other
 * numbers, and with a cell like this no more is given to both (`mergeParts`).
 */
const LOST = 'lost '
const NOTED = '1'

type Notes = ReadonlyMap<string, string>

/**
 * Of some cells of earlier answers those that can be in no answer any more: whom questions told apart in them are too few already,
 * whatever is asked next, and parts only get smaller. That such a cell is missing is told once; it follows from that ever after. Those
 * whose rows changed do not count apart: when rows of more have, they are more.
 */
export function lostCells(
  { partition, apart }: { readonly partition: Partition; readonly apart: Partition },
  among: ReadonlySet<number>,
): readonly number[] {
  if (among.size === 0) return []
  const parts = new Map<number, Map<number, number>>([...among].map((cell) => [cell, new Map()]))
  const { cells, leasts } = partition
  for (let person = 0; person < cells.lower.length; person += 1) {
    const sizes = parts.get(cellAt(cells, person))
    if (!sizes) continue
    const part = cellAt(apart.cells, person)
    sizes.set(part, (sizes.get(part) ?? 0) + 1)
  }
  return [...parts].flatMap(([cell, sizes]) => {
    const least = numberAt(leasts, cell)
    return sizes.values().some((size) => size < least) ? [cell] : []
  })
}

/** Whether it was told of a cell that it is lost. */
export function isToldLost(notes: Notes, cell: number): boolean {
  return notes.has(LOST + String(cell))
}

/** Notes with that of some cells it is told now. */
export function withLost(notes: Notes, cells: readonly number[]): Map<string, string> {
  return new Map([...notes, ...cells.map((cell) => [LOST + String(cell), NOTED] as const)])
}
