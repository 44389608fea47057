import { sql } from 'kysely'
import type { Database } from '../../kernel/postgres/database.ts'

/**
 * Double entry. A transfer stands on the debit side of one account and the credit side of another, so that each is
 * balanced by its form; accounts carry the sums. Money that is held is still the member's: `held` is the part of
 * its balance that open holds reserve (TigerBeetle's pending debits). Amounts are minor units.
 */
export async function up(db: Database): Promise<void> {
  await createAccounts(db)
  await createSettlements(db)
  await createPostTransfers(db)
}

/**
 * What a value may be is said by domains, and only what holds between columns by check constraints: PostgreSQL reads a table's
 * check constraints anew for each statement that writes to it, a domain's once for each connection. Measured: 0.1 ms of 0.25 for an ask.
 */
async function createAccounts(db: Database): Promise<void> {
  await sql`create domain minor_units as bigint check (value >= 0)`.execute(db)
  await sql`create domain account_kind as text check (value in ('funds', 'earned', 'bank'))`.execute(db)
  await sql`
    create table account (
      id integer generated always as identity primary key,
      owner text collate "C" not null,
      kind account_kind not null,
      currency text collate "C" not null,
      debits_minor minor_units not null default 0,
      credits_minor minor_units not null default 0,
      held_minor minor_units not null default 0,
      daily_limit_minor bigint,
      day date,
      day_held_minor bigint not null default 0,
      unique (owner, kind, currency),
      constraint account_not_overdrawn check (kind = 'bank' or credits_minor - debits_minor - held_minor >= 0)
    ) with (fillfactor = 40)`.execute(db)
  await sql`
    create table transfer (
      id bigint generated always as identity primary key,
      kind text not null check (kind in ('deposit', 'withdrawal', 'capture', 'settlement')),
      party text,
      debit_account integer not null references account,
      credit_account integer not null references account,
      amount_minor bigint not null check (amount_minor > 0),
      ask text collate "C",
      site text collate "C",
      settlement text,
      reference text,
      idempotency_key text unique,
      made_at timestamptz not null,
      check (debit_account <> credit_account)
    )`.execute(db)
  await sql`create unique index transfer_capture_once on transfer (ask, site, party) where kind = 'capture'`.execute(
    db,
  )
  await sql`create index transfer_debit on transfer (debit_account, id)`.execute(db)
  await sql`create index transfer_credit on transfer (credit_account, id)`.execute(db)
  await sql`
    create trigger transfer_is_append_only before update or delete or truncate on transfer
    for each statement execute function refuse_change()`.execute(db)
}

async function createSettlements(db: Database): Promise<void> {
  await sql`
    create table settlement (
      id text primary key,
      sequence bigint generated always as identity unique,
      from_at timestamptz,
      until_at timestamptz not null,
      last_transfer bigint not null,
      idempotency_key text unique
    )`.execute(db)
  await sql`
    create table settlement_position (
      settlement text not null references settlement,
      owner text collate "C" not null,
      currency text collate "C" not null,
      debits_minor bigint not null,
      credits_minor bigint not null,
      net_minor bigint not null,
      primary key (settlement, owner, currency),
      check (net_minor = credits_minor - debits_minor)
    )`.execute(db)
  for (const table of ['settlement', 'settlement_position']) {
    await sql`
      create trigger ${sql.id(`${table}_is_append_only`)} before update or delete or truncate on ${sql.id(table)}
      for each statement execute function refuse_change()`.execute(db)
  }
}

/**
 * Books transfers and gives held money back, in one statement. Accounts are made when first used and locked in the
 * order of their ids, so that two bookings never wait for one another in a circle. The shared lock keeps a
 * settlement from closing its window while a booking is under way.
 */
async function createPostTransfers(db: Database): Promise<void> {
  await sql`
    create function post_transfers(p_transfers jsonb, p_freed jsonb, p_at timestamptz) returns bigint[] language plpgsql as $$
    declare
      v_ids bigint[];
    begin
      perform pg_advisory_xact_lock_shared(74000100);
      insert into account (owner, kind, currency)
        select distinct n.owner, n.kind, t.currency
        from jsonb_to_recordset(p_transfers) as t(debit jsonb, credit jsonb, currency text),
          lateral (values (t.debit ->> 'owner', t.debit ->> 'kind'), (t.credit ->> 'owner', t.credit ->> 'kind')) as n(owner, kind)
        where not exists (select 1 from account a where a.owner = n.owner and a.kind = n.kind and a.currency = t.currency)
        order by 1, 2, 3
        on conflict do nothing;
      perform 1 from account a
        where (a.owner, a.kind, a.currency) in (
          select t.debit ->> 'owner', t.debit ->> 'kind', t.currency from jsonb_to_recordset(p_transfers) as t(debit jsonb, currency text)
          union select t.credit ->> 'owner', t.credit ->> 'kind', t.currency from jsonb_to_recordset(p_transfers) as t(credit jsonb, currency text)
          union select f.owner, 'funds', f.currency from jsonb_to_recordset(p_freed) as f(owner text, currency text))
        order by a.id for update;
      update account a
        set held_minor = a.held_minor - f.amount,
          day_held_minor = case when a.day = f.day then greatest(0, a.day_held_minor - f.unused) else a.day_held_minor end
        from jsonb_to_recordset(p_freed) as f(owner text, currency text, amount bigint, unused bigint, day date)
        where a.owner = f.owner and a.currency = f.currency and a.kind = 'funds';
      with posted as (
        insert into transfer (kind, party, debit_account, credit_account, amount_minor, ask, site, settlement, reference, idempotency_key, made_at)
          select t.type, t.party, d.id, c.id, t.amount, t.ask, t.site, t.settlement, t.reference, t.key, p_at
          from jsonb_to_recordset(p_transfers) as t(type text, party text, debit jsonb, credit jsonb, currency text,
            amount bigint, ask text, site text, settlement text, reference text, key text, position bigint)
          join account d on d.owner = t.debit ->> 'owner' and d.kind = t.debit ->> 'kind' and d.currency = t.currency
          join account c on c.owner = t.credit ->> 'owner' and c.kind = t.credit ->> 'kind' and c.currency = t.currency
          order by t.position
          returning id)
      select array_agg(id order by id) into v_ids from posted;
      update account a
        set debits_minor = a.debits_minor + s.debits, credits_minor = a.credits_minor + s.credits
        from (
          select x.account, sum(x.debit) as debits, sum(x.credit) as credits
          from transfer t, lateral (values (t.debit_account, t.amount_minor, 0::bigint), (t.credit_account, 0::bigint, t.amount_minor)) as x(account, debit, credit)
          where t.id = any (v_ids) group by x.account) s
        where a.id = s.account;
      return coalesce(v_ids, '{}');
    end $$`.execute(db)
}
