import { digestOfJson } from '../../kernel/digest.ts'
import { formatDate, formatInstant } from '../../kernel/clock.ts'
import type { MemberAddresses } from './member-addresses.ts'
import type { PartyNames } from './party-names.ts'
import type { Instant } from '../../kernel/clock.ts'
import { basisSource } from '../../protocol/law/basis-record.ts'
import type { Manifest } from '../../protocol/data-set.ts'
import type { Evidence } from '../../protocol/proof/evidence.ts'
import { isInEea, transferDecision } from '../../protocol/law/legal-zones.ts'
import type { PartyContact } from '../../protocol/http/officer-api.ts'
import type { PlaceRule } from '../../protocol/law/perimeter.ts'
import { purposeLabel } from '../../protocol/law/purpose.ts'
import type {
  ControllerActivity,
  ProcessorActivity,
  Register,
  RegisterContact,
  RegisterTransfer,
} from '../../protocol/rights/register.ts'
import type { RecipientUse } from '../asks/recorded-uses.ts'
import type { HeldBasis } from '../consent/bases-in-force.ts'
import { retentionClocks, retentionEnd } from '../../protocol/law/retention.ts'
import { carries, lackingAssessments } from '../assessments/assessment-needed.ts'
import type { LackingAssessment } from '../assessments/assessment-needed.ts'
import type { Assessment } from '../assessments/assessment-store.ts'
import { contractNamed } from '../contracts/contract-named.ts'
import { barredSubProcessorTexts, missingContractText, registeredContract } from './register-contracts.ts'
import type { StoredContract } from '../contracts/contract-store.ts'
import type { MissingContract } from '../../protocol/law/processing-contract.ts'
import type { MissingBasis } from './missing-bases.ts'
import { SITE_MEASURES, measuresOf } from './measures.ts'

/** A data set as it stands at the site. */
export interface RegisteredDataSet {
  readonly manifest: Manifest
  readonly people: number
  readonly includesMinors: boolean
  /** Records of its legal bases that hold now. */
  readonly bases: readonly HeldBasis[]
  readonly missingBases: readonly MissingBasis[]
  /** Under which it is processed now. */
  readonly contract: StoredContract | undefined
}

/** Everything the register is made from; nothing in it is typed in twice. */
export interface RegisterFacts {
  readonly site: string
  readonly custodian: string
  readonly territory: string
  readonly evidence: Evidence | undefined
  readonly dataSets: readonly RegisteredDataSet[]
  readonly contacts: ReadonlyMap<string, PartyContact>
  readonly names: PartyNames
  readonly addresses: MemberAddresses
  readonly assessments: readonly Assessment[]
  /** Contracts of processing that have not ended. */
  readonly contracts: readonly StoredContract[]
  readonly missingContracts: readonly MissingContract[]
  readonly recipients: readonly RecipientUse[]
  readonly removedGrounds: ReadonlySet<string>
  readonly now: Instant
}

/** The register of processing of a site (GDPR Art. 30(1), (2)): its content follows from the terms in force and the record of releases. */
export function makeRegister(facts: RegisterFacts): Register {
  const controllers = facts.dataSets.map((dataSet) => controllerActivity(dataSet, facts))
  const issuers = [...new Set(facts.dataSets.map(({ manifest }) => manifest.issuer))].toSorted()
  const processing = issuers.map((issuer) => processorActivity(issuer, facts))
  return {
    site: facts.site,
    madeAt: formatInstant(facts.now),
    processor: contactOf(facts.custodian, facts),
    place: placeOf(facts),
    controllers,
    processing,
    gaps: [...gapsOf(facts), ...processing.flatMap(barredSubProcessorTexts)],
  }
}

