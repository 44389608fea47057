import { formatInstant } from '../../kernel/clock.ts'
import { Fault } from '../../kernel/faults.ts'
import { basisSource } from '../../protocol/law/basis-record.ts'
import type { GrantState } from '../../protocol/consent/grant.ts'
import { previewGrant } from '../../protocol/consent/preview-grant.ts'
import { malformed } from '../consent/change-grants.ts'
import { isInTime } from '../consent/decide-basis.ts'
import { giveGrants, termsProblems } from '../consent/give-grants.ts'
import { judgeGrants } from '../consent/judge-grants.ts'
import { listGrants } from '../consent/list-grants.ts'
import type { ListedGrant } from '../consent/list-grants.ts'
import { refuseGrant } from '../consent/refuse-grant.ts'
import { grantName, revokeGrants } from '../consent/revoke-grants.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import { readPartyNames } from '../officer/party-names.ts'
import { noteAccess } from '../rights/note-access.ts'
import { findKnownPeople } from '../rights/person-reading.ts'
import type { KnownPerson } from '../rights/person-reading.ts'
import type { SiteContext } from '../site-context.ts'
import { pageOf } from './page-of.ts'
import type { GrantReading, GrantView, SiteActs } from './site-acts.ts'

/** Grants in the forms of the door. */
export function grantActs(
  site: SiteContext,
): Pick<SiteActs, 'listGrants' | 'giveGrants' | 'revokeGrants' | 'previewGrant' | 'refuseGrant'> {
  return {
    async listGrants({ cursor, limit, issuer, dataSet, reading }) {
      const own = dataSetsOf(site, issuer)
      const dataSets = own.filter(({ dataSet: name }) => dataSet === undefined || name === dataSet)
      const people = reading && (await peopleOf(site, { reading, dataSets }))
      if (people?.length === 0 || dataSets.length === 0) return { items: [] }
      if (reading && people) await noteAccess(site, { people, reading, what: 'grants' })
      const after = cursor !== undefined && /^\d{1,15}$/.test(cursor) ? Number(cursor) : 0
      const found = await listGrants(site.db, {
        after,
        limit: limit + 1,
        people: people?.map(({ number }) => number),
        dataSets: dataSets.map(({ dataSet: name }) => name),
      })
      const states = await judgeGrants(site, found)
      return pageOf(
        found.map((grant, index) => ({ grant, state: states[index] ?? 'expired' })),
        {
          limit,
          cursorOf: ({ grant: { sequence } }) => String(sequence),
          viewOf: grantView,
        },
      )
    },
    async giveGrants(grants, change) {
      const given = await giveGrants(site.consent, grants, change)
      site.events.grantsChanged({ given: given.changed, revoked: 0 })
      return given
    },
    async previewGrant({ validUntil, ...terms }) {
      const manifest = site.manifests().get(terms.dataSet)
      if (!manifest) throw new Fault('fault.not_found', { what: `There is no data set "${terms.dataSet}"` })
      const problems = termsProblems(terms, manifest)
      if (problems.length > 0) throw malformed(problems)
      const until = validUntil === undefined ? undefined : formatInstant(validUntil)
      const now = site.clock.now()
      const bases = site.mirror
        .basesOf(terms.dataSet)
        .filter(({ facts }) => isInTime(facts, now))
        .map(({ facts }) => basisSource(facts))
      const { notice, answers } = previewGrant(terms, {
        manifest,
        site,
        validUntil: until,
        bases,
        names: await readPartyNames(site.db),
      })
      return { notice, answers: [...answers] }
    },
    refuseGrant: (refusal, change) => refuseGrant(site.consent, refusal, change),
    async revokeGrants(revocations, change) {
      const revoked = await revokeGrants(site.consent, revocations, change)
      site.events.grantsChanged({ given: 0, revoked: revoked.changed })
      return revoked
    },
  }
}

function dataSetsOf(site: SiteContext, issuer: string | undefined): readonly Manifest[] {
  const all = site.dataSets().map(({ manifest }) => manifest)
  return all.filter((manifest) => issuer === undefined || manifest.issuer === issuer)
}

/** The operator names nobody's issuer: every one that has data here may know the person by that key. */
async function peopleOf(
  site: SiteContext,
  { reading, dataSets }: { reading: GrantReading; dataSets: readonly Manifest[] },
): Promise<readonly KnownPerson[]> {
  const issuers = [...new Set(dataSets.map(({ issuer }) => issuer))]
  const identities =
    'identities' in reading
      ? reading.identities
      : issuers.map((issuer) => ({ issuer, person: reading.person }))
  return findKnownPeople(site, identities)
}

function grantView({ grant, state }: { grant: ListedGrant; state: GrantState }): GrantView {
  const { sequence, terms, validFrom, validUntil, givenAt, givenBy, guardianship, revokedAt, revokedBy } =
    grant
  return {
    grant: grantName(sequence),
    ...terms,
    validFrom: formatInstant(validFrom),
    ...(validUntil === undefined ? {} : { validUntil: formatInstant(validUntil) }),
    givenAt: formatInstant(givenAt),
    enteredBy: givenBy,
    ...(guardianship === undefined ? {} : { guardianship }),
    ...(revokedAt === undefined ? {} : { revokedAt: formatInstant(revokedAt) }),
    ...(revokedBy === undefined ? {} : { revokedBy }),
    state,
  }
}
