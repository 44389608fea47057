import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/**
 * The Data Rights Protocol's door: digests of agents' tokens, and which request of the desk an agent's request is. One that
 * was denied at the door is none, and names nobody. `told` is the digest of the status that the agent's callback last took.
 */
export async function up(db: Database): Promise<void> {
  await sql`
    create table data_rights_token (
      agent text primary key,
      digest text not null unique,
      issued_ms bigint not null
    )`.execute(db)
  await sql`
    create table data_rights_request (
      id text primary key,
      agent text not null,
      business text not null,
      agent_request_id text,
      exercise text not null,
      regime text,
      received_ms bigint not null,
      desk_request text unique,
      denied_reason text,
      callback text,
      told text,
      tries integer not null default 0,
      next_try_ms bigint not null default 0,
      unique (agent, agent_request_id),
      check ((desk_request is null) <> (denied_reason is null))
    )`.execute(db)
}
