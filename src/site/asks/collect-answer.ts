import type { Bitset } from '../../kernel/bitset.ts'
import { monotonicMs } from '../../kernel/clock.ts'
import { digestOf } from '../../kernel/digest.ts'
import { LIMITS } from '../../kernel/limits.ts'
import { ok } from '../../kernel/result.ts'
import type { Outcome } from '../../protocol/reason.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import type { CollectedGroup } from '../guard/collected-group.ts'
import { admitNewcomers } from '../guard/differencing.ts'
import type { PartitionLook } from '../guard/partition-store.ts'
import { planAggregate } from '../query/plan-aggregate.ts'
import { planRows } from '../query/plan-rows.ts'
import type { AggregatePlan } from '../query/plan-aggregate.ts'
import type { PlanRelation, QueryRunner } from '../query/plan-context.ts'
import { collectGroups } from '../query/run-aggregate.ts'
import { runRows } from '../query/run-rows.ts'
import type { RowsAnswer } from '../query/run-rows.ts'
import { tableOf } from '../vault/stored-columns.ts'
import type { PlannedAsk } from './plan-ask.ts'
import type { SiteParts } from './site-parts.ts'

/** What the engine gave, before the guard has seen it: it must not leave this process. */
export interface CollectedAnswer {
  readonly result:
    | { readonly kind: 'groups'; readonly plan: AggregatePlan; readonly groups: readonly CollectedGroup[] }
    | { readonly kind: 'rows'; readonly answer: RowsAnswer }
  /** People who were used for each data set. */
  readonly eligible: ReadonlyMap<DataSetId, Bitset>
  /** What the acquirer knew when the run began, and how often rows had changed. */
  readonly look: PartitionLook
  readonly engineMs: number
}

/** Computes over permitted columns of eligible people, inside the vault. */
export async function collectAnswer(
  planned: PlannedAsk,
  { look, parts }: { look: PartitionLook; parts: SiteParts },
): Promise<Outcome<CollectedAnswer>> {
  const eligible = new Map<DataSetId, Bitset>()
  for (const [dataSet, { eligibility }] of planned.dataSets) {
    const people =
      planned.checked.mode === 'rows'
        ? eligibility.eligible
        : admitNewcomers(look.partition(dataSet), eligibility.eligible, planned.minimumGroup)
    eligible.set(dataSet, people)
  }
  const startedMs = monotonicMs()
  const result = await withRelations([...eligible], { planned, parts }, (relations) =>
    runPlan(planned, relations, parts),
  )
  return result.ok
    ? ok({ result: result.value, eligible, look, engineMs: monotonicMs() - startedMs })
    : result
}

/** The groups of the same question as if some of the people were not there. Nothing of it is charged. */
export async function collectWithout(
  { planned, collected }: { readonly planned: PlannedAsk; readonly collected: CollectedAnswer },
  people: Bitset,
  parts: SiteParts,
): Promise<Outcome<readonly CollectedGroup[]>> {
  const rest = [...collected.eligible].map(
    ([dataSet, eligible]) => [dataSet, eligible.difference(people)] as const,
  )
  const result = await withRelations(rest, { planned, parts }, (relations) =>
    runPlan(planned, relations, parts),
  )
  if (!result.ok) return result
  return ok(result.value.kind === 'groups' ? result.value.groups : [])
}

/** Makes the table of eligible people of each data set, one inside the other, and runs with all of them held. */
export async function withRelations<T>(
  eligible: readonly (readonly [DataSetId, Bitset])[],
  { planned, parts }: { planned: PlannedAsk; parts: SiteParts },
  use: (relations: ReadonlyMap<string, PlanRelation>) => Promise<T>,
  made: ReadonlyMap<string, PlanRelation> = new Map(),
): Promise<T> {
  const [first, ...rest] = eligible
  if (!first) return use(made)
  const [dataSet, people] = first
  const known = planned.dataSets.get(dataSet)?.eligibility
  // Without newcomers the set depends on what the acquirer has seen: only its members name it.
  const cacheKey = known?.eligible === people ? known.digest : digestOf(people.toBytes())
  const personCount = await parts.vault.personCount()
  const rowsPerPerson = await parts.vault.rowsPerPerson(dataSet)
  const rowCount = await parts.vault.rowCount(dataSet)
  return parts.vault.withEligible({ people, cacheKey }, (table) => {
    const relation = { table: tableOf(dataSet), eligible: table, personCount, rowsPerPerson, rowCount }
    return withRelations(rest, { planned, parts }, use, new Map([...made, [dataSet, relation]]))
  })
}

async function runPlan(
  { checked, dominanceBp }: PlannedAsk,
  relations: ReadonlyMap<string, PlanRelation>,
  parts: SiteParts,
): Promise<Outcome<CollectedAnswer['result']>> {
  const runner = vaultRunner(parts)
  if (checked.mode === 'rows') {
    const answer = await runRows(planRows(checked, { dialect: 'duckdb', relations }), runner)
    return answer.ok ? ok({ kind: 'rows', answer: answer.value }) : answer
  }
  const plan = planAggregate(checked, { dialect: 'duckdb', relations })
  const groups = await collectGroups(plan, runner, { dominanceBp })
  return groups.ok ? ok({ kind: 'groups', plan, groups: groups.value }) : groups
}

/** The vault under the limits of every ask. */
export function vaultRunner({ vault }: Pick<SiteParts, 'vault'>): QueryRunner {
  return {
    run: (statement) =>
      vault.run(statement, { timeoutMs: LIMITS.queryTimeoutMs, rowsMax: LIMITS.releaseRowsMax }),
  }
}
