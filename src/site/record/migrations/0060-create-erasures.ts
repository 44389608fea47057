import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/**
 * Erasures, each a saga: noted here with the person's key destroyed, then carried out in the vault, then written down
 * as done. `person` is the number that the person had; once vault and key are gone it leads to nobody. `key_digest`
 * names the destroyed key in its wrapped form, by which a restored backup finds what has to be erased again.
 *
 * `consent_call` remembers answers under keys that hold a digest of a person's name; those of somebody who is erased go.
 */
export async function up(db: Database): Promise<void> {
  await sql`
    create table erasure (
      id bigint generated always as identity primary key,
      erasure text not null unique,
      person integer not null unique,
      key_digest text,
      subject_of text,
      issuer text not null,
      reason text not null,
      requested_by text not null,
      request_key text unique,
      state text not null check (state in ('begun', 'deleted', 'permanent')),
      requested_ms bigint not null,
      permanent_by_ms bigint not null,
      deleted_ms bigint,
      permanent_ms bigint,
      stores jsonb not null default '[]',
      receipts bigint[] not null default '{}'
    )`.execute(db)
  await sql`create index erasure_open on erasure (state) where state <> 'permanent'`.execute(db)
  await sql`drop trigger consent_call_append_only on consent_call`.execute(db)
  await sql`
    create trigger consent_call_unchanged before update or truncate on consent_call
    for each statement execute function refuse_change()`.execute(db)
}
