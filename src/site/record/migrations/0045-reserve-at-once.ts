import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/**
 * A reservation that cuts nothing, in one statement that is its own transaction: `begin_reservation`, and `keep_answer` for
 * receipts that were signed with the numbers that come next. False when consent or rows have changed; it raises HG011 when
 * others have taken those numbers. Nothing is done then either way.
 */
export async function up(db: Database): Promise<void> {
  await sql`
    create function reserve_answer(
      p_consent bigint, p_data_sets text[], p_changes integer[],
      p_first bigint, p_kinds text[], p_receipts text[],
      p_ask text, p_digest text, p_acquirer text, p_decision jsonb, p_decision_jws text, p_release text, p_clearing text, p_time bigint,
      p_uses jsonb, p_people bytea[])
    returns boolean language plpgsql as $$
    declare
      v_first bigint := begin_reservation(p_consent, p_data_sets, p_changes, cardinality(p_receipts));
    begin
      if v_first is null then return false; end if;
      if v_first <> p_first then
        raise exception 'receipts are numbered from another number on' using errcode = 'HG011';
      end if;
      perform keep_answer(p_first, p_kinds, p_receipts, p_ask, p_digest, p_acquirer, p_decision, p_decision_jws, p_release, p_clearing,
        p_time, p_uses, p_people);
      return true;
    end $$`.execute(db)
}
