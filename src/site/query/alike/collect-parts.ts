import type { Bitset } from '../../../kernel/bitset.ts'
import { LIMITS } from '../../../kernel/limits.ts'
import { ok } from '../../../kernel/result.ts'
import type { Outcome } from '../../../protocol/reason.ts'
import type { AnswerParts } from '../../guard/alike.ts'
import type { ColumnNames } from '../../guard/noted-columns.ts'
import type { CollectedGroup } from '../../guard/collected-group.ts'
import type { VaultStatement } from '../../vault/vault.ts'
import type { CheckedQuery } from '../bound/bound-query.ts'
import type { PlanContext, QueryRunner } from '../plan/plan-context.ts'
import { decisionsOf } from './decisions.ts'
import type { Decisions } from './decisions.ts'
import { planParts } from './plan-parts.ts'
import type { BaseColumn } from './readings.ts'

/**
 * Into which parts a question puts people by what it asks of them, those of each group among them, or of its rows. Nothing of it has
 * been guarded: it must not leave the process.
 */
export async function collectParts(
  checked: CheckedQuery,
  groups: readonly Pick<CollectedGroup, 'people'>[],
  run: PartsRun,
): Promise<Outcome<AnswerParts>> {
  const parts = await tellApart(checked, run)
  return parts.ok ? ok(parts.value(groups)) : parts
}

/** With what it is told how a question puts people into parts. */
export interface PartsRun {
  readonly context: PlanContext
  readonly runner: QueryRunner
}

/** The same before the groups are known, which are parts as well. */
export async function tellApart(
  checked: CheckedQuery,
  { context, runner }: PartsRun,
): Promise<Outcome<(groups: readonly Pick<CollectedGroup, 'people'>[]) => AnswerParts>> {
  const decisions = decisionsOf(checked.query, checked.manifests)
  const isTold = isToldApart(decisions)
  const plan = planParts(checked, { decisions, isTold }, context)
  const told = await collectAll(plan.told, runner)
  if (!told.ok) return told
  const values = await collectAll(plan.ofValues ? [plan.ofValues] : [], runner)
  if (!values.ok) return values
  const isKnown = told.value !== undefined && !decisions.isOpaque
  return ok((groups) => ({
    apart:
      isKnown || !isTold
        ? [...(told.value ?? []), ...(isTold ? groups.map(({ people }) => people) : [])]
        : undefined,
    within: decisions.values.tells.length === 0 ? [] : decisions.isOpaque ? undefined : values.value,
    decided: namesOf(isTold ? decisions.decided : []),
    untold: namesOf(isTold ? decisions.pieces : decisions.decided),
    // Of what is true or false a sum is a number of people, who are a set of their own.
    summed: namesOf(decisions.summed.filter(({ type }) => type !== 'boolean')),
  }))
}

/**
 * Whether it matters whom a question tells apart: there are sums of something that decides. Of a text there are sums only where it is
 * taken apart, and then not over whoever was chosen by it (`untold`). That one thing alone decides does not make it matter less: of
 * whom it is not asked, because they allow no more, or have nothing that is asked for beside it, are one who is unlike the others.
 */
function isToldApart({ decided }: Decisions): boolean {
  return decided.some(({ type }) => type !== 'text' && type !== 'boolean')
}

/** Sets of people; undefined where there are too many. */
async function collectAll(
  statements: readonly VaultStatement[],
  runner: QueryRunner,
): Promise<Outcome<readonly Bitset[] | undefined>> {
  const sets: Bitset[] = []
  for (const statement of statements) {
    const result = await runner.run(statement)
    if (!result.ok) return result
    if (result.value.rowCount > LIMITS.queryGroupsMax) return ok(undefined)
    sets.push(...result.value.sets(0))
  }
  return ok(sets)
}

function namesOf(columns: readonly BaseColumn[]): ColumnNames {
  const names = new Map<string, Set<string>>()
  for (const { dataSet, column } of columns) names.set(dataSet, (names.get(dataSet) ?? new Set()).add(column))
  return names
}
