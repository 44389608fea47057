import type { Manifest } from '../../protocol/data-set.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Vault } from '../vault/vault.ts'
import { carries, highRiskOf } from './assessment-needed.ts'
import type { AssessmentStore } from './assessment-store.ts'

/** Why a use may not begin: it is of high risk, and no assessment carries it today. Nothing when it may. */
export async function unassessedRisk(
  {
    vault,
    assessments,
    clock,
  }: { readonly vault: Vault; readonly assessments: AssessmentStore; readonly clock: Clock },
  { manifest, purpose }: { manifest: Manifest; purpose: string },
): Promise<string | undefined> {
  const people = (await vault.people(manifest.dataSet)).count()
  const risk = highRiskOf({ manifest, purpose, people })
  if (risk === undefined) return undefined
  const isCarried = assessments
    .list()
    .some((assessment) => carries(assessment, { manifest, purpose, now: clock.now() }))
  return isCarried ? undefined : risk
}
