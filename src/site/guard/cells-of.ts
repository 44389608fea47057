import { BitGatherer } from '../../kernel/bitset.ts'
import type { Bitset } from '../../kernel/bitset.ts'
import { CELL_MASK } from './partition.ts'
import type { Partition } from './partition.ts'

/** The people of each cell that anybody stands in, cell 0 left out. */
export function cellsOf({
  cells,
  cellCount,
  sizes,
  leasts,
}: Partition): readonly { readonly people: Bitset; readonly least: number }[] {
  const starts = new Int32Array(cellCount + 1)
  for (let cell = 1; cell < cellCount; cell += 1) starts[cell + 1] = (starts[cell] ?? 0) + (sizes[cell] ?? 0)
  const people = new Int32Array(starts[cellCount] ?? 0)
  const next = starts.slice()
  for (let person = 0; person < cells.length; person += 1) {
    const cell = (cells[person] ?? 0) & CELL_MASK
    if (cell === 0) continue
    people[next[cell] ?? 0] = person
    next[cell] = (next[cell] ?? 0) + 1
  }
  const gatherer = new BitGatherer()
  const found: { people: Bitset; least: number }[] = []
  for (let cell = 1; cell < cellCount; cell += 1) {
    for (const person of people.subarray(starts[cell], starts[cell + 1])) gatherer.add(person)
    if ((sizes[cell] ?? 0) > 0) found.push({ people: gatherer.take(), least: leasts[cell] ?? 0 })
  }
  return found
}
