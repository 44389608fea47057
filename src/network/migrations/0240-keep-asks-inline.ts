import { sql } from 'kysely'
import type { Database } from '../../kernel/postgres/database.ts'

/**
 * A signed ask stands in its row: with it the row is a little over 2 kB, from where on PostgreSQL would put it into a
 * second table with an index of its own, a sixth of its time for an ask. Asks of over 8 kB (many sites) still go there.
 */
export async function up(db: Database): Promise<void> {
  await sql`alter table ask set (toast_tuple_target = 8160)`.execute(db)
}
