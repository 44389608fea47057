import { formatDate, formatInstant, instant } from '../../kernel/clock.ts'
import { AGE_EVIDENCE, ageBand } from '../../protocol/law/age-evidence.ts'
import { ageOn, consentAge } from '../../protocol/law/consent-ages.ts'
import type { GrantState } from '../../protocol/consent/grant.ts'
import type { PrincipalView } from '../../protocol/http/principal-api.ts'
import { openAgreements } from '../consent/guardian-agreements.ts'
import { judgeGrants } from '../consent/judge-grants.ts'
import { listGrants } from '../consent/list-grants.ts'
import { grantName } from '../consent/revoke-grants.ts'
import type { KnownPerson } from '../rights/person-reading.ts'
import type { SiteContext } from '../site-context.ts'
import { evidenceOf, movesOf } from './principal-store.ts'
import type { StoredEvidence } from './principal-store.ts'
import { knownAgeOf, whoDecides } from './who-decides.ts'

/** Why a grant authorises nothing, in words for the person. */
const WHY: Readonly<Partial<Record<GrantState, string>>> = {
  needs_guardian: 'Where you live, a guardian decides at your age: your own permission does not count yet',
  needs_both: 'Where you live, you and a guardian decide together: one of the two is missing',
  handed_over: 'You decide yourself now: confirm what a guardian permitted, or let it go',
  guardianship_ended: 'The guardian who permitted it may no longer decide, or no longer alone',
}

/** More than anybody gives. */
const GRANTS_MAX = 10_000

/** Who decides for a person today and why, and what no longer authorises anything for it. */
export async function viewPrincipal(
  site: SiteContext,
  { number, issuer }: KnownPerson,
): Promise<PrincipalView> {
  const now = site.clock.now()
  const today = formatDate(now)
  const known = knownAgeOf(await site.principals(now), number)
  const { birthDate, residences } = known
  const grants = await listGrants(site.db, { after: 0, limit: GRANTS_MAX, people: [number] })
  const states = await judgeGrants(site, grants)
  const agreements = await openAgreements(site.db, [number])
  return {
    issuer,
    band: ageBand(birthDate === undefined ? undefined : ageOn(birthDate, today)),
    decides: whoDecides(known, { siteCountry: site.territory, now }),
    laws: [...new Set([...residences, site.territory])].map((country) => ({
      country,
      consentAge: consentAge(country, today),
    })),
    evidence: (await evidenceOf(site.db, [number])).map(evidenceView),
    moves: (await movesOf(site.db, [number])).map(
      ({ country, fromDay, isConfirmed, toldAt, toldBy, receipt }) => ({
        country,
        fromDay,
        isConfirmed,
        toldAt: formatInstant(toldAt),
        toldBy,
        receipt,
      }),
    ),
    lapsed: grants.flatMap(({ sequence, terms: { dataSet } }, index) => {
      const state = states[index] ?? 'expired'
      const why = WHY[state]
      return why === undefined ? [] : [{ grant: grantName(sequence), dataSet, state, why }]
    }),
    awaiting: agreements.map(({ guardianship, agreedAt, wording }) => ({
      guardianship,
      agreedAt: formatInstant(instant(agreedAt)),
      terms: wording,
    })),
  }
}

/** Evidence in wire form. */
export function evidenceView(stored: StoredEvidence): PrincipalView['evidence'][number] {
  const { evidence, kind, atLeast, below, document, givenAt, givenBy, expires, endedAt, receipt } = stored
  return {
    evidence,
    kind,
    assurance: AGE_EVIDENCE[kind].assurance,
    ...(atLeast === undefined ? {} : { atLeast }),
    ...(below === undefined ? {} : { below }),
    ...(document === undefined ? {} : { document }),
    givenAt: formatInstant(givenAt),
    givenBy,
    expires: formatInstant(expires),
    ...(endedAt === undefined ? {} : { endedAt: formatInstant(endedAt) }),
    receipt,
  }
}
