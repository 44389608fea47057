import { later } from '../../kernel/clock.ts'
import type { Clock, Instant } from '../../kernel/clock.ts'
import type { Backups } from '../backup/backups.ts'
import type { SiteEvents } from '../events.ts'
import { endGrantsOfBarred } from '../principals/end-grants-of-barred.ts'
import { completeErasures, settleErasures } from './complete-erasures.ts'
import { finishErasureOfMany } from '../retention/erase-without-rows.ts'
import { sweepRetention } from '../retention/sweep-retention.ts'
import type { SweepParts } from '../retention/sweep-retention.ts'
import type { ErasureParts } from './erasure-request.ts'
import { finishErasure } from './erase-person.ts'
import { resumeCorrections } from './correct-person.ts'
import type { CorrectionParts } from './note-corrections.ts'
import { erasuresIn } from './erasure-store.ts'
import { restrictionsInForce } from './restriction-store.ts'

/** How often it is looked whether something is due. */
const INTERVAL_MS = 60_000
/** How often people without rows are looked through whose rows went before: a grant of theirs has ended since, or a request is answered. */
const THOROUGH_EVERY_MS = 3_600_000

/** What people's rights need before the site serves anybody. */
export async function resumeRights(
  parts: ErasureParts & CorrectionParts & Parameters<typeof endGrantsOfBarred>[0],
): Promise<void> {
  await resumeErasures(parts)
  for (const { person, until, reason } of await restrictionsInForce(parts.db))
    parts.hidden.restrict(person, until, reason)
  await resumeCorrections(parts)
  // Of what a crash came before, or a version that did not look.
  await endGrantsOfBarred(parts)
}

/**
 * Hides whoever is being erased and finishes what a crash left half done, before the site serves anybody. Each step of
 * an erasure can be done again.
 */
async function resumeErasures(parts: ErasureParts): Promise<number> {
  const begun = await erasuresIn(parts.db, 'begun')
  for (const { person } of begun) if (person !== undefined) parts.hidden.hideErased(person)
  for (const erasure of begun)
    await (erasure.many ? finishErasureOfMany(parts, erasure) : finishErasure(parts, erasure))
  return begun.length
}

/**
 * Ends backups whose window has ended, completes erasures when half of their window has passed, and deletes what
 * has reached its end, until `signal` is aborted; what fails is tried again.
 */
export async function serveRights({
  parts,
  clock,
  events,
  signal,
}: {
  parts: ErasureParts & SweepParts & { readonly backups: Pick<Backups, 'expire'> }
  clock: Clock
  events: SiteEvents
  signal: AbortSignal
}): Promise<void> {
  let thoroughAt: Instant | undefined
  while (!signal.aborted) {
    try {
      const expired = await parts.backups.expire()
      if (expired > 0) events.backupsExpired({ backups: expired })
      await settleErasures(parts)
      if (await isDue(parts))
        events.erasuresCompleted({ erasures: await completeErasures(parts, { signal }) })
    } catch (error) {
      events.failed('completing erasures', error)
    }
    try {
      const isThorough = thoroughAt === undefined || clock.now() >= later(thoroughAt, THOROUGH_EVERY_MS)
      const swept = await sweepRetention(parts, { isThorough })
      if (isThorough) thoroughAt = clock.now()
      if (swept.rows > 0 || swept.people > 0) events.retentionSwept(swept)
    } catch (error) {
      events.failed('sweeping what has ended', error)
    }
    await clock.sleep(INTERVAL_MS, signal)
  }
}

async function isDue({ db, clock, erasureWindowMs }: ErasureParts): Promise<boolean> {
  const waiting = await erasuresIn(db, 'deleted')
  const oldest = waiting.find(({ compactedAt }) => compactedAt === undefined)
  return oldest !== undefined && clock.now() >= oldest.permanentBy - erasureWindowMs / 2
}
