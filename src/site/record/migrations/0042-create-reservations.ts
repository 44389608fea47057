import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/**
 * The two statements of a reservation, so that it costs two round trips beside its commit.
 *
 * `begin_reservation` looks at what an answer stands on, with the rows locked until the transaction ends, and then takes numbers for
 * its receipts: the first of them, or null when consent or rows have changed. `keep_answer` writes receipts, answer and uses.
 */
export async function up(db: Database): Promise<void> {
  await sql`
    create function begin_reservation(p_consent bigint, p_data_sets text[], p_changes integer[], p_receipts integer)
    returns bigint language plpgsql as $$
    declare
      v_first bigint;
    begin
      if p_consent is not null then
        perform 1 from consent_sequence where last = p_consent for share;
        if not found then return null; end if;
      end if;
      perform 1 from data_set_change where data_set = any (p_data_sets) order by data_set for share;
      perform 1 from unnest(p_data_sets, p_changes) as seen (data_set, changes)
        left join data_set_change now on now.data_set = seen.data_set
        where coalesce(now.change_count, 0) <> seen.changes;
      if found then return null; end if;
      -- Last, because nobody else can issue until this transaction ends.
      update receipt_counter set next_sequence = next_sequence + p_receipts returning next_sequence - p_receipts into strict v_first;
      return v_first;
    end $$`.execute(db)
  await sql`
    create function keep_answer(
      p_first bigint, p_kinds text[], p_receipts text[],
      p_ask text, p_digest text, p_acquirer text, p_decision jsonb, p_decision_jws text, p_release text, p_clearing text, p_time bigint,
      p_uses jsonb, p_people bytea[])
    returns void language sql as $$
      insert into receipt (sequence, kind, jws)
        select p_first + place - 1, kind, jws from unnest(p_kinds, p_receipts) with ordinality as given (kind, jws, place);
      insert into answer (ask_id, ask_digest, acquirer, decision, decision_jws, release_jwe, clearing_jws, receipt_sequences, decided_ms)
        values (p_ask, p_digest, p_acquirer, p_decision, p_decision_jws, p_release, p_clearing,
          array(select p_first + place from generate_series(0, cardinality(p_receipts) - 1) as place), p_time);
      insert into use_record (ask_id, data_set, acquirer, purpose, mode, columns, reason, receipt_sequence, release_to, time_ms,
          price_minor, subjects_minor, currency, people)
        select p_ask, u.data_set, p_acquirer, u.purpose, u.mode, u.columns, u.reason, p_first + cardinality(p_receipts) - 1,
          u.release_to, p_time, u.price_minor, u.subjects_minor, u.currency, p_people[u.place]
        from jsonb_to_recordset(p_uses) as u(place integer, data_set text, purpose text, mode text, columns text[], reason text,
          release_to text, price_minor bigint, subjects_minor bigint, currency text);
    $$`.execute(db)
}
