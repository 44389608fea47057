import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/** The chain of a member as it was seen, so that it can only grow. Null in what was pinned before: then its length alone is held. */
export async function up(db: Database): Promise<void> {
  await sql`alter table pinned_member add column rotations jsonb`.execute(db)
}
