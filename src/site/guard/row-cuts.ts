import type { Bitset } from '../../kernel/bitset.ts'
import { PartitionDraft } from './partition-draft.ts'
import type { Partition } from './partition.ts'

/** How sets of people cut a partition. */
export interface RowCut {
  readonly sets: readonly Bitset[]
  readonly draft: PartitionDraft
  /** The cells that each set came to, in the order of the sets. They are still its own where nobody is in two sets. */
  readonly cells: readonly (readonly number[])[]
}

/** Cuts a partition by each set in turn. One pass over their members. */
export function cutBy(before: Partition, sets: readonly Bitset[]): RowCut {
  const draft = new PartitionDraft(
    before,
    sets.reduce((most, set) => Math.max(most, set.capacity), 0),
  )
  return { sets, draft, cells: sets.map((set) => draft.cut(set)) }
}

/**
 * The cut for which an answer was refused, kept until it is known who is left out: they are found by the same cut, which is
 * the dearest part of both. Of one answer only; nothing may cut further what was looked up here.
 */
export class RefusedCuts {
  readonly #cuts = new Map<Partition, RowCut>()

  keep(before: Partition, cut: RowCut): void {
    this.#cuts.set(before, cut)
  }

  /** The kept cut by exactly these sets. */
  find(before: Partition, sets: readonly Bitset[]): RowCut | undefined {
    const cut = this.#cuts.get(before)
    const isSame = cut?.sets.length === sets.length && cut.sets.every((set, index) => set === sets[index])
    return isSame ? cut : undefined
  }
}
