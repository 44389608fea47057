import { ok } from '../../../src/kernel/result.ts'
import type { Outcome } from '../../../src/protocol/reason.ts'
import type { ReleaseValue } from '../../../src/protocol/release.ts'
import type { CollectedGroup } from '../../../src/site/guard/collected-group.ts'
import { checkQuestion } from '../../../src/site/query/check-question.ts'
import type { QuestionParameter } from '../../../src/site/query/check-question.ts'
import { finishGroups } from '../../../src/site/query/run/finish-groups.ts'
import { planAggregate } from '../../../src/site/query/plan/plan-aggregate.ts'
import { planRows } from '../../../src/site/query/plan/plan-rows.ts'
import { collectGroups } from '../../../src/site/query/run/run-aggregate.ts'
import { runRows } from '../../../src/site/query/run/run-rows.ts'
import type { PlanRelation } from '../../../src/site/query/plan/plan-context.ts'
import type { TestDataSet, TestEngine } from './two-engines.ts'

export interface Asked {
  readonly sql: string
  readonly mode?: 'aggregate' | 'rows'
  readonly parameters?: readonly QuestionParameter[]
  readonly dataSets: readonly TestDataSet[]
  readonly eligible: readonly number[]
  /** Where the data sets lie, when they were filled before. */
  readonly relations?: ReadonlyMap<string, PlanRelation>
  /** Which groups are let through; all without it. */
  readonly guard?: (group: CollectedGroup) => boolean
}

export interface Answered {
  readonly rows: readonly (readonly ReleaseValue[])[]
  readonly groups: readonly CollectedGroup[]
  /** In mode `rows`, the person of each row. */
  readonly people: readonly number[]
}

/** From a question's text to its answer on one engine, as a site goes through it but with a guard of the test's own. */
export async function askEngine(engine: TestEngine, asked: Asked): Promise<Outcome<Answered>> {
  const { sql, mode = 'aggregate', parameters = [], dataSets, eligible, guard = () => true } = asked
  const manifests = new Map(dataSets.map(({ manifest }) => [manifest.dataSet, manifest]))
  const checked = checkQuestion(sql, { mode, dataSets: manifests, parameters })
  if (!checked.ok) return checked
  const context = {
    dialect: engine.dialect,
    relations: asked.relations ?? (await engine.relations(dataSets, eligible)),
  }
  if (mode === 'rows') {
    const answer = await runRows(planRows(checked.value, context), engine.runner)
    return answer.ok ? ok({ rows: answer.value.rows, groups: [], people: answer.value.people }) : answer
  }
  const plan = planAggregate(checked.value, context)
  const groups = await collectGroups(plan, engine.runner, { dominanceBp: 10_000 })
  if (!groups.ok) return groups
  const finished = await finishGroups(plan, { released: groups.value.filter(guard) }, engine.runner)
  return finished.ok ? ok({ rows: finished.value.rows, groups: groups.value, people: [] }) : finished
}
