import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/** Looks of several callers with their receipts (0165), in one statement that is its own transaction: `note_accesses` is for one caller. */
export async function up(db: Database): Promise<void> {
  await sql`
    create function note_looks(
      p_first bigint, p_kinds text[], p_receipts text[], p_ids bigint[], p_people integer[], p_reasons bytea[], p_what text[], p_by text[],
      p_times bigint[])
    returns void language plpgsql as $$
    begin
      perform issue_receipts(p_first, p_kinds, p_receipts);
      insert into person_access (id, person, what, accessed_by, reason, time_ms, receipt)
        select id, person, what, accessed_by, reason, time_ms, p_first + place - 1
        from unnest(p_ids, p_people, p_reasons, p_what, p_by, p_times) with ordinality
          as given (id, person, reason, what, accessed_by, time_ms, place);
    end $$`.execute(db)
}
