import { Bitset } from '../../kernel/bitset.ts'
import { monotonicMs } from '../../kernel/clock.ts'
import { digestOf } from '../../kernel/digest.ts'
import { LIMITS } from '../../kernel/limits.ts'
import { ok } from '../../kernel/result.ts'
import type { Outcome } from '../../protocol/reason.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import type { CollectedGroup } from '../guard/collected-group.ts'
import { admitNewcomers } from '../guard/differencing.ts'
import type { PartitionLook } from '../guard/partition-store.ts'
import type { AnswerParts } from '../guard/alike.ts'
import { collectParts, tellApart } from '../query/alike/collect-parts.ts'
import { planAggregate } from '../query/plan/plan-aggregate.ts'
import { planRows } from '../query/plan/plan-rows.ts'
import type { AggregatePlan } from '../query/plan/plan-aggregate.ts'
import type { PlanRelation, QueryRunner } from '../query/plan/plan-context.ts'
import { collectGroups } from '../query/run/run-aggregate.ts'
import { runRows } from '../query/run/run-rows.ts'
import type { RowsAnswer } from '../query/run/run-rows.ts'
import { tableOf } from '../vault/stored-columns.ts'
import type { PlannedAsk } from './plan-ask.ts'
import type { SiteParts } from './site-parts.ts'

/** What the engine gave, before the guard has seen it: it must not leave this process. */
export interface CollectedAnswer {
  readonly result: CollectedGroups | CollectedRows
  /** People who were used for each data set. */
  readonly eligible: ReadonlyMap<DataSetId, Bitset>
  /** What the acquirer knew when the run began, and how often rows had changed. */
  readonly look: PartitionLook
  readonly engineMs: number
}

/** Groups, and whom the question tells apart beside. */
export interface CollectedGroups {
  readonly kind: 'groups'
  readonly plan: AggregatePlan
  readonly groups: readonly CollectedGroup[]
  readonly parts: AnswerParts
}

/** Rows, and whom the question tells apart beside: who is not in them as well. */
export interface CollectedRows {
  readonly kind: 'rows'
  readonly answer: RowsAnswer
  readonly parts: AnswerParts
}

type VaultParts = Pick<SiteParts, 'vault'>

/** Whom a run uses, by data set. */
type Eligible = ReadonlyMap<DataSetId, Bitset>

type Run = Outcome<Pick<CollectedAnswer, 'result' | 'engineMs'>>

/** A run that was begun before it was known what the acquirer knows: over those whom it is expected to be over. */
export interface RunAhead {
  readonly eligible: Eligible
  /** The vault's count of changes when it began. */
  readonly changes: number
  readonly run: Promise<Run>
}

/**
 * Begins the run that will most likely be wanted, so that the engine works while the record is looked into. It counts
 * only as far as `collectAnswer` finds it to be the run that it would begin itself.
 */
export function runAhead(
  planned: PlannedAsk,
  { expected, parts }: { expected: PartitionLook['partition']; parts: VaultParts },
): RunAhead {
  const eligible = admittedPeople(planned, expected)
  const changes = parts.vault.changes()
  const run = runOver(eligible, { planned, parts })
  // Waited for later, or not at all; until then a failure must not count as one that nobody looks at.
  run.catch(() => undefined)
  return { eligible, changes, run }
}

/** Computes over permitted columns of eligible people, inside the vault. */
export async function collectAnswer(
  planned: PlannedAsk,
  { look, parts, ahead }: { look: PartitionLook; parts: VaultParts; ahead?: RunAhead | undefined },
): Promise<Outcome<CollectedAnswer>> {
  const eligible = admittedPeople(planned, (dataSet) => look.partition(dataSet))
  const run = await (ahead && isRunOf(ahead, { eligible, parts })
    ? ahead.run
    : runOver(eligible, { planned, parts }))
  return run.ok ? ok({ ...run.value, eligible, look }) : run
}

/** Whom the grants allow, without newcomers who wait. */
function admittedPeople(
  { dataSets, checked, minimumGroup }: PlannedAsk,
  partition: PartitionLook['partition'],
): Eligible {
  const admitted = new Map<DataSetId, Bitset>()
  for (const [dataSet, { eligibility }] of dataSets) {
    const people =
      checked.mode === 'rows'
        ? eligibility.eligible
        : admitNewcomers(partition(dataSet), eligibility.eligible, minimumGroup)
    admitted.set(dataSet, people)
  }
  return admitted
}

/**
 * Whether a run that was begun before the look is as good as one begun after it: over the same people, and the vault has
 * not begun or ended a change since, so that it read the rows that the look counted.
 */
function isRunOf(ahead: RunAhead, { eligible, parts }: { eligible: Eligible; parts: VaultParts }): boolean {
  return (
    ahead.changes === parts.vault.changes() &&
    [...eligible].every(([dataSet, people]) => isSameSet(people, ahead.eligible.get(dataSet)))
  )
}

function isSameSet(people: Bitset, others: Bitset | undefined): boolean {
  if (people === others) return true
  const count = people.count()
  return others !== undefined && others.count() === count && people.intersectionCount(others) === count
}

