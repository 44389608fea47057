import type { WireGrant, WireManifest } from '../sdk/issuer.ts'
import type { WireBasis } from '../sdk/officer.ts'
import type { WireContract } from '../sdk/officer-contracts.ts'

/** Somebody of a made-up population. */
export interface TestPerson {
  readonly id: string
  readonly name: string
  readonly country: string
  readonly birthDate: string
  readonly height: number
  readonly score: number
  readonly note: string
}

/** People with plain values that differ; `change` makes some of them special. */
export function testPeople(
  count: number,
  change: (person: TestPerson, index: number) => Partial<TestPerson> = () => ({}),
): readonly TestPerson[] {
  return Array.from({ length: count }, (_, index) => {
    const person = {
      id: `p-${index}`,
      name: `Name ${index}`,
      country: ['IE', 'FR', 'DE'][index % 3] ?? 'IE',
      birthDate: `19${60 + (index % 30)}-0${1 + (index % 9)}-1${index % 10}`,
      height: Math.round((1.5 + ((index * 37) % 60) / 100) * 100) / 100,
      score: (index * 13) % 100,
      note: `Remark ${index}`,
    }
    return { ...person, ...change(person, index) }
  })
}

/** The people as a CSV file. */
export function csvOf(people: readonly TestPerson[]): string {
  const lines = people.map(({ id, name, country, birthDate, height, score, note }) =>
    [id, name, country, birthDate, height, score, note].map((value) => csvCell(String(value))).join(','),
  )
  return `id,name,country,birth_date,height,score,note\n${lines.join('\n')}\n`
}

function csvCell(value: string): string {
  return /[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value
}

/** The manifest of such a population, with everything overridable. */
export function testManifest(dataSet: string, more: Partial<WireManifest> = {}): WireManifest {
  return {
    dataSet,
    title: 'People of a test',
    issuer: 'federation',
    person: { key: 'id', birthDate: 'birth_date', residence: 'country' },
    columns: [
      { name: 'id', type: 'text', sensitivity: 'direct_identifier', isRequired: true },
      { name: 'name', type: 'text', sensitivity: 'direct_identifier' },
      { name: 'country', type: 'text' },
      { name: 'birth_date', type: 'date', minimumBin: 'year' },
      { name: 'height', type: 'number', unit: 'm', bounds: [1, 2.5], minimumBin: 0.1 },
      { name: 'score', type: 'integer', bounds: [0, 100] },
      { name: 'note', type: 'text', sensitivity: 'free_text' },
    ],
    legalBasis: 'eu-gdpr:A6-1-a',
    purposes: ['dpv:ResearchAndDevelopment'],
    modes: ['aggregate', 'rows'],
    perimeter: { store: { within: ['EEA'] }, process: { within: ['EEA'] }, release: { within: ['EEA'] } },
    retention: { period: 'P50Y', from: '2020-01-01' },
    minimumGroup: 10,
    tariff: {
      currency: 'EUR',
      perRunMinor: 100,
      per100PeopleMinor: 50,
      per100RowsMinor: 10,
      minimumFeeMinor: 100,
      capMinor: 1_000,
    },
    splits: { issuer: 4_000, custodian: 2_500, network: 500, subjects: 3_000 },
    ...more,
  }
}

/** A grant of one person to anybody for research, with everything overridable. */
export function testGrant(dataSet: string, person: string, more: Partial<WireGrant> = {}): WireGrant {
  return {
    dataSet,
    person,
    grantee: { anyone: true },
    purposes: ['dpv:ResearchAndDevelopment'],
    modes: ['aggregate', 'rows'],
    ...more,
  }
}

type ProcessingContract = Extract<WireContract, { kind: 'processing' }>

/** A contract under which a custodian processes all that an issuer places, until it is ended. */
export function testProcessing(
  controller = 'federation',
  more: Partial<ProcessingContract> = {},
): WireContract {
  return {
    kind: 'processing',
    controller,
    reference: 'DPA 2026-014',
    subject: 'Keeping data and computing answers over it',
    concludedOn: '2020-01-15',
    instructions: 'the signed manifests',
    afterEnd: 'return',
    ...more,
  }
}

/** A contract to which everybody in a data set is party, for research, for a long time. */
export function testContract(dataSet: string, more: Partial<WireBasis> = {}): WireBasis {
  return {
    kind: 'contract',
    dataSets: [dataSet],
    purposes: ['dpv:ResearchAndDevelopment'],
    reference: 'Terms of membership 2026',
    validUntil: '2060-01-01T00:00:00Z',
    people: 'everybody',
    ...more,
  } as WireBasis
}
