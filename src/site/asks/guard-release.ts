import { Bitset } from '../../kernel/bitset.ts'
import { err, ok } from '../../kernel/result.ts'
import { LIMITS } from '../../kernel/limits.ts'
import type { Decline, Outcome, ReasonCode } from '../../protocol/reason.ts'
import type { Release } from '../../protocol/release.ts'
import type { CollectedGroup } from '../guard/collected-group.ts'
import { checkAlike } from '../guard/alike.ts'
import { checkKnown, planKnown } from '../guard/differencing.ts'
import type { CutPlan } from '../guard/differencing.ts'
import { choosingColumns, usedColumns } from './used-columns.ts'
import { declinedDifferencing, guardAnswer } from '../guard/guard-answer.ts'
import type { AnswerContext, GuardedAnswer } from '../guard/guard-answer.ts'
import { refusalStateOf } from '../guard/look-into-record.ts'
import { contextWithout } from '../guard/leave-out.ts'
import { chooseNarrowed, FAR_NOTE, planNarrowing } from '../guard/narrow-answer.ts'
import type { Narrowed } from '../guard/narrow-answer.ts'
import { budgetLeft, debitRefusals, readRefusals } from '../guard/refusal-budget.ts'
import type { RefusalBudget, RefusalKey } from '../guard/refusal-budget.ts'
import { nameOfParts } from '../guard/partition-names.ts'
import type { PartitionHold, PartitionLook } from '../guard/partition-store.ts'
import { RefusedCuts } from '../guard/row-cuts.ts'
import { pseudonymOf } from '../guard/pseudonym.ts'
import { finishGroups } from '../query/run/finish-groups.ts'
import type { AskFacts } from './ask-facts.ts'
import { collectWithout, vaultRunner } from './collect-answer.ts'
import type { CollectedAnswer, CollectedGroups, CollectedRows } from './collect-answer.ts'
import { countedWhenLost } from './count-as-told.ts'
import type { ToldRun } from './count-as-told.ts'
import { pseudonymScopeOf, useNameOf } from './plan-ask.ts'
import type { PlannedAsk } from './plan-ask.ts'
import { rowShapesOf } from './row-shapes.ts'
import type { SiteParts } from './site-parts.ts'
import { toldOutcome } from './told-decline.ts'
import type { ToldOutcome } from './told-decline.ts'
import { writeRelease } from './write-release.ts'
import type { Shown } from './write-release.ts'

/** A result that the guard let through, still unsealed, with the cuts that must be recorded before it leaves. */
export interface GuardedRelease extends ToldRun {
  readonly release: Release
  /** Everybody behind it. */
  readonly people: Bitset
  /** Rows that left in `rows`; 0 in `aggregate`, where rows are not charged. */
  readonly rows: number
  /** Rows that were held back because of who stands behind them. */
  readonly withheld?: number | undefined
  /** Whether it is not worth more than half of what may still be held back (`GuardedAnswer.isDear`). */
  readonly isDear?: boolean | undefined
  /** How often rows had changed when the run began; it must still be so when the cuts are committed. */
  readonly changes: ReadonlyMap<string, number>
}

export interface GuardFacts {
  readonly facts: AskFacts
  readonly planned: PlannedAsk
  readonly collected: CollectedAnswer
  readonly hold: PartitionHold
  readonly parts: SiteParts
}

/** What the guard let through, before anything of it is computed or written. */
type Passed = Omit<GuardedRelease, 'release'> & { readonly show: () => Promise<Outcome<Shown>> }

/**
 * Holds a result against the minimum group, dominance and everything released before, then finishes it. `again` when another
 * answer came in between.
 */
export async function guardRelease(given: GuardFacts): Promise<ToldOutcome<GuardedRelease> | 'again'> {
  const { result, look } = given.collected
  const { facts, hold, parts } = given
  const { key, budget } = await refusalsOf({ facts, look, hold, parts })
  if (budget.left === 0) return declinedDifferencing('refusals')
  const noteRefusal = async (): Promise<void> => {
    if (budget.noted === 0) await debitRefusals(parts.db, key, 1)
  }
  const guarding =
    result.kind === 'rows' ? Promise.resolve(guardRows(result, given)) : guardGroupsOf(result, given)
  const guarded = await guarding.catch(async (error: unknown) => {
    // That there is a second run, without some of the people, follows from them.
    await noteRefusal()
    throw error
  })
  const passed = await debited(guarded, { budget, key, noteRefusal })
  return passed.ok ? finishRelease(passed.value, given) : passed
}

