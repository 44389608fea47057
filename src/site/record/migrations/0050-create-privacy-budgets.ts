import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/**
 * What noisy answers have cost, and the answers themselves.
 *
 * `privacy_spend` is append-only: one row an answer, with everybody it was made from as a compressed bitmap; what each
 * person has lost is the sum over those rows. `privacy_snapshot` spares reading all of them (`acquirer` is empty for
 * all acquirers together). `privacy_account` holds the sums of an acquirer and data set, so that the record itself
 * refuses to go past a budget. Epsilon is in millionths, rho in thousand-millionths. `private_answer` keeps each answer
 * under the site's key, to be given again to whoever asks the same.
 */
export async function up(db: Database): Promise<void> {
  await sql`
    create table privacy_account (
      period text not null,
      acquirer text not null,
      data_set text not null,
      epsilon_micro bigint not null,
      rho_nano bigint not null,
      primary key (period, acquirer, data_set)
    )`.execute(db)
  await sql`
    create table privacy_spend (
      id bigint generated always as identity primary key,
      period text not null,
      ask_id text not null unique,
      acquirer text not null,
      data_sets text[] not null,
      epsilon_micro bigint not null,
      rho_nano bigint not null,
      people bytea not null
    )`.execute(db)
  await sql`create index privacy_spend_by_acquirer on privacy_spend (period, acquirer, id)`.execute(db)
  await sql`
    create table privacy_snapshot (
      period text not null,
      acquirer text not null,
      until_id bigint not null,
      losses bytea not null,
      primary key (period, acquirer)
    )`.execute(db)
  await sql`
    create table private_answer (
      acquirer text not null,
      question text not null,
      ask_id text not null,
      release bytea not null,
      decided_ms bigint not null,
      primary key (acquirer, question)
    )`.execute(db)
  await sql`
    create function refuse_spend_change() returns trigger language plpgsql as $$
    begin
      raise exception 'the table % is append-only', tg_table_name;
    end $$`.execute(db)
  await sql`
    create trigger privacy_spend_append_only before update or delete or truncate on privacy_spend
    for each statement execute function refuse_spend_change()`.execute(db)
}
