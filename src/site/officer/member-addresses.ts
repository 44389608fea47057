import { sql } from 'kysely'
import type { Database } from '../../kernel/postgres/database.ts'
import type { MemberContact } from '../../protocol/member-contact.ts'

/** Where members are written to, by id: the mailbox of a role, as the network tells it. */
export type MemberAddresses = ReadonlyMap<string, string>

export async function readMemberAddresses(db: Database): Promise<MemberAddresses> {
  const { rows } = await sql<{ member: string; address: string }>`
    select member, address from member_address order by member`.execute(db)
  return new Map(rows.map(({ member, address }) => [member, address]))
}

/** Keeps what the network tells now; what a member has taken back is forgotten with it. */
export async function keepMemberAddresses(db: Database, told: readonly MemberContact[]): Promise<void> {
  const known = await readMemberAddresses(db)
  if (known.size === told.length && told.every(({ member, address }) => known.get(member) === address)) return
  await db.transaction().execute(async (tx) => {
    await sql`delete from member_address`.execute(tx)
    await sql`
      insert into member_address (member, address)
      select * from unnest(${told.map(({ member }) => member)}::text[], ${told.map(({ address }) => address)}::text[])`.execute(
      tx,
    )
  })
}
