import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/** That the site winds down: one row at most, never changed. */
export async function up(db: Database): Promise<void> {
  await sql`
    create table wind_down (
      is_only boolean primary key default true check (is_only),
      reason text not null,
      since_ms bigint not null
    )`.execute(db)
}
