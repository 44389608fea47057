import { BitGatherer, Bitset } from '../../kernel/bitset.ts'
import { err, ok } from '../../kernel/result.ts'
import type { Result } from '../../kernel/result.ts'
import { unionOf } from './merge-groups.ts'
import { cellAt, copyOfNumbers } from './cell-numbers.ts'
import { joinKnown } from './known-columns.ts'
import type { UsedColumn } from './known-columns.ts'
import { PartitionDraft } from './partition-draft.ts'
import { countSizes } from './partition.ts'
import type { Partition } from './partition.ts'
import { cutBy } from './row-cuts.ts'
import type { RowCut } from './row-cuts.ts'
import { numberAt, shortened } from './short-numbers.ts'

/** What an exact answer would let be known. */
export interface CutRequest {
  /** People the ask may use in this data set, whether or not they stand in a row. */
  readonly eligible: Bitset
  /** People of each output row, and of each measure that does not stand on all people of its row. */
  readonly sets: readonly Bitset[]
  /** For summed values of data with several rows a person: value to digest of what selects rows within a person. */
  readonly rowShapes: ReadonlyMap<string, string>
  readonly minimumGroup: number
}

/** Accepted cuts, not yet in force: what the record must keep before the answer leaves. */
export interface CutPlan {
  readonly draft: PartitionDraft
  /** All row shapes, those from before included. */
  readonly rowShapes: ReadonlyMap<string, string>
  /** Nothing new can be concluded, so nothing needs to be kept. */
  readonly isEmpty: boolean
}

/** A row shape that nothing has: with it no new exact answer is given at all (`merge-partitions.ts`). */
export const CLOSED_SHAPE = ''

/** Why an answer cannot stand beside the earlier ones; for the operator, never for the asker. */
export interface CutProblem {
  /**
   * `drift`: people came or went since an earlier answer; `cut`: overlaps one; `row_shape`: other rows of the same
   * people; `closed`: a group was declared whose members may know too much together already, or what a sum is of chose people
   * who were not told apart; `parts`: more parts than can be told.
   */
  readonly note: 'drift' | 'cut' | 'row_shape' | 'closed' | 'parts'
  /** Who would stand in too small a cell. */
  readonly people: Bitset
  /** It is about who was told apart by questions: to put rows together does not help. */
  readonly isOfParts?: true
  /** The cut by all sets, unless rows of somebody changed. */
  readonly cut?: RowCut
}

/**
 * Whether released sets can stand beside everything released before: each cell of the partition may be cut only into
 * parts that are empty or hold at least the minimum group (security model, "Sets that combine").
 *
 * The cost is one pass over the members of the sets, however many answers came before.
 */
export function checkCuts(before: Partition, request: CutRequest): Result<CutPlan, CutProblem> {
  if (isClosed(before)) return err({ note: 'closed', people: new Bitset() })
  const shapes = joinShapes(before.rowShapes, request.rowShapes)
  if (!shapes) return err({ note: 'row_shape', people: new Bitset() })
  const cut = cutBy(before, request.sets)
  const { draft } = cut
  if (draft.hasChanged) cutChanged(draft, request.sets)
  const weak = weakCells(draft, request.minimumGroup)
  if (weak.length > 0) {
    const problem = problemOf(request, { draft, weak })
    return err(draft.hasChanged ? problem : { ...problem, cut })
  }
  const { inside } = draft
  const isStricter = inside.some((cell) => numberAt(before.leasts, cell) < request.minimumGroup)
  draft.raise(inside, request.minimumGroup)
  const isEmpty =
    draft.cellCount === before.cellCount &&
    draft.toggled.isEmpty &&
    shapes.size === before.rowShapes.size &&
    !isStricter
  return ok({ draft, rowShapes: shapes, isEmpty })
}

/**
 * Whether rows of these people can leave, and what is known after it: whoever is left of a cell, and so could be
 * computed by taking the known ones away from an earlier sum, must be nobody or a minimum group, for each column.
 */
export function checkKnown(before: Partition, given: GivenRows): Result<CutPlan, CutProblem> {
  if (isClosed(before)) return err({ note: 'closed', people: new Bitset() })
  const plan = planKnown(before, given)
  const { draft } = plan
  const leastOf = (cell: number) => Math.max(given.minimumGroup, numberAt(before.leasts, cell))
  const partly = draft.partlyKnown(leastOf)
  const weak = draft.touched.filter(
    (cell) => !isEnough(draft.unknownOf(cell), leastOf(cell)) || partly.has(cell),
  )
  return weak.length > 0 ? err({ note: 'cut', people: membersOf(draft, weak) }) : ok(plan)
}

/** What is known once something of these people's columns was told, whether or not it may be. */
export function planKnown(before: Partition, { people, columns }: Omit<GivenRows, 'minimumGroup'>): CutPlan {
  const draft = new PartitionDraft(before, people.capacity)
  draft.learn(people, columns)
  const isEmpty = draft.newlyKnown.isEmpty && draft.learnt.size === 0
  return { draft, rowShapes: before.rowShapes, isEmpty }
}

