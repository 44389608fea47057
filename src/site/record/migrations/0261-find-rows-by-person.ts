import { inflateSync } from 'node:zlib'
import { sql } from 'kysely'
import { Bitset } from '../../../kernel/bitset.ts'
import type { Database } from '../../../kernel/postgres/database.ts'
import { slicesOf } from '../../asks/rows-given.ts'

/** Releases of before whose people are unpacked at one time. */
const PAGE = 200

/**
 * Who is in each release of rows, by slices of people's numbers (`src/site/asks/rows-given.ts`): whoever is erased, corrected or
 * restricted is looked for in one slice of each instead of in all people of each. `keep_beside` is that of 0046 with `given` added.
 */
export async function up(db: Database): Promise<void> {
  await sql`
    create table rows_given (
      slice integer not null,
      ask_id text not null,
      places smallint[] not null,
      primary key (slice, ask_id)
    )`.execute(db)
  await createKeepBeside(db)
  await fillFromBefore(db)
  await sql`drop index use_record_rows`.execute(db)
  await sql`create index use_record_rows on use_record (ask_id) where mode = 'rows'`.execute(db)
}

async function createKeepBeside(db: Database): Promise<void> {
  await sql`
    create or replace function keep_beside(p_beside jsonb, p_bytes bytea[]) returns void language plpgsql as $$
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
      if p_beside ? 'given' then
        insert into rows_given (slice, ask_id, places)
          select key::integer, p_beside->'given'->>'ask_id', value::smallint[]
          from jsonb_each_text(p_beside->'given'->'slices');
      end if;
    end $$`.execute(db)
}

async function fillFromBefore(db: Database): Promise<void> {
  for (let after = 0n; ;) {
    const { rows } = await sql<{ id: bigint; ask_id: string; people: Uint8Array }>`
      select id, ask_id, people from use_record where mode = 'rows' and id > ${after} order by id limit ${PAGE}`.execute(
      db,
    )
    for (const { ask_id: ask, people } of rows) {
      const slices = JSON.stringify(slicesOf(Bitset.fromBytes(inflateSync(people))))
      // A release over several data sets has a use for each, all of the same people or fewer.
      await sql`
        insert into rows_given as g (slice, ask_id, places)
        select key::integer, ${ask}, value::smallint[] from jsonb_each_text(${slices}::jsonb)
        on conflict (slice, ask_id) do update
        set places = array(select unnest(g.places) union select unnest(excluded.places))`.execute(db)
    }
    const last = rows.at(-1)
    if (!last) return
    after = last.id
  }
}
