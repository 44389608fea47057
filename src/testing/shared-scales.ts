import type { WireGrant, WireManifest } from '../sdk/issuer.ts'
import { testGrant, testManifest } from './test-population.ts'

/** One weighing on a scale that a household shares: about whoever stood on it, and about somebody beside them. */
export interface Weighing {
  readonly owner: string
  readonly partner?: string
  readonly country: string
  readonly weight: number
  readonly remark?: string
  readonly partnerName?: string
}

/** Everybody whom some weighings are about. */
export function peopleOfWeighings(weighings: readonly Weighing[]): readonly string[] {
  return [
    ...new Set(
      weighings.flatMap(({ owner, partner }) => [owner, ...(partner === undefined ? [] : [partner])]),
    ),
  ]
}

/** Weighings as a CSV file. */
export function csvOfWeighings(weighings: readonly Weighing[]): string {
  const lines = weighings.map(({ owner, partner = '', country, weight, remark = '', partnerName = '' }) =>
    [owner, partner, country, weight, remark, partnerName].join(','),
  )
  return `owner,partner,country,weight,remark,partner_name\n${lines.join('\n')}\n`
}

/** The manifest of such a scale. */
export function scalesManifest(more: Partial<WireManifest> = {}): WireManifest {
  return testManifest('scales', {
    title: 'Scales that households share',
    person: { key: 'owner', rowsMax: 10, ageAtLeast: 18, others: { keys: ['partner'], setsPerPersonMax: 2 } },
    columns: [
      { name: 'owner', type: 'text', sensitivity: 'direct_identifier', isRequired: true },
      { name: 'partner', type: 'text', sensitivity: 'direct_identifier' },
      { name: 'country', type: 'text', values: ['IE', 'FR', 'DE'], isRequired: true },
      { name: 'weight', type: 'number', unit: 'kg', bounds: [0, 200], isRequired: true },
      { name: 'remark', type: 'text', sensitivity: 'free_text' },
      { name: 'partner_name', type: 'text', sensitivity: 'direct_identifier', about: 'partner' },
    ],
    modes: ['aggregate', 'rows', 'private'],
    ...more,
  })
}

/** A grant over the scale to anybody, in every mode. */
export function scalesGrant(person: string, more: Partial<WireGrant> = {}): WireGrant {
  return testGrant('scales', person, { modes: ['aggregate', 'rows', 'private'], ...more })
}
