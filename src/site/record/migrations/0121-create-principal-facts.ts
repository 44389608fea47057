import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/**
 * What is known of people for the rules of age besides their data: evidence of an age, never a birth date, and moves to
 * another country with the day from which they count. Both are in the sequence of consent, because they change whose
 * grants count. The rows of a person go when the person is erased.
 */
export async function up(db: Database): Promise<void> {
  await sql`
    create table age_evidence (
      sequence bigint primary key,
      evidence text not null unique,
      person integer not null,
      kind text not null,
      at_least integer,
      below integer,
      document text,
      given_ms bigint not null,
      given_by text not null,
      expires_ms bigint not null,
      receipt bigint not null,
      ended_ms bigint,
      ended_sequence bigint
    )`.execute(db)
  await sql`create index age_evidence_person on age_evidence (person)`.execute(db)
  await sql`
    create table residence_move (
      sequence bigint primary key,
      person integer not null,
      country text not null,
      from_day text not null,
      was text not null,
      is_confirmed boolean not null,
      told_ms bigint not null,
      told_by text not null,
      receipt bigint not null
    )`.execute(db)
  await sql`create index residence_move_person on residence_move (person)`.execute(db)
}
