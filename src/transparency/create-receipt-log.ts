import { sql } from 'kysely'
import type { Database } from '../kernel/postgres/database.ts'

/**
 * The receipts of a server, one a row, numbered from 0 without gaps, and the row from which the numbers are taken.
 * Both only ever grow; a trigger sees to it, whoever writes.
 */
export async function up(db: Database): Promise<void> {
  await sql`
    create table receipt (
      sequence bigint primary key check (sequence >= 0),
      kind text not null,
      jws text not null
    )`.execute(db)
  await sql`create index receipt_by_kind on receipt (kind, sequence)`.execute(db)
  await sql`
    create table receipt_counter (
      only_row boolean primary key default true check (only_row),
      next_sequence bigint not null check (next_sequence >= 0)
    )`.execute(db)
  await sql`insert into receipt_counter (next_sequence) values (0)`.execute(db)
  await sql`
    create function refuse_change_of_receipts() returns trigger language plpgsql as $$
    begin
      raise exception 'Cannot % a receipt: the log only grows', lower(tg_op);
    end $$`.execute(db)
  await sql`
    create function refuse_falling_counter() returns trigger language plpgsql as $$
    begin
      if new.next_sequence < old.next_sequence then
        raise exception 'Cannot lower the number of the next receipt: the log only grows';
      end if;
      return new;
    end $$`.execute(db)
  await sql`
    create trigger receipt_only_grows before update or delete or truncate on receipt
    for each statement execute function refuse_change_of_receipts()`.execute(db)
  await sql`
    create trigger receipt_counter_stays before delete or truncate on receipt_counter
    for each statement execute function refuse_change_of_receipts()`.execute(db)
  await sql`
    create trigger receipt_counter_only_grows before update on receipt_counter
    for each row execute function refuse_falling_counter()`.execute(db)
}
