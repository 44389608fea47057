import type { Bitset } from '../../kernel/bitset.ts'
import { err, ok } from '../../kernel/result.ts'
import type { Result } from '../../kernel/result.ts'
import { declined } from '../../protocol/reason.ts'
import type { Outcome } from '../../protocol/reason.ts'
import type { CollectedGroup } from './collected-group.ts'
import { checkAlike } from './alike.ts'
import type { AnswerParts } from './alike.ts'
import { checkCuts } from './differencing.ts'
import type { CutPlan, CutProblem } from './differencing.ts'
import { guardGroups, setsOfMeasure, suppressMore } from './guard-groups.ts'
import type { GuardedGroups, GuardSettings } from './guard-groups.ts'
import { countShared, unionOf } from './merge-groups.ts'
import { EMPTY_PARTITION } from './partition.ts'
import type { Partition } from './partition.ts'
import { nameOfParts } from './partition-names.ts'
import type { RefusedCuts } from './row-cuts.ts'
import { rowsOfMeans } from './rows-of-means.ts'
import { withUse } from './uses.ts'

/** One data set of an answer: what is known of it to this acquirer, and whom the ask may use in it. */
export interface AnswerPartition {
  readonly dataSet: string
  readonly partition: Partition
  /** Who was told apart by earlier questions (`alike.ts`); absent where nobody was. */
  readonly apart?: Partition | undefined
  readonly eligible: Bitset
  /** Names what of people is used, which is what decides who may be; unknown where it is absent. */
  readonly use?: string | undefined
}

export interface AnswerContext {
  readonly settings: GuardSettings
  /** Every data set that the answer was made from. */
  readonly partitions: readonly AnswerPartition[]
  /** See `CutRequest.rowShapes`; empty where every person has one row. */
  readonly rowShapes: ReadonlyMap<string, string>
  /** Whom the question tells apart; absent where it tells nobody. */
  readonly parts?: AnswerParts | undefined
  /** Where the first cut that is refused is kept for whoever looks at the same answer again. */
  readonly refused?: RefusedCuts | undefined
}

/** What may leave, and the cuts that must be in the record before it does. */
export interface GuardedAnswer extends GuardedGroups {
  readonly plans: readonly { readonly dataSet: string; readonly plan: CutPlan }[]
  /** Rows with enough people that are not shown all the same, or not of everybody: each tells one bit about who stands behind it. */
  readonly withheld: number
  /** Whether one of those is the remainder, hidden because of a few (`isRestHidden`). */
  readonly hidesRest?: true | undefined
  /**
   * Whether it is not worth more than half of what may still be held back: its rows show less than half of the people of all rows that
   * are large enough, or it had to be looked more than once whom to leave out.
   */
  readonly isDear?: true | undefined
  /** Whether people were left out who were asked about (`narrow-answer.ts`). */
  readonly isNarrowed?: true
}

/**
 * The guard of an exact answer: groups that stand on enough people alone and beside every earlier answer. When a part
 * would be too small, the rows it touches go into the remainder, then ever more of the smallest ones.
 *
 * Declines: `declined.group_too_small` (with `measure` as the operator's note where rows had people enough), `declined.too_large`, `declined.differencing` with `drift`, `cut` or
 * `row_shape` as the operator's note.
 */
export function guardAnswer(
  collected: readonly CollectedGroup[],
  context: AnswerContext,
): Outcome<GuardedAnswer> {
  const groups = rowsOfMeans(collected, context.settings)
  let guarded = guardGroups(groups, context.settings)
  const large = largeCount(groups, context.settings)
  let mergeCount = 1
  while (guarded.ok) {
    const checked = checkAll(guarded.value, context)
    if (checked.ok) {
      const hidesRest = isRestHidden(guarded.value, groups, context.settings)
      const withheld = large - guarded.value.released.length + (hidesRest ? 1 : 0)
      const isDear = withheld > 0 && isDearity(guarded.value.released, groups, context.settings)
      return ok({
        ...guarded.value,
        plans: checked.value,
        withheld,
        ...(hidesRest && { hidesRest }),
        ...(isDear && { isDear }),
      })
    }
    const { note, cut, isOfParts } = checked.error
    if (mergeCount === 1 && cut) context.refused?.keep(checked.error.partition, cut)
    const more = rowsToMerge(guarded.value, checked.error, mergeCount)
    if (!more) return declinedDifferencing(note)
    guarded = isOfParts ? hideRows(guarded.value, more) : suppressMore(guarded.value, more, context.settings)
    if (!guarded.ok) return declinedDifferencing(note)
    mergeCount *= 2
  }
  // Nothing small was asked for: it is who counts in a measure, or gives most of it, that leaves no row.
  const isOfMeasures = guarded.error.code === 'declined.group_too_small' && large > 0
  return isOfMeasures ? declined(guarded.error.code, { operatorNote: 'measure' }) : guarded
}

