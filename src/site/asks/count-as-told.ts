import { Fault } from '../../kernel/faults.ts'
import { writeBeside } from './beside-answer.ts'
import type { GuardedRelease } from './guard-release.ts'
import type { SiteParts } from './site-parts.ts'

/**
 * Keeps the cuts of an answer of which something was told without its being released: a price above the limit, a dry
 * run. Which people stand in it has decided what is told, so it is held against later answers as a released one is;
 * otherwise such asks would try any set of people for nothing. False: another answer came first, and the run has to be
 * done again.
 */
export async function countAsTold(
  { beside, commitCuts }: Pick<GuardedRelease, 'beside' | 'commitCuts'>,
  { db }: Pick<SiteParts, 'db'>,
): Promise<boolean> {
  try {
    if (commitCuts) await db.transaction().execute(commitCuts)
    await writeBeside(db, beside)
    return true
  } catch (error) {
    if (error instanceof Fault && error.code === 'fault.overloaded') return false
    throw error
  }
}
