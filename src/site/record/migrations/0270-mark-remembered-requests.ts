import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/**
 * What is remembered of requests is marked under a key of the site from here on. Marks of before were bare digests that name people
 * to whoever tries their keys; requests of the last days that are sent again are carried out again, which their acts stand.
 */
export async function up(db: Database): Promise<void> {
  await sql`delete from consent_call`.execute(db)
  await sql`delete from idempotent_answer`.execute(db)
  await sql`update erasure set request_key = null where request_key is not null`.execute(db)
}
