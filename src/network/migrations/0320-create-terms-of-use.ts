import { sql } from 'kysely'
import type { Database } from '../../kernel/postgres/database.ts'

/** The terms under which acquirers use the network, in all their versions, and who accepted which. Both are append-only. */
export async function up(db: Database): Promise<void> {
  await sql`
    create table terms_of_use (
      version integer primary key,
      digest text not null,
      body text not null,
      from_ms bigint not null,
      published_ms bigint not null
    )`.execute(db)
  await sql`
    create table terms_acceptance (
      id bigint generated always as identity primary key,
      member text collate "C" not null references member,
      version integer not null references terms_of_use,
      statement text not null,
      accepted_ms bigint not null,
      unique (member, version)
    )`.execute(db)
  await sql`
    create function refuse_terms_change() returns trigger language plpgsql as $$
    begin
      raise exception 'the table % is append-only', tg_table_name;
    end $$`.execute(db)
  for (const table of ['terms_of_use', 'terms_acceptance']) {
    await sql`
      create trigger ${sql.id(`${table}_append_only`)} before update or delete or truncate on ${sql.id(table)}
      for each statement execute function refuse_terms_change()`.execute(db)
  }
}