async function runOver(
  eligible: Eligible,
  { planned, parts }: { planned: PlannedAsk; parts: VaultParts },
): Promise<Run> {
  const startedMs = monotonicMs()
  const result = await parts.vault.holding(() =>
    withRelations([...eligible], { planned, parts }, (relations) => runPlan(planned, relations, parts)),
  )
  const engineMs = monotonicMs() - startedMs
  await parts.vault.inMotion.settled([...eligible.keys()])
  return result.ok ? ok({ result: result.value, engineMs }) : result
}

/** The groups of the same question as if some of the people were not there. Nothing of it is charged. */
export async function collectWithout(
  { planned, collected }: { readonly planned: PlannedAsk; readonly collected: CollectedAnswer },
  people: Bitset,
  parts: VaultParts,
): Promise<Outcome<readonly CollectedGroup[]>> {
  const rest = [...collected.eligible].map(
    ([dataSet, eligible]) => [dataSet, eligible.difference(people)] as const,
  )
  const result = await withRelations(rest, { planned, parts }, (relations) =>
    runGroups(planned, relations, parts),
  )
  await parts.vault.inMotion.settled([...collected.eligible.keys()])
  return result.ok ? ok(result.value.groups) : result
}

/** Makes the table of eligible people of each data set, one inside the other, and runs with all of them held. */
export async function withRelations<T>(
  eligible: readonly (readonly [DataSetId, Bitset])[],
  { planned, parts }: { planned: PlannedAsk; parts: VaultParts },
  use: (relations: ReadonlyMap<string, PlanRelation>) => Promise<T>,
  made: ReadonlyMap<string, PlanRelation> = new Map(),
): Promise<T> {
  const [first, ...rest] = eligible
  if (!first) return use(made)
  const [dataSet, people] = first
  const { eligibility: known, kept } = planned.dataSets.get(dataSet) ?? {}
  // Without newcomers the set depends on what the acquirer has seen: only its members name it.
  const cacheKey = known?.eligible === people ? known.digest : digestOf(people.toBytes())
  const personCount = await parts.vault.personCount()
  const rowsPerPerson = await parts.vault.rowsPerPerson(dataSet)
  const rowCount = await parts.vault.rowCount(dataSet)
  return parts.vault.withEligible({ people, cacheKey }, (table) => {
    const relation = { table: tableOf(dataSet), eligible: table, personCount, rowsPerPerson, rowCount, kept }
    return withRelations(rest, { planned, parts }, use, new Map([...made, [dataSet, relation]]))
  })
}

async function runPlan(
  planned: PlannedAsk,
  relations: ReadonlyMap<string, PlanRelation>,
  parts: VaultParts,
): Promise<Outcome<CollectedAnswer['result']>> {
  const { checked, order } = planned
  const runner = vaultRunner(parts)
  const context = { dialect: 'duckdb' as const, relations }
  if (checked.mode === 'rows') {
    const answer = await runRows(planRows(checked, { ...context, order }), runner)
    if (!answer.ok) return answer
    const people = Bitset.of(answer.value.people)
    const toldByRows = await collectParts(checked, [{ people }], { context, runner })
    return toldByRows.ok ? ok({ kind: 'rows', answer: answer.value, parts: toldByRows.value }) : toldByRows
  }
  const telling = () => tellApart(checked, { context, runner })
  const collecting = runGroups(planned, relations, parts)
  const beside = isForOneThread(relations) ? telling() : undefined
  // One that fails before the groups are there fails after them; until then it must not end the process.
  beside?.catch(() => undefined)
  // Nothing runs any more when this is over, whatever comes of it: the tables are let go then.
  const collected = await collecting.finally(() => beside?.catch(() => undefined))
  if (!collected.ok) return collected
  const told = await (beside ?? telling())
  if (!told.ok) return told
  return ok({ kind: 'groups', ...collected.value, parts: told.value(collected.value.groups) })
}

/**
 * Whether the engine reads the rows on one thread: so many at a time are a thread's. Then what a question tells people apart by is
 * gathered beside its groups; of more rows both would want all threads, and memory for both at once.
 */
function isForOneThread(relations: ReadonlyMap<string, PlanRelation>): boolean {
  return [...relations.values()].every(
    ({ rowCount = Number.POSITIVE_INFINITY }) => rowCount <= ROWS_OF_THREAD,
  )
}

/** Rows of a row group of DuckDB. */
const ROWS_OF_THREAD = 122_880

async function runGroups(
  { checked, dominanceBp }: PlannedAsk,
  relations: ReadonlyMap<string, PlanRelation>,
  parts: VaultParts,
): Promise<Outcome<Pick<CollectedGroups, 'plan' | 'groups'>>> {
  const plan = planAggregate(checked, { dialect: 'duckdb', relations })
  const groups = await collectGroups(plan, vaultRunner(parts), { dominanceBp })
  return groups.ok ? ok({ plan, groups: groups.value }) : groups
}

/** The vault under the limits of every ask. */
export function vaultRunner({ vault }: VaultParts): QueryRunner {
  return {
    run: (statement) =>
      vault.run(statement, { timeoutMs: LIMITS.queryTimeoutMs, rowsMax: LIMITS.releaseRowsMax }),
  }
}
