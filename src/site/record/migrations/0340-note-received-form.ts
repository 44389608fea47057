import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/**
 * In which form a batch was received (DGA Art. 12(d)): `csv`, `ndjson` or `parquet`, and whether it was packed with gzip. Null of
 * batches that came before it was noted.
 */
export async function up(db: Database): Promise<void> {
  await sql`alter table import_batch add column format text, add column is_packed boolean`.execute(db)
}
