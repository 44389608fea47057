import { formatDate } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import type { Register } from '../../protocol/rights/register.ts'
import { recipientsOf } from '../asks/recorded-uses.ts'
import { isAssessed as carriesInterest } from '../assessments/interest-prevails.ts'
import { ageGroups } from '../consent/age-groups.ts'
import { isInTime } from '../consent/decide-basis.ts'
import type { AssessedInterest } from '../consent/decide-basis.ts'
import { dueNow } from '../contracts/custody-end.ts'
import { contractInForce, contractState, missingContracts } from '../contracts/contract-in-force.ts'
import type { StoredContract } from '../contracts/contract-store.ts'
import { contractsWithSubProcessors } from '../contracts/sub-processor-acts.ts'
import type { SiteContext } from '../site-context.ts'
import { missingBases } from './missing-bases.ts'
import { makeRegister } from './make-register.ts'
import type { RegisterFacts, RegisteredDataSet } from './make-register.ts'
import { readMemberAddresses } from './member-addresses.ts'
import { readPartyNames } from './party-names.ts'
import { readPartyContacts } from './party-contacts.ts'

/** The register of everything at a site, or of one issuer's data sets. */
export async function gatherRegister(site: SiteContext, issuer?: string): Promise<Register> {
  return makeRegister(await registerFacts(site, issuer))
}

/** Everything the register is made from, as it stands now. */
export async function registerFacts(site: SiteContext, issuer?: string): Promise<RegisterFacts> {
  const now = site.clock.now()
  const manifests = [...site.manifests().values()].filter(
    (manifest) => issuer === undefined || manifest.issuer === issuer,
  )
  const [contacts, names, addresses, recipients] = await Promise.all([
    readPartyContacts(site.db),
    readPartyNames(site.db),
    readMemberAddresses(site.db),
    recipientsOf(site.db),
  ])
  const dataSets: RegisteredDataSet[] = []
  for (const manifest of manifests) dataSets.push(await registeredDataSet(site, manifest))
  return {
    site: site.site,
    custodian: site.custodian,
    territory: site.territory,
    evidence: site.evidence.current(now)?.evidence,
    dataSets,
    contacts,
    names,
    addresses,
    assessments: site.assessments.list(),
    contracts: await contractsWithSubProcessors(site, standingAt(site, now)),
    missingContracts: await dueNow(site, missingContracts(site, manifests, now)),
    recipients,
    removedGrounds: site.transferRemovals.ids,
    now,
  }
}

/** Contracts that have not ended; one that begins later is among them. */
function standingAt({ contracts }: SiteContext, now: Instant): readonly StoredContract[] {
  return contracts.standing().filter((contract) => contractState(contract, now) !== 'expired')
}

async function registeredDataSet(site: SiteContext, manifest: Manifest): Promise<RegisteredDataSet> {
  const people = await site.vault.people(manifest.dataSet)
  const { adults } = ageGroups(await site.principals(site.clock.now()), {
    siteCountry: site.territory,
    today: formatDate(site.clock.now()),
    ageOn: manifest.person.ageOn,
    ageAtLeast: manifest.person.ageAtLeast,
  })
  const now = site.clock.now()
  const bases = site.mirror.basesOf(manifest.dataSet).filter(({ facts }) => isInTime(facts, now))
  const isAssessed: AssessedInterest = (id, use) => carriesInterest(site.assessments, id, use)
  return {
    manifest,
    people: people.count(),
    includesMinors: !people.difference(adults).isEmpty,
    bases,
    missingBases: missingBases(manifest, { bases, isAssessed, now }),
    contract: contractInForce(site, manifest, now),
  }
}
