import { sql } from 'kysely'
import type { Database } from '../../kernel/postgres/database.ts'

/**
 * Floor limits of sites. What is not captured of one that is open is held on its acquirer's account, and counts as held in
 * the trial balance.
 */
export async function up(db: Database): Promise<void> {
  await sql`
    create table floor_limit (
      id text collate "C" primary key,
      site text collate "C" not null references site,
      acquirer text collate "C" not null references member,
      currency text collate "C" not null,
      amount_minor minor_units not null,
      captured_minor minor_units not null default 0,
      is_open boolean not null default true,
      valid_from timestamptz not null,
      valid_until timestamptz not null,
      clear_until timestamptz not null,
      statement text not null,
      idempotency_key text not null unique,
      check (captured_minor <= amount_minor)
    )`.execute(db)
  await sql`create index floor_limit_open on floor_limit (site, id) where is_open`.execute(db)
}
