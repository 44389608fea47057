import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/**
 * What an acquirer (or colluding group) got in an epoch, to be given again to an equal ask; and how often the guard held
 * something back because of who stands behind it.
 *
 * `stored_release.sealed` is the release sealed to the site's own key, so that it is nowhere in clear; `epoch` is a
 * digest of the question with everything that an answer depends on. `guard_refusal.state` is a digest of all that the
 * refusal followed from: the same again is the same refusal and tells nothing new.
 */
export async function up(db: Database): Promise<void> {
  await sql`
    create table stored_release (
      acquirer_group text not null,
      epoch text not null,
      ask_id text not null,
      sealed text not null,
      people bytea not null,
      stored_ms bigint not null,
      primary key (acquirer_group, epoch)
    )`.execute(db)
  await sql`
    create table guard_refusal (
      id bigint generated always as identity primary key,
      acquirer_group text not null,
      data_set text not null,
      ask_id text not null,
      state text not null,
      withheld integer not null check (withheld > 0),
      time_ms bigint not null
    )`.execute(db)
  await sql`create index guard_refusal_time on guard_refusal (acquirer_group, data_set, time_ms)`.execute(db)
  await sql`
    create function refuse_refusal_change() returns trigger language plpgsql as $$
    begin
      raise exception 'the table % is append-only', tg_table_name;
    end $$`.execute(db)
  await sql`
    create trigger guard_refusal_append_only before update or delete or truncate on guard_refusal
    for each statement execute function refuse_refusal_change()`.execute(db)
}
