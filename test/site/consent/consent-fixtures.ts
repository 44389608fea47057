import type { Instant } from '../../../src/kernel/clock.ts'
import { instant } from '../../../src/kernel/clock.ts'
import { Bitset } from '../../../src/kernel/bitset.ts'
import type { BasisFacts, BasisKind } from '../../../src/protocol/law/basis-record.ts'
import { basisRequestSchema } from '../../../src/protocol/law/basis-record.ts'
import type { Manifest } from '../../../src/protocol/data-set.ts'
import { manifestSchema } from '../../../src/protocol/data-set.ts'
import type { GrantRequest, GrantTerms } from '../../../src/protocol/consent/grant.ts'
import { grantRequestSchema, grantTermsSchema } from '../../../src/protocol/consent/grant.ts'
import { epochDay } from '../../../src/protocol/law/consent-ages.ts'
import type { HeldBasis } from '../../../src/site/consent/bases-in-force.ts'
import type { EligibilityContext, Use } from '../../../src/site/consent/eligibility.ts'
import { EligibilityCache } from '../../../src/site/consent/eligibility-cache.ts'
import { GrantMirror } from '../../../src/site/consent/grant-mirror.ts'
import type { Principals } from '../../../src/site/vault/vault.ts'
import { UNKNOWN_BIRTH_DAY } from '../../../src/site/vault/vault.ts'

export const NOW = instant(Date.parse('2026-11-24T10:00:00Z'))

/** A manifest with one column of each sensitivity. */
export function manifest(facts: Record<string, unknown> = {}): Manifest {
  const within = { within: ['EEA'] }
  return manifestSchema.parse({
    dataSet: 'athletes',
    title: 'Athletes',
    issuer: 'federation',
    person: { key: 'id', birthDate: 'born' },
    columns: [
      { name: 'id', type: 'text', sensitivity: 'direct_identifier' },
      { name: 'born', type: 'date' },
      { name: 'height', type: 'number' },
      { name: 'weight', type: 'number' },
      { name: 'pulse', type: 'number', sensitivity: 'special_category' },
      { name: 'notes', type: 'text', sensitivity: 'free_text' },
    ],
    legalBasis: 'eu-gdpr:A6-1-a',
    specialCategoryBasis: 'eu-gdpr:A9-2-a',
    purposes: ['dpv:ResearchAndDevelopment', 'dpv:Marketing'],
    modes: ['aggregate', 'rows'],
    perimeter: { store: within, process: within, release: within },
    retention: { period: 'P5Y', from: '2026-01-01' },
    tariff: { currency: 'EUR', capMinor: 1000 },
    splits: { issuer: 4000, custodian: 3000, network: 1000, subjects: 2000 },
    ...facts,
  })
}

export function terms(facts: Record<string, unknown> = {}): GrantTerms {
  return grantTermsSchema.parse({
    dataSet: 'athletes',
    grantee: { class: 'insurer' },
    purposes: ['dpv:ResearchAndDevelopment'],
    modes: ['aggregate'],
    ...facts,
  })
}

/** A request as the door parses it; times as RFC 3339 texts. */
export function request(person: number | string, facts: Record<string, unknown> = {}): GrantRequest {
  return grantRequestSchema.parse({ ...terms(), person: `p${person}`, ...facts })
}

export function use(facts: Partial<Use> = {}): Use {
  return {
    acquirer: 'northcare',
    acquirerClass: 'insurer',
    purpose: 'dpv:AcademicResearch',
    legalBasis: 'eu-gdpr:A6-1-a',
    mode: 'aggregate',
    subjectsPriceMinor: 5,
    minimumGroup: 1,
    now: NOW,
    ...facts,
  }
}

/** People in order: birth date (or none) and residence (or none). */
export function principals(
  people: readonly { readonly born?: string; readonly lives?: string }[],
): Principals {
  const countries = ['', ...new Set(people.flatMap(({ lives }) => lives ?? []))]
  return {
    birthDay: Int32Array.from(people, ({ born }) =>
      born === undefined ? UNKNOWN_BIRTH_DAY : epochDay(born),
    ),
    residence: Uint16Array.from(people, ({ lives }) => countries.indexOf(lives ?? '')),
    countries,
  }
}

export function adults(count: number): Principals {
  return principals(Array.from({ length: count }, () => ({ born: '1990-01-01', lives: 'IE' })))
}

export function context(
  mirror: GrantMirror,
  people: Principals,
  facts: Partial<EligibilityContext> = {},
): EligibilityContext {
  return {
    mirror,
    cache: new EligibilityCache(),
    siteCountry: 'IE',
    principals: people,
    people: Bitset.of(people.birthDay.keys()),
    restricted: () => new Bitset(),
    isAssessed: () => true,
    ...facts,
  }
}

/** A record of a legal basis as the mirror has it, covering some people or everybody. */
export function held(
  kind: BasisKind,
  { people, ...facts }: { people?: readonly number[] } & Record<string, unknown> = {},
): HeldBasis {
  const parsed = basisRequestSchema.parse({
    kind,
    dataSets: ['athletes'],
    purposes: ['dpv:ResearchAndDevelopment', 'dpv:Marketing'],
    reference: 'R-1',
    validUntil: '2027-11-24T10:00:00Z',
    people: 'everybody',
    ...KIND_FACTS[kind],
    ...facts,
  })
  const kept: BasisFacts = { ...parsed, people: people ? 'listed' : 'everybody' }
  return { id: `basis_${kind}`, facts: kept, ...(people ? { people: Bitset.of(people) } : {}) }
}

const KIND_FACTS: Readonly<Record<BasisKind, Record<string, unknown>>> = {
  contract: {},
  legal_obligation: { law: 'HGB § 257' },
  permit: { authority: 'A health data access body', acquirers: ['northcare'] },
  legitimate_interest: { interest: 'Safety', assessment: 'assessment_1', objectTo: 'dpo@federation.example' },
  employment: { agreement: { with: 'statute', law: 'BDSG § 26(3)' } },
}

/** A mirror that also knows records of legal bases. */
export function withBases(mirror: GrantMirror, ...bases: readonly HeldBasis[]): GrantMirror {
  mirror.apply({
    sequence: mirror.sequence,
    newTerms: [],
    given: [],
    revoked: [],
    bases: bases.map((basis) => ({ what: 'recorded', basis })),
  })
  return mirror
}

/** A mirror in which each terms has these people, from the beginning of time. */
export function mirrorOf(
  given: readonly (readonly [terms: GrantTerms, people: readonly number[]])[],
): GrantMirror {
  const mirror = new GrantMirror()
  mirror.apply({
    sequence: given.length,
    newTerms: given.map(([wording], id) => ({ id, terms: wording })),
    given: given.flatMap(([, people], id) =>
      people.map((person) => ({ person, terms: id, from: 0, until: Infinity, isStanding: true })),
    ),
    revoked: [],
  })
  return mirror
}

export function at(text: string): Instant {
  return instant(Date.parse(text))
}
