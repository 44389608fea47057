import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/**
 * What the other party of a contract says (GDPR Art. 28): that it stands, and its answer to another processor whom the custodian wants to
 * engage. One answer each, append-only.
 */
export async function up(db: Database): Promise<void> {
  await sql`
    create table processing_contract_confirmation (
      contract text primary key references processing_contract,
      confirmed_ms bigint not null,
      confirmed_by text not null
    )`.execute(db)
  await sql`
    create table sub_processor_change (
      number bigint generated always as identity unique,
      id text primary key,
      contract text not null references processing_contract,
      facts jsonb not null,
      announced_ms bigint not null
    )`.execute(db)
  await sql`
    create table sub_processor_answer (
      change text primary key references sub_processor_change,
      answer text not null check (answer in ('approved', 'objected', 'withdrawn')),
      reason text,
      answered_ms bigint not null,
      answered_by text not null
    )`.execute(db)
  for (const table of ['processing_contract_confirmation', 'sub_processor_change', 'sub_processor_answer']) {
    await sql`
      create trigger ${sql.id(`${table}_append_only`)} before update or delete or truncate on ${sql.id(table)}
      for each statement execute function refuse_change()`.execute(db)
  }
}
