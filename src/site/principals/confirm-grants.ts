import { instant } from '../../kernel/clock.ts'
import { Fault } from '../../kernel/faults.ts'
import { consentTextDigest } from '../../protocol/consent/consent-text.ts'
import type { GrantRequest } from '../../protocol/consent/grant.ts'
import type { ChangeFacts } from '../consent/change-grants.ts'
import { giveGrants } from '../consent/give-grants.ts'
import type { GrantsChanged } from '../consent/grant-calls.ts'
import { liveGrantsOf } from '../consent/grant-store.ts'
import { grantName } from '../consent/revoke-grants.ts'
import type { KnownPerson } from '../rights/person-reading.ts'
import type { SiteContext } from '../site-context.ts'
import { knownAgeOf, whoDecides } from './who-decides.ts'

/** Which grants are meant; without anything all that guardians gave. */
export interface Confirmation {
  readonly dataSet?: string | undefined
  readonly grants?: readonly string[] | undefined
}

/**
 * Gives as the person's own what guardians granted, once the person decides themselves (EDPB Guidelines 05/2020, 148 to 150):
 * until then what guardians granted has authorised nothing since the birthday. A grant that is over, or was given to a
 * text that no longer stands, is left out.
 *
 * @throws Fault `fault.conflict` for whoever does not decide alone yet
 */
export async function confirmGrants(
  site: SiteContext,
  { person, confirmation }: { person: KnownPerson; confirmation: Confirmation },
  facts: ChangeFacts,
): Promise<GrantsChanged> {
  const now = site.clock.now()
  const known = knownAgeOf(await site.principals(now), person.number)
  const live = (await liveGrantsOf(site.db, { people: [person.number] })).filter(
    ({ sequence, grantTerms: { givenBy, dataSet } }) =>
      givenBy === 'guardian' &&
      (confirmation.dataSet === undefined || confirmation.dataSet === dataSet) &&
      (confirmation.grants?.includes(grantName(sequence)) ?? true),
  )
  const own = live.filter(({ grantTerms: { dataSet } }) => {
    const { ageOn, ageAtLeast } = site.manifests().get(dataSet)?.person ?? {}
    return whoDecides(known, { siteCountry: site.territory, now, ageOn, ageAtLeast }) === 'self'
  })
  if (live.length > 0 && own.length === 0)
    throw new Fault('fault.conflict', { what: 'Cannot confirm: a guardian still decides' })
  const requests = own.flatMap(({ grantTerms, until }): readonly GrantRequest[] => {
    const manifest = site.manifests().get(grantTerms.dataSet)
    const isStanding = manifest && grantTerms.notice === consentTextDigest(manifest, grantTerms.columns)
    if (!isStanding || until <= now) return []
    const ends = until === Infinity ? {} : { validUntil: instant(until) }
    return [{ ...grantTerms, ...ends, givenBy: 'self', person: person.key, replaces: false }]
  })
  const given = await giveGrants(site.consent, requests, facts)
  return { ...given, unchanged: given.unchanged + live.length - requests.length }
}
