import { sql } from 'kysely'
import type { Database } from '../../kernel/postgres/database.ts'

/**
 * Disputes over what a site answered to an ask, and what was said and decided: each kind of step once, so that nothing is answered or
 * credited twice. Append-only. `credit` is a kind of transfer of its own: money that goes back.
 */
export async function up(db: Database): Promise<void> {
  await sql`
    create table dispute (
      number bigint generated always as identity unique,
      id text collate "C" primary key,
      ask text collate "C" not null,
      site text collate "C" not null,
      side text not null check (side in ('acquirer', 'provider')),
      acquirer text collate "C" not null,
      issuer text collate "C" not null,
      custodian text collate "C" not null,
      raised_by text collate "C" not null,
      reason text not null,
      statement text not null,
      claim_minor minor_units,
      currency text not null,
      raised_at timestamptz not null,
      answer_by timestamptz not null
    )`.execute(db)
  await sql`create index dispute_of_ask on dispute (ask, site)`.execute(db)
  await sql`
    create table dispute_step (
      dispute text collate "C" not null references dispute,
      kind text not null check (kind in ('answer', 'end', 'deletion')),
      state text not null check (state in ('accepted', 'contested', 'withdrawn', 'rejected', 'upheld', 'deleted')),
      by_party text collate "C" not null,
      said text,
      credit_minor minor_units,
      deletion boolean not null default false,
      made_at timestamptz not null,
      primary key (dispute, kind)
    )`.execute(db)
  for (const table of ['dispute', 'dispute_step']) {
    await sql`
      create trigger ${sql.id(`${table}_is_append_only`)} before update or delete or truncate on ${sql.id(table)}
      for each statement execute function refuse_change()`.execute(db)
  }
  await sql`
    alter table transfer drop constraint transfer_kind_check,
      add constraint transfer_kind_check check (kind in ('deposit', 'withdrawal', 'capture', 'settlement', 'credit'))`.execute(
    db,
  )
  await sql`create index transfer_back_of_ask on transfer (ask, site) where kind = 'credit'`.execute(db)
}
