import { Bitset } from '../../kernel/bitset.ts'
import { err, ok } from '../../kernel/result.ts'
import type { Result } from '../../kernel/result.ts'
import { cellAt } from './cell-numbers.ts'
import { cellsOf } from './cells-of.ts'
import {
  changedAmong,
  CLOSED_SHAPE,
  cutChanged,
  membersOf,
  partitionAfter,
  weakCells,
} from './differencing.ts'
import type { CutPlan, CutProblem } from './differencing.ts'
import { withLost } from './lost-cells.ts'
import { unionOf } from './merge-groups.ts'
import { isSummed, notesBefore, withNoted } from './noted-columns.ts'
import type { ColumnNames, NotedColumns } from './noted-columns.ts'
import type { UsedColumn } from './known-columns.ts'
import { PartitionDraft } from './partition-draft.ts'
import type { Partition } from './partition.ts'
import { cutBy } from './row-cuts.ts'

/** Into which parts a question puts people by what it asks of them, and what it sums. */
export interface AnswerParts {
  /**
   * Sets of people for whom its conditions, filters and keys came out alike, whether or not they stand in a row. None where nothing
   * tells people apart that sums could be of; undefined where they are too many to be told.
   */
  readonly apart: readonly Bitset[] | undefined
  /** The same of what is decided within the values that are summed: each is summed over by itself. */
  readonly within: readonly Bitset[] | undefined
  /** What `apart` is by. */
  readonly decided: ColumnNames
  /** What people were chosen by without being told apart. */
  readonly untold: ColumnNames
  readonly summed: ColumnNames
  /** Cells of earlier answers that are left out and can be in none any more, by data set (`lost-cells.ts`). */
  readonly lost?: ReadonlyMap<string, readonly number[]> | undefined
}

/** A question that tells nobody apart. */
export const NO_PARTS: AnswerParts = {
  apart: [],
  within: [],
  decided: new Map(),
  untold: new Map(),
  summed: new Map(),
}

/** One answer beside those before it. */
export interface AlikeRequest {
  readonly dataSet: string
  /** What earlier answers were over. */
  readonly partition: Partition
  /** Who was told apart by earlier questions, and which columns they decided by and summed: its row shapes are the names of these. */
  readonly apart: Partition
  readonly parts: AnswerParts
  readonly eligible: Bitset
  /** In the mode `rows`: whose rows are given. Of the others it is told that they are in none of these. */
  readonly given?: { readonly people: Bitset; readonly columns: readonly UsedColumn[] }
  /** What the answer is over. */
  readonly sets: readonly Bitset[]
  readonly minimumGroup: number
  /** How these cut the partition, where that is known (`checkCuts`). */
  readonly cut?: PartitionDraft | undefined
}

/**
 * Whether all people of a cell are alike in everything that was ever asked of a column that is summed, or are told apart into
 * nobody or a minimum group (`docs/explanation/why-answers-cannot-be-combined.md`, *Alike in what was asked*). Gives what has to be kept
 * of the question beside the cuts of its answer.
 */
export function checkAlike(request: AlikeRequest): Result<CutPlan, CutProblem> {
  const { parts } = request
  const plan = planApart(request)
  const relation = relationOf(request)
  if (relation === 'closed' || relation === 'parts') return err({ note: relation, people: new Bitset() })
  if (parts.within === undefined) return err({ note: 'parts', people: new Bitset() })
  if (relation === 'none') return ok(plan)
  const draft = draftAlike(request, plan.draft)
  const weak = thinCells(draft, request.minimumGroup)
  return weak.length === 0 ? ok(plan) : err({ note: 'cut', people: membersOf(draft, weak), isOfParts: true })
}

/** Whom an answer has to do without so that the others are alike. */
export interface LeavingUnalike {
  readonly people: Bitset
  /** Cells of earlier answers that leave whole: each tells that somebody in it is not like the others. */
  readonly cells: ReadonlySet<number>
}

/**
 * Who is told apart in too small a part: alone where they were in no answer yet, else with everybody of their cell, because of a cell
 * that is cut both halves can be summed. Undefined where rows of somebody changed.
 */
