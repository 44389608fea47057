import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/**
 * Who looked at a person's data by name, and what a person carried here from another site.
 *
 * `person_access` is append-only; the reason is sealed under the person's key, because people write names into
 * reasons. `carried_record` holds sealed texts too; `mark` is an HMAC under the same key, by which a record is known
 * again.
 */
export async function up(db: Database): Promise<void> {
  await sql`create sequence person_access_id`.execute(db)
  await sql`
    create table person_access (
      id bigint primary key,
      person integer not null,
      what text not null,
      accessed_by text not null,
      reason bytea,
      time_ms bigint not null,
      receipt bigint not null
    )`.execute(db)
  await sql`create index person_access_person on person_access (person, id)`.execute(db)
  await sql`
    create trigger person_access_append_only before update or delete or truncate on person_access
    for each statement execute function refuse_change()`.execute(db)
  await sql`
    create table carried_record (
      id bigint generated always as identity primary key,
      person integer not null,
      mark text not null,
      sealed bytea not null,
      carried_ms bigint not null,
      unique (person, mark)
    )`.execute(db)
}
