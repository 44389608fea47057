import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/**
 * What becomes true together with receipts, in one statement that is its own transaction. `issue_receipts` adds receipts that were
 * signed with the numbers that should come next; it raises HG011 when others have taken those numbers, and then nothing is done.
 */
export async function up(db: Database): Promise<void> {
  await sql`
    create function issue_receipts(p_first bigint, p_kinds text[], p_receipts text[]) returns void language plpgsql as $$
    begin
      update receipt_counter set next_sequence = next_sequence + cardinality(p_receipts) where next_sequence = p_first;
      if not found then
        raise exception 'receipts are numbered from another number on' using errcode = 'HG011';
      end if;
      insert into receipt (sequence, kind, jws)
        select p_first + place - 1, kind, jws from unnest(p_kinds, p_receipts) with ordinality as given (kind, jws, place);
    end $$`.execute(db)
  await sql`
    create function note_accesses(
      p_first bigint, p_kinds text[], p_receipts text[], p_ids bigint[], p_people integer[], p_reasons bytea[], p_what text, p_by text,
      p_time bigint)
    returns void language plpgsql as $$
    begin
      perform issue_receipts(p_first, p_kinds, p_receipts);
      insert into person_access (id, person, what, accessed_by, reason, time_ms, receipt)
        select id, person, p_what, p_by, reason, p_time, p_first + place - 1
        from unnest(p_ids, p_people, p_reasons) with ordinality as given (id, person, reason, place);
    end $$`.execute(db)
}