export function leaveOutUnalike(request: AlikeRequest): LeavingUnalike | undefined {
  const people = new Bitset()
  if (relationOf(request) !== 'told') return { people, cells: new Set() }
  const draft = draftAlike(request, planApart(request).draft)
  if (draft.hasChanged) return undefined
  const { cells } = request.partition
  const leaving = new Set<number>()
  const unalike = membersOf(draft, thinCells(draft, request.minimumGroup))
  for (const person of unalike.difference(fewOfCuts(request, draft))) {
    const cell = cellAt(cells, person)
    if (cell === 0) people.add(person)
    else leaving.add(cell)
  }
  if (leaving.size > 0)
    for (const person of request.eligible) if (leaving.has(cellAt(cells, person))) people.add(person)
  return { people, cells: leaving }
}

/**
 * Who is in too small a part by what the answer is over alone, in a cell that nothing else parts: others are left out beside them
 * (`leave-out.ts`). Where something does, these others would be too few of a part.
 */
function fewOfCuts({ partition, sets, minimumGroup }: AlikeRequest, parted: PartitionDraft): Bitset {
  const { draft } = cutBy(partition, sets)
  const { cellCount } = partition
  const [partsByCuts, parts] = [draft, parted].map((one) => partCounts(one, cellCount))
  const few = weakCells(draft, minimumGroup).filter((cell) => {
    const ancestor = draft.ancestorOf(cell, cellCount)
    return partsByCuts?.[ancestor] === parts?.[ancestor]
  })
  return membersOf(draft, few)
}

/** Into how many parts each cell is cut. */
function partCounts(draft: PartitionDraft, cellCount: number): Int32Array {
  const counts = new Int32Array(cellCount)
  for (let cell = 0; cell < draft.cellCount; cell += 1) {
    const ancestor = draft.ancestorOf(cell, cellCount)
    if ((draft.sizes[cell] ?? 0) > 0) counts[ancestor] = (counts[ancestor] ?? 0) + 1
  }
  return counts
}

/** The parts of a question that is answered as if some people were not there. */
export function partsWithout(parts: AnswerParts, people: Bitset): AnswerParts {
  const without = (set: Bitset) => set.difference(people)
  return { ...parts, apart: parts.apart?.map(without), within: parts.within?.map(without) }
}

/**
 * What the question adds: whom it tells apart, and what it decides by and sums. A question with more parts than can be told closes
 * what is known of parts, so that no sum of what is decided by is given any more.
 */
function planApart(request: AlikeRequest): CutPlan {
  const { apart: before, parts } = request
  const sets = parts.apart ?? []
  const draft = new PartitionDraft(before, capacityOf(sets))
  for (const set of sets) draft.cut(set)
  // Whoever changed is another person from now on, of whom only this is asked yet.
  if (draft.hasChanged) cutChanged(draft, sets)
  const rowShapes = notesWith(request)
  if (parts.apart === undefined) rowShapes.set(CLOSED_SHAPE, CLOSED_SHAPE)
  const isEmpty =
    draft.cellCount === before.cellCount && draft.toggled.isEmpty && rowShapes.size === before.rowShapes.size
  return { draft, rowShapes, isEmpty }
}

function notesWith({ apart, partition, parts, dataSet }: AlikeRequest): Map<string, string> {
  const notes = withNoted(notesBefore(apart.rowShapes, partition.cellCount > 1), namesIn(parts, dataSet))
  return withLost(notes, parts.lost?.get(dataSet) ?? [])
}

function namesIn({ decided, summed, untold }: AnswerParts, dataSet: string): NotedColumns {
  const of = (columns: ColumnNames) => [...(columns.get(dataSet) ?? [])]
  return { decided: of(decided), summed: of(summed), untold: of(untold) }
}

/**
 * Whether people have to be alike: `told` once something is summed and decided by, in this question or in any before; `parts` where
 * that is so and whom questions told apart is not known, because they were too many; `closed` where nobody was ever told apart by what is
 * summed (names alone decide that).
 */
function relationOf(request: AlikeRequest): 'none' | 'told' | 'closed' | 'parts' {
  const notes = notesWith(request)
  if (isSummed(notes, 'untold')) return 'closed'
  if (!isSummed(notes, 'decided')) return 'none'
  return request.parts.apart === undefined || notes.has(CLOSED_SHAPE) ? 'parts' : 'told'
}

