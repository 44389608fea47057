import { sql } from 'kysely'
import type { Database } from '../../kernel/postgres/database.ts'

/** By which answers are found whose `Idempotency-Key` counts no more. */
export async function up(db: Database): Promise<void> {
  await sql`create index idempotent_answer_age on idempotent_answer (kept_at)`.execute(db)
}
