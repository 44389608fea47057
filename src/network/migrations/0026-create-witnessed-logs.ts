import { sql } from 'kysely'
import type { Database } from '../../kernel/postgres/database.ts'

/**
 * What the witness saw: of each log the newest checkpoint, and every one that it cosigned, so that whoever has a receipt under
 * one of them can be given the signature later. Cosignatures are never changed: another root for a size is what a witness is there
 * to refuse.
 */
export async function up(db: Database): Promise<void> {
  await sql`
    create table witnessed_log (
      origin text collate "C" primary key,
      size bigint not null check (size >= 0),
      root bytea not null,
      note text not null
    )`.execute(db)
  await sql`
    create function refuse_shrinking_log() returns trigger language plpgsql as $$
    begin
      if new.size < old.size then
        raise exception 'a witnessed log only grows' using errcode = 'HG001';
      end if;
      return new;
    end $$`.execute(db)
  await sql`
    create trigger witnessed_log_only_grows before update on witnessed_log
    for each row execute function refuse_shrinking_log()`.execute(db)
  await sql`
    create table cosignature (
      origin text collate "C" not null,
      size bigint not null,
      root bytea not null,
      line text not null,
      primary key (origin, size)
    )`.execute(db)
  await sql`
    create trigger cosignature_is_append_only before update or delete or truncate on cosignature
    for each statement execute function refuse_change()`.execute(db)
}
