import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/** Issuers that may place data at the site and administer it, with their keys. */
export async function up(db: Database): Promise<void> {
  await sql`
    create table issuer (
      member text primary key,
      keys jsonb not null,
      registered_ms bigint not null
    )`.execute(db)
}