/** Rows that are to leave: whose, and which columns of them. */
export interface GivenRows {
  readonly people: Bitset
  readonly columns: readonly UsedColumn[]
  readonly minimumGroup: number
}

/** The partition when a plan is in force; in other memory than the one before. */
export function partitionAfter({ draft, rowShapes, isEmpty }: CutPlan): Partition {
  const { before, cellCount } = draft
  if (isEmpty) return before
  const cells = copyOfNumbers(draft.cells)
  return {
    cells,
    given: before.given.union(draft.newlyKnown),
    changed: before.changed.toggled(draft.toggled),
    sizes: countSizes(cells, cellCount),
    leasts: shortened(draft.leasts()),
    known: joinKnown(before.known, draft.learnt),
    cellCount,
    rowShapes,
    head: before.head + 1,
  }
}

/**
 * The eligible people without newcomers who are too few to be a cell of their own yet: those wait, instead of making
 * every ask a refused drift until they are enough. It is for before the run; `checkCuts` decides anyway.
 */
export function admitNewcomers(partition: Partition, eligible: Bitset, minimumGroup: number): Bitset {
  if (partition.cellCount === 1) return eligible
  const newcomers = neverEligible(partition, eligible)
  return newcomers.isEmpty || newcomers.count() >= minimumGroup ? eligible : eligible.difference(newcomers)
}

function isClosed({ rowShapes }: Partition): boolean {
  return rowShapes.has(CLOSED_SHAPE)
}

/** Undefined when a value was already released over other rows of the same people. */
export function joinShapes(
  known: ReadonlyMap<string, string>,
  added: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> | undefined {
  if (added.size === 0) return known
  const joined = new Map(known)
  for (const [value, shape] of added) {
    if ((joined.get(value) ?? shape) !== shape) return undefined
    joined.set(value, shape)
  }
  return joined
}

/** Those in the sets whose rows changed since they last were in an answer are one more set, and have changed no longer. */
export function cutChanged(draft: PartitionDraft, sets: readonly Bitset[]): void {
  draft.toggled.addAll(changedAmong(draft.before, sets))
  draft.cut(draft.toggled)
}

/** Those in some sets whose rows changed since they last were in an answer. */
export function changedAmong({ changed }: Partition, sets: readonly Bitset[]): Bitset {
  return unionOf(sets).intersection(changed)
}

function neverEligible({ cells }: Pick<Partition, 'cells'>, eligible: Bitset): Bitset {
  const words = eligible.words()
  const found = new Uint32Array(words.length)
  for (let index = 0; index < words.length; index += 1) {
    let word = words[index] ?? 0
    while (word !== 0) {
      const lowest = word & -word
      word ^= lowest
      if (cellAt(cells, index * 32 + 31 - Math.clz32(lowest)) === 0)
        found[index] = (found[index] ?? 0) | lowest
    }
  }
  return Bitset.fromBytes(new Uint8Array(found.buffer))
}

function isEnough(count: number, minimumGroup: number): boolean {
  return count === 0 || count >= minimumGroup
}

/** The cells that an answer would use or make, and that have too few people, for it or for an earlier one that they were in. */
export function weakCells(draft: PartitionDraft, minimumGroup: number): readonly number[] {
  const leasts = draft.leasts()
  const leastOf = (cell: number) => Math.max(minimumGroup, leasts[cell] ?? 0)
  const partly = draft.partlyKnown(leastOf)
  return draft.touched.filter((cell) => {
    const [size, unknown] = [draft.sizes[cell] ?? 0, draft.unknownOf(cell)]
    return !isEnough(size, leastOf(cell)) || !isEnough(unknown, leastOf(cell)) || partly.has(cell)
  })
}

function problemOf(
  { eligible }: CutRequest,
  { draft, weak }: { draft: PartitionDraft; weak: readonly number[] },
): CutProblem {
  const people = membersOf(draft, weak)
  const { cells, cellCount, changed } = draft.before
  const hasHistory = cellCount > 1
  let isDrift = false
  for (const person of people) {
    const isNew = cellAt(cells, person) === 0
    if (isNew ? hasHistory : !eligible.has(person) || changed.has(person)) isDrift = true
  }
  return { note: isDrift ? 'drift' : 'cut', people }
}

/** Everybody in some cells. */
export function membersOf(draft: PartitionDraft, wanted: readonly number[]): Bitset {
  const isWanted = new Uint8Array(draft.cellCount)
  for (const cell of wanted) isWanted[cell] = 1
  const gatherer = new BitGatherer()
  for (let person = 0; person < draft.cells.lower.length; person += 1)
    if (isWanted[draft.cellOf(person)] === 1) gatherer.add(person)
  return gatherer.take()
}
