import { sql } from 'kysely'
import type { Instant } from '../../kernel/clock.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import { followKeyChain, isSameKeySet } from '../../protocol/key-chain.ts'
import type { KeySet, Member } from '../../protocol/member.ts'
import { declined } from '../../protocol/reason.ts'
import type { Outcome } from '../../protocol/reason.ts'
import { ok } from '../../kernel/result.ts'

/**
 * The keys of a member, as this site believes them: the first set is pinned when the member is first seen, later sets
 * must follow from it by rotations that the member signed. The network carries member records, but it cannot put
 * keys of its own in their place and so read a release (security model: who is trusted with what).
 */
export async function pinMember(
  db: Database,
  { member, now }: { member: Member; now: Instant },
): Promise<Outcome<KeySet>> {
  const present = followKeyChain(member.id, member.firstKeys, member.rotations)
  if (!present.ok || !isSameKeySet(present.value, member.keys)) {
    return declined('declined.signature', {
      operatorNote: 'the key chain of the member does not lead to its keys',
    })
  }
  const pinned = (await findPin(db, member.id)) ?? (await makePin(db, { member, now }))
  if (!isSameKeySet(pinned.first_keys, member.firstKeys)) {
    return declined('declined.signature', {
      operatorNote: 'the first keys of the member are not the pinned ones',
    })
  }
  if (pinned.rotation_count > member.rotations.length) {
    return declined('declined.signature', {
      operatorNote: 'the key chain of the member is older than one seen before',
    })
  }
  if (pinned.rotation_count < member.rotations.length) await followPin(db, member)
  return ok(present.value)
}

interface Pin {
  readonly first_keys: KeySet
  readonly rotation_count: number
}

async function findPin(db: Database, member: string): Promise<Pin | undefined> {
  const { rows } = await sql<Pin>`
    select first_keys, rotation_count from pinned_member where id = ${member}`.execute(db)
  return rows[0]
}

/** Pins a member at first sight; of two asks at once the first pins. */
async function makePin(db: Database, { member, now }: { member: Member; now: Instant }): Promise<Pin> {
  const made = { first_keys: member.firstKeys, rotation_count: member.rotations.length }
  await sql`
    insert into pinned_member (id, first_keys, rotation_count, seen_ms)
    values (${member.id}, ${JSON.stringify(made.first_keys)}::jsonb, ${made.rotation_count}, ${now})
    on conflict do nothing`.execute(db)
  return (await findPin(db, member.id)) ?? made
}

/** Remembers how far a chain went, so that an older one is not believed again. */
async function followPin(db: Database, { id, rotations }: Member): Promise<void> {
  await sql`
    update pinned_member set rotation_count = ${rotations.length}
    where id = ${id} and rotation_count < ${rotations.length}`.execute(db)
}
