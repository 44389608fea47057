import type { GrantState } from '../../protocol/consent/grant.ts'
import { knownAgeOf, whoDecides } from '../principals/who-decides.ts'
import type { SiteContext } from '../site-context.ts'
import { liveGrantsOf } from './grant-store.ts'
import type { LiveGrantTerms } from './grant-store.ts'
import { giverState } from './giver-state.ts'
import { grantState } from './list-grants.ts'
import type { ListedGrant } from './list-grants.ts'

type JudgeParts = Pick<SiteContext, 'db' | 'clock' | 'principals' | 'territory' | 'manifests'>

/** Where each of some grants stands: its own life, and whose word counts for the person's age and law today. */
export async function judgeGrants(
  site: JudgeParts,
  grants: readonly ListedGrant[],
): Promise<readonly GrantState[]> {
  const now = site.clock.now()
  const principals = await site.principals(now)
  const judged = grants.map((grant) => {
    const manifest = site.manifests().get(grant.terms.dataSet)
    const { ageOn, ageAtLeast } = manifest?.person ?? {}
    const facts = { siteCountry: site.territory, now, ageOn, ageAtLeast }
    return {
      grant,
      state: grantState(grant, { now, manifest }),
      decides: whoDecides(knownAgeOf(principals, grant.person), facts),
    }
  })
  const together = judged.filter(({ state, decides }) => state === 'in_force' && decides === 'joint')
  const live = await liveOf(site, [...new Set(together.map(({ grant }) => grant.person))])
  return judged.map(({ grant, state, decides }) => {
    if (state !== 'in_force') return state
    const others = live.filter(
      ({ person, from, until, guardianship, grantTerms }) =>
        person === grant.person &&
        from <= now &&
        now < until &&
        (grantTerms.givenBy === 'self' || guardianship !== undefined),
    )
    const facts = {
      decides,
      hasGuardian: grant.guardianship !== undefined,
      others: others.map(({ grantTerms }) => grantTerms),
    }
    return giverState(grant.terms, facts) ?? state
  })
}

async function liveOf({ db }: JudgeParts, people: readonly number[]): Promise<readonly LiveGrantTerms[]> {
  return people.length === 0 ? [] : liveGrantsOf(db, { people })
}
