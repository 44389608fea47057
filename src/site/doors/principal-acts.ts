import { formatInstant } from '../../kernel/clock.ts'
import { digestOf } from '../../kernel/digest.ts'
import { ageChallenge, proveAge } from '../principals/prove-age.ts'
import { Fault } from '../../kernel/faults.ts'
import type { PrincipalView } from '../../protocol/http/principal-api.ts'
import type { ChangeFacts } from '../consent/change-grants.ts'
import type { GrantsChanged } from '../consent/grant-calls.ts'
import { confirmGrants } from '../principals/confirm-grants.ts'
import type { Confirmation } from '../principals/confirm-grants.ts'
import { endGrantsOfBarred } from '../principals/end-grants-of-barred.ts'
import { endAgeEvidence, giveAgeEvidence, tellMove } from '../principals/tell-of-person.ts'
import type { EvidenceFacts } from '../principals/tell-of-person.ts'
import { viewPrincipal } from '../principals/view-principal.ts'
import type { GuardianshipView } from '../../protocol/consent/guardianship.ts'
import type { MemberId } from '../../protocol/wire.ts'
import { endGuardianship } from '../principals/end-guardianship.ts'
import { establishGuardianship } from '../principals/establish-guardianship.ts'
import type { EstablishedFacts } from '../principals/establish-guardianship.ts'
import { findPower, findWards, marksOf } from '../principals/guardian-power.ts'
import type { Identity } from '../principals/guardian-power.ts'
import { findGuardianship, guardianshipsBy, guardianshipsOf } from '../principals/guardianship-store.ts'
import { viewGuardianship } from '../principals/view-guardianship.ts'
import { noteAccess } from '../rights/note-access.ts'
import { knownPeople, unknownPerson } from '../rights/person-reading.ts'
import type { KnownPerson, PersonReading } from '../rights/person-reading.ts'
import type { SiteContext } from '../site-context.ts'

/** Who may end a guardianship: the issuer whose child it is, the operator, the guardian. */
export interface EndScope {
  readonly issuer?: MemberId | undefined
  readonly identities?: readonly Identity[] | undefined
}

/** Who decides for whom. */
export interface PrincipalActs {
  /** The id of the guardianship under which somebody speaks for a child now. */
  findPower(request: { identities: readonly Identity[]; child: Identity }): Promise<string | undefined>
  /** The children for whom somebody may speak now, as their issuers know them. */
  findWards(
    identities: readonly Identity[],
  ): Promise<readonly (Identity & { readonly guardianship: string })[]>
  establishGuardianship(child: Identity, facts: EstablishedFacts): Promise<GuardianshipView>
  listGuardians(reading: PersonReading): Promise<{ items: GuardianshipView[] }>
  /** All that somebody has or had, whatever their power is now. */
  listWards(identities: readonly Identity[]): Promise<{ items: GuardianshipView[] }>
  viewPrincipal(reading: PersonReading): Promise<{ items: PrincipalView[] }>
  giveAgeEvidence(reading: PersonReading, facts: EvidenceFacts): Promise<{ items: PrincipalView[] }>
  ageChallenge(reading: PersonReading): Promise<{ audience: string; nonce: string; validUntil: string }>
  proveAge(reading: PersonReading, presentation: string): Promise<{ items: PrincipalView[] }>
  endAgeEvidence(reading: PersonReading, evidence: string): Promise<{ items: PrincipalView[] }>
  tellMove(
    reading: PersonReading,
    move: { country: string; fromDay?: string | undefined; isConfirmed: boolean },
  ): Promise<{ items: PrincipalView[] }>
  confirmGrants(
    reading: PersonReading,
    confirmation: Confirmation,
    change: ChangeFacts,
  ): Promise<GrantsChanged>
  endGuardianship(request: { guardianship: string; by: string; scope: EndScope }): Promise<GuardianshipView>
}

/** Who decides for whom, in the forms of the door. */
export function principalActs(site: SiteContext): PrincipalActs {
  return { ...guardianActs(site), ...ageActs(site) }
}

type AgeActs = Pick<
  PrincipalActs,
  | 'viewPrincipal'
  | 'giveAgeEvidence'
  | 'ageChallenge'
  | 'proveAge'
  | 'endAgeEvidence'
  | 'tellMove'
  | 'confirmGrants'
>

