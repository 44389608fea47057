import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/**
 * Who allowed what. The history is append-only: a revocation is a row of its own, never a change of a grant
 * (GDPR Art. 7(1): be able to demonstrate consent).
 *
 * `consent_sequence` is the one row that every change locks and raises, so sequences are in the order of commits and
 * a mirror that has applied up to N has applied everything up to N. A person is the site's dense number.
 */
export async function up(db: Database): Promise<void> {
  await sql`
    create table consent_sequence (
      id boolean primary key default true check (id),
      last bigint not null
    )`.execute(db)
  await sql`insert into consent_sequence (last) values (0)`.execute(db)
  await sql`
    create table consent_terms (
      id integer generated always as identity primary key,
      digest text not null unique,
      data_set text not null,
      terms jsonb not null
    )`.execute(db)
  await sql`
    create table consent_grant (
      sequence bigint primary key,
      person integer not null,
      terms integer not null references consent_terms,
      valid_from_ms bigint not null,
      valid_until_ms bigint,
      given_ms bigint not null,
      given_by text not null,
      receipt bigint not null
    )`.execute(db)
  await sql`create index consent_grant_person on consent_grant (person, terms)`.execute(db)
  await sql`
    create table consent_revocation (
      sequence bigint primary key,
      grant_sequence bigint not null unique references consent_grant,
      revoked_ms bigint not null,
      revoked_by text not null,
      receipt bigint not null
    )`.execute(db)
  await sql`
    create table consent_call (
      idempotency_key text primary key,
      digest text not null,
      changed integer not null,
      unchanged integer not null,
      sequence bigint not null
    )`.execute(db)
  for (const table of ['consent_terms', 'consent_grant', 'consent_revocation', 'consent_call']) {
    await sql`
      create trigger ${sql.id(`${table}_append_only`)} before update or delete or truncate on ${sql.id(table)}
      for each statement execute function refuse_change()`.execute(db)
  }
}
