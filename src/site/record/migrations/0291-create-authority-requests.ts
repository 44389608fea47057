import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/** Requests of authorities of third countries and what was decided, once each (GDPR Art. 48; Data Governance Act, Art. 31). Append-only. */
export async function up(db: Database): Promise<void> {
  await sql`
    create table authority_request (
      number bigint generated always as identity unique,
      id text primary key,
      facts jsonb not null,
      recorded_ms bigint not null
    )`.execute(db)
  await sql`
    create table authority_decision (
      request text primary key references authority_request,
      decision jsonb not null,
      decided_ms bigint not null
    )`.execute(db)
  for (const table of ['authority_request', 'authority_decision']) {
    await sql`
      create trigger ${sql.id(`${table}_append_only`)} before update or delete or truncate on ${sql.id(table)}
      for each statement execute function refuse_change()`.execute(db)
  }
}
