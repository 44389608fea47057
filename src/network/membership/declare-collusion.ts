import { sql } from 'kysely'
import { Fault } from '../../kernel/faults.ts'
import type { MemberRecord } from '../../protocol/http/network-api.ts'
import type { MemberId } from '../../protocol/wire.ts'
import { requireMember } from './directory.ts'
import type { Membership } from './register.ts'

/**
 * Says that members put their answers together: from now on each site guards what they get as if one of them had got
 * all of it. Groups that share a member become one, and nothing is ever taken out of a group, because what its members
 * know together they know for good.
 */
export async function declareCollusion(
  { db, directory }: Membership,
  { member, others }: { member: MemberId; others: readonly MemberId[] },
): Promise<MemberRecord> {
  const named = [member, ...others]
  for (const id of named) {
    // The door calls what is not there by the name in its path: the others are told as what they are.
    const found = id === member ? requireMember(directory, id) : directory.member(id)
    if (found?.roles.includes('acquirer') === true) continue
    throw new Fault('fault.conflict', {
      what: `Cannot name "${id}": it is not a member with the role "acquirer"`,
    })
  }
  const all = new Set(named.flatMap((id) => [id, ...requireMember(directory, id).colludesWith]))
  const ids = [...all].toSorted()
  await sql`update member set collusion = ${ids[0] ?? member} where id = any(${ids})`.execute(db)
  for (const id of ids) await directory.refresh(id)
  return requireMember(directory, member)
}
