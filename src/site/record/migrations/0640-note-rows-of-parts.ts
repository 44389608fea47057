import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/**
 * `note_rows_changed` of 0250, for whom questions told apart as well (`nameOfParts`): what was asked of somebody was asked of the
 * values that they had.
 */
export async function up(db: Database): Promise<void> {
  await sql`
    create or replace function note_rows_changed(p_data_set text, p_people bytea, p_cause text) returns void language plpgsql as $$
    begin
      insert into data_set_change (data_set, change_count) values (p_data_set, 1)
        on conflict (data_set) do update set change_count = data_set_change.change_count + 1;
      with moved as (
        update partition set head = head + 1, last_ask = p_cause where data_set in (p_data_set, p_data_set || ' parts')
        returning acquirer_group, data_set, head
      )
      insert into partition_entry (acquirer_group, data_set, head, kind, ask_id, delta, row_shapes)
        select acquirer_group, data_set, head, 'change', p_cause, p_people, '{}'::jsonb from moved;
    end $$`.execute(db)
}
