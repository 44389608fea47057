import { sql } from 'kysely'
import { later } from '../clock.ts'
import type { Clock } from '../clock.ts'
import { digestOf } from '../digest.ts'
import type { Digest } from '../digest.ts'
import { Fault } from '../faults.ts'
import { LIMITS } from '../limits.ts'
import type { Database } from '../postgres/database.ts'
import { KEPT } from '../postgres/kept-statements.ts'

/** An answer that was given, to be given again for the same key and body. */
export interface KeptAnswer {
  readonly bodyDigest: Digest
  readonly status: number
  readonly body: string
}

/** How what is remembered of requests stands in a record. */
export interface RequestMemory {
  /** What a text of a request stands as: its digest, or a mark under a key where requests are about people. */
  markOf(text: string): Digest
  /** An answer as it is kept for a request, which has to be known to open it where answers are about people. */
  seal(answer: string, request: string): string
  /** The answer to this very request. */
  open(kept: string, request: string): string
}

/** Of a server whose requests are about nobody. */
export const PLAIN_MEMORY: RequestMemory = {
  markOf: digestOf,
  seal: (answer) => answer,
  open: (kept) => kept,
}

/**
 * Remembers the answers of writes by caller and `Idempotency-Key`. Acts are idempotent themselves where it matters
 * (batches, grants, asks); this gives the same words again and refuses a key that comes with another body.
 */
export interface IdempotencyStore extends RequestMemory {
  find(caller: string, key: string): Promise<KeptAnswer | undefined>
  keep(caller: string, key: string, answer: KeptAnswer): Promise<void>
}

/** The migration of the table behind `recordIdempotencyStore`. */
export const createIdempotentAnswers = {
  async up(db: Database): Promise<void> {
    await sql`
      create table idempotent_answer (
        caller text not null,
        idempotency_key text not null,
        body_digest text not null,
        status integer not null,
        body text not null,
        kept_at timestamptz not null,
        primary key (caller, idempotency_key)
      )`.execute(db)
  },
}

/**
 * Keeps answers in a server's PostgreSQL. The first answer for a key stays for the window (`LIMITS.idempotencyWindowMs`);
 * past it the key is as good as new, whether the row is swept away yet (`forget-passed.ts`) or not.
 */
export function recordIdempotencyStore({
  db,
  clock,
  memory = PLAIN_MEMORY,
}: {
  db: Database
  clock: Clock
  memory?: RequestMemory
}): IdempotencyStore {
  const since = () => sql`to_timestamp(${later(clock.now(), -LIMITS.idempotencyWindowMs) / 1_000}::float8)`
  return {
    ...memory,
    async find(caller, key) {
      const { rows } = await sql<{ body_digest: Digest; status: number; body: string }>`
        ${KEPT} select body_digest, status, body from idempotent_answer
        where caller = ${caller} and idempotency_key = ${key} and kept_at >= ${since()}`.execute(db)
      const row = rows[0]
      return row && { bodyDigest: row.body_digest, status: row.status, body: row.body }
    },
    async keep(caller, key, { bodyDigest, status, body }) {
      // Not forced to the disk: what was done stands in a transaction that was, and a crash may come before this as well as after it.
      await sql`
        ${KEPT} with unforced as materialized (select set_config('synchronous_commit', 'off', true))
        insert into idempotent_answer (caller, idempotency_key, body_digest, status, body, kept_at)
        select ${caller}::text, ${key}::text, ${bodyDigest}::text, ${status}::integer, ${body}::text,
          to_timestamp(${clock.now() / 1000}::float8) from unforced
        on conflict (caller, idempotency_key) do update
          set body_digest = excluded.body_digest, status = excluded.status, body = excluded.body, kept_at = excluded.kept_at
          where idempotent_answer.kept_at < ${since()}`.execute(db)
    },
  }
}

/**
 * Acts once for each key of a caller: the same request again is given the same answer, and another one is refused.
 *
 * @throws Fault `fault.request_malformed`, `fault.idempotency_conflict`
 */
export async function onceByKey(
  store: IdempotencyStore,
  { caller, key, body, act }: { caller: string; key: string; body: string; act: () => Promise<Response> },
): Promise<Response> {
  if (key.length < 8 || key.length > 100) {
    throw new Fault('fault.request_malformed', {
      what: 'Cannot use the Idempotency-Key: expected 8 to 100 characters',
    })
  }
  const bodyDigest = store.markOf(body)
  const name = store.markOf(key)
  // Only who sends the same again, under the same key, can tell what was answered.
  const request = `${key}\n${body}`
  const kept = await store.find(caller, name)
  if (kept && kept.bodyDigest !== bodyDigest) {
    throw new Fault('fault.idempotency_conflict', {
      what: 'Cannot use the Idempotency-Key again: it came with another request',
    })
  }
  if (kept)
    return new Response(store.open(kept.body, request), {
      status: kept.status,
      headers: { 'content-type': 'application/json' },
    })
  const response = await act()
  if (response.ok)
    await store.keep(caller, name, {
      bodyDigest,
      status: response.status,
      body: store.seal(await response.clone().text(), request),
    })
  return response
}
