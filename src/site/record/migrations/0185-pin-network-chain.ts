import { sql } from 'kysely'
import type { Database } from '../../../kernel/postgres/database.ts'

/** The chain by which the network's keys are followed; `signing` is the first key of that chain. */
export async function up(db: Database): Promise<void> {
  await sql`alter table pinned_network add column rotations jsonb not null default '[]'`.execute(db)
}