function controllerActivity(
  { manifest, people, includesMinors, bases, contract }: RegisteredDataSet,
  facts: RegisterFacts,
): ControllerActivity {
  const { perimeter, specialCategoryBasis } = manifest
  return {
    dataSet: manifest.dataSet,
    title: manifest.title,
    controller: contactOf(manifest.issuer, facts),
    purposes: manifest.purposes.map((purpose) => ({
      purpose,
      label: purposeLabel(purpose),
      assessments: facts.assessments
        .filter((assessment) => carries(assessment, { manifest, purpose, now: facts.now }))
        .map(({ facts: { reference } }) => reference),
    })),
    legalBasis: manifest.legalBasis,
    ...(specialCategoryBasis === undefined ? {} : { specialCategoryBasis }),
    bases: bases.map(({ id, facts: record, people: listed }) => ({
      basis: id,
      kind: record.kind,
      reference: basisSource(record),
      purposes: [...record.purposes],
      until: formatInstant(record.validUntil),
      ...(listed === undefined ? {} : { people: listed.count() }),
    })),
    subjects: {
      description: manifest.description ?? manifest.title,
      ...(manifest.person.subjects === undefined ? {} : { category: manifest.person.subjects }),
      people,
      includesMinors,
    },
    categories: manifest.columns.map(({ name, description, category, sensitivity }) => ({
      column: name,
      ...(description === undefined ? {} : { description }),
      ...(category === undefined ? {} : { category }),
      sensitivity,
    })),
    recipients: recipientsIn(manifest.dataSet, facts),
    transfers: transfersOf([manifest.dataSet], facts),
    erasure: erasureOf(manifest),
    perimeter: {
      store: placeRule(perimeter.store),
      process: placeRule(perimeter.process),
      release: placeRule(perimeter.release),
    },
    ...(contract === undefined ? {} : { contract: contractNamed(contract) }),
    measures: [...measuresOf(manifest)],
    policy: digestOfJson(manifest),
  }
}

/** How long the data is kept, and what of it less long. */
function erasureOf(manifest: Manifest): ControllerActivity['erasure'] {
  const { retention } = manifest
  const shorter = retentionClocks(manifest).flatMap(({ scope, name = '', columns, period, endsAt }) =>
    scope === 'all'
      ? []
      : [
          {
            scope,
            name,
            ...(columns === undefined ? {} : { columns: [...columns] }),
            period,
            until: formatInstant(endsAt),
          },
        ],
  )
  return {
    period: retention.period,
    until: formatInstant(retentionEnd(retention)),
    ...(retention.rows === undefined ? {} : { rows: { ...retention.rows } }),
    shorter,
  }
}

function processorActivity(issuer: string, facts: RegisterFacts): ProcessorActivity {
  const own = facts.dataSets.filter(({ manifest }) => manifest.issuer === issuer)
  const dataSets = own.map(({ manifest }) => manifest.dataSet)
  const today = formatDate(facts.now)
  const modes = [...new Set(own.flatMap(({ manifest }) => manifest.modes))].toSorted()
  return {
    controller: contactOf(issuer, facts),
    dataSets,
    processing: ['storage', 'computation on signed asks', ...modes.map((mode) => `release (${mode})`)],
    contracts: facts.contracts
      .filter(({ facts: of }) => of.controller === issuer)
      .map((contract) => registeredContract(contract, { today, removed: facts.removedGrounds })),
    transfers: transfersOf(dataSets, facts),
    measures: [...SITE_MEASURES],
  }
}

function recipientsIn(
  dataSet: string,
  { recipients, names }: RegisterFacts,
): ControllerActivity['recipients'] {
  const own = Map.groupBy(
    recipients.filter((use) => use.dataSet === dataSet),
    ({ acquirer }) => acquirer,
  )
  return [...own].map(([acquirer, uses]) => ({
    acquirer,
    ...nameOf(acquirer, names),
    purposes: distinct(uses.map(({ purpose }) => purpose)),
    modes: distinct(uses.map(({ mode }) => mode)),
    countries: distinct(uses.map(({ country }) => country)),
    releases: uses.reduce((sum, { releases }) => sum + releases, 0),
    last: formatInstant(
      uses.reduce((last, use) => (use.last > last ? use.last : last), uses[0]?.last ?? (0 as Instant)),
    ),
  }))
}

function nameOf(member: string, names: PartyNames): { name?: string } {
  const name = names.get(member)
  return name === undefined ? {} : { name }
}

