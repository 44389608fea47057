import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/** What a member calls itself, as the network last told it (`src/site/officer/party-names.ts`). */
export async function up(db: Database): Promise<void> {
  await sql`alter table pinned_member add column name text`.execute(db)
  await sql`update pinned_member set name = record->>'name' where record is not null`.execute(db)
}
