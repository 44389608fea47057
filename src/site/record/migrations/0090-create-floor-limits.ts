import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/**
 * Asks that came on the local network, and the floor limits they are booked on.
 *
 * `local_ask` stands in the same transaction as its answer; `answer.floor_limit` says how the network is to be told of it.
 * `pinned_member.record` is the member as the network last described it: what an ask is checked by while the network is away.
 */
export async function up(db: Database): Promise<void> {
  await sql`
    create table floor_limit (
      id text primary key,
      acquirer text not null,
      currency text not null,
      amount_minor bigint not null,
      booked_minor bigint not null default 0,
      valid_from_ms bigint not null,
      valid_until_ms bigint not null,
      statement text not null,
      closed_ms bigint,
      check (booked_minor between 0 and amount_minor)
    )`.execute(db)
  await sql`alter table answer add column floor_limit text references floor_limit`.execute(db)
  await sql`
    create index answer_to_clear on answer (decided_ms) where floor_limit is not null and pushed_ms is null`.execute(
    db,
  )
  await sql`
    create table local_ask (
      ask_id text primary key references answer,
      acquirer text not null,
      idempotency_key text not null,
      body_digest text not null,
      jws text not null,
      limit_minor bigint not null,
      price_minor bigint,
      floor_limit text references floor_limit,
      received_ms bigint not null,
      refused_ms bigint,
      unique (acquirer, idempotency_key)
    )`.execute(db)
  await sql`create index local_ask_floor_limit on local_ask (floor_limit) where floor_limit is not null`.execute(
    db,
  )
  await sql`alter table pinned_member add column record jsonb`.execute(db)
  await sql`
    create table pinned_network (
      only_row boolean primary key default true check (only_row),
      name text not null,
      signing jsonb not null,
      seen_ms bigint not null
    )`.execute(db)
  await sql`
    create table published_offer (
      data_set text primary key,
      digest text not null
    )`.execute(db)
}
