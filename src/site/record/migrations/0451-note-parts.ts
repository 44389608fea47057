import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/**
 * By what the record knows the parts of the site that are beside it: the mark of the vault, with the one that the vault is being given
 * (`one-moment.ts`), and which keys there are.
 */
export async function up(db: Database): Promise<void> {
  await sql`
    create table vault_mark (
      is_one boolean primary key default true check (is_one),
      mark text,
      pending text
    )`.execute(db)
  await sql`create table key_in_use (use text primary key, key text not null)`.execute(db)
}
