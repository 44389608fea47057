import type { CollectedGroup } from './collected-group.ts'
import type { AnswerContext } from './guard-answer.ts'
import { setsOfMeasure } from './guard-groups.ts'
import { lackingValues } from './leave-out.ts'
import { haveSharedPeople } from './merge-groups.ts'
import type { Partition } from './partition.ts'
import { cutBy } from './row-cuts.ts'
import { havingValues } from './rows-of-means.ts'
import { numberAt } from './short-numbers.ts'

/**
 * How far an answer is from being another one: how many people would have to be others than they are, in whatever way,
 * with the cells of earlier answers as they stand. What fewer than a minimum group of people cannot change says nothing
 * about them, whoever they are (`docs/explanation/why-answers-cannot-be-combined.md`, "What no few people decide").
 */
export interface AnswerDistance {
  /** With fewer people than this being others, not every row that is large enough can be shown with everybody in it. */
  readonly toWhole: number
  /** With fewer than a minimum group being others, rows of an answer about fewer people show at most so many. */
  readonly mostShown: number
}

/**
 * Lower and upper bounds, for groups as `rowsOfMeans` gives them; nothing is known where somebody stands in several rows.
 * Two passes over the people of the rows.
 */
export function measureDistance(
  groups: readonly CollectedGroup[],
  { settings: { minimumGroup }, partitions, refused }: AnswerContext,
): AnswerDistance {
  if (haveSharedPeople(groups)) return { toWhole: 0, mostShown: Infinity }
  const distances = partitions.map(({ partition }) => {
    const parts = partsOf(partition, { groups, minimumGroup, refused })
    return {
      // Each who is another leaves one atom and comes to one.
      toWhole: Math.ceil(stepsToWhole(partition, { parts, groups, minimumGroup }) / 2),
      mostShown: mostShown(parts, minimumGroup),
    }
  })
  // Every data set has to be content with the whole answer, and each leaves people out of the other.
  return {
    toWhole: Math.max(0, ...distances.map(({ toWhole }) => toWhole)),
    mostShown: Math.min(...distances.map((distance) => distance.mostShown)),
  }
}

/** People of one cell in one row, and how thin they are: by how many a count of them at least has to change to be none or enough. */
interface Part {
  readonly cell: number
  readonly row: CollectedGroup
  readonly size: number
  /** Added up over those who are in the same measures (atoms). */
  readonly steps: number
  /** The same without those who lack a value of what is averaged. */
  readonly valued: { readonly size: number; readonly steps: number }
}

interface Rows {
  readonly groups: readonly CollectedGroup[]
  readonly minimumGroup: number
}

function partsOf(
  before: Partition,
  { groups, minimumGroup, refused }: Rows & Pick<AnswerContext, 'refused'>,
): readonly Part[] {
  const ofRows = groups.map(({ people }) => people)
  const ofMeasures = new Set(groups.flatMap(({ measures }) => measures.flatMap(setsOfMeasure)))
  const others = ofMeasures.difference(new Set(ofRows))
  // Where no measure has a set of its own nobody lacks a value, and nothing is cut further.
  const kept = others.size === 0 ? refused?.find(before, ofRows) : undefined
  const { draft, cells } = kept ?? cutBy(before, ofRows)
  const rowOf = new Map(groups.flatMap((row, index) => (cells[index] ?? []).map((id) => [id, row] as const)))
  const partCount = draft.cellCount
  for (const set of others) draft.cut(set)
  // Of whom too few have a value, these may be others, and then everybody is shown.
  const lacking = new Set(others.size === 0 ? [] : draft.cut(lackingValues(groups, minimumGroup)))
  const atoms = Map.groupBy(draft.inside, (id) => draft.ancestorOf(id, partCount))
  return [...atoms].flatMap(([part, ids]) => {
    const row = rowOf.get(part)
    const add = (some: readonly number[]) => ({
      size: some.reduce((sum, id) => sum + (draft.sizes[id] ?? 0), 0),
      steps: some.reduce((sum, id) => sum + stepsToEnough(draft.sizes[id] ?? 0, minimumGroup), 0),
    })
    const valued = add(ids.filter((id) => !lacking.has(id)))
    return row ? [{ cell: draft.ancestorOf(part, before.cellCount), row, ...add(ids), valued }] : []
  })
}

/** By how many a number of people has to change to be none or a minimum group. */
function stepsToEnough(size: number, minimumGroup: number): number {
  return size >= minimumGroup ? 0 : Math.min(size, minimumGroup - size)
}

/**
 * By how many all counts together have to change until all rows that are large enough can be shown: of each row its
 * atoms, or the row itself until it is too small to be asked about; of each cell those who are in no such row.
 */
function stepsToWhole(
  { sizes }: Partition,
  { parts, groups, minimumGroup }: Rows & { readonly parts: readonly Part[] },
): number {
  const large = new Set(groups.filter(({ people }) => people.count() >= minimumGroup))
  const shown = parts.filter(({ row }) => large.has(row))
  // A row of which too few have a value would be another set of people if enough had (`rows-of-means.ts`).
  const open = new Set([...large].filter((row) => havingValues(row) !== undefined))
  let steps = 0
  for (const [row, ofRow] of Map.groupBy(shown, ({ row: one }) => one))
    if (!open.has(row))
      steps += Math.min(
        ofRow.reduce((sum, part) => sum + part.steps, 0),
        row.people.count() - minimumGroup + 1,
      )
  for (const [cell, ofCell] of Map.groupBy(shown, (part) => part.cell)) {
    // Of cell 0 nobody outside counts; and whoever is in a row that may become too small would then be outside as well.
    const isSettled = ofCell.every(({ row }) => !open.has(row) && row.people.count() > 2 * (minimumGroup - 1))
    const outside = numberAt(sizes, cell) - ofCell.reduce((sum, { size }) => sum + size, 0)
    if (cell !== 0 && isSettled) steps += stepsToEnough(outside, minimumGroup)
  }
  return steps
}

/**
 * Everybody in parts that can be shown, and in those thin ones that would be worth most if others made them whole: of
 * fewer than a minimum group each changes two counts, and may be shown as well.
 */
function mostShown(parts: readonly Part[], minimumGroup: number): number {
  let changes = 2 * (minimumGroup - 1)
  let shown = minimumGroup - 1
  for (const { valued } of parts) if (valued.steps === 0) shown += valued.size
  const thin = parts
    .map(({ valued }) => valued)
    .filter(({ steps }) => steps > 0)
    .toSorted((one, other) => other.size / other.steps - one.size / one.steps)
  for (const { size, steps } of thin) {
    if (changes <= 0) break
    shown += size * Math.min(1, changes / steps)
    changes -= steps
  }
  return shown
}
