import { BitGatherer, Bitset } from '../../kernel/bitset.ts'
import { leaveOutUnalike, NO_PARTS, partsWithout } from './alike.ts'
import type { CollectedGroup } from './collected-group.ts'
import { cellAt } from './cell-numbers.ts'
import type { AnswerContext } from './guard-answer.ts'
import { setsOfMeasure } from './guard-groups.ts'
import { isToldLost, lostCells } from './lost-cells.ts'
import { haveSharedPeople, mergeGroups } from './merge-groups.ts'
import { EMPTY_PARTITION } from './partition.ts'
import type { PartitionDraft } from './partition-draft.ts'
import type { Partition } from './partition.ts'
import { cutBy } from './row-cuts.ts'
import type { RefusedCuts } from './row-cuts.ts'
import { MEANS } from './rows-of-means.ts'
import { numberAt } from './short-numbers.ts'
import { wasUsed } from './uses.ts'

/** Who is left out so that the rest can be answered for, and how much that tells. */
export interface LeavingOut {
  readonly people: Bitset
  /** Cells of which others are left out beside a few, so that the few are a minimum group, or all: each tells that there are some. */
  readonly coveredCells: number
  /** Parts with people enough that are left out because a measure in them is about a few: each tells that there are some. */
  readonly thinParts: number
  /**
   * Those of them who are in a part with people enough that leaves whole for one of these things, or in a cell of which that was told
   * before: that a row is missing whose parts all left so, or are too thin by themselves, follows.
   */
  readonly explained: Bitset
  /** Cells that can be in no answer any more, of which that is told now, by data set. */
  readonly lost: ReadonlyMap<string, readonly number[]>
  /** How often it was looked: that one look was not enough is told as well (`leave-out-more.ts`). */
  readonly looks: number
}

/**
 * Whom an answer can do without so that it holds beside the earlier ones: those without a value of what is averaged;
 * of each cell the parts of a row that are too thin, whole; and, where that and whom the question left out are too few
 * of a cell, as many others as make a minimum group, or the whole cell where somebody of it may not be used.
 *
 * It only proposes: the answer is made and guarded again without them. Undefined where somebody left or has changed rows since an
 * answer like this one, because then all of it waits. Two passes over the people of the rows.
 */
export function whomToLeaveOut(
  groups: readonly CollectedGroup[],
  { settings: { minimumGroup }, partitions, refused, parts }: AnswerContext,
): LeavingOut | undefined {
  const lacking = lackingValues(groups)
  const lost = new Map<string, readonly number[]>()
  const explained = new Bitset()
  let [coveredCells, thinParts] = [0, 0]
  for (const one of parts ? partitions : []) {
    const sets = groups.filter((group) => group.people.count() >= minimumGroup).map((group) => group.people)
    const { dataSet, apart = EMPTY_PARTITION } = one
    const unalike = leaveOutUnalike({
      ...one,
      apart,
      parts: parts ?? NO_PARTS,
      sets,
      minimumGroup,
    })
    if (!unalike) return undefined
    if (unalike.cells.size > 0)
      explained.addAll(inLargeParts(sets, { ...one, among: unalike.cells, without: lacking, minimumGroup }))
    lacking.addAll(unalike.people)
    const untold = [...unalike.cells].filter((cell) => !isToldLost(apart.rowShapes, cell))
    lost.set(dataSet, lostCells({ ...one, apart }, new Set(untold)))
    coveredCells += untold.length
  }
  const rows = rowsToShow(
    groups.map((group) => withoutPeople(group, lacking)),
    minimumGroup,
  )
  const people = lacking
  for (const { partition, eligible, use } of partitions) {
    const leaving = leaveOutOf(partition, { rows, eligible, use, minimumGroup, refused })
    if (!leaving) return undefined
    people.addAll(leaving.people)
    explained.addAll(leaving.explained)
    coveredCells += leaving.coveredCells
    thinParts += leaving.thinParts
  }
  return people.isEmpty ? undefined : { people, coveredCells, thinParts, explained, lost, looks: 1 }
}

/**
 * Those without a value of something that is averaged, in rows of which at least so many have one. Where nobody has, nobody is
 * without whom there would be a mean: the row shows that there is none.
 */
export function lackingValues(groups: readonly CollectedGroup[], leastHaving = 1): Bitset {
  const lacking = new Bitset()
  for (const { people, measures } of groups)
    for (const { kind, people: changing, counted = changing } of measures)
      if (MEANS.includes(kind) && counted !== people && counted.count() >= leastHaving)
        lacking.addAll(people.difference(counted))
  return lacking
}

