import { ok } from '../../../kernel/result.ts'
import type { Outcome } from '../../../protocol/reason.ts'
import type { ReleaseValue } from '../../../protocol/release.ts'
import type { OutputColumn } from '../bound/bound-query.ts'
import type { RowsPlan } from '../plan/plan-rows.ts'
import type { QueryRunner } from '../plan/plan-context.ts'
import { toReleased } from './released-value.ts'

/** Rows before pseudonyms: `personOutputs` are null and belong to `people`, the person's number of each row. */
export interface RowsAnswer {
  readonly columns: readonly OutputColumn[]
  readonly rows: readonly (readonly ReleaseValue[])[]
  readonly people: readonly number[]
  readonly personOutputs: readonly number[]
}

/** Runs a question of mode `rows`. The runner's limit on rows is the release's. */
export async function runRows(
  { checked, statement, personOutputs }: RowsPlan,
  runner: QueryRunner,
): Promise<Outcome<RowsAnswer>> {
  const result = await runner.run(statement)
  if (!result.ok) return result
  const { outputs } = checked
  const columns = outputs.map((_, index) => result.value.column(index + 1))
  const rows = Array.from({ length: result.value.rowCount }, (_, row) =>
    outputs.map(({ type }, index) => toReleased(columns[index]?.[row], type)),
  )
  return ok({ columns: outputs, rows, people: result.value.column(0).map(Number), personOutputs })
}