/**
 * The cells of earlier answers, cut by what this one is over, then by everything that ever told people apart and what this question adds.
 * What it touches are cells of answers; whoever was told apart in one of them before counts by themselves.
 */
function draftAlike(
  { partition, parts, sets, given, minimumGroup, cut }: AlikeRequest,
  apart: PartitionDraft,
): PartitionDraft {
  const told = parts.apart ?? []
  const draft = (cut ?? draftOf(partition, sets)).copy(apart.cells.lower.length)
  // Cells from before their minimum was kept were in an answer all the same.
  draft.raiseEarlier(1)
  draft.raise(draft.inside, minimumGroup)
  const isCut = new Set(sets)
  const answered = unionOf(sets)
  for (const set of told) if (!isCut.has(set)) draft.touchApart(outsideOf(set, answered))
  // What is asked now is not asked of what somebody was when they stood in an answer.
  if (draft.hasChanged) draft.cutApart(changedAmong(draft.before, told))
  if (given) draft.touchCellsOf(given.people)
  draft.splitBy(apart)
  // They count no longer among those who are alike and unknown, whatever was asked of them.
  if (given) draft.learn(given.people, given.columns)
  return draft
}

/**
 * Those of a set who are in no answer, and perhaps others: whoever is in the answer is in a cell that it touches, all of which is in the
 * answer. To take out a few of them would take longer than to count them.
 */
function outsideOf(set: Bitset, answered: Bitset): Bitset {
  return set.intersectionCount(answered) * 32 < set.capacity ? set : set.difference(answered)
}

function draftOf(partition: Partition, sets: readonly Bitset[]): PartitionDraft {
  const { draft } = cutBy(partition, sets)
  if (draft.hasChanged) cutChanged(draft, sets)
  return draft
}

/**
 * What two acquirers were told apart people by, together: into the first of them. Where something is summed and decided by, nobody has
 * looked at both together yet. Then everybody who was in an answer has to be alike now, else no more is given.
 */
export function mergeParts(
  { into, from }: { readonly into: Partition; readonly from: Partition },
  {
    answers,
    changes,
    minimumGroup,
  }: {
    readonly answers: Partition
    readonly changes: readonly Bitset[]
    readonly minimumGroup: number
  },
): CutPlan {
  const draft = new PartitionDraft(into, from.cells.lower.length)
  for (const { people } of cellsOf(from)) draft.cut(people)
  // One may have been told of somebody before a change, and the other after it.
  for (const people of changes) draft.cut(people)
  const marked = changedAmong(
    from,
    cellsOf(from).map(({ people }) => people),
  )
  draft.toggled.addAll(marked.difference(changedAmong(into, [marked])))
  // One of them without notes may have had answers before there were any.
  const rowShapes = new Map(
    [into, from].flatMap((one) => [...notesBefore(one.rowShapes, answers.cellCount > 1)]),
  )
  const together = partitionAfter({ draft, rowShapes, isEmpty: false })
  if (isSummed(rowShapes, 'decided') && isAnybodyUnalike(answers, { apart: together, minimumGroup }))
    rowShapes.set(CLOSED_SHAPE, CLOSED_SHAPE)
  return { draft, rowShapes, isEmpty: false }
}

function isAnybodyUnalike(
  answers: Partition,
  { apart, minimumGroup }: { readonly apart: Partition; readonly minimumGroup: number },
): boolean {
  const draft = new PartitionDraft(answers, apart.cells.lower.length)
  for (const { people } of cellsOf(answers)) draft.cut(people)
  draft.raise(draft.inside, minimumGroup)
  draft.splitBy(new PartitionDraft(apart, 0))
  return thinCells(draft, minimumGroup).length > 0
}

/** Cells that an answer would use, or would split, and that have too few people. Who was in no answer and is in none now does not count. */
function thinCells(draft: PartitionDraft, minimumGroup: number): readonly number[] {
  const leasts = draft.leasts()
  return weakCells(draft, minimumGroup).filter((cell) => (leasts[cell] ?? 0) > 0)
}

function capacityOf(sets: readonly Bitset[]): number {
  return sets.reduce((most, { capacity }) => Math.max(most, capacity), 0)
}