/** Those of rows who are in some cells, where those of one row are a minimum group of the cell without some people. */
function inLargeParts(
  rows: readonly Bitset[],
  {
    partition: { cells, leasts },
    among,
    without,
    minimumGroup,
  }: {
    readonly partition: Partition
    readonly among: ReadonlySet<number>
    readonly without: Bitset
    readonly minimumGroup: number
  },
): Bitset {
  const gatherer = new BitGatherer()
  const isIn = (person: number, some: ReadonlySet<number>) =>
    some.has(cellAt(cells, person)) && !without.has(person)
  for (const row of rows) {
    const sizes = new Map<number, number>()
    row.forEach((person) => {
      const cell = cellAt(cells, person)
      if (isIn(person, among)) sizes.set(cell, (sizes.get(cell) ?? 0) + 1)
    })
    const large = new Set(
      [...sizes].flatMap(([cell, size]) =>
        size < Math.max(minimumGroup, numberAt(leasts, cell)) ? [] : [cell],
      ),
    )
    row.forEach((person) => {
      if (isIn(person, large)) gatherer.add(person)
    })
  }
  return gatherer.take()
}

/** What an answer about fewer people is held against: nobody asked for those who are left out. */
export function contextWithout(
  context: AnswerContext,
  { people, lost }: Pick<LeavingOut, 'people' | 'lost'>,
): AnswerContext {
  return { ...context, parts: context.parts && { ...partsWithout(context.parts, people), lost } }
}

/** The sets of a group without some people; what was computed over them stands as it was, and is not to be used. */
export function withoutPeople(group: CollectedGroup, people: Bitset): CollectedGroup {
  if (group.people.intersectionCount(people) === 0) return group
  const rest = group.people.difference(people)
  const restOf = (set: Bitset): Bitset => (set === group.people ? rest : set.difference(people))
  return {
    ...group,
    people: rest,
    measures: group.measures.map((measure) => ({
      ...measure,
      people: restOf(measure.people),
      ...(measure.counted ? { counted: restOf(measure.counted) } : {}),
    })),
  }
}

/** The groups with people enough, and the others as the one row that they may become. */
function rowsToShow(groups: readonly CollectedGroup[], minimumGroup: number): readonly CollectedGroup[] {
  const large = groups.filter(({ people }) => people.count() >= minimumGroup)
  const small = groups.filter(({ people }) => people.count() < minimumGroup)
  return small.length === 0 || haveSharedPeople(groups) ? large : [...large, mergeGroups(small)]
}

interface Rows {
  readonly rows: readonly CollectedGroup[]
  readonly eligible: Bitset
  readonly use: string | undefined
  readonly minimumGroup: number
  readonly refused: RefusedCuts | undefined
}

function leaveOutOf(
  partition: Partition,
  { rows, eligible, use, minimumGroup, refused }: Rows,
): Omit<LeavingOut, 'lost' | 'looks'> | undefined {
  const parts = partsOf(partition, { rows, refused })
  if (!parts) return undefined
  const takes = new Map<number, number>()
  const covered = new Set<number>()
  const explained = new Map<number, number>()
  let thinParts = 0
  for (const [cell, inside] of parts.cells) {
    const takesOfCell = takesFrom(inside, {
      outside: outsideOf(partition, cell, inside),
      minimumGroup: Math.max(minimumGroup, numberAt(partition.leasts, cell)),
    })
    for (const [atom, count] of takesOfCell.takes) takes.set(atom, count)
    if (takesOfCell.isCovered) covered.add(cell)
    thinParts += takesOfCell.thinParts
    for (const { id, size } of takesOfCell.explained) explained.set(id, size)
  }
  const left = cellsLeft(partition, { covered, eligible })
  // Of an ask like one before, that waits; of another one the cell does: others beside somebody who left would hide it.
  if (left.length > 0 && wasUsed(partition, use)) return undefined
  for (const cell of left) {
    const inside = parts.cells.get(cell) ?? []
    for (const { id, size } of inside) takes.set(id, size)
    const leastOfCell = Math.max(minimumGroup, numberAt(partition.leasts, cell))
    for (const { id, size } of inLargest(inside, leastOfCell)) explained.set(id, size)
  }
  return {
    people: takePeople(parts, takes),
    explained: takePeople(parts, explained),
    coveredCells: covered.size,
    thinParts,
  }
}

/** People of one cell in one row who are in the same measures. */
interface Atom {
  readonly id: number
  readonly part: number
  readonly size: number
}

interface Parts {
  /** By cell of the partition. */
  readonly cells: ReadonlyMap<number, readonly Atom[]>
  /** How rows and measures cut the cells: its cells are the atoms. */
  readonly draft: PartitionDraft
}

/** Into what parts rows and measures would cut the cells; undefined when rows of somebody changed. */
function partsOf(before: Partition, { rows, refused }: Pick<Rows, 'rows' | 'refused'>): Parts | undefined {
  const ofRows = new Set(rows.map((row) => row.people))
  const ofMeasures = new Set(rows.flatMap((row) => row.measures.flatMap(setsOfMeasure))).difference(ofRows)
  const kept = ofMeasures.size === 0 ? refused?.find(before, [...ofRows]) : undefined
  const { draft } = kept ?? cutBy(before, [...ofRows])
  if (draft.hasChanged) return undefined
  // Whatever the measures cut off now belongs to a part that there is already.
  const partCount = draft.cellCount
  for (const set of ofMeasures) draft.cut(set)
  const atoms = draft.inside.map((id) => ({
    id,
    part: draft.ancestorOf(id, partCount),
    size: draft.sizes[id] ?? 0,
  }))
  return { cells: Map.groupBy(atoms, ({ id }) => draft.ancestorOf(id, before.cellCount)), draft }
}

