import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/**
 * What 0166 does for one call, for several calls of different people: grants, revocations, objections and what of those is withdrawn, in
 * one statement that is its own transaction, with a receipt for each. `p_by` says who made the entry at each place; the places of
 * each kind come with what is written of them. False where the sequence is elsewhere, a grant adds nothing to one that is live, or
 * one of the people whose grants end waits for another guardian; HG011 when the receipts are numbered wrongly (0165). Nothing is
 * done then either way.
 */
export async function up(db: Database): Promise<void> {
  await sql`
    create function change_consent(
      p_last bigint, p_first bigint, p_kinds text[], p_receipts text[], p_by text[], p_now bigint,
      p_grants integer[], p_people integer[], p_terms integer[], p_from bigint[], p_until bigint[],
      p_revocations integer[], p_revoked bigint[], p_revoking integer[],
      p_objections integer[], p_objecting integer[], p_data_sets text[], p_purposes text[],
      p_withdrawals integer[], p_withdrawn bigint[])
    returns boolean language plpgsql as $$
    begin
      if not consent_stands_at(p_last) then return false; end if;
      if cardinality(p_grants) > 0 and exists (
        select from unnest(p_people, p_terms, p_from, p_until) as asked (person, terms, valid_from, valid_until)
          join consent_grant g on g.person = asked.person and g.terms = asked.terms and g.valid_from_ms <= asked.valid_from
            and (g.valid_until_ms is null or g.valid_until_ms >= asked.valid_until)
        where not exists (select from consent_revocation r where r.grant_sequence = g.sequence))
      then return false; end if;
      if cardinality(p_revoking) > 0 and exists (select from guardian_agreement
        where person = any(p_revoking) and grant_sequence is null and withdrawn_ms is null)
      then return false; end if;
      perform issue_receipts(p_first, p_kinds, p_receipts);
      if cardinality(p_grants) > 0 then
        insert into consent_grant (sequence, person, terms, valid_from_ms, valid_until_ms, given_ms, given_by, receipt)
          select p_last + place, person, terms, valid_from, valid_until, p_now, p_by[place], p_first + place - 1
          from unnest(p_grants, p_people, p_terms, p_from, p_until) as given (place, person, terms, valid_from, valid_until);
      end if;
      if cardinality(p_revocations) > 0 then
        insert into consent_revocation (sequence, grant_sequence, revoked_ms, revoked_by, receipt, cause)
          select p_last + place, grant_sequence, p_now, p_by[place], p_first + place - 1, 'withdrawn'
          from unnest(p_revocations, p_revoked) as revoked (place, grant_sequence);
      end if;
      if cardinality(p_objections) > 0 then
        insert into objection (sequence, person, data_set, purpose, made_ms, made_by, receipt)
          select p_last + place, person, data_set, purpose, p_now, p_by[place], p_first + place - 1
          from unnest(p_objections, p_objecting, p_data_sets, p_purposes) as made (place, person, data_set, purpose);
      end if;
      if cardinality(p_withdrawals) > 0 then
        insert into objection_withdrawal (sequence, objection, withdrawn_ms, withdrawn_by, receipt)
          select p_last + place, objection, p_now, p_by[place], p_first + place - 1
          from unnest(p_withdrawals, p_withdrawn) as withdrawn (place, objection);
      end if;
      update consent_sequence set last = p_last + cardinality(p_receipts);
      return true;
    end $$`.execute(db)
}