/** How many groups have people enough. */
export function largeCount(groups: readonly CollectedGroup[], { minimumGroup }: GuardSettings): number {
  return groups.filter(({ people }) => people.count() >= minimumGroup).length
}

/**
 * Whether several rows that are not shown would have people enough as one, and are not shown so either: a few decide that,
 * those who count in a measure, or who stand in two rows. Where a minimum group stands in two, no few do.
 */
export function isRestHidden(
  { suppressed, remainder }: Pick<GuardedGroups, 'suppressed' | 'remainder'>,
  groups: readonly CollectedGroup[],
  { minimumGroup }: Pick<GuardSettings, 'minimumGroup'>,
): boolean {
  if (remainder || suppressed.length < 2) return false
  if (unionOf(suppressed.map(({ people }) => people)).count() < minimumGroup) return false
  return countShared(groups, minimumGroup) < minimumGroup
}

function isDearity(
  shown: readonly CollectedGroup[],
  groups: readonly CollectedGroup[],
  { minimumGroup }: GuardSettings,
): boolean {
  const countOf = (some: readonly CollectedGroup[]) => unionOf(some.map(({ people }) => people)).count()
  return 2 * countOf(shown) < countOf(groups.filter(({ people }) => people.count() >= minimumGroup))
}

const ADVICE =
  'With earlier answers it could be about too few people. Ask again what was answered, group by what earlier asks were grouped by or more coarsely, or use the mode "private" where it is offered'

/** The one decline of whatever cannot stand beside earlier answers: its text says what to do, and nothing about whom. */
export function declinedDifferencing(operatorNote: string): ReturnType<typeof declined> {
  return declined('declined.differencing', { detail: ADVICE, operatorNote })
}

/** Every set of people that the shown rows let be summed over. */
export function releasedSets({ released, remainder }: GuardedGroups): readonly Bitset[] {
  const rows = remainder ? [...released, remainder] : released
  const sets = rows.flatMap(({ people, measures }) => [
    people,
    ...measures.flatMap(setsOfMeasure).filter((set) => set !== people),
  ])
  return [...new Set(sets)]
}

function checkAll(
  guarded: GuardedGroups,
  { settings: { minimumGroup }, partitions, rowShapes, parts }: AnswerContext,
): Result<GuardedAnswer['plans'], CutProblem & { readonly partition: Partition }> {
  const released = releasedSets(guarded)
  const sets = parts ? [...released, ...setsWithin(parts, released)] : released
  const plans: { dataSet: string; plan: CutPlan }[] = []
  for (const one of partitions) {
    const { dataSet, partition, eligible, use } = one
    const shapes = withUse(rowShapes, use, partition)
    const checked = checkCuts(partition, { eligible, sets, rowShapes: shapes, minimumGroup })
    if (!checked.ok) return err({ ...checked.error, partition })
    plans.push({ dataSet, plan: checked.value })
    if (!parts) continue
    const { draft: cut } = checked.value
    const apart = one.apart ?? EMPTY_PARTITION
    const alike = checkAlike({ ...one, apart, parts, sets, minimumGroup, cut })
    if (!alike.ok) return err({ ...alike.error, partition })
    plans.push({ dataSet: nameOfParts(dataSet), plan: alike.value })
  }
  return ok(plans)
}

/** What is decided within summed values, of the people that are shown. */
function setsWithin({ within = [] }: AnswerParts, released: readonly Bitset[]): readonly Bitset[] {
  if (within.length === 0) return []
  const shown = unionOf(released)
  return within.map((set) => set.intersection(shown)).filter((set) => !set.isEmpty)
}

/** Without some rows, and without a remainder: people who are not alike are not made so by being put together. */
function hideRows(
  { released, suppressed }: GuardedGroups,
  rows: ReadonlySet<CollectedGroup>,
): Outcome<GuardedGroups> {
  const shown = released.filter((group) => !rows.has(group))
  if (shown.length === 0) return declined('declined.group_too_small')
  return ok({ released: shown, suppressed: [...suppressed, ...rows], areDisjoint: false })
}

/** The rows that make the trouble, else the smallest ones; undefined when merging cannot help. */
function rowsToMerge(
  guarded: GuardedGroups,
  { note, people, isOfParts }: CutProblem,
  count: number,
): ReadonlySet<CollectedGroup> | undefined {
  // Somebody left or came: any row that changes with it would show it, so the whole answer waits.
  if (note !== 'cut') return undefined
  if (isOfParts && guarded.remainder && guarded.remainder.people.intersectionCount(people) > 0)
    return new Set()
  const offending = guarded.released.filter((group) => group.people.intersectionCount(people) > 0)
  if (offending.length > 0) return new Set(offending)
  // Without a remainder there is nothing to hide the suppressed in.
  if (isOfParts || !guarded.areDisjoint) return undefined
  const isInSuppressed = guarded.suppressed.some((group) => group.people.intersectionCount(people) > 0)
  if (!isInSuppressed) return undefined
  return new Set(
    guarded.released.toSorted((left, right) => left.people.count() - right.people.count()).slice(0, count),
  )
}
