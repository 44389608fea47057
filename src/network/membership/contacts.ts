import { sql } from 'kysely'
import { formatInstant, instant } from '../../kernel/clock.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import type { MemberContactMessage } from '../../protocol/member-contact.ts'
import type { MemberId } from '../../protocol/wire.ts'

/** Contacts that are shown: more than there are members. */
const SHOWN = 10_000

interface ContactRow {
  readonly member: MemberId
  readonly address: string
  readonly since_ms: bigint
}

/** Notes where a member is written to, in the place of what it said before; said again, it is as old as it was. */
export async function setContact(
  { db, clock }: { db: Database; clock: Clock },
  { member, address }: { member: MemberId; address: string },
): Promise<MemberContactMessage> {
  const { rows } = await sql<ContactRow>`
    insert into member_contact as c (member, address, since_ms) values (${member}, ${address}, ${clock.now()})
    on conflict (member) do update set address = excluded.address,
      since_ms = case when c.address = excluded.address then c.since_ms else excluded.since_ms end
    returning member, address, since_ms`.execute(db)
  const [row] = rows.map(viewOf)
  if (!row) throw new TypeError('A contact that was just set is not there')
  return row
}

/** Forgets where a member is written to; gives whether it had said so. */
export async function removeContact(db: Database, member: MemberId): Promise<boolean> {
  const { numAffectedRows = 0n } = await sql`
    delete from member_contact where member = ${member}`.execute(db)
  return numAffectedRows > 0n
}

/** Where members are written to, by name; all of them, or one. */
export async function listContacts(
  db: Database,
  member: MemberId | undefined,
): Promise<readonly MemberContactMessage[]> {
  const { rows } = await sql<ContactRow>`
    select member, address, since_ms from member_contact
    where member = coalesce(${member ?? null}::text, member) order by member limit ${SHOWN}`.execute(db)
  return rows.map(viewOf)
}

function viewOf({ member, address, since_ms }: ContactRow): MemberContactMessage {
  return { member, address, since: formatInstant(instant(Number(since_ms))) }
}
