import { sql } from 'kysely'
import type { Database } from '../../kernel/postgres/database.ts'

/**
 * Asks, what each site was asked and has answered, and the one statement that takes asks which pass every check.
 *
 * `ask_site` is at once the route, the work item of the site and its share of the hold. There are no foreign keys
 * from it to `ask`: both are written by one statement, and the check would cost a third of it.
 */
export async function up(db: Database): Promise<void> {
  await createTables(db)
  await createAnswers(db)
  await createTakeAsk(db)
  await createTakeAsks(db)
}

/** Domains instead of check constraints, as in the ledger. */
async function createTables(db: Database): Promise<void> {
  await sql`create domain ask_status as text check (value in ('waiting', 'answered', 'declined'))`.execute(db)
  await sql`create domain leg_status as text check (value in ('waiting', 'answered', 'unreachable'))`.execute(
    db,
  )
  await sql`
    create table ask_batch (
      id text collate "C" primary key,
      digest text not null,
      processor text collate "C" not null,
      jws text storage external not null,
      received_at timestamptz not null
    )`.execute(db)
  await sql`
    create table ask (
      id text collate "C" primary key,
      acquirer text collate "C" not null,
      idempotency_key text collate "C" not null,
      body_digest bytea not null,
      sender text collate "C" not null,
      status ask_status not null,
      reason text,
      detail text,
      receipt bigint,
      data_set text not null,
      purpose text not null,
      mode text not null,
      currency text not null,
      hold_minor minor_units not null,
      is_dry_run boolean not null,
      received_at timestamptz not null,
      expires_at timestamptz not null,
      jws text storage external,
      batch text collate "C",
      batch_index integer,
      unique (acquirer, idempotency_key)
    )`.execute(db)
  await sql`create index ask_waiting_expiry on ask (expires_at) where status = 'waiting'`.execute(db)
  await sql`
    create table ask_site (
      sequence bigint generated always as identity,
      ask text collate "C" not null,
      site text collate "C" not null,
      offer integer not null,
      limit_minor bigint not null,
      hold_minor minor_units not null,
      status leg_status not null default 'waiting',
      is_hold_open boolean not null,
      captured_minor minor_units,
      reason text,
      answered_at timestamptz,
      primary key (ask, site),
      check (hold_minor <= limit_minor and captured_minor <= hold_minor)
    )`.execute(db)
  await sql`create index ask_site_waiting on ask_site (site, sequence) where status = 'waiting'`.execute(db)
  await sql`
    create index ask_site_not_cleared on ask_site (answered_at) where status = 'answered' and is_hold_open`.execute(
    db,
  )
}

async function createAnswers(db: Database): Promise<void> {
  await sql`
    create table decision (
      ask text collate "C" not null,
      site text collate "C" not null,
      jws text not null,
      release text storage external,
      release_digest text,
      receipts jsonb not null,
      received_at timestamptz not null,
      primary key (ask, site)
    )`.execute(db)
  await sql`
    create table clearing (
      ask text collate "C" not null,
      site text collate "C" not null,
      jws text not null,
      price_minor bigint not null check (price_minor >= 0),
      currency text not null,
      received_at timestamptz not null,
      primary key (ask, site)
    )`.execute(db)
  for (const table of ['decision', 'clearing']) {
    await sql`
      create trigger ${sql.id(`${table}_is_append_only`)} before update or delete or truncate on ${sql.id(table)}
      for each statement execute function refuse_change()`.execute(db)
  }
}

/**
 * Takes one ask that passed every check that needs no database: holds its highest price and gives it to its sites, in one
 * statement, so that an ask costs one round trip and one commit. False, and nothing done, when the account does not cover
 * it; a unique violation when its id or idempotency key was used before: the caller then looks closer. (`on conflict` would
 * look into each index twice and write twice: a tenth of the time of every ask, for the sake of the few that come again.)
 */
