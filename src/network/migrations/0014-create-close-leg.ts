import { sql } from 'kysely'
import type { Database } from '../../kernel/postgres/database.ts'

/**
 * Takes a site's answer in one statement: decision, release, clearing record, capture or freed hold, and the end of the ask once
 * none of its sites is waited for. False, and nothing done, when the leg is no longer as the caller saw it.
 *
 * The ask's row is locked first, as everything does that closes legs; two sites that answer at once would otherwise each
 * still see the other waiting, and the ask would stay open.
 */
export async function up(db: Database): Promise<void> {
  await sql`
    create function close_leg(
      p_ask text, p_site text, p_hold bigint, p_reason text, p_at timestamptz,
      p_jws text, p_release text, p_release_digest text, p_receipts jsonb,
      p_clearing text, p_price bigint, p_currency text, p_stays_held boolean,
      p_transfers jsonb, p_freed jsonb)
    returns boolean language plpgsql as $$
    begin
      perform 1 from ask where id = p_ask for update;
      update ask_site
        set status = 'answered', reason = p_reason, answered_at = p_at, captured_minor = p_price, is_hold_open = p_stays_held
        where ask = p_ask and site = p_site and status = 'waiting' and hold_minor = p_hold;
      if not found then return false; end if;
      insert into decision (ask, site, jws, release, release_digest, receipts, received_at)
        values (p_ask, p_site, p_jws, p_release, p_release_digest, p_receipts, p_at);
      if p_clearing is not null then
        insert into clearing (ask, site, jws, price_minor, currency, received_at)
          values (p_ask, p_site, p_clearing, p_price, p_currency, p_at);
      end if;
      if p_transfers is not null then
        perform post_transfers(p_transfers, p_freed, p_at);
      end if;
      update ask set status = 'answered'
        where id = p_ask and not exists (select 1 from ask_site where ask = p_ask and status = 'waiting');
      return true;
    end $$`.execute(db)
}
