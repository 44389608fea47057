import { sql } from 'kysely'
import type { Database } from '../../kernel/postgres/database.ts'

/**
 * Notices of sites to members that were given rows, sealed to them; and releases that sites withdrew.
 *
 * A decision stays as it is but for its sealed release, which may go (`withdrawn_at`) and never come back: who adds one
 * that was withdrawn before is refused with HG020. Both sides take a lock on site and ask, so that an order to withdraw
 * and a release that is just arriving cannot miss each other. `purged_at`: no file of PostgreSQL holds it any more.
 */
export async function up(db: Database): Promise<void> {
  await sql`
    create table notice (
      sequence bigint generated always as identity unique,
      notice text collate "C" primary key,
      site text collate "C" not null,
      acquirer text collate "C" not null,
      sealed text storage external,
      sent_at timestamptz not null,
      delivered_at timestamptz,
      acknowledgement text,
      acknowledged_at timestamptz,
      is_delivery_told boolean not null default false,
      is_acknowledgement_told boolean not null default false
    )`.execute(db)
  await sql`create index notice_of_acquirer on notice (acquirer, sequence)`.execute(db)
  await sql`
    create index notice_untold on notice (site) where
      (delivered_at is not null and not is_delivery_told) or (acknowledged_at is not null and not is_acknowledgement_told)`.execute(
    db,
  )
  await createWithdrawals(db)
}

async function createWithdrawals(db: Database): Promise<void> {
  await sql`
    create table release_withdrawal (
      site text collate "C" not null,
      ask text collate "C" not null,
      had_release boolean not null,
      ordered_at timestamptz not null,
      purged_at timestamptz,
      primary key (site, ask)
    )`.execute(db)
  await sql`create index release_withdrawal_unpurged on release_withdrawal (ordered_at) where purged_at is null`.execute(
    db,
  )
  await sql`alter table decision add column withdrawn_at timestamptz`.execute(db)
  await sql`drop trigger decision_is_append_only on decision`.execute(db)
  await sql`
    create trigger decision_is_append_only before delete or truncate on decision
    for each statement execute function refuse_change()`.execute(db)
  await sql`
    create function refuse_decision_change() returns trigger language plpgsql as $$
    begin
      if old.release is not null and new.release is null and new.withdrawn_at is not null
        and (new.ask, new.site, new.jws, new.release_digest, new.receipts, new.received_at)
          is not distinct from (old.ask, old.site, old.jws, old.release_digest, old.receipts, old.received_at)
      then return new; end if;
      raise exception 'append-only: % on % is refused', tg_op, tg_table_name using errcode = 'HG001';
    end $$`.execute(db)
  await sql`
    create trigger decision_keeps_all_but_its_release before update on decision
    for each row execute function refuse_decision_change()`.execute(db)
  await sql`
    create function refuse_withdrawn() returns trigger language plpgsql as $$
    begin
      perform pg_advisory_xact_lock(hashtextextended(new.site || ' ' || new.ask, 30));
      if exists (select 1 from release_withdrawal w where w.site = new.site and w.ask = new.ask) then
        raise exception 'the release was withdrawn' using errcode = 'HG020';
      end if;
      return new;
    end $$`.execute(db)
  await sql`
    create trigger decision_is_not_withdrawn before insert on decision
    for each row when (new.release is not null) execute function refuse_withdrawn()`.execute(db)
}
