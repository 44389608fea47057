import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/**
 * Notices to acquirers that were given rows of somebody who was erased, corrected or restricted, and releases that the
 * network was told to delete.
 *
 * No pseudonym stands here: it is made when a notice is signed. `body` holds corrected values sealed under the person's
 * key, so that they go with it. `digests` are those of every signed text that went out for the notice.
 */
export async function up(db: Database): Promise<void> {
  await sql`
    create table recipient_notice (
      id bigint generated always as identity primary key,
      notice text not null unique,
      kind text not null check (kind in ('erasure', 'correction', 'restriction', 'restriction_lifting')),
      cause text not null,
      person integer not null,
      subject_of text,
      issuer text not null,
      acquirer text not null,
      purpose text not null,
      data_set text not null,
      releases jsonb not null,
      release_to text not null,
      corrected_data_set text,
      columns text[],
      body bytea,
      lifts_ms bigint,
      noted_ms bigint not null,
      due_ms bigint not null,
      digests text[] not null default '{}',
      sealed_to text,
      sent_ms bigint,
      delivered_ms bigint,
      acknowledged_ms bigint,
      acknowledgement text,
      outcome text,
      ground text,
      receipts bigint[] not null default '{}',
      unique (cause, kind, acquirer, purpose, data_set)
    )`.execute(db)
  await sql`create index recipient_notice_open on recipient_notice (id) where acknowledged_ms is null`.execute(
    db,
  )
  await sql`create index recipient_notice_person on recipient_notice (person, id)`.execute(db)
  await sql`
    create table release_withdrawal (
      ask_id text not null,
      erasure text not null,
      person integer not null,
      is_pushed boolean not null,
      noted_ms bigint not null,
      confirmed_ms bigint,
      had_release boolean,
      grade text check (grade in ('deleted', 'permanent')),
      primary key (ask_id, erasure)
    )`.execute(db)
  await sql`create index release_withdrawal_open on release_withdrawal (ask_id) where grade is distinct from 'permanent'`.execute(
    db,
  )
  await sql`create index use_record_rows on use_record (id) where mode = 'rows'`.execute(db)
}
