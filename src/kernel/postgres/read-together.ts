import { GroupCommit } from '../group-commit.ts'
import type { Database } from './database.ts'

/** Callers who are answered by one statement. */
const CALLS_AT_ONCE = 64

/**
 * Makes of a read that can answer for several callers at once one for each of them: those who come while one statement is under way
 * are answered by the next, which begins after each of them has asked. Within a transaction everybody reads alone, at once.
 *
 * `read` gives what each is to have, in order, and must give nobody what another asked for.
 */
export function readTogether<Wanted, Found>(
  read: (db: Database, wanted: readonly Wanted[]) => Promise<readonly Found[]>,
): (db: Database, wanted: Wanted) => Promise<Found> {
  const lines = new WeakMap<Database, GroupCommit<Wanted, { readonly found: Found }>>()
  const readAll = async (db: Database, wanted: readonly Wanted[]) =>
    (await read(db, wanted)).map((found) => ({ found }))
  return async (db, wanted) => {
    if (db.isTransaction) return onlyOf(await readAll(db, [wanted])).found
    const line = lines.get(db) ?? new GroupCommit((all) => readAll(db, all), CALLS_AT_ONCE)
    lines.set(db, line)
    return (await line.add(wanted)).found
  }
}

function onlyOf<T>([only]: readonly T[]): T {
  if (only === undefined) throw new Error('A read did not say what was found')
  return only
}
