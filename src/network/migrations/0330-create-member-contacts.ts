import { sql } from 'kysely'
import type { Database } from '../../kernel/postgres/database.ts'

/** Where members are written to: mailboxes of roles, as they are now. */
export async function up(db: Database): Promise<void> {
  await sql`
    create table member_contact (
      member text collate "C" primary key references member,
      address text not null,
      since_ms bigint not null
    )`.execute(db)
}
