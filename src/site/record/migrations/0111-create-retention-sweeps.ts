import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/**
 * What was deleted because its retention had ended. Noted before it is done, so that one that a crash interrupts is done
 * to its end, and logged once. `rows` are those that were there when it was noted.
 */
export async function up(db: Database): Promise<void> {
  await sql`
    create table retention_sweep (
      id bigint generated always as identity primary key,
      data_set text not null,
      issuer text not null,
      category text,
      columns text[],
      rows bigint not null,
      begun_ms bigint not null,
      done_ms bigint,
      permanent_ms bigint,
      receipt bigint
    )`.execute(db)
  await sql`create unique index retention_sweep_open on retention_sweep (data_set, coalesce(category, '')) where done_ms is null`.execute(
    db,
  )
}
