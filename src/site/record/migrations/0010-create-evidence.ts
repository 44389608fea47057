import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/**
 * Where the site said it was, in the order it said so. A statement is never changed: a new one takes its place.
 * `refuse_change` is the trigger that makes a table append-only; other capabilities use it too.
 */
export async function up(db: Database): Promise<void> {
  await sql`
    create function refuse_change() returns trigger language plpgsql as $$
    begin
      raise exception 'table % is append-only', tg_table_name using errcode = 'restrict_violation';
    end $$`.execute(db)
  await sql`
    create table evidence (
      sequence bigint generated always as identity primary key,
      digest text not null unique,
      jws text not null,
      given_ms bigint not null,
      receipt bigint not null
    )`.execute(db)
  await sql`
    create trigger evidence_append_only before update or delete or truncate on evidence
    for each statement execute function refuse_change()`.execute(db)
}
