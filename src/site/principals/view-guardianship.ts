import { formatInstant } from '../../kernel/clock.ts'
import type { GuardianshipState, GuardianshipView } from '../../protocol/consent/guardianship.ts'
import type { SiteContext } from '../site-context.ts'
import { openPersonText } from '../vault/person-text.ts'
import { GUARDIAN_NAME, WARD_NAME } from './establish-guardianship.ts'
import { isUnderAge } from './guardian-power.ts'
import type { StoredGuardianship } from './guardianship-store.ts'

/** A guardianship with its names in clear and where it stands; `undefined` once the child is erased. */
export async function viewGuardianship(
  site: Pick<SiteContext, 'db' | 'clock' | 'personKeys' | 'principals' | 'territory'>,
  stored: StoredGuardianship,
): Promise<GuardianshipView | undefined> {
  const key = (await site.personKeys.keyOf(site.db, stored.person))?.reveal()
  const person = key && openPersonText(stored.personName, { key, use: WARD_NAME })
  if (!key || person === undefined) return undefined
  const guardian = stored.guardianName && openPersonText(stored.guardianName, { key, use: GUARDIAN_NAME })
  const { guardianship, issuer, authority, document, from, until, establishedAt, establishedBy } = stored
  return {
    guardianship,
    issuer,
    person,
    ...(guardian === undefined ? {} : { guardian }),
    authority,
    state: await stateOf(site, stored),
    from: formatInstant(from),
    ...(until === undefined ? {} : { until: formatInstant(until) }),
    document,
    establishedAt: formatInstant(establishedAt),
    establishedBy,
    ...(stored.endedAt === undefined ? {} : { endedAt: formatInstant(stored.endedAt) }),
    ...(stored.endedBy === undefined ? {} : { endedBy: stored.endedBy }),
    receipts: [...stored.receipts],
  }
}

async function stateOf(
  site: Pick<SiteContext, 'clock' | 'principals' | 'territory'>,
  { endedAt, until, person }: StoredGuardianship,
): Promise<GuardianshipState> {
  const now = site.clock.now()
  if (endedAt !== undefined) return 'ended'
  if (until !== undefined && until <= now) return 'over'
  return (await isUnderAge(site, person, now)) ? 'in_force' : 'of_age'
}
