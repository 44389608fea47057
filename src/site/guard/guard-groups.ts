import type { Bitset } from '../../kernel/bitset.ts'
import { ok } from '../../kernel/result.ts'
import { declined } from '../../protocol/reason.ts'
import type { Outcome } from '../../protocol/reason.ts'
import type { CollectedGroup, CollectedMeasure } from './collected-group.ts'
import { haveSharedPeople, mergeGroups } from './merge-groups.ts'

/** What a group must meet to be shown. */
export interface GuardSettings {
  /** Least people behind a row, behind each measure, and behind what each measure leaves out of its row. */
  readonly minimumGroup: number
  /** Most of a sum of absolute values that one person may give, in basis points. */
  readonly dominanceBp: number
  /** Most groups that an answer may have before anything is suppressed. */
  readonly groupsMax: number
}

/** Groups that may be shown each on its own, and what happened to the rest. */
export interface GuardedGroups {
  readonly released: readonly CollectedGroup[]
  /** All the others as one row with null keys; there only if that row may be shown itself. */
  readonly remainder?: CollectedGroup
  /** The groups that are not shown on their own. */
  readonly suppressed: readonly CollectedGroup[]
  /** Whether nobody stands in two groups; otherwise there is never a remainder. */
  readonly areDisjoint: boolean
}

/**
 * Keeps the groups that stand on enough people, and gathers the others into one remainder (security model, "What
 * counts as contributing"). Looks at this answer alone; `guardAnswer` sets it beside the earlier ones.
 *
 * Declines with `declined.group_too_small` when no group is left, `declined.too_large` when there are too many.
 */
export function guardGroups(
  groups: readonly CollectedGroup[],
  settings: GuardSettings,
): Outcome<GuardedGroups> {
  if (groups.length > settings.groupsMax)
    return declined('declined.too_large', { detail: `The answer has more than ${settings.groupsMax} groups` })
  const released = groups.filter((group) => isReleasable(group, settings))
  const shown = new Set(released)
  const suppressed = groups.filter((group) => !shown.has(group))
  return gatherRemainder({ released, suppressed, areDisjoint: !haveSharedPeople(groups) }, settings)
}

/** Takes some of the released groups into the remainder as well. */
export function suppressMore(
  guarded: GuardedGroups,
  more: ReadonlySet<CollectedGroup>,
  settings: GuardSettings,
): Outcome<GuardedGroups> {
  const released = guarded.released.filter((group) => !more.has(group))
  return gatherRemainder(
    { released, suppressed: [...guarded.suppressed, ...more], areDisjoint: guarded.areDisjoint },
    settings,
  )
}

function gatherRemainder(
  parts: Omit<GuardedGroups, 'remainder'>,
  settings: GuardSettings,
): Outcome<GuardedGroups> {
  if (parts.released.length === 0) return declined('declined.group_too_small')
  // A person with rows in two groups could be in a shown one and in the remainder, and then the remainder would have
  // to be a set of rows to be safe beside other answers.
  if (parts.suppressed.length === 0 || !parts.areDisjoint) return ok(parts)
  const remainder = mergeGroups(parts.suppressed)
  return ok(isReleasable(remainder, settings) ? { ...parts, remainder } : parts)
}

/** Whether a row may be shown, looked at alone. */
function isReleasable(group: CollectedGroup, settings: GuardSettings): boolean {
  const people = group.people.count()
  if (people < settings.minimumGroup) return false
  return group.measures.every(
    (measure) => hasEnoughPeople(measure, group, people, settings) && !isDominated(measure, settings),
  )
}

function hasEnoughPeople(
  measure: CollectedMeasure,
  group: CollectedGroup,
  people: number,
  { minimumGroup }: GuardSettings,
): boolean {
  return setsOfMeasure(measure).every((set) => {
    if (set === group.people) return true
    const contributing = set.count()
    // Somebody who counts in a measure and not in its row: the sets contradict each other, so nothing is shown.
    if (group.people.intersectionCount(set) !== contributing) return false
    const others = people - contributing
    return (contributing === 0 || contributing >= minimumGroup) && (others === 0 || others >= minimumGroup)
  })
}

/** Every set that a measure is over. */
export function setsOfMeasure({ people, counted }: CollectedMeasure): readonly Bitset[] {
  return counted === undefined || counted === people ? [people] : [people, counted]
}

/**
 * Whether one person gives too much of a measure. People are counted once each, so a number of people is never
 * dominated; nor is a number of rows of which nobody gives more than one. Everything else is, down to a number of
 * rows: a count in which one person has every tenth row follows that person.
 */
function isDominated(
  { kind, largestShare, absoluteSum, largestSquares, sumOfSquares }: CollectedMeasure,
  { dominanceBp }: GuardSettings,
): boolean {
  if (kind === 'people' || (kind === 'count' && largestShare <= 1)) return false
  const isTooMuch = (largest: number, total: number) =>
    !Number.isFinite(largest) || !Number.isFinite(total) || largest * 10_000 > total * dominanceBp
  // What tells the sum of squares is dominated by whoever gives too much of that, too.
  return (
    isTooMuch(largestShare, absoluteSum) ||
    (largestSquares !== undefined && isTooMuch(largestSquares, sumOfSquares))
  )
}
