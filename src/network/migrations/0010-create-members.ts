import { sql } from 'kysely'
import type { Database } from '../../kernel/postgres/database.ts'

/**
 * Members, sites and their keys. Both kinds share one set of names, because a token says only a name; `skeleton` is
 * the name with look-alike letters folded together, so that no two names can be mistaken for one another.
 */
export async function up(db: Database): Promise<void> {
  await sql`
    create table party (
      name text collate "C" primary key,
      kind text not null check (kind in ('member', 'site')),
      skeleton text collate "C" not null unique
    )`.execute(db)
  await sql`
    create table member (
      id text collate "C" primary key references party,
      title text not null,
      country text not null,
      roles text[] not null,
      acquirer_class text,
      transfer_bases text[] not null,
      processors text[] not null default '{}',
      status text not null default 'active' check (status in ('active', 'suspended')),
      registered_at timestamptz not null
    )`.execute(db)
  await sql`
    create table site (
      id text collate "C" primary key references party,
      custodian text collate "C" not null references member,
      country text not null,
      status text not null default 'active' check (status in ('active', 'suspended')),
      registered_at timestamptz not null
    )`.execute(db)
  await sql`
    create table party_key (
      party text collate "C" not null references party,
      version integer not null,
      keys jsonb not null,
      rotation text,
      since timestamptz not null,
      primary key (party, version)
    )`.execute(db)
  await sql`
    create function refuse_change() returns trigger language plpgsql as $$
    begin
      raise exception 'append-only: % on % is refused', tg_op, tg_table_name using errcode = 'HG001';
    end $$`.execute(db)
  await sql`
    create trigger party_key_is_append_only before update or delete or truncate on party_key
    for each statement execute function refuse_change()`.execute(db)
  await sql`
    create table used_token (
      digest bytea primary key,
      expires_at timestamptz not null
    )`.execute(db)
  await sql`create index used_token_expiry on used_token (expires_at)`.execute(db)
}
