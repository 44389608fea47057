import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/**
 * Objections and refusals, and why a grant ended. All of it is history: append-only, in the sequence of consent.
 *
 * An objection without a data set is to the purpose on every data set of the issuer that knows the person. A refusal
 * is a grant that was offered and not given; it authorises nothing, and proves that nobody had to.
 */
export async function up(db: Database): Promise<void> {
  await sql`
    create table objection (
      sequence bigint primary key,
      person integer not null,
      data_set text,
      purpose text not null,
      made_ms bigint not null,
      made_by text not null,
      receipt bigint not null
    )`.execute(db)
  await sql`create index objection_person on objection (person)`.execute(db)
  await sql`
    create table objection_withdrawal (
      sequence bigint primary key,
      objection bigint not null unique references objection,
      withdrawn_ms bigint not null,
      withdrawn_by text not null,
      receipt bigint not null
    )`.execute(db)
  await sql`
    create table consent_refusal (
      sequence bigint primary key,
      person integer not null,
      terms integer not null references consent_terms,
      refused_ms bigint not null,
      refused_by text not null,
      receipt bigint not null
    )`.execute(db)
  await sql`create index consent_refusal_person on consent_refusal (person)`.execute(db)
  for (const table of ['objection', 'objection_withdrawal', 'consent_refusal']) {
    await sql`
      create trigger ${sql.id(`${table}_append_only`)} before update or delete or truncate on ${sql.id(table)}
      for each statement execute function refuse_change()`.execute(db)
  }
  await sql`
    alter table consent_revocation add column cause text not null default 'withdrawn'
    check (cause in ('withdrawn', 'superseded'))`.execute(db)
}
