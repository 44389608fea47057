import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/** When answers to requests were kept, so that they leave when their key counts no more. Those of before count from now on. */
export async function up(db: Database): Promise<void> {
  await sql`alter table consent_call add column kept_at timestamptz not null default now()`.execute(db)
  await sql`create index consent_call_age on consent_call (kept_at)`.execute(db)
  await sql`create index idempotent_answer_age on idempotent_answer (kept_at)`.execute(db)
}
