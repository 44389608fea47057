import { BitGatherer } from '../../kernel/bitset.ts'
import type { Bitset } from '../../kernel/bitset.ts'
import { CLOSED_SHAPE, joinShapes, weakCells } from './differencing.ts'
import type { CutPlan } from './differencing.ts'
import { addedAsAny } from './known-columns.ts'
import { cellsOf } from './cells-of.ts'
import { PartitionDraft } from './partition-draft.ts'
import type { Partition } from './partition.ts'
import { withUsesOf } from './uses.ts'

/** What is known of two acquirers apart, and when it is about too few. */
export interface PartitionMerge {
  readonly into: Partition
  readonly from: Partition
  /** People of each change of rows since either had an answer: they stand with other values in the answers before it and after. */
  readonly changes: readonly Bitset[]
  readonly minimumGroup: number
}

/**
 * What two acquirers know together: the common refinement of both partitions, cut by every change of rows as well,
 * because one may have seen the old values and the other the new ones. Where that leaves a cell that is too small, or
 * the two have seen different rows of the same people, they may know too much already, and the partition is closed: no
 * new exact answer comes on top of it.
 */
export function mergePartitions({ into, from, changes, minimumGroup }: PartitionMerge): CutPlan {
  const draft = new PartitionDraft(into, from.cells.lower.length)
  for (const { people, least } of cellsOf(from)) draft.raise(draft.cut(people), least)
  // Of two, one of whom had no answer, nothing can be set against each other.
  const areBothAnswered = into.cellCount > 1 && from.cellCount > 1
  if (areBothAnswered) for (const people of changes) draft.cut(standingOf(draft, people))
  const knownToBoth = from.given.intersection(into.given)
  for (const person of from.given.difference(into.given)) draft.addKnown(person)
  draft.toggled.addAll(from.changed.difference(into.changed))
  for (const { known } of [into, from]) draft.addLearnt(addedAsAny(known, knownToBoth))
  draft.addLearnt(from.known)
  const shapes = joinShapes(into.rowShapes, from.rowShapes)
  const isClosed = shapes === undefined || weakCells(draft, minimumGroup).length > 0
  const known = withUsesOf(shapes ?? into.rowShapes, [into, from])
  return {
    draft,
    rowShapes: isClosed ? new Map([...known, [CLOSED_SHAPE, CLOSED_SHAPE]]) : known,
    isEmpty: false,
  }
}

/** Those of some people who were in an answer. */
function standingOf(draft: PartitionDraft, people: Bitset): Bitset {
  const gatherer = new BitGatherer()
  for (const person of people) if (draft.cellOf(person) !== 0) gatherer.add(person)
  return gatherer.take()
}
