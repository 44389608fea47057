import { sql } from 'kysely'
import type { Database } from '../../kernel/postgres/database.ts'

/** `member.collusion` names the group of members that put their answers together: one of them. Groups only grow. */
export async function up(db: Database): Promise<void> {
  await sql`alter table member add column collusion text collate "C" references member`.execute(db)
}
