import { sql } from 'kysely'
import type { Database } from '../../kernel/postgres/database.ts'

/**
 * `take_ask` of 0013 gives the places of its legs in the sites' work, in the order of `p_sites`, so that a site that is waiting is
 * given the ask without its being read back. Null, and nothing done, when the account does not cover it.
 */
export async function up(db: Database): Promise<void> {
  await sql`drop function take_ask`.execute(db)
  await sql`
    create function take_ask(
      p_at timestamptz, p_id text, p_acquirer text, p_key text, p_body bytea, p_sender text, p_data_set text, p_purpose text, p_mode text,
      p_currency text, p_hold bigint, p_dry_run boolean, p_expiry timestamptz, p_jws text,
      p_sites text[], p_offers integer[], p_limits bigint[])
    returns bigint[] language plpgsql as $$
    declare
      v_day date := (p_at at time zone 'UTC')::date;
      v_place bigint;
      v_places bigint[] := '{}';
    begin
      insert into ask (id, acquirer, idempotency_key, body_digest, sender, status, data_set, purpose, mode, currency, hold_minor,
          is_dry_run, received_at, expires_at, jws)
        values (p_id, p_acquirer, p_key, p_body, p_sender, 'waiting', p_data_set, p_purpose, p_mode, p_currency, p_hold,
          p_dry_run, p_at, p_expiry, p_jws);
      if p_hold > 0 then
        update account
          set held_minor = held_minor + p_hold, day = v_day,
            day_held_minor = case when day = v_day then day_held_minor else 0 end + p_hold
          where owner = p_acquirer and kind = 'funds' and currency = p_currency
            and credits_minor - debits_minor - held_minor >= p_hold
            and (daily_limit_minor is null
              or case when day = v_day then day_held_minor else 0 end + p_hold <= daily_limit_minor);
        if not found then
          delete from ask where id = p_id;
          return null;
        end if;
      end if;
      for leg in 1 .. cardinality(p_sites) loop
        insert into ask_site (ask, site, offer, limit_minor, hold_minor, is_hold_open)
          values (p_id, p_sites[leg], p_offers[leg], p_limits[leg], case when p_dry_run then 0 else p_limits[leg] end,
            p_limits[leg] > 0 and not p_dry_run)
          returning sequence into v_place;
        v_places := v_places || v_place;
      end loop;
      return v_places;
    end $$`.execute(db)
}
