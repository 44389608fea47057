import type { CollectedGroup } from './collected-group.ts'
import { guardAnswer } from './guard-answer.ts'
import type { AnswerContext } from './guard-answer.ts'
import { contextWithout, whomToLeaveOut, withoutPeople } from './leave-out.ts'
import type { LeavingOut } from './leave-out.ts'
import { unionOf } from './merge-groups.ts'

/** How often it is looked, at most: each look is a pass over the rows, and one more thing that is told. */
const LOOKS_MAX = 4

/**
 * Whom else to leave out where the others, too, cannot be answered for: of who goes because of cells some parts become too thin for
 * what was asked before, and the other way round, so it is looked again at what is left, until it holds or shows too few. By sets
 * alone; the answer is made and guarded without them as after a first look.
 */
export function leaveOutMore(
  groups: readonly CollectedGroup[],
  context: AnswerContext,
  { first, leastShown }: { readonly first: LeavingOut; readonly leastShown: number },
): LeavingOut | undefined {
  let leaving = first
  while (leaving.looks < LOOKS_MAX) {
    const more = whomToLeaveOut(withoutAll(groups, leaving), {
      ...contextWithout(context, leaving),
      // It is a cut by who was there before.
      refused: undefined,
    })
    if (!more) return undefined
    leaving = together(leaving, more)
    const rest = withoutAll(groups, leaving)
    if (unionOf(rest.map(({ people }) => people)).count() < leastShown) return undefined
    if (guardAnswer(rest, { ...contextWithout(context, leaving), refused: undefined }).ok) return leaving
  }
  return undefined
}

function withoutAll(groups: readonly CollectedGroup[], { people }: LeavingOut): readonly CollectedGroup[] {
  return groups.map((group) => withoutPeople(group, people)).filter((group) => !group.people.isEmpty)
}

/** What two looks tell is told by both. */
function together(first: LeavingOut, second: LeavingOut): LeavingOut {
  return {
    people: first.people.union(second.people),
    explained: first.explained.union(second.explained),
    coveredCells: first.coveredCells + second.coveredCells,
    thinParts: first.thinParts + second.thinParts,
    lost: new Map(
      [...second.lost].map(([dataSet, cells]) => [dataSet, [...(first.lost.get(dataSet) ?? []), ...cells]]),
    ),
    looks: first.looks + second.looks,
  }
}
