import type { Instant } from '../kernel/clock.ts'
import { err, ok } from '../kernel/result.ts'
import { privateMinimumGroupOf } from '../protocol/data-set.ts'
import type { Manifest } from '../protocol/data-set.ts'
import type { Mode } from '../protocol/mode.ts'
import type { Outcome } from '../protocol/reason.ts'
import { keptRows } from '../protocol/law/retention.ts'
import type { KeptRows } from '../protocol/law/retention.ts'
import type { DataSetId } from '../protocol/wire.ts'
import { declineInNames } from './asks/decline-in-names.ts'
import { planPrivacy } from './privacy/plan-privacy.ts'
import type { CheckedQuery } from './query/bound/bound-query.ts'
import { checkQuestion } from './query/check-question.ts'
import type { QuestionParameter } from './query/check-question.ts'
import { planAggregate, SETS_AT_ONCE } from './query/plan/plan-aggregate.ts'
import type { PlanContext, PlanRelation } from './query/plan/plan-context.ts'
import { planPrivate } from './query/plan/plan-private.ts'
import { planRows } from './query/plan/plan-rows.ts'
import { tableOf } from './vault/stored-columns.ts'
import type { Vault, VaultStatement } from './vault/vault.ts'

/** One statement that the engine of a site would be given. */
export interface ExplainedStatement {
  /** What it is for, in words. */
  readonly what: string
  readonly sql: string
  /** Bound values, `$1` first, as texts. */
  readonly parameters: readonly string[]
}

/**
 * What the engine is given for a question, as printed from the bound form: no character of the text that was asked is in
 * it but names of outputs. For the operator alone: it names the tables of eligible people and how rows are bounded, which
 * an acquirer has no business to know. Nothing is run, and nobody is looked up.
 */
export async function explainQuestion(
  question: { sql: string; parameters: readonly QuestionParameter[]; mode: Mode },
  { manifests, vault, now }: { manifests: ReadonlyMap<DataSetId, Manifest>; vault: Vault; now: Instant },
): Promise<Outcome<readonly ExplainedStatement[]>> {
  const { sql, parameters, mode } = question
  const checked = checkQuestion(sql, { mode, dataSets: manifests, parameters })
  if (!checked.ok) return err(declineInNames(checked.error, { text: sql, manifests }))
  const relations = new Map<DataSetId, PlanRelation>()
  for (const dataSet of checked.value.dataSets) {
    relations.set(dataSet, {
      table: tableOf(dataSet),
      eligible: `eligible_${dataSet}`,
      personCount: await vault.personCount(),
      rowsPerPerson: await vault.rowsPerPerson(dataSet),
      rowCount: await vault.rowCount(dataSet),
      kept: keptIn(manifests.get(dataSet), now),
    })
  }
  return ok(statementsOf(checked.value, { manifests, context: { dialect: 'duckdb', relations } }))
}

function keptIn(manifest: Manifest | undefined, now: Instant): KeptRows | undefined {
  return manifest && keptRows(manifest, now)
}

function statementsOf(
  checked: CheckedQuery,
  { manifests, context }: { manifests: ReadonlyMap<DataSetId, Manifest>; context: PlanContext },
): readonly ExplainedStatement[] {
  if (checked.mode === 'rows')
    return [explained('the rows of eligible people', planRows(checked, context).statement)]
  if (checked.mode === 'private') return privateStatements(checked, { manifests, context })
  const plan = planAggregate(checked, context)
  return [
    explained('groups, with who is behind each', plan.collect),
    explained(
      `who is behind each measure, ${SETS_AT_ONCE} at a time, where that is not everybody in the group`,
      plan.collectSets(plan.series.keys().take(SETS_AT_ONCE).toArray()),
    ),
    explained('the largest share of one person, where an estimate does not settle it', plan.exactShares()),
  ]
}

function privateStatements(
  checked: CheckedQuery,
  { manifests, context }: { manifests: ReadonlyMap<DataSetId, Manifest>; context: PlanContext },
): readonly ExplainedStatement[] {
  const used = checked.dataSets.flatMap((dataSet) => manifests.get(dataSet) ?? [])
  const minimumGroup = Math.max(...used.map((manifest) => privateMinimumGroupOf(manifest, true)))
  const { design } = planPrivacy(checked, { privacy: undefined, minimumGroup })
  // The true key is secret, and another for every question.
  const plan = planPrivate(design, { ...context, choiceKey: 'a secret of the question' })
  return [
    ...(plan.plain ? [explained('sums, where nobody has more than may count', plan.plain)] : []),
    ...(plan.listed
      ? [explained('rows of each group, where what a person gives is bounded here', plan.listed.statement)]
      : []),
    explained('sums, with what each person gives bounded', plan.bounded),
  ]
}

function explained(what: string, { sql, parameters = [] }: VaultStatement): ExplainedStatement {
  return { what, sql, parameters: parameters.map(({ value }) => String(value)) }
}
