import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/**
 * From which day on rows of a data set are read that end by a date of their own: what the guard was last told. And sweeps
 * of such rows.
 */
export async function up(db: Database): Promise<void> {
  await sql`
    create table row_end (
      data_set text primary key,
      date_column text not null,
      period text not null,
      kept_from date not null
    )`.execute(db)
  await sql`alter table retention_sweep add column date_column text, add column kept_from date`.execute(db)
  await sql`drop index retention_sweep_open`.execute(db)
  await sql`
    create unique index retention_sweep_open on retention_sweep (data_set, coalesce(category, ''), coalesce(date_column, ''))
    where done_ms is null`.execute(db)
}
