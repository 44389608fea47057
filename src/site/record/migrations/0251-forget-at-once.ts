import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/**
 * What an erasure does to the record, in a call for each of its two steps: what is kept of one person apart from consent and asks goes, and
 * the erasure is done, with its receipt (0165). `finish_erasure` raises HG013 where somebody else has finished it.
 */
export async function up(db: Database): Promise<void> {
  await sql`
    create function forget_traces(p_person integer, p_call_prefix text, p_caller text) returns void language plpgsql as $$
    begin
      delete from guardian_agreement where person = p_person;
      delete from guardianship where person = p_person;
      delete from age_evidence where person = p_person;
      delete from residence_move where person = p_person;
      update recipient_notice set body = null where person = p_person and body is not null;
      delete from consent_call where starts_with(idempotency_key, p_call_prefix);
      delete from idempotent_answer where caller = p_caller;
      update correction set body = null where person = p_person and body is not null;
      delete from carried_record where person = p_person;
    end $$`.execute(db)
  await sql`
    create function finish_erasure(
      p_first bigint, p_kinds text[], p_receipts text[], p_erasure text, p_now bigint, p_stores jsonb)
    returns void language plpgsql as $$
    begin
      update erasure set state = 'deleted', deleted_ms = p_now, stores = p_stores, receipts = receipts || p_first
        where erasure = p_erasure and state = 'begun';
      if not found then
        raise exception 'the erasure is finished' using errcode = 'HG013';
      end if;
      perform issue_receipts(p_first, p_kinds, p_receipts);
    end $$`.execute(db)
}
