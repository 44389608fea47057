import { formatInstant } from '../../kernel/clock.ts'
import type { GuardianshipState, GuardianshipView } from '../../protocol/consent/guardianship.ts'
import type { SiteContext } from '../site-context.ts'
import { openPersonText } from '../vault/keys/person-text.ts'
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
  const ended = endOf(stored)
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
    ...(ended?.endedAt === undefined ? {} : { endedAt: formatInstant(ended.endedAt) }),
    ...(ended?.endedBy === undefined ? {} : { endedBy: ended.endedBy }),
    receipts: [...stored.receipts],
  }
}

/** When and by whom it ended; one whose time was over before ended by itself, and whoever was the guardian sees nothing that came after. */
function endOf({ endedAt, endedBy, until }: StoredGuardianship) {
  if (endedAt === undefined || (until !== undefined && until <= endedAt)) return undefined
  return { endedAt, endedBy }
}

async function stateOf(
  site: Pick<SiteContext, 'clock' | 'principals' | 'territory'>,
  stored: StoredGuardianship,
): Promise<GuardianshipState> {
  const { until, person } = stored
  const now = site.clock.now()
  if (endOf(stored) !== undefined) return 'ended'
  if (until !== undefined && until <= now) return 'over'
  return (await isUnderAge(site, person, now)) ? 'in_force' : 'of_age'
}
