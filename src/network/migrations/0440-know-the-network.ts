import { sql } from 'kysely'
import type { Database } from '../../kernel/postgres/database.ts'

/** Whose database it is: the id of the first signing key of its network, noted by the first start. */
export async function up(db: Database): Promise<void> {
  await sql`
    create table network_identity (
      is_known boolean primary key default true check (is_known),
      first_key text not null
    )`.execute(db)
}
