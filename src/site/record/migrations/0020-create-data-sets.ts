import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/**
 * Data sets by their manifests, what was imported into them, and the wrapped keys of people.
 *
 * `import_batch` is the saga of an import: the intent stands before anything is done in the vault, the end with its
 * receipt after. `person_key` is the only place where a person's key is: deleting its row erases what it sealed.
 */
export async function up(db: Database): Promise<void> {
  await sql`
    create table data_set (
      id text primary key,
      issuer text not null,
      manifest text not null,
      manifest_digest text not null,
      version integer not null,
      described_ms bigint not null,
      retired_ms bigint
    )`.execute(db)
  await sql`
    create table data_set_version (
      data_set text not null references data_set,
      version integer not null,
      manifest text not null,
      manifest_digest text not null,
      described_ms bigint not null,
      primary key (data_set, version)
    )`.execute(db)
  await sql`
    create table import_batch (
      id bigint generated always as identity primary key,
      data_set text not null references data_set,
      batch text not null,
      file_digest text not null,
      rows bigint not null,
      first_person integer not null,
      new_people integer not null,
      people bytea,
      state text not null check (state in ('intent', 'done')),
      started_ms bigint not null,
      done_ms bigint,
      receipt bigint,
      unique (data_set, batch)
    )`.execute(db)
  await sql`create index import_batch_open on import_batch (id) where state = 'intent'`.execute(db)
  await sql`
    create table person_key (
      person integer primary key,
      wrapped bytea not null
    )`.execute(db)
}
