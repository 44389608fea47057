import { sql } from 'kysely'
import type { Instant } from '../../kernel/clock.ts'
import { keyIdOf } from '../../kernel/crypto/keys.ts'
import type { PublicJwk } from '../../kernel/crypto/keys.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import type { KeySet } from '../../protocol/member.ts'
import type { MemberId } from '../../protocol/wire.ts'

/** Lets a supervisory authority read, or replaces its keys: the operator vouches for them. */
export async function registerRegulator(
  db: Database,
  { member, keys, now }: { member: MemberId; keys: KeySet; now: Instant },
): Promise<void> {
  await sql`
    insert into regulator (member, keys, registered_ms) values (${member}, ${JSON.stringify(keys)}::jsonb, ${now})
    on conflict (member) do update set keys = excluded.keys, registered_ms = excluded.registered_ms`.execute(
    db,
  )
}

/** Ends an authority's access; gives whether it had any. */
export async function removeRegulator(db: Database, member: MemberId): Promise<boolean> {
  const { rows } = await sql`delete from regulator where member = ${member} returning member`.execute(db)
  return rows.length > 0
}

/** The signing key of a registered authority, if it is the one with this id. */
export async function findRegulatorKey(
  db: Database,
  { member, keyId }: { member: string; keyId: string },
): Promise<PublicJwk | undefined> {
  const { rows } = await sql<{ keys: KeySet }>`select keys from regulator where member = ${member}`.execute(
    db,
  )
  const signing = rows[0]?.keys.signing
  return signing && keyIdOf(signing) === keyId ? signing : undefined
}