async function createTakeAsk(db: Database): Promise<void> {
  await sql`
    create function take_ask(
      p_at timestamptz, p_id text, p_acquirer text, p_key text, p_body bytea, p_sender text, p_data_set text, p_purpose text, p_mode text,
      p_currency text, p_hold bigint, p_dry_run boolean, p_expiry timestamptz, p_jws text,
      p_sites text[], p_offers integer[], p_limits bigint[])
    returns boolean language plpgsql as $$
    declare
      v_day date := (p_at at time zone 'UTC')::date;
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
          return false;
        end if;
      end if;
      for leg in 1 .. cardinality(p_sites) loop
        insert into ask_site (ask, site, offer, limit_minor, hold_minor, is_hold_open)
          values (p_id, p_sites[leg], p_offers[leg], p_limits[leg], case when p_dry_run then 0 else p_limits[leg] end,
            p_limits[leg] > 0 and not p_dry_run);
      end loop;
      return true;
    end $$`.execute(db)
}

/**
 * The same for many asks, all or none: one update per account, one insert per table. Columns come as arrays: a third
 * of what the same costs as JSON, and read by place, which costs less than `unnest` of so many; `p_leg_asks` are places in
 * the arrays of asks. Where several accounts are due and not all are covered, it raises HG002.
 */
async function createTakeAsks(db: Database): Promise<void> {
  await sql`
    create function take_asks(
      p_at timestamptz,
      p_due_owners text[], p_due_currencies text[], p_due_totals bigint[],
      p_batch text, p_batch_digest text, p_processor text, p_batch_jws text,
      p_ids text[], p_acquirers text[], p_keys text[], p_bodies bytea[], p_senders text[], p_data_sets text[], p_purposes text[],
      p_modes text[], p_currencies text[], p_holds bigint[], p_dry_runs boolean[], p_expiries timestamptz[], p_jws text[],
      p_batch_indexes integer[],
      p_leg_asks integer[], p_leg_sites text[], p_leg_offers integer[], p_leg_limits bigint[])
    returns boolean language plpgsql set plan_cache_mode = force_generic_plan as $$
    declare
      v_day date := (p_at at time zone 'UTC')::date;
      v_dues integer := cardinality(p_due_owners);
      v_count integer;
    begin
      insert into ask (id, acquirer, idempotency_key, body_digest, sender, status, data_set, purpose, mode, currency, hold_minor,
          is_dry_run, received_at, expires_at, jws, batch, batch_index)
        select p_ids[i], p_acquirers[i], p_keys[i], p_bodies[i], p_senders[i], 'waiting', p_data_sets[i], p_purposes[i], p_modes[i],
          p_currencies[i], p_holds[i], p_dry_runs[i], p_at, p_expiries[i], p_jws[i],
          case when p_batch_indexes[i] is null then null else p_batch end, p_batch_indexes[i]
        from generate_series(1, cardinality(p_ids)) as i;
      if v_dues > 1 then
        -- In the order of ids, as every booking locks them; one account needs no order.
        perform 1 from account a where a.kind = 'funds' and a.owner = any (p_due_owners) order by a.id for update;
      end if;
      update account a
        set held_minor = a.held_minor + d.total, day = v_day,
          day_held_minor = case when a.day = v_day then a.day_held_minor else 0 end + d.total
        from unnest(p_due_owners, p_due_currencies, p_due_totals) as d(owner, currency, total)
        where a.owner = d.owner and a.currency = d.currency and a.kind = 'funds'
          and a.credits_minor - a.debits_minor - a.held_minor >= d.total
          and (a.daily_limit_minor is null
            or case when a.day = v_day then a.day_held_minor else 0 end + d.total <= a.daily_limit_minor);
      get diagnostics v_count = row_count;
      if v_count < v_dues and v_dues > 1 then
        raise exception 'an account does not cover what is due from it' using errcode = 'HG002';
      end if;
      if v_count < v_dues then
        delete from ask where id = any (p_ids);
        return false;
      end if;
      insert into ask_site (ask, site, offer, limit_minor, hold_minor, is_hold_open)
        select p_ids[p_leg_asks[i]], p_leg_sites[i], p_leg_offers[i], p_leg_limits[i],
          case when p_dry_runs[p_leg_asks[i]] then 0 else p_leg_limits[i] end, p_leg_limits[i] > 0 and not p_dry_runs[p_leg_asks[i]]
        from generate_series(1, cardinality(p_leg_asks)) as i;
      if p_batch is not null then
        insert into ask_batch (id, digest, processor, jws, received_at)
          values (p_batch, p_batch_digest, p_processor, p_batch_jws, p_at) on conflict do nothing;
      end if;
      return true;
    end $$`.execute(db)
}
