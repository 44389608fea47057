import { BitGatherer } from '../../src/kernel/bitset.ts'
import type { Bitset } from '../../src/kernel/bitset.ts'
import { partitionAfter } from '../../src/site/guard/differencing.ts'
import { PartitionDraft } from '../../src/site/guard/partition-draft.ts'
import { EMPTY_PARTITION } from '../../src/site/guard/partition.ts'
import type { Partition } from '../../src/site/guard/partition.ts'

/** People of one block; a released set holds all of a block or nobody, so that no part is ever too small. */
const BLOCK_PEOPLE = 40
const BLOCKS_OF_A_SET_MAX = 50

/** People in blocks of at least so many, none of which stands in two groups. */
export class Blocks {
  readonly personCount: number
  readonly #people: Int32Array
  /** Where each block begins, and the end of the last. */
  readonly #starts: readonly number[]
  readonly #gatherer = new BitGatherer()

  constructor(groups: readonly Iterable<number>[]) {
    const lists = groups.map((group) => Int32Array.from(group))
    this.personCount = lists.reduce((sum, { length }) => sum + length, 0)
    this.#people = new Int32Array(this.personCount)
    const starts = [0]
    let from = 0
    for (const list of lists) {
      this.#people.set(list, from)
      const blockCount = Math.floor(list.length / BLOCK_PEOPLE)
      for (let block = 1; block < blockCount; block += 1) starts.push(from + block * BLOCK_PEOPLE)
      from += list.length
      if (blockCount > 0) starts.push(from)
    }
    this.#starts = starts
  }

  get count(): number {
    return this.#starts.length - 1
  }

  /** Everybody in so many blocks from one on, as far as there are any. */
  people(first: number, blockCount: number): Bitset {
    const end = this.#starts[Math.min(this.count, first + blockCount)] ?? 0
    for (let at = this.#starts[first] ?? end; at < end; at += 1) this.#gatherer.add(this.#people[at] ?? 0)
    return this.#gatherer.take()
  }
}

/** Everybody, numbered in one order and standing in blocks in another, as people of one region or age do. */
export function scatteredPeople(personCount: number): Int32Array {
  // A multiplication by a number that shares no factor with the count goes through everybody once.
  return Int32Array.from({ length: personCount }, (_, place) => (place * 7_919) % personCount)
}

/** The partition that so many answers leave behind, each over a few neighbouring blocks. */
export function partitionAfterAnswers(blocks: Blocks, answerCount: number): Partition {
  const draft = new PartitionDraft(EMPTY_PARTITION, blocks.people(0, blocks.count).capacity)
  let state = 1
  for (let answer = 0; answer < answerCount; answer += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    draft.cut(blocks.people(state % blocks.count, 1 + ((state >>> 16) % BLOCKS_OF_A_SET_MAX)))
  }
  const smallest = draft.touched.reduce((least, cell) => Math.min(least, draft.sizes[cell] ?? 0), Infinity)
  if (smallest < BLOCK_PEOPLE) throw new Error(`A cell has ${smallest} people`)
  return partitionAfter({ draft, rowShapes: new Map(), isEmpty: false })
}
