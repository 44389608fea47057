import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/** Where members are written to, as the network told it last: the mailboxes of roles, and nobody's own. */
export async function up(db: Database): Promise<void> {
  await sql`create table member_address (member text collate "C" primary key, address text not null)`.execute(
    db,
  )
}
