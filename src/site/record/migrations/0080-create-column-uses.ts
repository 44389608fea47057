import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/**
 * Which column was used by whom, in which clause of a question, for which purpose, and how often: the map of use that
 * an operator and an issuer see. It counts releases and names no person.
 */
export async function up(db: Database): Promise<void> {
  await sql`
    create table column_use (
      data_set text not null,
      column_name text not null,
      clause text not null,
      acquirer text not null,
      purpose text not null,
      releases bigint not null,
      first_ms bigint not null,
      last_ms bigint not null,
      primary key (data_set, column_name, clause, acquirer, purpose)
    )`.execute(db)
}