/** How many of a cell are in no row; of cell 0, of whom nothing was released, nobody has to be counted. */
function outsideOf({ sizes }: Partition, cell: number, inside: readonly Atom[]): number | undefined {
  return cell === 0 ? undefined : numberAt(sizes, cell) - sizeOf(inside)
}

function sizeOf(atoms: readonly Atom[]): number {
  return atoms.reduce((sum, { size }) => sum + size, 0)
}

interface CellTakes {
  /** How many of which atom are left out. */
  readonly takes: ReadonlyMap<number, number>
  readonly isCovered: boolean
  /** Parts that have people enough, and leave all the same. */
  readonly thinParts: number
  /** Everybody of these. */
  readonly explained: readonly Atom[]
}

/** The atoms of parts that have people enough. */
function inLargest(atoms: readonly Atom[], minimumGroup: number): readonly Atom[] {
  const parts = Map.groupBy(atoms, ({ part }) => part)
  return [...parts.values()].filter((part) => sizeOf(part) >= minimumGroup).flat()
}

/**
 * What is left out of a cell so that all that remains inside, and all that is outside then, are none or a minimum group:
 * parts that are too thin, then, beside a few, as many of the others.
 */
function takesFrom(
  inside: readonly Atom[],
  { outside, minimumGroup }: { readonly outside: number | undefined; readonly minimumGroup: number },
): CellTakes {
  const thin = new Set(inside.filter(({ size }) => size < minimumGroup).map(({ part }) => part))
  const kept = inside.filter(({ part }) => !thin.has(part))
  const leaving = inside.filter(({ part }) => thin.has(part))
  const takes = new Map(leaving.map(({ id, size }) => [id, size]))
  const explained = inLargest(leaving, minimumGroup)
  const thinParts = new Set(explained.map(({ part }) => part)).size
  const few = outside === undefined ? 0 : outside + sizeOf(leaving)
  if (few === 0 || few >= minimumGroup || kept.length === 0)
    return { takes, isCovered: false, thinParts, explained }
  const beside = coverFew(kept, { needed: minimumGroup - few, minimumGroup })
  // A part that leaves whole for a cover is not explained: it could have been another one.
  return { takes: new Map([...takes, ...beside]), isCovered: true, thinParts, explained }
}

/** So many people of the parts that stay, from each atom by its size as far as it can spare them; else a whole part. */
function coverFew(
  kept: readonly Atom[],
  { needed, minimumGroup }: { readonly needed: number; readonly minimumGroup: number },
): ReadonlyMap<number, number> {
  const spare = kept.reduce((sum, { size }) => sum + size - minimumGroup, 0)
  if (spare < needed) {
    const parts = Map.groupBy(kept, ({ part }) => part)
    const [smallest = []] = [...parts.values()].toSorted((left, right) => sizeOf(left) - sizeOf(right))
    return new Map(smallest.map(({ id, size }) => [id, size]))
  }
  const takes = new Map<number, number>()
  let [left, size] = [needed, sizeOf(kept)]
  for (const atom of kept.toSorted((one, other) => one.size - other.size)) {
    const share = Math.min(left, atom.size - minimumGroup, Math.ceil((left * atom.size) / size))
    takes.set(atom.id, share)
    left -= share
    size -= atom.size
  }
  return takes
}

/** Of some cells those of which somebody may not be used, or not any more. */
function cellsLeft(
  { cells, sizes, cellCount }: Partition,
  { covered, eligible }: { readonly covered: ReadonlySet<number>; readonly eligible: Bitset },
): readonly number[] {
  if (covered.size === 0) return []
  const here = new Int32Array(cellCount)
  const words = eligible.words()
  for (let person = 0; person < cells.lower.length; person += 1) {
    const cell = cellAt(cells, person)
    here[cell] = (here[cell] ?? 0) + (((words[person >>> 5] ?? 0) >>> (person & 31)) & 1)
  }
  return [...covered].filter((cell) => (here[cell] ?? 0) < numberAt(sizes, cell))
}

/** So many of each atom, evenly spread over the numbers of people: what they have in common decides nothing. */
function takePeople({ draft }: Parts, takes: ReadonlyMap<number, number>): Bitset {
  const gatherer = new BitGatherer()
  if (takes.size === 0) return gatherer.take()
  const counts = new Int32Array(draft.cellCount)
  for (const [atom, count] of takes) counts[atom] = count
  const passed = new Int32Array(draft.cellCount)
  const { cells, sizes } = draft
  for (let person = 0; person < cells.lower.length; person += 1) {
    const atom = draft.cellOf(person)
    const count = counts[atom] ?? 0
    if (count === 0) continue
    const [size, place] = [sizes[atom] ?? 1, passed[atom] ?? 0]
    passed[atom] = place + 1
    if (Math.floor(((place + 1) * count) / size) > Math.floor((place * count) / size)) gatherer.add(person)
  }
  return gatherer.take()
}
