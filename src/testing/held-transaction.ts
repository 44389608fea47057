import type { RawBuilder } from 'kysely'
import type { Database } from '../kernel/postgres/database.ts'

/** A transaction of somebody else that has done one statement, sees what was there then, and is open until it is disposed of. */
export async function heldTransaction(
  db: Database,
  statement: RawBuilder<unknown>,
): Promise<AsyncDisposable> {
  const tx = await db.startTransaction().setIsolationLevel('repeatable read').execute()
  try {
    await statement.execute(tx)
  } catch (error) {
    await tx.rollback().execute()
    throw error
  }
  return { [Symbol.asyncDispose]: () => tx.rollback().execute() }
}
