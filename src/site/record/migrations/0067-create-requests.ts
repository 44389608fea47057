import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/**
 * Requests of people (GDPR Art. 12) as what happened to them; where one stands is computed. Append-only. What somebody
 * wrote is sealed under the person's key.
 */
export async function up(db: Database): Promise<void> {
  await sql`
    create table person_request (
      id text primary key,
      person integer not null,
      issuer text not null,
      kind text not null,
      received_ms bigint not null,
      residence text
    )`.execute(db)
  await sql`create index person_request_person on person_request (person)`.execute(db)
  await sql`
    create table person_request_event (
      id bigint generated always as identity primary key,
      request text not null references person_request,
      event text not null,
      at_ms bigint not null,
      by_whom text not null,
      ground text,
      said bytea,
      receipt bigint not null
    )`.execute(db)
  await sql`create index person_request_event_request on person_request_event (request, id)`.execute(db)
  for (const table of ['person_request', 'person_request_event']) {
    await sql`
      create trigger ${sql.id(`${table}_append_only`)} before update or delete or truncate on ${sql.id(table)}
      for each statement execute function refuse_change()`.execute(db)
  }
}
