import { Fault, sayOf } from '../../kernel/faults.ts'
import type { DatabaseTransaction } from '../../kernel/postgres/database.ts'
import type { Outcome } from '../../protocol/reason.ts'
import type { WrittenCut } from '../guard/partition-record.ts'
import { writeBeside } from './beside-answer.ts'
import type { BesideAnswer } from './beside-answer.ts'
import type { SiteParts } from './site-parts.ts'

/** What counts of a run, whatever becomes of it. */
export interface ToldRun {
  /** What has to be in the record before any of it is told. */
  readonly beside: BesideAnswer
  /** Of rows: the cuts instead of those, where the rows do not leave. Made within the hold, and only then. */
  readonly cutsUnshown?: (() => readonly WrittenCut[]) | undefined
  /** The same of mode `private`, as statements of their own in the transaction that lets it out. */
  readonly commitCuts?: ((tx: DatabaseTransaction) => Promise<void>) | undefined
}

/**
 * Keeps the cuts of an answer of which something was told without its being released: a price above the limit, a dry
 * run. Which people stand in it has decided what is told, so it is held against later answers as a released one is;
 * otherwise such asks would try any set of people for nothing. False: another answer came first, and the run has to be
 * done again.
 */
export async function countAsTold(
  { beside, cutsUnshown, commitCuts }: ToldRun,
  { db }: Pick<SiteParts, 'db'>,
): Promise<boolean> {
  try {
    if (commitCuts) await db.transaction().execute(commitCuts)
    await writeBeside(db, cutsUnshown ? { ...beside, cuts: cutsUnshown() } : beside)
    return true
  } catch (error) {
    if (error instanceof Fault && error.code === 'fault.overloaded') return false
    throw error
  }
}

/**
 * Does what comes after the guard, or with noise. When that comes to nothing, whoever asked is told by it that it came so far,
 * and what it failed for may follow from what was let through: so it counts as told, by a decline and by a fault of ours alike.
 *
 * @throws Fault `fault.unavailable` where it cannot be counted, with what was lost as its cause
 */
export async function countedWhenLost<T>(
  told: ToldRun,
  parts: Pick<SiteParts, 'db'>,
  act: () => Promise<Outcome<T>>,
): Promise<Outcome<T> | 'again'> {
  const outcome = await act().catch(async (lost: unknown) => {
    // Where another answer came first it was not counted, so whoever asked may not be told of it either.
    if (!(await countLost(told, parts, lost))) return 'again' as const
    throw lost
  })
  if (outcome === 'again' || outcome.ok) return outcome
  return (await countAsTold(told, parts)) ? outcome : 'again'
}

/** Why it was lost is what somebody has to mend: it is said also where it cannot be counted. */
async function countLost(told: ToldRun, parts: Pick<SiteParts, 'db'>, lost: unknown): Promise<boolean> {
  try {
    return await countAsTold(told, parts)
  } catch (error) {
    throw new Fault('fault.unavailable', {
      what: `Cannot count as told what was lost (${sayOf(lost)}): ${sayOf(error)}`,
      cause: lost,
    })
  }
}
