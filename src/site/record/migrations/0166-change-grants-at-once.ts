import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/**
 * The common changes of grants and objections, each in one statement that is its own transaction: only as long as the consent
 * sequence is where the caller saw it, and nothing is there that has to be weighed. False where it is not so; HG011 when the
 * receipts are numbered wrongly (0165). Nothing is done then either way.
 */
export async function up(db: Database): Promise<void> {
  await sql`
    create function consent_stands_at(p_last bigint) returns boolean language plpgsql as $$
    declare
      v_last bigint;
    begin
      select last into v_last from consent_sequence for update;
      return v_last = p_last;
    end $$`.execute(db)
  await createGiveGrants(db)
  await createRevokeGrants(db)
  await createObjections(db)
}

/** False also where a grant adds nothing to one that is live. */
async function createGiveGrants(db: Database): Promise<void> {
  await sql`
    create function give_grants(
      p_last bigint, p_first bigint, p_kinds text[], p_receipts text[],
      p_people integer[], p_terms integer[], p_from bigint[], p_until bigint[], p_now bigint, p_by text)
    returns boolean language plpgsql as $$
    begin
      if not consent_stands_at(p_last) then return false; end if;
      if exists (
        select from unnest(p_people, p_terms, p_from, p_until) as asked (person, terms, valid_from, valid_until)
          join consent_grant g on g.person = asked.person and g.terms = asked.terms and g.valid_from_ms <= asked.valid_from
            and (g.valid_until_ms is null or g.valid_until_ms >= asked.valid_until)
        where not exists (select from consent_revocation r where r.grant_sequence = g.sequence))
      then return false; end if;
      perform issue_receipts(p_first, p_kinds, p_receipts);
      insert into consent_grant (sequence, person, terms, valid_from_ms, valid_until_ms, given_ms, given_by, receipt)
        select p_last + place, person, terms, valid_from, valid_until, p_now, p_by, p_first + place - 1
        from unnest(p_people, p_terms, p_from, p_until) with ordinality as given (person, terms, valid_from, valid_until, place);
      update consent_sequence set last = p_last + cardinality(p_people);
      return true;
    end $$`.execute(db)
}

/** False also where one of the people waits for another guardian to agree: that may go with the grant. */
async function createRevokeGrants(db: Database): Promise<void> {
  await sql`
    create function revoke_grants(
      p_last bigint, p_first bigint, p_kinds text[], p_receipts text[], p_people integer[], p_grants bigint[], p_now bigint, p_by text)
    returns boolean language plpgsql as $$
    begin
      if not consent_stands_at(p_last) then return false; end if;
      if exists (select from guardian_agreement
        where person = any(p_people) and grant_sequence is null and withdrawn_ms is null)
      then return false; end if;
      perform issue_receipts(p_first, p_kinds, p_receipts);
      insert into consent_revocation (sequence, grant_sequence, revoked_ms, revoked_by, receipt, cause)
        select p_last + place, grant_sequence, p_now, p_by, p_first + place - 1, 'withdrawn'
        from unnest(p_grants) with ordinality as revoked (grant_sequence, place);
      update consent_sequence set last = p_last + cardinality(p_grants);
      return true;
    end $$`.execute(db)
}

async function createObjections(db: Database): Promise<void> {
  await sql`
    create function object_to(
      p_last bigint, p_first bigint, p_kinds text[], p_receipts text[], p_people integer[], p_data_set text, p_purpose text,
      p_now bigint, p_by text)
    returns boolean language plpgsql as $$
    begin
      if not consent_stands_at(p_last) then return false; end if;
      perform issue_receipts(p_first, p_kinds, p_receipts);
      insert into objection (sequence, person, data_set, purpose, made_ms, made_by, receipt)
        select p_last + place, person, p_data_set, p_purpose, p_now, p_by, p_first + place - 1
        from unnest(p_people) with ordinality as objecting (person, place);
      update consent_sequence set last = p_last + cardinality(p_people);
      return true;
    end $$`.execute(db)
  await sql`
    create function withdraw_objections(
      p_last bigint, p_first bigint, p_kinds text[], p_receipts text[], p_objections bigint[], p_now bigint, p_by text)
    returns boolean language plpgsql as $$
    begin
      if not consent_stands_at(p_last) then return false; end if;
      perform issue_receipts(p_first, p_kinds, p_receipts);
      insert into objection_withdrawal (sequence, objection, withdrawn_ms, withdrawn_by, receipt)
        select p_last + place, objection, p_now, p_by, p_first + place - 1
        from unnest(p_objections) with ordinality as withdrawn (objection, place);
      update consent_sequence set last = p_last + cardinality(p_objections);
      return true;
    end $$`.execute(db)
}
