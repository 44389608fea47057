import type { Bitset } from '../../kernel/bitset.ts'
import { err } from '../../kernel/result.ts'
import type { Result } from '../../kernel/result.ts'
import type { Decline, Outcome } from '../../protocol/reason.ts'
import type { PlannedAsk } from './plan-ask.ts'
import type { Reservation } from './reserve-answer.ts'
import type { SiteParts } from './site-parts.ts'

/** What has to be so still when something is told of a run of which nothing is released. */
type StandsOn = Pick<Reservation, 'told' | 'changes' | 'consentSequence'>

/** A decline; one that follows from what the guard let through tells of the run, and stands on what an answer would. */
export type ToldDecline = Decline & { readonly standsOn?: StandsOn | undefined }

/** What became of something; a decline with what it stands on. */
export type ToldOutcome<T> = Result<T, ToldDecline>

/** A run that the guard let through. */
interface GuardedRun {
  readonly planned: PlannedAsk
  readonly guarded: { readonly people: Bitset; readonly changes: ReadonlyMap<string, number> }
}

/** Nothing is told over somebody who has taken back a grant since, be it while it waits for its time class, nor of rows of before. */
export async function standsOn(
  { planned, guarded }: GuardedRun,
  { vault }: Pick<SiteParts, 'vault'>,
): Promise<StandsOn> {
  const people = (await vault.households()).peopleOf(guarded.people)
  return {
    told: [...planned.dataSets.keys()].map((dataSet) => ({ dataSet, people })),
    changes: guarded.changes,
    consentSequence: planned.consentSequence,
  }
}

/** The same outcome; a decline with what it stands on. */
export async function toldOutcome<T>(
  outcome: Outcome<T>,
  run: GuardedRun,
  parts: Pick<SiteParts, 'vault'>,
): Promise<ToldOutcome<T>> {
  return outcome.ok ? outcome : err({ ...outcome.error, standsOn: await standsOn(run, parts) })
}
