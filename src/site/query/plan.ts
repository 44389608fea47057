import type { CollectedGroup } from '../guard/collected-group.ts'
import type { ReleaseValue } from '../../protocol/release.ts'
import type { Outcome } from '../../protocol/reason.ts'
import type { VaultResult, VaultStatement } from '../vault/vault.ts'
import type { Dialect } from './catalogue-row.ts'
import type { CheckedQuery, OutputColumn } from './bound-query.ts'


/** Where a data set lies, for one run. */
export interface PlanRelation {
  /** The table with the rows: `_p` and the stored columns. */
  readonly table: string
  /** The table of eligible people: one unique column `_p`. */
  readonly eligible: string
  /** Numbers given out so far: every `_p` is below. */
  readonly personCount: number
  /** Most rows one person has here, if the vault keeps it; else the manifest's `person.rowsMax` is enforced by the plan. */
  readonly rowsPerPerson?: number
}

export interface PlanContext {
  readonly dialect: Dialect
  readonly relations: ReadonlyMap<string, PlanRelation>
}

/** Runs one printed statement; the vault's `run` with the limits of the ask. */
export interface QueryRunner {
  run(statement: VaultStatement): Promise<Outcome<VaultResult>>
}

/** Opaque to callers: made by `planAggregate`, used by `collectGroups` and `finishGroups`. */
export interface AggregatePlan {
  readonly checked: CheckedQuery
  readonly dialect: Dialect
}
export interface RowsPlan {
  readonly checked: CheckedQuery
  readonly statement: VaultStatement
  /** Outputs that are the person: the caller puts pseudonyms there. */ readonly personOutputs: readonly number[]
}

// planAggregate(checked, context): AggregatePlan
// planRows(checked, context): RowsPlan
// collectGroups(plan, runner, { dominanceBp }): Promise<Outcome<readonly CollectedGroup[]>>                     run-aggregate.ts
// finishGroups(plan, { released, remainder? }, runner): Promise<Outcome<{ columns, rows, remainder? }>>         run-aggregate.ts
// runRows(plan, runner): Promise<Outcome<{ columns, rows: ReleaseValue[][], people: Int32Array (per row) }>>    run-rows.ts
export interface FinishedRows {
  readonly columns: readonly OutputColumn[]
  readonly rows: readonly (readonly ReleaseValue[])[]
  readonly remainder?: readonly ReleaseValue[]
}
export type Collected = readonly CollectedGroup[]
