import { sql } from 'kysely'
import { later } from '../clock.ts'
import type { Clock } from '../clock.ts'
import { LIMITS } from '../limits.ts'
import type { Database } from '../postgres/database.ts'
import { deleteInSteps } from '../postgres/delete-in-steps.ts'

/** How often a server looks for what has passed. */
export const FORGET_EVERY_MS = 60_000

/**
 * Deletes what a door remembers of requests and is of no use any more: tokens that could not be used again anyway, and
 * answers whose `Idempotency-Key` counts no more. Gives how many rows.
 */
export async function forgetPassedRequests({ db, clock }: { db: Database; clock: Clock }): Promise<number> {
  const now = clock.now()
  const tokens = { table: 'used_token', where: sql`expires_at < to_timestamp(${now / 1_000})` }
  const before = later(now, -LIMITS.idempotencyWindowMs)
  const answers = { table: 'idempotent_answer', where: sql`kept_at < to_timestamp(${before / 1_000})` }
  return (await deleteInSteps(db, tokens)) + (await deleteInSteps(db, answers))
}
