import type { Bitset } from '../../kernel/bitset.ts'
import { ok } from '../../kernel/result.ts'
import { declined } from '../../protocol/reason.ts'
import type { Outcome } from '../../protocol/reason.ts'
import { cellAt } from './cell-numbers.ts'
import type { CollectedGroup } from './collected-group.ts'
import { isRestHidden, largeCount } from './guard-answer.ts'
import type { AnswerContext, GuardedAnswer } from './guard-answer.ts'
import { leaveOutMore } from './leave-out-more.ts'
import { whomToLeaveOut } from './leave-out.ts'
import type { LeavingOut } from './leave-out.ts'
import { measureDistance } from './measure-distance.ts'
import { haveSharedPeople, unionOf } from './merge-groups.ts'
import type { Partition } from './partition.ts'
import { rowsOfMeans } from './rows-of-means.ts'

/** Least share of the people asked about that rows must show for an answer about fewer of them to be of use, in percent. */
const LEAST_SHOWN_PCT = 50

/**
 * The same where one look at whom to leave out was not enough. What is cut for such an answer is cut for all later ones, so it has to
 * be worth more.
 */
const LEAST_SHOWN_AGAIN_PCT = 67

/** Of a refusal that fewer than a minimum group of people, whoever they were, could not have turned into an answer. */
export const FAR_NOTE = 'far'

/** An answer as the guard left it, and what it was made from. */
export interface GuardedWhole {
  readonly groups: readonly CollectedGroup[]
  readonly context: AnswerContext
  readonly whole: Outcome<GuardedAnswer>
}

/** Whom an answer was made without, and what the guard said of it. */
export interface Narrowed {
  readonly leaving: LeavingOut
  readonly narrowed: Outcome<GuardedAnswer>
}

/**
 * Whom to leave out next where an answer about everybody cannot be given, or not with all of its rows, after what was `tried`.
 * Undefined where it is given whole or was tried well, where leaving out people changes nothing (the text, the size, other rows of
 * the same people), and where the whole answer has to wait because somebody left.
 */
export function planNarrowing(
  { groups, context, whole }: GuardedWhole,
  tried: readonly Narrowed[] = [],
): LeavingOut | undefined {
  const rows = rowsOfMeans(groups, context.settings)
  const [first] = tried
  if (!first) {
    const isAboutPeople = whole.ok
      ? whole.value.withheld > (whole.value.hidesRest ? 1 : 0)
      : canDoWithFewer(whole.error)
    return isAboutPeople ? whomToLeaveOut(rows, context) : undefined
  }
  if (whole.ok || tried.length > 1 || isOfUse({ groups, context, whole }, first)) return undefined
  const leastShown = Math.ceil((askedCount(groups) * LEAST_SHOWN_AGAIN_PCT) / 100)
  return leaveOutMore(rows, context, { first: first.leaving, leastShown })
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
export function chooseNarrowed(given: GuardedWhole, tried: readonly Narrowed[]): Outcome<GuardedAnswer> {
  const { groups, context } = given
  const used = tried.find((one) => isOfUse(given, one))
  if (!used?.narrowed.ok) return chooseWhole(given)
  const { leaving, narrowed } = used
  const rows = rowsOfMeans(groups, context.settings)
  const hidden = hiddenCount(narrowed.value, rows, { ...context, leaving })
  const ofFew = leaving.coveredCells + leaving.thinParts + leaving.looks - 1
  const toldByItself = ofFew > 0 || isFarFromWhole(rows, context) ? 0 : 1
  return ok({
    ...narrowed.value,
    isDear: leaving.looks > 1 ? true : undefined,
    hidesRest: undefined,
    withheld: hidden + ofFew + toldByItself,
    isNarrowed: true,
  })
}

/** Whether an answer about fewer people shows enough of those asked about, and more of them than the whole one. */
function isOfUse({ groups, whole }: GuardedWhole, { leaving, narrowed }: Narrowed): boolean {
  if (!narrowed.ok) return false
  const shown = shownCount(narrowed.value)
  const leastPct = leaving.looks === 1 ? LEAST_SHOWN_PCT : LEAST_SHOWN_AGAIN_PCT
  const isMuch = shown * 100 >= askedCount(groups) * leastPct
  return isMuch && !(whole.ok && shown <= shownCount(whole.value))
}

function askedCount(groups: readonly CollectedGroup[]): number {
  return unionOf(groups.map(({ people }) => people)).count()
}

/**
 * Rows with people enough that an answer about fewer people has not, the remainder among them. Without those that are missing because of
 * what is noted anyway.
 */
function hiddenCount(
  { released, remainder }: GuardedAnswer,
  rows: readonly CollectedGroup[],
  { settings, partitions, leaving }: AnswerContext & Pick<Narrowed, 'leaving'>,
): number {
  const shown = new Set(released.map(({ keys }) => JSON.stringify(keys)))
  const missing = rows.filter(({ keys }) => !shown.has(JSON.stringify(keys)))
  const [only, another] = partitions
  // Where somebody is in two rows, or in two data sets, parts are not those of one row and one cell.
  const isPlain = only && !another && !leaving.explained.isEmpty && !haveSharedPeople(rows)
  const following = new Set(
    isPlain ? missing.filter(({ people }) => isMissingWith(leaving, people, { ...only, ...settings })) : [],
  )
  const suppressed = missing.filter((row) => !following.has(row))
  const ofRows =
    Math.max(0, largeCount(rows, settings) - released.length) - largeCount([...following], settings)
  return ofRows + (isRestHidden({ suppressed, ...(remainder && { remainder }) }, rows, settings) ? 1 : 0)
}

/**
 * Whether nobody of a row is left, and everybody in its parts that have people enough left for what is noted: as its other parts are too
 * thin by themselves, that the row is missing follows.
 */
function isMissingWith(
  { people, explained }: LeavingOut,
  row: Bitset,
  { partition: { cells }, minimumGroup }: { readonly partition: Partition; readonly minimumGroup: number },
): boolean {
  if (!row.difference(people).isEmpty) return false
  const parts = Map.groupBy(row, (person) => cellAt(cells, person))
  const large = [...parts.values()].filter((part) => part.length >= minimumGroup)
  return large.length > 0 && large.every((part) => part.every((person) => explained.has(person)))
}

function shownCount({ released }: GuardedAnswer): number {
  return unionOf(released.map(({ people }) => people)).count()
}

/** The answer about everybody, or its refusal, marked where no few people could have turned that into an answer. */
function chooseWhole({ groups, context, whole }: GuardedWhole): Outcome<GuardedAnswer> {
  // Another code would be seen, so only this one can be for nothing.
  const isOfCuts =
    !whole.ok &&
    whole.error.code === 'declined.differencing' &&
    (whole.error.operatorNote === 'cut' || whole.error.operatorNote === 'drift')
  if (!isOfCuts) return whole
  const others = context.settings.minimumGroup - 1
  const asked = askedCount(groups) - others
  const { toWhole, mostShown } = measureDistance(rowsOfMeans(groups, context.settings), context)
  const isFar = toWhole > others && mostShown * 100 < asked * LEAST_SHOWN_PCT
  return isFar ? declined(whole.error.code, { ...whole.error, operatorNote: FAR_NOTE }) : whole
}

function isFarFromWhole(rows: readonly CollectedGroup[], context: AnswerContext): boolean {
  return measureDistance(rows, context).toWhole >= context.settings.minimumGroup
}
