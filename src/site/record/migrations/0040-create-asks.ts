import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/**
 * What the site answered, whom it has met, and whose data each release used.
 *
 * `answer` is the atomic reservation: it stands in the same transaction as the receipts and the cuts of the guard.
 * `use_record.people` is a bitmap of people, compressed: the history that each person can see of their own data. None
 * of it leaves the site.
 */
export async function up(db: Database): Promise<void> {
  await sql`
    create table pinned_member (
      id text primary key,
      first_keys jsonb not null,
      rotation_count integer not null,
      seen_ms bigint not null
    )`.execute(db)
  await sql`
    create table answer (
      ask_id text primary key,
      ask_digest text not null,
      acquirer text not null,
      decision jsonb not null,
      decision_jws text not null,
      release_jwe text,
      clearing_jws text,
      receipt_sequences bigint[] not null,
      decided_ms bigint not null,
      pushed_ms bigint
    )`.execute(db)
  await sql`create index answer_unpushed on answer (decided_ms) where pushed_ms is null`.execute(db)
  await sql`
    create table use_record (
      id bigint generated always as identity primary key,
      ask_id text not null references answer,
      data_set text not null,
      acquirer text not null,
      purpose text not null,
      mode text not null,
      columns text[] not null,
      reason text not null,
      receipt_sequence bigint not null,
      release_to text not null,
      time_ms bigint not null,
      price_minor bigint not null,
      subjects_minor bigint not null,
      currency text not null,
      people bytea not null
    )`.execute(db)
  await sql`create index use_record_time on use_record (time_ms)`.execute(db)
  await sql`
    create function refuse_use_record_change() returns trigger language plpgsql as $$
    begin
      raise exception 'the table % is append-only', tg_table_name;
    end $$`.execute(db)
  await sql`
    create trigger use_record_append_only before update or delete or truncate on use_record
    for each statement execute function refuse_use_record_change()`.execute(db)
}
