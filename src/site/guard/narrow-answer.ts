import { ok } from '../../kernel/result.ts'
import { declined } from '../../protocol/reason.ts'
import type { Outcome } from '../../protocol/reason.ts'
import type { Bitset } from '../../kernel/bitset.ts'
import { partsWithout } from './alike.ts'
import type { CollectedGroup } from './collected-group.ts'
import { isRestHidden, largeCount } from './guard-answer.ts'
import type { AnswerContext, GuardedAnswer } from './guard-answer.ts'
import { whomToLeaveOut } from './leave-out.ts'
import type { LeavingOut } from './leave-out.ts'
import { measureDistance } from './measure-distance.ts'
import { unionOf } from './merge-groups.ts'
import { rowsOfMeans } from './rows-of-means.ts'

/** Least share of the people asked about that rows must show for an answer about fewer of them to be of use, in percent. */
const LEAST_SHOWN_PCT = 50

/** Of a refusal that fewer than a minimum group of people, whoever they were, could not have turned into an answer. */
export const FAR_NOTE = 'far'

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
  const isAboutPeople = whole.ok
    ? whole.value.withheld > (whole.value.hidesRest ? 1 : 0)
    : canDoWithFewer(whole.error)
  return isAboutPeople ? whomToLeaveOut(rowsOfMeans(groups, context.settings), context) : undefined
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
 * tells beside its sums is that some are left out, and of which cells and parts because of a few: that counts as held
 * back, unless no few people could have made it the whole answer.
 */
export function chooseNarrowed(
  given: GuardedWhole,
  { leaving, narrowed }: { readonly leaving: LeavingOut; readonly narrowed: Outcome<GuardedAnswer> },
): Outcome<GuardedAnswer> {
  const { groups, context, whole } = given
  const asked = unionOf(groups.map(({ people }) => people)).count()
  const shown = narrowed.ok ? shownCount(narrowed.value) : 0
  if (!narrowed.ok || !isMost({ shown, asked }) || (whole.ok && shown <= shownCount(whole.value)))
    return chooseWhole(given)
  const rows = rowsOfMeans(groups, context.settings)
  const hidden = hiddenCount(narrowed.value, rows, context)
  const ofFew = leaving.coveredCells + leaving.thinParts
  const toldByItself = ofFew > 0 || isFarFromWhole(rows, context) ? 0 : 1
  return ok({
    ...narrowed.value,
    isMinor: undefined,
    hidesRest: undefined,
    withheld: hidden + ofFew + toldByItself,
    isNarrowed: true,
  })
}

/** What an answer about fewer people is held against: nobody asked for those who are left out. */
export function contextWithout(context: AnswerContext, people: Bitset): AnswerContext {
  return { ...context, parts: context.parts && partsWithout(context.parts, people) }
}

/** Rows with people enough that an answer about fewer people has not, the remainder among them. */
function hiddenCount(
  { released, remainder }: GuardedAnswer,
  rows: readonly CollectedGroup[],
  { settings }: AnswerContext,
): number {
  const shown = new Set(released.map(({ keys }) => JSON.stringify(keys)))
  const suppressed = rows.filter(({ keys }) => !shown.has(JSON.stringify(keys)))
  const ofRows = Math.max(0, largeCount(rows, settings) - released.length)
  return ofRows + (isRestHidden({ suppressed, ...(remainder && { remainder }) }, rows, settings) ? 1 : 0)
}

function shownCount({ released }: GuardedAnswer): number {
  return unionOf(released.map(({ people }) => people)).count()
}

function isMost({ shown, asked }: { readonly shown: number; readonly asked: number }): boolean {
  return shown * 100 >= asked * LEAST_SHOWN_PCT
}

/** The answer about everybody, or its refusal, marked where no few people could have turned that into an answer. */
export function chooseWhole({ groups, context, whole }: GuardedWhole): Outcome<GuardedAnswer> {
  // Another code would be seen, so only this one can be for nothing.
  const isOfCuts =
    !whole.ok &&
    whole.error.code === 'declined.differencing' &&
    (whole.error.operatorNote === 'cut' || whole.error.operatorNote === 'drift')
  if (!isOfCuts) return whole
  const others = context.settings.minimumGroup - 1
  const asked = unionOf(groups.map(({ people }) => people)).count() - others
  const { toWhole, mostShown } = measureDistance(rowsOfMeans(groups, context.settings), context)
  const isFar = toWhole > others && !isMost({ shown: mostShown, asked })
  return isFar ? declined(whole.error.code, { ...whole.error, operatorNote: FAR_NOTE }) : whole
}

function isFarFromWhole(rows: readonly CollectedGroup[], context: AnswerContext): boolean {
  return measureDistance(rows, context).toWhole >= context.settings.minimumGroup
}
