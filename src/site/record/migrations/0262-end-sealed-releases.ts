import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/** By which sealed releases that have reached their end are found (`forget-passed.ts`, docs/reference/what-is-remembered.md). */
export async function up(db: Database): Promise<void> {
  await sql`create index answer_with_release on answer (decided_ms) where release_jwe is not null`.execute(db)
  await sql`create index stored_release_time on stored_release (stored_ms)`.execute(db)
}
