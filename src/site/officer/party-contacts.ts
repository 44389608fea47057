import { sql } from 'kysely'
import type { Instant } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import { partyContactSchema } from '../../protocol/http/officer-api.ts'
import type { PartyContact } from '../../protocol/http/officer-api.ts'

/** Keeps who a party is; what was said before is replaced. */
export async function keepPartyContact(
  db: Database,
  { member, contact, now }: { member: string; contact: PartyContact; now: Instant },
): Promise<void> {
  await sql`
    insert into party_contact (member, contact, changed_ms) values (${member}, ${JSON.stringify(contact)}::jsonb, ${now})
    on conflict (member) do update set contact = excluded.contact, changed_ms = excluded.changed_ms`.execute(
    db,
  )
}

/** Who the parties are, by member. */
export async function readPartyContacts(db: Database): Promise<ReadonlyMap<string, PartyContact>> {
  const { rows } = await sql<{ member: string; contact: unknown }>`
    select member, contact from party_contact`.execute(db)
  return new Map(rows.map(({ member, contact }) => [member, partyContactSchema.parse(contact)]))
}
