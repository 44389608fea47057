import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/**
 * The officer's seat: who the parties are, assessments, incidents with their steps, removed grounds for transfers, and
 * authorities that may read. Assessments and removals are ended, never deleted; incidents and steps only grow (GDPR Art. 33(5)).
 */
export async function up(db: Database): Promise<void> {
  await sql`
    create table party_contact (
      member text primary key,
      contact jsonb not null,
      changed_ms bigint not null
    )`.execute(db)
  await sql`
    create table assessment (
      id text primary key,
      data_set text not null,
      facts jsonb not null,
      attached_ms bigint not null,
      withdrawn_ms bigint
    )`.execute(db)
  await sql`create index assessment_of_data_set on assessment (data_set)`.execute(db)
  await sql`
    create table transfer_removal (
      id bigint generated always as identity primary key,
      ground text not null,
      reason text not null,
      removed_ms bigint not null,
      restored_ms bigint
    )`.execute(db)
  await sql`create unique index transfer_removed_now on transfer_removal (ground) where restored_ms is null`.execute(
    db,
  )
  await sql`
    create table regulator (
      member text primary key,
      keys jsonb not null,
      registered_ms bigint not null
    )`.execute(db)
  await createIncidents(db)
}

async function createIncidents(db: Database): Promise<void> {
  await sql`
    create table incident (
      id text primary key,
      opened_by text not null,
      facts jsonb not null,
      opened_ms bigint not null
    )`.execute(db)
  await sql`
    create table incident_step (
      id bigint generated always as identity primary key,
      incident text not null references incident,
      step jsonb not null,
      taken_by text not null,
      taken_ms bigint not null
    )`.execute(db)
  await sql`create index incident_step_of on incident_step (incident, id)`.execute(db)
  await sql`
    create function refuse_incident_change() returns trigger language plpgsql as $$
    begin
      raise exception 'the table % is append-only', tg_table_name;
    end $$`.execute(db)
  for (const table of ['incident', 'incident_step']) {
    await sql`
      create trigger ${sql.id(`${table}_append_only`)} before update or delete or truncate on ${sql.id(table)}
      for each statement execute function refuse_incident_change()`.execute(db)
  }
}
