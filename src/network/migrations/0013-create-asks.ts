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
  await createTakeAsks(db)
}

async function createTables(db: Database): Promise<void> {
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
      ask_digest text not null,
      sender text collate "C" not null,
      status text not null check (status in ('waiting', 'answered', 'declined')),
      reason text,
      detail text,
      receipt bigint,
      data_set text not null,
      purpose text not null,
      mode text not null,
      currency text not null,
      hold_minor bigint not null check (hold_minor >= 0),
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
      hold_minor bigint not null check (hold_minor between 0 and limit_minor),
      status text not null default 'waiting' check (status in ('waiting', 'answered', 'unreachable')),
      is_hold_open boolean not null,
      captured_minor bigint check (captured_minor between 0 and hold_minor),
      reason text,
      answered_at timestamptz,
      primary key (ask, site)
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
 * Takes asks that passed every check that needs no database: holds their highest prices and gives them to their
 * sites, all in this one statement, so that an ask costs one round trip and a batch one commit.
 *
 * Gives the ids that were taken: none at all when an account does not cover what is due from it (the caller then looks
 * at them one by one), all but those whose id or idempotency key was used before otherwise.
 */
async function createTakeAsks(db: Database): Promise<void> {
  await sql`
    create function take_asks(p_asks jsonb, p_sites jsonb, p_dues jsonb, p_batches jsonb, p_at timestamptz)
    returns text[] language plpgsql as $$
    declare
      v_count integer := jsonb_array_length(p_asks);
      v_day date := (p_at at time zone 'UTC')::date;
      v_covered integer;
      v_taken text[];
    begin
      perform 1 from account
        where kind = 'funds' and (owner, currency) in (select d.owner, d.currency from jsonb_to_recordset(p_dues) as d(owner text, currency text))
        order by id for update;
      select count(*) into v_covered from jsonb_to_recordset(p_dues) as d(owner text, currency text, total bigint)
        join account a on a.owner = d.owner and a.currency = d.currency and a.kind = 'funds'
        where a.credits_minor - a.debits_minor - a.held_minor >= d.total
          and (a.daily_limit_minor is null
            or case when a.day = v_day then a.day_held_minor else 0 end + d.total <= a.daily_limit_minor);
      if v_covered < jsonb_array_length(p_dues) then return '{}'; end if;

      with taken as (
        insert into ask (id, acquirer, idempotency_key, body_digest, ask_digest, sender, status, data_set, purpose, mode, currency,
          hold_minor, is_dry_run, received_at, expires_at, jws, batch, batch_index)
        select x.id, x.acquirer, x.key, decode(x.body, 'hex'), x.digest, x.sender, 'waiting', x.data_set, x.purpose, x.mode, x.currency,
          x.hold, x.dry, p_at, to_timestamp(x.expires / 1000.0), x.jws, x.batch, x.index
        from jsonb_to_recordset(p_asks) as x(id text, acquirer text, key text, body text, digest text, sender text, data_set text,
          purpose text, mode text, currency text, hold bigint, dry boolean, expires bigint, jws text, batch text, index integer)
        on conflict do nothing
        returning id)
      select array_agg(id) into v_taken from taken;
      if v_taken is null then return '{}'; end if;

      insert into ask_site (ask, site, offer, limit_minor, hold_minor, is_hold_open)
        select s.ask, s.site, s.offer, s."limit", s.hold, s.hold > 0
        from jsonb_to_recordset(p_sites) as s(ask text, site text, offer integer, "limit" bigint, hold bigint)
        where cardinality(v_taken) = v_count or s.ask = any (v_taken);
      insert into ask_batch (id, digest, processor, jws, received_at)
        select b.id, b.digest, b.processor, b.jws, p_at
        from jsonb_to_recordset(p_batches) as b(id text, digest text, processor text, jws text)
        on conflict do nothing;
      if cardinality(v_taken) < v_count then
        select coalesce(jsonb_agg(t), '[]') into p_dues from (
          select x.acquirer as owner, x.currency, sum(x.hold) as total
          from jsonb_to_recordset(p_asks) as x(id text, acquirer text, currency text, hold bigint)
          where x.id = any (v_taken) group by x.acquirer, x.currency) t;
      end if;
      update account a
        set held_minor = a.held_minor + d.total, day = v_day,
          day_held_minor = case when a.day = v_day then a.day_held_minor else 0 end + d.total
        from jsonb_to_recordset(p_dues) as d(owner text, currency text, total bigint)
        where a.owner = d.owner and a.currency = d.currency and a.kind = 'funds' and d.total > 0;
      return v_taken;
    end $$`.execute(db)
}
