import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/**
 * What exact answers have cut so far, for each acquirer (or colluding group) and data set.
 *
 * `partition.head` counts the entries; `last_ask` tells whose entry is the newest. An entry holds what one answer, one
 * release of rows or one change of the data did to the cells, compressed (`src/site/guard/partition-delta.ts`); a
 * snapshot spares reading all of them. `data_set_change.change_count` tells a run whether rows changed under it. All
 * of it is by person number and stays at the site.
 */
export async function up(db: Database): Promise<void> {
  await sql`
    create table partition (
      acquirer_group text not null,
      data_set text not null,
      head integer not null,
      last_ask text not null,
      primary key (acquirer_group, data_set)
    )`.execute(db)
  await sql`
    create table partition_entry (
      acquirer_group text not null,
      data_set text not null,
      head integer not null,
      kind text not null check (kind in ('cells', 'change')),
      ask_id text not null,
      delta bytea not null,
      row_shapes jsonb not null,
      primary key (acquirer_group, data_set, head),
      foreign key (acquirer_group, data_set) references partition
    )`.execute(db)
  await sql`
    create table partition_snapshot (
      acquirer_group text not null,
      data_set text not null,
      head integer not null,
      cell_count integer not null,
      cells bytea not null,
      row_shapes jsonb not null,
      primary key (acquirer_group, data_set),
      foreign key (acquirer_group, data_set) references partition
    )`.execute(db)
  await sql`create table data_set_change (data_set text primary key, change_count integer not null)`.execute(
    db,
  )
  await sql`
    create function refuse_entry_change() returns trigger language plpgsql as $$
    begin
      raise exception 'the table % is append-only', tg_table_name;
    end $$`.execute(db)
  await sql`
    create trigger partition_entry_append_only before update or delete or truncate on partition_entry
    for each statement execute function refuse_entry_change()`.execute(db)
}
