import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/**
 * When this site was restored from a backup, and from which. What a floor limit that was in force before that has been
 * spent on is lost, so nothing more is booked on it.
 */
export async function up(db: Database): Promise<void> {
  await sql`
    create table restoration (
      id bigint generated always as identity primary key,
      backup text not null,
      restored_ms bigint not null
    )`.execute(db)
}
