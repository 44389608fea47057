import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/**
 * When nothing of an erasure was left in the site's own files. From then on it waits for the windows of the backups
 * that were taken before it, and is permanent when the last has ended.
 */
export async function up(db: Database): Promise<void> {
  await sql`alter table erasure add column compacted_ms bigint`.execute(db)
}