/** Releases that went outside of the EEA, with the ground that carries them today. */
function transfersOf(
  dataSets: readonly string[],
  { recipients, removedGrounds, now }: RegisterFacts,
): RegisterTransfer[] {
  const today = formatDate(now)
  const abroad = recipients.filter(
    ({ dataSet, country }) => dataSets.includes(dataSet) && !isInEea(country, today),
  )
  const countries = Map.groupBy(abroad, ({ country }) => country)
  return distinct([...countries.keys()]).map((country) => {
    const uses = countries.get(country) ?? []
    const ground = transferDecision(country, { today, removed: removedGrounds })
    return {
      country,
      ...(ground?.kind === 'adequacy' ? { ground: ground.decision } : {}),
      releases: uses.reduce((sum, { releases }) => sum + releases, 0),
    }
  })
}

function gapsOf(facts: RegisterFacts): string[] {
  const issuers = distinct(facts.dataSets.map(({ manifest }) => manifest.issuer))
  const unknown = [facts.custodian, ...issuers].flatMap((member) => {
    const contact = facts.contacts.get(member)
    if (!contact) return [`Say who "${member}" is: hedgerow officer party ${member} --file FILE`]
    return contact.dataProtectionOfficer
      ? []
      : [`"${member}" names no data-protection officer (GDPR Art. 37)`]
  })
  const unassessed = missingAssessments(facts).map(
    ({ dataSet, purpose, reason }) =>
      `"${dataSet}" needs an impact assessment for ${purpose} and is declined without: ${reason}`,
  )
  const unbased = facts.dataSets.flatMap(({ missingBases }) =>
    missingBases.map(
      ({ dataSet, purpose, needs, for: what }) =>
        `"${dataSet}" needs a record of the kind ${needs} for ${purpose}; ${what} is declined without`,
    ),
  )
  const unprocessed = facts.missingContracts.map(missingContractText)
  const state = evidenceState(facts)
  return [
    ...unknown,
    ...unprocessed,
    ...unassessed,
    ...unbased,
    ...(state === 'valid' ? [] : [`The evidence of place is ${state.replaceAll('_', ' ')}`]),
  ]
}

/** Uses of high risk that no assessment carries. */
export function missingAssessments({
  dataSets,
  assessments,
  now,
}: Pick<RegisterFacts, 'dataSets' | 'assessments' | 'now'>): LackingAssessment[] {
  return dataSets.flatMap(({ manifest, people }) =>
    lackingAssessments(assessments, { manifest, people, now }),
  )
}

function contactOf(member: string, { contacts, names, addresses }: RegisterFacts): RegisterContact {
  const contact = contacts.get(member)
  if (!contact) {
    // Who has said nothing at the seat is written to where it is on the network.
    const known = addresses.get(member)
    return { member, ...nameOf(member, names), ...(known === undefined ? {} : { email: known }) }
  }
  const { name, address, country, email, dataProtectionOfficer, representative, supervisoryAuthority } =
    contact
  return {
    member,
    name,
    address,
    country,
    email,
    ...(dataProtectionOfficer && { dataProtectionOfficer: nameAndAddress(dataProtectionOfficer) }),
    ...(representative && { representative: nameAndAddress(representative) }),
    ...(supervisoryAuthority === undefined ? {} : { supervisoryAuthority }),
  }
}

function nameAndAddress({ name, email }: { readonly name: string; readonly email: string }): string {
  return `${name}, ${email}`
}

function placeOf(facts: RegisterFacts): Register['place'] {
  const { evidence, territory } = facts
  return {
    territory,
    evidence: evidenceState(facts),
    ...(evidence && {
      longitude: evidence.longitude,
      latitude: evidence.latitude,
      validUntil: formatInstant(evidence.validUntil),
    }),
  }
}

function evidenceState({ evidence, now }: RegisterFacts): Register['place']['evidence'] {
  if (!evidence) return 'missing'
  if (evidence.validFrom > now) return 'not_yet_valid'
  return evidence.validUntil <= now ? 'expired' : 'valid'
}

function placeRule({ within, polygon }: PlaceRule): { within: string[]; hasPolygon: boolean } {
  return { within: [...within], hasPolygon: polygon !== undefined }
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)].toSorted()
}
