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
  const { rows } = await sql<{ first_keys: KeySet; rotation_count: number }>`
    insert into pinned_member (id, first_keys, rotation_count, seen_ms)
    values (${member.id}, ${JSON.stringify(member.firstKeys)}::jsonb, ${member.rotations.length}, ${now})
    on conflict (id) do update set rotation_count = greatest(pinned_member.rotation_count, excluded.rotation_count)
    returning first_keys, rotation_count`.execute(db)
  const pinned = rows[0]
  if (!pinned || !isSameKeySet(pinned.first_keys, member.firstKeys)) {
    return declined('declined.signature', {
      operatorNote: 'the first keys of the member are not the pinned ones',
    })
  }
  if (pinned.rotation_count > member.rotations.length) {
    return declined('declined.signature', {
      operatorNote: 'the key chain of the member is older than one seen before',
    })
  }
  return ok(present.value)
}
