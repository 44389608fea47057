import { ok } from '../../kernel/result.ts'
import type { Outcome } from '../../protocol/reason.ts'
import type { CollectedGroup } from './collected-group.ts'
import { largeCount } from './guard-answer.ts'
import type { AnswerContext, GuardedAnswer } from './guard-answer.ts'
import { whomToLeaveOut } from './leave-out.ts'
import type { LeavingOut } from './leave-out.ts'
import { unionOf } from './merge-groups.ts'

/** Least share of the people asked about that rows must show for an answer about fewer of them to be of use, in percent. */
const LEAST_SHOWN_PCT = 50

/** An answer as the guard left it, and what it was made from. */
export interface GuardedWhole {
  readonly groups: readonly CollectedGroup[]
  readonly context: AnswerContext
  readonly whole: Outcome<GuardedAnswer>
}

/**
 * Whom to leave out where an answer about everybody cannot be given, or not with all of its rows. Undefined where it is
 * given whole, where leaving out people changes nothing (the text, the size, other rows of the same people), and where
 * the whole answer has to wait because somebody left.
 */
export function planNarrowing({ groups, context, whole }: GuardedWhole): LeavingOut | undefined {
  const isAboutPeople = whole.ok ? whole.value.withheld > 0 : canDoWithFewer(whole.error)
  return isAboutPeople ? whomToLeaveOut(groups, context) : undefined
}

function canDoWithFewer({
  code,
  operatorNote,
}: {
  code: string
  operatorNote?: string | undefined
}): boolean {
  if (code === 'declined.group_too_small') return operatorNote === 'measure'
  return code === 'declined.differencing' && (operatorNote === 'cut' || operatorNote === 'drift')
}

/**
 * The answer about fewer people where it shows more people than the whole one, and enough of those asked about. What it
 * tells beside its sums is that some are left out, and of which cells and parts because of a few: that counts as held back.
 */
export function chooseNarrowed(
  { groups, context: { settings }, whole }: GuardedWhole,
  { leaving, narrowed }: { readonly leaving: LeavingOut; readonly narrowed: Outcome<GuardedAnswer> },
): Outcome<GuardedAnswer> {
  if (!narrowed.ok) return whole
  const asked = unionOf(groups.map(({ people }) => people)).count()
  const shown = shownCount(narrowed.value)
  if (shown * 100 < asked * LEAST_SHOWN_PCT || (whole.ok && shown <= shownCount(whole.value))) return whole
  const hidden = Math.max(0, largeCount(groups, settings) - narrowed.value.released.length)
  const withheld = hidden + Math.max(1, leaving.coveredCells + leaving.thinParts)
  return ok({ ...narrowed.value, withheld, isNarrowed: true })
}

function shownCount({ released }: GuardedAnswer): number {
  return unionOf(released.map(({ people }) => people)).count()
}
