import { sql } from 'kysely'
import type { RawBuilder } from 'kysely'
import type { Database } from './database.ts'

/** Rows that one statement deletes: some milliseconds, in which nobody else waits. */
const STEP_ROWS = 5_000
/** Steps that one call takes; what is left is for the next. */
const STEPS_MAX = 100

/** Deletes rows of a table that meet a condition, the index of which they are found by, in steps that each last; gives how many. */
export async function deleteInSteps(
  db: Database,
  { table, where, stepRows = STEP_ROWS }: { table: string; where: RawBuilder<unknown>; stepRows?: number },
): Promise<number> {
  let deleted = 0
  for (let step = 0; step < STEPS_MAX; step += 1) {
    const { numAffectedRows = 0n } = await sql`
      delete from ${sql.table(table)} where ctid = any(array(
        select ctid from ${sql.table(table)} where ${where} limit ${stepRows} for update skip locked))`.execute(
      db,
    )
    deleted += Number(numAffectedRows)
    if (numAffectedRows < BigInt(stepRows)) break
  }
  return deleted
}
