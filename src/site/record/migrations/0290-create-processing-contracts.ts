import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/**
 * Contracts under which the custodian processes, and how they ended (GDPR Art. 28, 26). Append-only; an end stands in the sequence of
 * consent, because a run that saw an earlier sequence may not be released after it.
 */
export async function up(db: Database): Promise<void> {
  await sql`
    create table processing_contract (
      number bigint generated always as identity unique,
      id text primary key,
      facts jsonb not null,
      recorded_ms bigint not null,
      recorded_by text not null
    )`.execute(db)
  await sql`
    create table processing_contract_end (
      contract text primary key references processing_contract,
      sequence bigint not null unique,
      reason text not null,
      ended_ms bigint not null,
      ended_by text not null
    )`.execute(db)
  for (const table of ['processing_contract', 'processing_contract_end']) {
    await sql`
      create trigger ${sql.id(`${table}_append_only`)} before update or delete or truncate on ${sql.id(table)}
      for each statement execute function refuse_change()`.execute(db)
  }
}
