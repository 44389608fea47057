import { BitGatherer } from '../../kernel/bitset.ts'
import type { Bitset } from '../../kernel/bitset.ts'
import { cellAt } from './cell-numbers.ts'
import type { Partition } from './partition.ts'
import { lengthened, numberAt } from './short-numbers.ts'

/** The people of each cell that anybody stands in, cell 0 left out. */
export function cellsOf({
  cells,
  cellCount,
  sizes: shortSizes,
  leasts,
}: Partition): readonly { readonly people: Bitset; readonly least: number }[] {
  const sizes = lengthened(shortSizes, cellCount)
  const starts = new Int32Array(cellCount + 1)
  for (let cell = 1; cell < cellCount; cell += 1) starts[cell + 1] = (starts[cell] ?? 0) + (sizes[cell] ?? 0)
  const people = new Int32Array(starts[cellCount] ?? 0)
  const next = starts.slice()
  for (let person = 0; person < cells.lower.length; person += 1) {
    const cell = cellAt(cells, person)
    if (cell === 0) continue
    people[next[cell] ?? 0] = person
    next[cell] = (next[cell] ?? 0) + 1
  }
  const gatherer = new BitGatherer()
  const found: { people: Bitset; least: number }[] = []
  for (let cell = 1; cell < cellCount; cell += 1) {
    for (const person of people.subarray(starts[cell], starts[cell + 1])) gatherer.add(person)
    if ((sizes[cell] ?? 0) > 0) found.push({ people: gatherer.take(), least: numberAt(leasts, cell) })
  }
  return found
}
