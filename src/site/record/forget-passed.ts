import { sql } from 'kysely'
import { later } from '../../kernel/clock.ts'
import type { Clock, Instant } from '../../kernel/clock.ts'
import { FORGET_EVERY_MS, forgetPassedRequests } from '../../kernel/http/forget-passed.ts'
import { LIMITS } from '../../kernel/limits.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import { deleteInSteps } from '../../kernel/postgres/delete-in-steps.ts'
import type { SiteEvents } from '../events.ts'

/** Releases of one statement: some megabytes, so that nobody waits long. */
const RELEASES_AT_ONCE = 500
/** Steps that one call takes; what is left is for the next. */
const STEPS_MAX = 100

/** Deletes what the record remembers of requests and answers and is of no use any more; gives how many rows. */
export async function forgetPassed({ db, clock }: { db: Database; clock: Clock }): Promise<number> {
  const now = clock.now()
  const before = later(now, -LIMITS.idempotencyWindowMs)
  const calls = { table: 'consent_call', where: sql`kept_at < to_timestamp(${before / 1_000})` }
  await sql`update erasure set request_key = null where request_key is not null and requested_ms < ${before}`.execute(
    db,
  )
  const stored = {
    table: 'stored_release',
    where: sql`stored_ms < ${later(now, -LIMITS.storedReleaseMs)}::bigint`,
  }
  return (
    (await forgetPassedRequests({ db, clock })) +
    (await deleteInSteps(db, calls)) +
    (await deleteInSteps(db, stored)) +
    (await forgetReleases(db, later(now, -LIMITS.sealedReleaseMs)))
  )
}

/**
 * Deletes the sealed releases of answers from before some time that have gone out; the decisions with their digests stay.
 * Tables in pieces have no place of a row for all, so they are found by their ids.
 */
async function forgetReleases(db: Database, before: Instant): Promise<number> {
  let forgotten = 0
  for (let step = 0; step < STEPS_MAX; step += 1) {
    const { numAffectedRows = 0n } = await sql`
      update answer set release_jwe = null where ask_id = any(array(
        select ask_id from answer
        where release_jwe is not null and decided_ms < ${before}::bigint and pushed_ms is not null
        order by decided_ms limit ${RELEASES_AT_ONCE} for update skip locked))`.execute(db)
    forgotten += Number(numAffectedRows)
    if (numAffectedRows < BigInt(RELEASES_AT_ONCE)) break
  }
  return forgotten
}

/** The same again and again until `signal` is aborted; what fails is tried again. */
export async function forgetForEver({
  db,
  clock,
  events,
  signal,
}: {
  db: Database
  clock: Clock
  events: Pick<SiteEvents, 'failed'>
  signal: AbortSignal
}): Promise<void> {
  while (!signal.aborted) {
    await forgetPassed({ db, clock }).catch((error: unknown) =>
      events.failed('forgetting requests that have passed', error),
    )
    await clock.sleep(FORGET_EVERY_MS, signal)
  }
}
