import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/** Erasures that are done at the same time, with a receipt each, in one call (0251). Raises HG013 where somebody else has finished one. */
export async function up(db: Database): Promise<void> {
  await sql`
    create function finish_erasures(
      p_first bigint, p_kinds text[], p_receipts text[], p_erasures text[], p_now bigint, p_stores jsonb)
    returns void language plpgsql as $$
    declare
      v_finished bigint;
    begin
      update erasure e set state = 'deleted', deleted_ms = p_now, stores = p_stores, receipts = e.receipts || (p_first + g.place - 1)
        from unnest(p_erasures) with ordinality as g (erasure, place)
        where e.erasure = g.erasure and e.state = 'begun';
      get diagnostics v_finished = row_count;
      if v_finished <> cardinality(p_erasures) then
        raise exception 'an erasure is finished' using errcode = 'HG013';
      end if;
      perform issue_receipts(p_first, p_kinds, p_receipts);
    end $$`.execute(db)
}