/** What people are judged by, and what follows. */
function ageActs(site: SiteContext): AgeActs {
  const views = async (people: readonly KnownPerson[]) => ({
    items: await Promise.all(people.map((person) => viewPrincipal(site, person))),
  })
  /** A change is about one person as one issuer knows them: the others have evidence of their own. */
  const only = async (reading: PersonReading) => {
    const [person, ...others] = await knownPeople(site, reading)
    if (!person) throw unknownPerson()
    if (others.length > 0)
      throw new Fault('fault.request_malformed', {
        what: 'Cannot tell whose person it is',
        errors: [{ field: 'issuer', expected: 'expected the issuer whose data is meant' }],
      })
    return person
  }
  /** What is known of somebody of whom something was told just now, once what they may not grant any more has ended. */
  const viewsOfTold = async (person: KnownPerson) => {
    await endGrantsOfBarred(site, [{ issuer: person.issuer, person: person.key }])
    return views([person])
  }
  return {
    async viewPrincipal(reading) {
      const people = await knownPeople(site, reading)
      await noteAccess(site, { people, reading, what: 'principal' })
      return views(people)
    },
    async giveAgeEvidence(reading, facts) {
      const person = await only(reading)
      await giveAgeEvidence(site, { person: person.number, facts })
      return viewsOfTold(person)
    },
    async ageChallenge(reading) {
      const { validUntil, ...challenge } = ageChallenge(site, await only(reading))
      return { ...challenge, validUntil: formatInstant(validUntil) }
    },
    async proveAge(reading, presentation) {
      const person = await only(reading)
      await proveAge(site, { person, presentation, by: reading.by })
      return viewsOfTold(person)
    },
    async endAgeEvidence(reading, evidence) {
      const person = await only(reading)
      await endAgeEvidence(site, { person: person.number, evidence, by: reading.by })
      return viewsOfTold(person)
    },
    async tellMove(reading, move) {
      const person = await only(reading)
      await tellMove(site, { person: person.number, facts: { ...move, by: reading.by } })
      return viewsOfTold(person)
    },
    async confirmGrants(reading, confirmation, change) {
      return confirmGrants(site, { person: await only(reading), confirmation }, change)
    },
  }
}

type GuardianActs = Omit<PrincipalActs, keyof AgeActs>

/** Guardians, and for whom they speak. */
function guardianActs(site: SiteContext): GuardianActs {
  const views = async (stored: Awaited<ReturnType<typeof guardianshipsOf>>) => {
    const shown = await Promise.all(stored.map((one) => viewGuardianship(site, one)))
    return { items: shown.filter((one) => one !== undefined) }
  }
  return {
    findPower: async (request) => (await findPower(site, request))?.guardianship,
    async findWards(identities) {
      const wards = await findWards(site, identities)
      const shown = (await views(wards)).items
      return shown.map(({ guardianship, issuer, person }) => ({
        guardianship,
        issuer: issuer as MemberId,
        person,
      }))
    },
    async establishGuardianship(identity, facts) {
      const [child] = await knownPeople(site, { identities: [identity] })
      const made = child && (await establishGuardianship(site, { child, facts }))
      const view = made && (await viewGuardianship(site, made))
      if (!view) throw unknownPerson()
      site.events.guardianshipChanged({ guardianship: view.guardianship, isEnded: false })
      return view
    },
    async listGuardians(reading) {
      const people = await knownPeople(site, reading)
      await noteAccess(site, { people, reading, what: 'guardians' })
      return views(
        await guardianshipsOf(
          site.db,
          people.map(({ number }) => number),
        ),
      )
    },
    async listWards(identities) {
      return views(await guardianshipsBy(site.db, marksOf(site, identities)))
    },
    async endGuardianship({ guardianship, by, scope }) {
      const found = await findGuardianship(site.db, guardianship)
      const marks = scope.identities && marksOf(site, scope.identities)
      const isMine =
        found &&
        (scope.issuer === undefined || scope.issuer === found.issuer) &&
        (marks === undefined ||
          marks.some((mark) => found.guardian && digestOf(mark) === digestOf(found.guardian)))
      if (!isMine) throw unknownPerson()
      const ended = await endGuardianship(site, { guardianship, by })
      site.events.guardianshipChanged({ guardianship, isEnded: true })
      const view = await viewGuardianship(site, ended)
      if (!view) throw unknownPerson()
      return view
    },
  }
}
