import { LIMITS } from '../../src/kernel/limits.ts'
import { manifestSchema } from '../../src/protocol/data-set.ts'
import type { AnswerParts } from '../../src/site/guard/alike.ts'
import type { CollectedGroup } from '../../src/site/guard/collected-group.ts'
import type { CheckedQuery, QueryMode } from '../../src/site/query/bound/bound-query.ts'
import { checkQuestion } from '../../src/site/query/check-question.ts'
import { collectParts } from '../../src/site/query/alike/collect-parts.ts'
import type { PlanContext, PlanRelation, QueryRunner } from '../../src/site/query/plan/plan-context.ts'
import { planAggregate } from '../../src/site/query/plan/plan-aggregate.ts'
import { collectGroups } from '../../src/site/query/run/run-aggregate.ts'
import type { Vault } from '../../src/site/vault/vault.ts'

const place = { within: ['IE'] }

/** The data set of the benchmark: its average is over a required column with bounds. */
const manifest = manifestSchema.parse({
  dataSet: 'bench',
  title: 'Rows of the benchmark',
  issuer: 'federation',
  person: { key: 'person', rowsMax: 100 },
  columns: [
    { name: 'person', type: 'text', sensitivity: 'direct_identifier', isRequired: true },
    { name: 'v', type: 'number', bounds: [50, 150], isRequired: true },
    { name: 'region', type: 'text', isRequired: true },
  ],
  legalBasis: 'eu-gdpr:A6-1-a',
  purposes: ['dpv:AcademicResearch'],
  modes: ['aggregate', 'private'],
  perimeter: { store: place, process: place, release: place },
  retention: { period: 'P5Y', from: '2026-01-01' },
  tariff: { currency: 'EUR', capMinor: 1_000 },
  splits: { issuer: 6_000, custodian: 2_000, network: 1_000, subjects: 1_000 },
})

const dataSets = new Map([[manifest.dataSet, manifest]])

/** The question, understood. */
export function checkBench(mode: QueryMode): CheckedQuery {
  return check('select region, avg(v) from bench group by region', mode)
}

/** Questions that tell people apart by one thing and by two. */
export const TELLING_SQL = {
  one: 'select region, avg(v) from bench where v > 60 group by region',
  two: "select region, avg(v) from bench where v > 60 and region <> 'nowhere' group by region",
} as const

function check(sql: string, mode: QueryMode): CheckedQuery {
  const checked = checkQuestion(sql, { mode, dataSets })
  if (!checked.ok) throw new Error(`${checked.error.code}: ${checked.error.detail}`)
  return checked.value
}

/** From the question's text to collected groups: the gate checks and plans it, the vault runs it. */
export async function collectEnforced(
  vault: Vault,
  relation: PlanRelation,
): Promise<readonly CollectedGroup[]> {
  return collect(checkBench('aggregate'), runOf(vault, relation))
}

/** The same of a question that tells people apart, and whom it does. */
export async function collectTelling(
  vault: Vault,
  { relation, sql }: { readonly relation: PlanRelation; readonly sql: string },
): Promise<AnswerParts> {
  const [checked, run] = [check(sql, 'aggregate'), runOf(vault, relation)]
  const parts = await collectParts(checked, await collect(checked, run), run)
  if (!parts.ok) throw new Error(`${parts.error.code}: ${parts.error.detail}`)
  return parts.value
}

interface Run {
  readonly context: PlanContext
  readonly runner: QueryRunner
}

function runOf(vault: Vault, relation: PlanRelation): Run {
  const limits = { timeoutMs: 120_000, rowsMax: LIMITS.releaseRowsMax }
  return {
    context: { dialect: 'duckdb', relations: new Map([['bench', relation]]) },
    runner: { run: (statement) => vault.run(statement, limits) },
  }
}

async function collect(checked: CheckedQuery, { context, runner }: Run): Promise<readonly CollectedGroup[]> {
  const groups = await collectGroups(planAggregate(checked, context), runner, {
    dominanceBp: manifest.dominanceBp,
  })
  if (!groups.ok) throw new Error(`${groups.error.code}: ${groups.error.detail}`)
  return groups.value
}
