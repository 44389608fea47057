import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/**
 * Restrictions of processing, and corrections as sagas: what is to be written is kept sealed under the person's key
 * until the vault has it, and then no longer.
 */
export async function up(db: Database): Promise<void> {
  await sql`
    create table restriction (
      id bigint generated always as identity primary key,
      restriction text not null unique,
      person integer not null,
      issuer text not null,
      reason text not null,
      requested_by text not null,
      since_ms bigint not null,
      lift_told_ms bigint,
      lifts_ms bigint,
      lift_by text,
      receipts bigint[] not null default '{}'
    )`.execute(db)
  await sql`create unique index restriction_of_person on restriction (person) where lifts_ms is null`.execute(
    db,
  )
  await sql`
    create table correction (
      id bigint generated always as identity primary key,
      correction text not null unique,
      person integer not null,
      issuer text not null,
      data_set text not null,
      columns text[] not null,
      body bytea,
      state text not null check (state in ('begun', 'done')),
      requested_by text not null,
      requested_ms bigint not null,
      done_ms bigint,
      rows integer,
      receipt bigint
    )`.execute(db)
  await sql`create index correction_begun on correction (id) where state = 'begun'`.execute(db)
}
