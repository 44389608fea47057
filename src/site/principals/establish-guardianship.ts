import { later } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Digest } from '../../kernel/digest.ts'
import { Fault } from '../../kernel/faults.ts'
import { LIMITS } from '../../kernel/limits.ts'
import type { DatabaseTransaction } from '../../kernel/postgres/database.ts'
import type { GuardianAuthority } from '../../protocol/consent/guardianship.ts'
import { changeGrants } from '../consent/change-grants.ts'
import { liveGrantsOf } from '../consent/grant-store.ts'
import { writeRevocations } from '../consent/revoke-grants.ts'
import type { KnownPerson } from '../rights/person-reading.ts'
import { unknownPerson } from '../rights/person-reading.ts'
import type { SiteContext } from '../site-context.ts'
import { lookupDigest } from '../vault/keys/lookup-digest.ts'
import { sealPersonText } from '../vault/keys/person-text.ts'
import { ofGrownUps } from './guardian-power.ts'
import { GUARDIAN_EXPECTED, isStanding } from './guardians.ts'
import {
  addGuardianshipReceipt,
  findGuardianship,
  guardianshipsOf,
  insertGuardianship,
} from './guardianship-store.ts'
import type { StoredGuardianship } from './guardianship-store.ts'

/** What guardianships need of a site. */
export type GuardianshipParts = Pick<
  SiteContext,
  | 'db'
  | 'clock'
  | 'random'
  | 'ids'
  | 'keys'
  | 'log'
  | 'consent'
  | 'personKeys'
  | 'vault'
  | 'principals'
  | 'territory'
>

/** Labels under which the two names of a guardianship are sealed with the child's key. */
export const GUARDIAN_NAME = 'guardian-name'
export const WARD_NAME = 'ward-name'

/** What was established, by whom, from which document. */
export interface EstablishedFacts {
  readonly guardian: string
  readonly authority: GuardianAuthority
  readonly from?: Instant | undefined
  readonly until?: Instant | undefined
  readonly document: Digest
  readonly by: string
}

/**
 * Establishes who may speak for a child (GDPR Art. 8(2): "reasonable efforts to verify"). Where it changes who has to
 * agree, what guardians granted before ends in the same transaction: the new ones are asked. The issuer answers for who the guardian is;
 * whoever is known here to be too young to decide for themselves is none.
 *
 * @throws Fault `fault.request_malformed`, `fault.conflict` when the two are bound already, `fault.not_found`
 */
export async function establishGuardianship(
  parts: GuardianshipParts,
  { child, facts }: { child: KnownPerson; facts: EstablishedFacts },
): Promise<StoredGuardianship> {
  const now = parts.clock.now()
  requireOrder(facts, now)
  if (facts.guardian === child.key) throw malformed('guardian', 'expected somebody else than the child')
  const guardian = lookupDigest(parts.keys.lookup, { issuer: child.issuer, personKey: facts.guardian })
  if ((await ofGrownUps(parts, [{ guardian }], now)).length === 0)
    throw malformed('guardian', GUARDIAN_EXPECTED)
  const key = (await parts.personKeys.keyOf(parts.db, child.number))?.reveal()
  if (!key) throw unknownPerson()
  const guardianship = parts.ids.next('gsh')
  const sealed = (text: string, use: string) => sealPersonText(text, { key, use, random: parts.random })
  const made = {
    guardianship,
    person: child.number,
    issuer: child.issuer,
    guardian,
    guardianName: sealed(facts.guardian, GUARDIAN_NAME),
    personName: sealed(child.key, WARD_NAME),
    authority: facts.authority,
    document: facts.document,
    from: facts.from ?? now,
    until: facts.until,
    establishedAt: now,
    establishedBy: facts.by,
  }
  await changeGrants(parts.consent, {
    body: { guardianship },
    facts: { by: facts.by },
    act: async (tx, { last }) => {
      const standing = (await guardianshipsOf(tx, [child.number])).filter((one) => isStanding(one, now))
      requireRoom(standing, made.guardian)
      await insertGuardianship(tx, made)
      const isShared = [made, ...standing].some(({ authority }) => authority === 'joint')
      const live = isShared ? await liveGrantsOf(tx, { people: [child.number] }) : []
      const revoked = await writeRevocations(
        tx,
        live.filter(({ grantTerms }) => grantTerms.givenBy === 'guardian'),
        { context: parts.consent, last, now, by: facts.by, cause: 'guardianship_ended' },
      )
      await issueGuardianshipReceipt(tx, parts, { guardianship, person: child.number, what: 'established' })
      return { change: { sequence: last + revoked.length, newTerms: [], given: [], revoked }, unchanged: 0 }
    },
  })
  await parts.log.publish()
  const found = await findGuardianship(parts.db, guardianship)
  if (found) return found
  throw new Fault('fault.internal', { what: 'Cannot find a guardianship that was just established' })
}

/** A receipt about a guardianship, which only the child's own record can find. */
export async function issueGuardianshipReceipt(
  tx: DatabaseTransaction,
  { personKeys, log }: Pick<GuardianshipParts, 'personKeys' | 'log'>,
  { guardianship, person, what }: { guardianship: string; person: number; what: 'established' | 'ended' },
): Promise<void> {
  const subjectOf = await personKeys.subjectOf(tx, { person, text: `guardianship ${guardianship} ${what}` })
  const [receipt] = await log.issue(tx, [
    { kind: 'guardianship', guardianship, ...(subjectOf === undefined ? {} : { subjectOf }) },
  ])
  if (receipt) await addGuardianshipReceipt(tx, { guardianship, receipt: receipt.sequence })
}

function requireOrder({ from, until }: EstablishedFacts, now: Instant): void {
  if (from !== undefined && from > later(now, LIMITS.clockSkewMsMax))
    throw malformed('from', 'expected a time that has come; establish it when it begins')
  if (until !== undefined && until <= now) throw malformed('until', 'expected a time that lies ahead')
}

function requireRoom(standing: readonly StoredGuardianship[], mark: Uint8Array): void {
  if (standing.some(({ guardian }) => guardian && Buffer.compare(guardian, mark) === 0))
    throw new Fault('fault.conflict', { what: 'Cannot establish: this guardian of the child stands already' })
  if (standing.length >= LIMITS.guardiansPerChildMax)
    throw new Fault('fault.conflict', { what: 'Cannot establish: the child has as many guardians as it may' })
}

function malformed(field: string, expected: string): Fault {
  return new Fault('fault.request_malformed', {
    what: `Cannot establish a guardianship: ${field}: ${expected}`,
    errors: [{ field, expected }],
  })
}
