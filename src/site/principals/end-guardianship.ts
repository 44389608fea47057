import type { Instant } from '../../kernel/clock.ts'
import { Fault } from '../../kernel/faults.ts'
import type { DatabaseTransaction } from '../../kernel/postgres/database.ts'
import { changeGrants } from '../consent/change-grants.ts'
import type { ConsentContext } from '../consent/change-grants.ts'
import { grantsUnder } from '../consent/guardian-agreements.ts'
import type { LiveGrant } from '../consent/grant-store.ts'
import { liveGrantsOf } from '../consent/grant-store.ts'
import { writeRevocations } from '../consent/revoke-grants.ts'
import type { PersonKeys } from '../vault/keys/person-keys.ts'
import { issueGuardianshipReceipt } from './establish-guardianship.ts'
import type { GuardianshipParts } from './establish-guardianship.ts'
import { findGuardianship, forgetGuardians, guardianshipsBy, saveEnd } from './guardianship-store.ts'
import type { StoredGuardianship } from './guardianship-store.ts'
import { isStanding } from './guardians.ts'

/**
 * Ends a guardianship. When it resolves the guardian has no power, whatever token they hold, and what was granted
 * under it authorises nothing, runs under way included. Ending it again changes nothing.
 */
export async function endGuardianship(
  parts: GuardianshipParts,
  { guardianship, by }: { guardianship: string; by: string },
): Promise<StoredGuardianship> {
  await changeGrants(parts.consent, {
    body: { endGuardianship: guardianship },
    facts: { by },
    act: async (tx, { last, now }) => {
      const found = await findGuardianship(tx, guardianship)
      const revoked = found ? await endIn(tx, parts, { ending: [found], last, now, by }) : []
      return { change: { sequence: last + revoked.length, newTerms: [], given: [], revoked }, unchanged: 0 }
    },
  })
  await parts.log.publish()
  const ended = await findGuardianship(parts.db, guardianship)
  if (ended) return ended
  throw new Fault('fault.not_found', { what: 'No such thing here, or not for this caller' })
}

/**
 * Ends all that guardians may do, within a change of grants, and forgets who they were: for guardians who are erased.
 * The same key given to somebody else later has no power over anybody.
 */
export async function endAllOf(
  tx: DatabaseTransaction,
  parts: EndingParts,
  { marks, ...at }: { marks: readonly Uint8Array[]; last: number; now: Instant; by: string },
): Promise<readonly LiveGrant[]> {
  if (marks.length === 0) return []
  const own = await guardianshipsBy(tx, marks)
  if (own.length === 0) return []
  const ending = own.filter((one) => isStanding(one, at.now))
  const revoked = await endIn(tx, parts, { ending, ...at })
  await forgetGuardians(tx, marks)
  return revoked
}

/** What ending needs within a transaction. */
export interface EndingParts {
  readonly consent: ConsentContext
  readonly personKeys: PersonKeys
  readonly log: GuardianshipParts['log']
}

async function endIn(
  tx: DatabaseTransaction,
  parts: EndingParts,
  {
    ending,
    last,
    now,
    by,
  }: { ending: readonly StoredGuardianship[]; last: number; now: Instant; by: string },
): Promise<readonly LiveGrant[]> {
  const revoked: LiveGrant[] = []
  for (const { guardianship, person } of ending) {
    if (!(await saveEnd(tx, { guardianship, now, by }))) continue
    const under = await grantsUnder(tx, { guardianship, person })
    const live = await liveGrantsOf(tx, { people: [person] })
    const at = { context: parts.consent, last: last + revoked.length, now, by }
    const grants = live.filter(({ sequence }) => under.has(sequence))
    revoked.push(...(await writeRevocations(tx, grants, { ...at, cause: 'guardianship_ended' })))
    await issueGuardianshipReceipt(tx, parts, { guardianship, person, what: 'ended' })
  }
  return revoked
}
