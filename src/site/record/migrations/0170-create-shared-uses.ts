import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/**
 * Rows that are about several people. `shared_use.numbers` are the numbers that the rows of a release had (deflated, as
 * in `use_record.people`, which holds the people themselves). A notice is about one person under the pseudonym of one number.
 */
export async function up(db: Database): Promise<void> {
  await sql`
    create table shared_use (
      ask_id text primary key,
      numbers bytea not null
    )`.execute(db)
  await sql`alter table recipient_notice add column known_as integer`.execute(db)
  await sql`alter table release_withdrawal add column known_as integer[] not null default '{}'`.execute(db)
  await sql`
    alter table recipient_notice drop constraint recipient_notice_cause_kind_acquirer_purpose_data_set_key`.execute(
    db,
  )
  await sql`
    create unique index recipient_notice_once
    on recipient_notice (cause, kind, acquirer, purpose, data_set, coalesce(known_as, person))`.execute(db)
}
