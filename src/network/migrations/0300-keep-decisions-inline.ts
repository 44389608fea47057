import { sql } from 'kysely'
import type { Database } from '../../kernel/postgres/database.ts'

/** As many as there are since 0260. */
const PIECES = 16

/**
 * A decision stands in its row with its receipts and its release: together they are 5 to 8 kB, and from 2 kB on PostgreSQL
 * would first try to compress them, which signed texts do not let it, and then cut them up into a second table with an index of
 * its own. A third of the time of writing one. Larger ones still go there.
 */
export async function up(db: Database): Promise<void> {
  for (let piece = 0; piece < PIECES; piece += 1) {
    await sql`alter table ${sql.id(`decision_piece_${piece}`)} set (toast_tuple_target = 8160)`.execute(db)
  }
}
