import { sql } from 'kysely'
import { later } from '../../kernel/clock.ts'
import type { Clock } from '../../kernel/clock.ts'
import { FORGET_EVERY_MS, forgetPassedRequests } from '../../kernel/http/forget-passed.ts'
import { LIMITS } from '../../kernel/limits.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import { deleteInSteps } from '../../kernel/postgres/delete-in-steps.ts'
import type { SiteEvents } from '../events.ts'

/** Deletes what the record remembers of requests and is of no use any more; gives how many rows. */
export async function forgetPassed({ db, clock }: { db: Database; clock: Clock }): Promise<number> {
  const before = later(clock.now(), -LIMITS.idempotencyWindowMs)
  const calls = { table: 'consent_call', where: sql`kept_at < to_timestamp(${before / 1_000})` }
  await sql`update erasure set request_key = null where request_key is not null and requested_ms < ${before}`.execute(
    db,
  )
  return (await forgetPassedRequests({ db, clock })) + (await deleteInSteps(db, calls))
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
