import type { Instant } from '../../kernel/clock.ts'
import type { Ask } from '../../protocol/ask.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import type { Member } from '../../protocol/member.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import { isAssessed } from '../assessments/interest-prevails.ts'
import type { EligibilityContext, Use } from '../consent/eligibility.ts'
import type { SiteParts } from './site-parts.ts'

/** Who asks for what, as far as people's grants have a say in it. */
export interface AskedUse {
  readonly ask: Pick<Ask, 'acquirer' | 'purpose' | 'legalBasis' | 'mode'>
  readonly acquirer: Pick<Member, 'acquirerClass'>
  readonly now: Instant
}

/** The use of a data set that somebody asks for, at what its terms pay to people. */
export function useOf(
  { ask, acquirer, now }: AskedUse,
  { manifest, minimumGroup }: { manifest: Manifest; minimumGroup: number },
): Use {
  return {
    acquirer: ask.acquirer,
    acquirerClass: acquirer.acquirerClass,
    purpose: ask.purpose,
    legalBasis: ask.legalBasis,
    mode: ask.mode,
    subjectsPriceMinor: (manifest.tariff.per100PeopleMinor / 100) * (manifest.splits.subjects / 10_000),
    minimumGroup,
    now,
  }
}

/** What the site knows of the people of a data set now. */
export async function eligibilityContext(
  parts: Pick<
    SiteParts,
    'mirror' | 'eligibilityCache' | 'territory' | 'principals' | 'vault' | 'restricted' | 'assessments'
  >,
  { dataSet, now }: { dataSet: DataSetId; now: Instant },
): Promise<EligibilityContext> {
  return {
    mirror: parts.mirror,
    cache: parts.eligibilityCache,
    siteCountry: parts.territory,
    principals: await parts.principals(now),
    people: await parts.vault.people(dataSet),
    restricted: parts.restricted,
    isAssessed: (id, of) => isAssessed(parts.assessments, id, of),
  }
}
