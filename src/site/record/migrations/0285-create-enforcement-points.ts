import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/** Applications that ask for decisions with keys of their own; without an issuer the custodian named it. */
export async function up(db: Database): Promise<void> {
  await sql`
    create table enforcement_point (
      member text primary key,
      issuer text,
      keys jsonb not null,
      named_ms bigint not null
    )`.execute(db)
}