/** Computes and writes what was let through. */
async function finishRelease(
  { show, ...passed }: Passed,
  { facts, planned, parts }: GuardFacts,
): Promise<ToldOutcome<GuardedRelease> | 'again'> {
  const finished = await countedWhenLost(passed, parts, async () => {
    const shown = await show()
    if (!shown.ok) return shown
    const release = writeRelease(shown.value, { facts, planned, parts })
    return release.ok ? ok({ ...passed, release: release.value }) : release
  })
  return finished === 'again' ? finished : toldOutcome(finished, { planned, guarded: passed }, parts)
}

type RefusalFacts = Pick<GuardFacts, 'facts' | 'hold' | 'parts'> & { readonly look: PartitionLook }

/** What a refusal follows from: the question in its epoch, and what was told before; and what is left of the budget. */
async function refusalsOf({
  facts,
  look,
  hold,
  parts,
}: RefusalFacts): Promise<{ readonly key: RefusalKey; readonly budget: RefusalBudget }> {
  const { acquirerGroup, dataSets, epoch } = look
  const heads = dataSets.map(
    (dataSet) => hold.partition(dataSet).head + hold.partition(nameOfParts(dataSet)).head,
  )
  const key = {
    acquirerGroup,
    dataSets,
    ask: facts.ask.id,
    state: refusalStateOf(epoch, heads),
    now: facts.now,
  }
  const budget = hold.isUndisturbed
    ? budgetLeft(look.refusals, parts.refusalLimits)
    : await readRefusals(parts.db, key, parts.refusalLimits)
  return { key, budget }
}

/**
 * A run that came to no result, because there are too many groups or rows, or it took too long: that follows from the rows, and at
 * the bound from a single one, so it is a refusal like any other. `again` when another ask came in between.
 */
export async function declinedRun(
  decline: Decline,
  { facts, look, parts }: Omit<RefusalFacts, 'hold'>,
): Promise<Outcome<never> | 'again'> {
  using hold = await parts.partitions.hold(look)
  if (!hold) return 'again'
  const { key, budget } = await refusalsOf({ facts, look, hold, parts })
  if (budget.left === 0) return declinedDifferencing('refusals')
  if (budget.noted === 0) await debitRefusals(parts.db, key, 1)
  return err(decline)
}

/** Refusals that follow from people: the rule's own, and those of a second run, without some of them. */
const OF_PEOPLE: readonly ReasonCode[] = ['declined.differencing', 'declined.timeout', 'declined.too_large']

/** Notes of refusals that follow from the text and from declarations alone, or that no few people could have changed. */
const FREE_NOTES: readonly (string | undefined)[] = ['row_shape', 'closed', FAR_NOTE]

/**
 * Takes what is held back from the budget: of a refusal at once, of an answer in the transaction that lets it out. What was
 * noted for the same before is not taken again.
 */
async function debited(
  guarded: Outcome<Passed>,
  { budget, key, noteRefusal }: { budget: RefusalBudget; key: RefusalKey; noteRefusal: () => Promise<void> },
): Promise<Outcome<Passed>> {
  if (!guarded.ok) {
    const { code, operatorNote } = guarded.error
    const isOfPeople = OF_PEOPLE.includes(code) || operatorNote === 'measure'
    if (isOfPeople && !FREE_NOTES.includes(operatorNote)) await noteRefusal()
    return guarded
  }
  const { withheld = 0, isDear = false, beside } = guarded.value
  const rows = Math.max(0, withheld - budget.noted)
  if (rows === 0) return guarded
  // What shows little for much of what is left would leave the asker little to ask with.
  const isTooDear = rows > budget.left || (isDear && 2 * rows > budget.left)
  if (isTooDear) {
    await noteRefusal()
    return declinedDifferencing('refusals')
  }
  return ok({ ...guarded.value, beside: { ...beside, withheld: { key, rows } } })
}

