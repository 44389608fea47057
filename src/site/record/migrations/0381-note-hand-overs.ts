import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/**
 * What was handed over to its issuer, whole, and that it arrived there (GDPR Art. 28(3)(g)): by the keyed mark of the bytes that were sent.
 * Append-only.
 */
export async function up(db: Database): Promise<void> {
  await sql`
    create table hand_over (
      number bigint generated always as identity primary key,
      data_set text collate "C" not null,
      part text not null,
      mark text not null,
      size_bytes bigint not null,
      handed_to text not null,
      handed_ms bigint not null
    )`.execute(db)
  await sql`create index hand_over_of_data_set on hand_over (data_set, number)`.execute(db)
  await sql`
    create table hand_over_arrival (
      hand_over bigint primary key references hand_over,
      arrived_ms bigint not null
    )`.execute(db)
  for (const table of ['hand_over', 'hand_over_arrival']) {
    await sql`
      create trigger ${sql.id(`${table}_append_only`)} before update or delete or truncate on ${sql.id(table)}
      for each statement execute function refuse_change()`.execute(db)
  }
}
