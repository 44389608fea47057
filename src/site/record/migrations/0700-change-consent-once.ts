import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/**
 * What 0360 does, for calls some of which came under an idempotency key: their answers are kept in the same statement. False where
 * one of the keys came before, so that whoever sent it again is given the answer of then; a key that comes twice at once is refused
 * by its table. Nothing is done then either way.
 */
export async function up(db: Database): Promise<void> {
  await sql`
    create function change_consent_once(
      p_keys text[], p_digests text[], p_changed integer[], p_unchanged integer[], p_reached bigint[],
      p_last bigint, p_first bigint, p_kinds text[], p_receipts text[], p_by text[], p_now bigint,
      p_grants integer[], p_people integer[], p_terms integer[], p_from bigint[], p_until bigint[],
      p_revocations integer[], p_revoked bigint[], p_revoking integer[],
      p_objections integer[], p_objecting integer[], p_data_sets text[], p_purposes text[],
      p_withdrawals integer[], p_withdrawn bigint[])
    returns boolean language plpgsql as $$
    begin
      if cardinality(p_keys) > 0 and exists (select from consent_call where idempotency_key = any(p_keys))
      then return false; end if;
      if not change_consent(
        p_last, p_first, p_kinds, p_receipts, p_by, p_now, p_grants, p_people, p_terms, p_from, p_until,
        p_revocations, p_revoked, p_revoking, p_objections, p_objecting, p_data_sets, p_purposes, p_withdrawals, p_withdrawn)
      then return false; end if;
      if cardinality(p_keys) > 0 then
        insert into consent_call (idempotency_key, digest, changed, unchanged, sequence, awaiting)
          select key, digest, changed, unchanged, reached, 0
          from unnest(p_keys, p_digests, p_changed, p_unchanged, p_reached) as called (key, digest, changed, unchanged, reached);
      end if;
      return true;
    end $$`.execute(db)
}
