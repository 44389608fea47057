import type { Clock } from '../../kernel/clock.ts'
import { peekJws } from '../../kernel/crypto/jws.ts'
import { Fault } from '../../kernel/faults.ts'
import type { Database } from '../../kernel/postgres/database.ts'
import { newKeySetSchema } from '../../protocol/member.ts'
import { followKeyChain } from '../../protocol/proof/key-chain.ts'
import type { MemberId, SiteId } from '../../protocol/wire.ts'
import type { Directory } from './directory.ts'
import { addKeys } from './party-store.ts'
import type { Party } from './party-store.ts'

/**
 * Replaces the keys of a member or a site by those in a statement that its present key signed. The same statement
 * again changes nothing. What the old keys signed before stays verifiable.
 *
 * @throws Fault `fault.request_malformed` when the statement does not verify, `fault.conflict` when another came first
 */
export async function rotateKeys(
  { db, clock, directory }: { db: Database; clock: Clock; directory: Directory },
  { name, rotation }: { name: MemberId | SiteId; rotation: string },
): Promise<Party> {
  const party = directory.find(name)
  if (!party) throw new Fault('fault.not_found', { what: `There is no member or site "${name}"` })
  if (party.record.rotations.includes(rotation)) return party
  const next = peekJws(rotation) && followKeyChain(name, party.record.keys, [rotation])
  if (!next?.ok || !newKeySetSchema.safeParse(next.value).success) {
    throw new Fault('fault.request_malformed', {
      what: 'Cannot rotate the keys: the statement is not signed with the present key, is about somebody else, or names keys that were not made at random',
      errors: [{ field: 'rotation', expected: 'expected a key rotation signed with the present key' }],
    })
  }
  const version = party.keySets.length + 1
  await addKeys(db, { party: name, version, keys: next.value, rotation, at: clock.now() }).catch(
    (cause: unknown) => {
      const isTaken = cause instanceof Error && 'code' in cause && cause.code === '23505'
      if (!isTaken) throw cause
      throw new Fault('fault.conflict', {
        what: 'Cannot rotate the keys: another rotation came first',
        cause,
      })
    },
  )
  return directory.refresh(name)
}
