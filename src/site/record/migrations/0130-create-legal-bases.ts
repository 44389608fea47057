import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/**
 * What legal bases other than consent rest on: records, how they ended, and whom those cover that list people. All of it is
 * history, append-only, in the sequence of consent: a run that saw an earlier sequence may not be released after an end.
 * The last line of a record and a person says whether it covers them.
 */
export async function up(db: Database): Promise<void> {
  await sql`
    create table legal_basis (
      id text primary key,
      sequence bigint not null unique,
      facts jsonb not null,
      recorded_ms bigint not null,
      recorded_by text not null
    )`.execute(db)
  await sql`
    create table legal_basis_end (
      basis text primary key references legal_basis,
      sequence bigint not null unique,
      reason text not null,
      ended_ms bigint not null,
      ended_by text not null
    )`.execute(db)
  await sql`
    create table legal_basis_person (
      basis text not null references legal_basis,
      person integer not null,
      sequence bigint not null,
      is_covered boolean not null,
      changed_ms bigint not null,
      changed_by text not null,
      primary key (basis, person, sequence)
    )`.execute(db)
  await sql`create index legal_basis_person_of on legal_basis_person (person)`.execute(db)
  for (const table of ['legal_basis', 'legal_basis_end', 'legal_basis_person']) {
    await sql`
      create trigger ${sql.id(`${table}_append_only`)} before update or delete or truncate on ${sql.id(table)}
      for each statement execute function refuse_change()`.execute(db)
  }
}
