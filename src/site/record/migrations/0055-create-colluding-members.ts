import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/**
 * Acquirers that put their answers together. `group_name` is the `acquirer_group` of their partitions; the partitions
 * of the groups that became one stay in the record as they were.
 */
export async function up(db: Database): Promise<void> {
  await sql`
    create table colluding_member (
      member text primary key,
      group_name text not null,
      since_ms bigint not null
    )`.execute(db)
  await sql`
    create function refuse_colluding_member_loss() returns trigger language plpgsql as $$
    begin
      raise exception 'a group of the table % only grows', tg_table_name;
    end $$`.execute(db)
  await sql`
    create trigger colluding_member_only_grows before delete or truncate on colluding_member
    for each statement execute function refuse_colluding_member_loss()`.execute(db)
}
