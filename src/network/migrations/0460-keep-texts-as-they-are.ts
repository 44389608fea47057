import { sql } from 'kysely'
import type { Database } from '../../kernel/postgres/database.ts'

/**
 * What is signed or sealed does not get smaller by compressing. The steps that made these tables say so in words that PostgreSQL 15 does
 * not know, and leave out there (`inOldWords`); here it is said in those of all versions, and comes to the pieces of a table by itself.
 */
export async function up(db: Database): Promise<void> {
  await sql`alter table ask alter column jws set storage external`.execute(db)
  await sql`alter table ask_batch alter column jws set storage external`.execute(db)
  await sql`alter table decision alter column release set storage external`.execute(db)
  await sql`alter table notice alter column sealed set storage external`.execute(db)
}
