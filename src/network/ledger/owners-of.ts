import { sql } from 'kysely'
import type { Database } from '../../kernel/postgres/database.ts'

/** Every owner of accounts that a member may look into: itself and the pools of its people's shares. */
export async function ownersOf(db: Database, member: string): Promise<readonly string[]> {
  const { rows } = await sql<{ owner: string }>`
    select distinct owner from account where starts_with(owner, ${`subjects/${member}/`})`.execute(db)
  return [member, ...rows.map(({ owner }) => owner)]
}
