import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/**
 * Replacements of the master key: `rotation` tells the new key from others, and is noted in the transaction that changed
 * what the record keeps under the old one, so that a crash never has it changed twice.
 */
export async function up(db: Database): Promise<void> {
  await sql`
    create table key_rotation (
      rotation text primary key,
      noted_ms bigint not null,
      receipt bigint
    )`.execute(db)
}