async function guardGroupsOf(
  { plan, groups, parts }: CollectedGroups,
  given: GuardFacts,
): Promise<Outcome<Passed>> {
  const { planned, collected, hold } = given
  const partitions = [...collected.eligible].map(([dataSet, eligible]) => ({
    dataSet,
    partition: hold.partition(dataSet),
    apart: hold.partition(nameOfParts(dataSet)),
    eligible,
    use: useNameOf(planned.checked, dataSet),
  }))
  const rowShapes = rowShapesOf(planned.checked)
  if (!rowShapes.ok) return rowShapes
  const settings = {
    minimumGroup: planned.minimumGroup,
    dominanceBp: planned.dominanceBp,
    groupsMax: LIMITS.queryGroupsMax,
  }
  const context = { settings, partitions, rowShapes: rowShapes.value, parts, refused: new RefusedCuts() }
  const guarded = await guardOrNarrow(groups, context, given)
  if (!guarded.ok) return guarded
  const { value: safe } = guarded
  const shown = safe.remainder ? [...safe.released, safe.remainder] : safe.released
  return ok({
    people: shown.reduce((all, { people }) => all.union(people), new Bitset()),
    rows: 0,
    withheld: safe.withheld,
    isDear: safe.isDear,
    ...recorded(given, safe.plans),
    show: async () => {
      const finished = await finishGroups(plan, safe, vaultRunner(given.parts))
      return finished.ok ? ok({ ...finished.value, isNarrowed: safe.isNarrowed }) : finished
    },
  })
}

/** The answer about everybody; where that cannot be given, or not with all its rows, the one about those it can do with. */
async function guardOrNarrow(
  groups: readonly CollectedGroup[],
  context: AnswerContext,
  { planned, collected, parts }: GuardFacts,
): Promise<Outcome<GuardedAnswer>> {
  const given = { groups, context, whole: guardAnswer(groups, context) }
  const tried: Narrowed[] = []
  let leaving = planNarrowing(given)
  while (leaving) {
    const rest = await collectWithout({ planned, collected }, leaving.people, parts)
    if (!rest.ok) return rest
    tried.push({ leaving, narrowed: guardAnswer(rest.value, contextWithout(context, leaving)) })
    leaving = planNarrowing(given, tried)
  }
  return chooseNarrowed(given, tried)
}

function guardRows({ answer, parts: told }: CollectedRows, given: GuardFacts): Outcome<Passed> {
  const { facts, planned, hold, parts } = given
  const people = Bitset.of(answer.people)
  const { minimumGroup } = planned
  const plans: { dataSet: string; plan: CutPlan }[] = []
  const plansOfParts: { dataSet: string; plan: CutPlan }[] = []
  for (const [dataSet] of planned.dataSets) {
    const columns = usedColumns(planned.checked, dataSet)
    const partition = hold.partition(dataSet)
    const known = checkKnown(partition, { people, columns, minimumGroup })
    if (!known.ok) return declinedDifferencing(known.error.note)
    plans.push({ dataSet, plan: known.value })
    const alike = checkAlike({
      dataSet,
      partition,
      apart: hold.partition(nameOfParts(dataSet)),
      parts: told,
      eligible: people,
      given: { people, columns },
      sets: [],
      minimumGroup,
    })
    if (!alike.ok) return declinedDifferencing(alike.error.note)
    plansOfParts.push({ dataSet: nameOfParts(dataSet), plan: alike.value })
  }
  const plansUnshown = () => [
    ...[...planned.dataSets.keys()].map((dataSet) => {
      const columns = choosingColumns(planned.checked, dataSet)
      return { dataSet, plan: planKnown(hold.partition(dataSet), { people, columns }) }
    }),
    ...plansOfParts,
  ]
  const scope = pseudonymScopeOf(facts.ask, parts)
  const rows = answer.rows.map((row, index) => {
    const person = answer.people[index] ?? -1
    return row.map((value, column) =>
      answer.personOutputs.includes(column) ? pseudonymOf(person, scope) : value,
    )
  })
  return ok({
    people,
    rows: rows.length,
    ...recorded(given, [...plans, ...plansOfParts]),
    cutsUnshown: () => hold.cutsOf({ ask: facts.ask.id, plans: plansUnshown() }),
    show: () => Promise.resolve(ok({ columns: answer.columns, rows })),
  })
}

/** What has to be in the record before any of it is told, and how it must stand then. */
function recorded(
  { facts, hold }: GuardFacts,
  plans: readonly { readonly dataSet: string; readonly plan: CutPlan }[],
): Pick<Passed, 'beside' | 'changes'> {
  return { beside: { cuts: hold.cutsOf({ ask: facts.ask.id, plans }) }, changes: hold.changes }
}
