import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/** Data-protection officers with keys of their own; without an issuer it is the custodian's. */
export async function up(db: Database): Promise<void> {
  await sql`
    create table officer (
      member text primary key,
      issuer text,
      keys jsonb not null,
      named_ms bigint not null
    )`.execute(db)
}
