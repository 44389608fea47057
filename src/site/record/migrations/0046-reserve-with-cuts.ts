import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/**
 * Everything that becomes true with an answer in the one statement that reserves it: the cuts of the guard, what was held back,
 * the release that equal asks get, and the columns that were used (`src/site/asks/beside-answer.ts`).
 *
 * `keep_cuts` raises HG012 when another answer cut a partition meanwhile. In its values, `delta` and `cells` are places in
 * `p_bytes`, from 1 on. `keep_answer` and `reserve_answer` are those of 0042 and 0045 with `p_beside` and `p_bytes` added.
 */
export async function up(db: Database): Promise<void> {
  await createKeepCuts(db)
  await createKeepBeside(db)
  await createKeepAnswer(db)
  await createReserveAnswer(db)
}

async function createKeepCuts(db: Database): Promise<void> {
  await sql`
    create function keep_cuts(p_cuts jsonb, p_bytes bytea[]) returns void language plpgsql as $$
    declare
      v_cut record;
    begin
      for v_cut in
        select * from jsonb_to_recordset(p_cuts) as c(acquirer_group text, data_set text, head integer, ask_id text, delta integer,
          row_shapes jsonb, cell_count integer, cells integer, all_shapes jsonb)
      loop
        insert into partition (acquirer_group, data_set, head, last_ask)
          values (v_cut.acquirer_group, v_cut.data_set, v_cut.head, v_cut.ask_id)
          on conflict (acquirer_group, data_set) do update set head = excluded.head, last_ask = excluded.last_ask
          where partition.head = excluded.head - 1;
        if not found then
          raise exception 'another answer cut the partition meanwhile' using errcode = 'HG012';
        end if;
        insert into partition_entry (acquirer_group, data_set, head, kind, ask_id, delta, row_shapes)
          values (v_cut.acquirer_group, v_cut.data_set, v_cut.head, 'cells', v_cut.ask_id, p_bytes[v_cut.delta], v_cut.row_shapes);
        if v_cut.cells is not null then
          insert into partition_snapshot (acquirer_group, data_set, head, cell_count, cells, row_shapes)
            values (v_cut.acquirer_group, v_cut.data_set, v_cut.head, v_cut.cell_count, p_bytes[v_cut.cells], v_cut.all_shapes)
            on conflict (acquirer_group, data_set) do update
            set head = excluded.head, cell_count = excluded.cell_count, cells = excluded.cells, row_shapes = excluded.row_shapes;
        end if;
      end loop;
    end $$`.execute(db)
}

async function createKeepBeside(db: Database): Promise<void> {
  await sql`
    create function keep_beside(p_beside jsonb, p_bytes bytea[]) returns void language plpgsql as $$
    begin
      if p_beside ? 'cuts' then
        perform keep_cuts(p_beside->'cuts', p_bytes);
      end if;
      if p_beside ? 'withheld' then
        insert into guard_refusal (acquirer_group, data_set, ask_id, state, withheld, time_ms)
          select w.acquirer_group, data_set, w.ask_id, w.state, w.withheld, w.time_ms
          from jsonb_to_record(p_beside->'withheld') as w(acquirer_group text, data_sets text[], ask_id text, state text,
            withheld integer, time_ms bigint), unnest(w.data_sets) as data_set;
      end if;
      if p_beside ? 'release' then
        insert into stored_release (acquirer_group, epoch, ask_id, sealed, people, stored_ms)
          select r.acquirer_group, r.epoch, r.ask_id, r.sealed, p_bytes[r.people], r.stored_ms
          from jsonb_to_record(p_beside->'release') as r(acquirer_group text, epoch text, ask_id text, sealed text, people integer,
            stored_ms bigint)
          on conflict do nothing;
      end if;
      if p_beside ? 'columns' then
        insert into column_use (data_set, column_name, clause, acquirer, purpose, releases, first_ms, last_ms)
          select used.data_set, used.column_name, used.clause, c.acquirer, c.purpose, 1, c.time_ms, c.time_ms
          from jsonb_to_record(p_beside->'columns') as c(acquirer text, purpose text, time_ms bigint, uses jsonb),
            jsonb_to_recordset(c.uses) as used(data_set text, column_name text, clause text)
          order by 1, 2, 3
          on conflict (data_set, column_name, clause, acquirer, purpose) do update
            set releases = column_use.releases + 1, last_ms = greatest(column_use.last_ms, excluded.last_ms);
      end if;
    end $$`.execute(db)
}

async function createKeepAnswer(db: Database): Promise<void> {
  await sql`drop function reserve_answer`.execute(db)
  await sql`drop function keep_answer`.execute(db)
  await sql`
    create function keep_answer(
      p_first bigint, p_kinds text[], p_receipts text[],
      p_ask text, p_digest text, p_acquirer text, p_decision jsonb, p_decision_jws text, p_release text, p_clearing text, p_time bigint,
      p_uses jsonb, p_people bytea[], p_beside jsonb, p_bytes bytea[])
    returns void language plpgsql as $$
    begin
      if p_beside is not null then
        perform keep_beside(p_beside, p_bytes);
      end if;
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
    end $$`.execute(db)
}

async function createReserveAnswer(db: Database): Promise<void> {
  await sql`
    create function reserve_answer(
      p_consent bigint, p_data_sets text[], p_changes integer[],
      p_first bigint, p_kinds text[], p_receipts text[],
      p_ask text, p_digest text, p_acquirer text, p_decision jsonb, p_decision_jws text, p_release text, p_clearing text, p_time bigint,
      p_uses jsonb, p_people bytea[], p_beside jsonb, p_bytes bytea[])
    returns boolean language plpgsql as $$
    declare
      v_first bigint := begin_reservation(p_consent, p_data_sets, p_changes, cardinality(p_receipts));
    begin
      if v_first is null then return false; end if;
      if v_first <> p_first then
        raise exception 'receipts are numbered from another number on' using errcode = 'HG011';
      end if;
      perform keep_answer(p_first, p_kinds, p_receipts, p_ask, p_digest, p_acquirer, p_decision, p_decision_jws, p_release, p_clearing,
        p_time, p_uses, p_people, p_beside, p_bytes);
      return true;
    end $$`.execute(db)
}
