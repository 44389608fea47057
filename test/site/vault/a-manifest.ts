import { manifestSchema } from '../../../src/protocol/data-set.ts'
import type { Manifest } from '../../../src/protocol/data-set.ts'

/** A small data set of a watch: what a manifest's text says, before it is parsed. */
export const WATCH = {
  dataSet: 'watch',
  title: 'Minutes of a watch',
  issuer: 'watchmaker',
  person: { key: 'wearer', rowsMax: 10_000 },
  columns: [
    { name: 'wearer', type: 'text', sensitivity: 'direct_identifier', isRequired: true },
    { name: 'at', type: 'timestamp', isRequired: true },
    { name: 'steps', type: 'integer', bounds: [0, 300] },
    { name: 'heart_rate', type: 'number', bounds: [30, 220] },
    { name: 'is_worn', type: 'boolean' },
    { name: 'activity', type: 'text', values: ['walk', 'run', 'rest', 'sleep'] },
  ],
  legalBasis: 'eu-gdpr:A6-1-a',
  purposes: ['dpv:AcademicResearch'],
  modes: ['aggregate'],
  perimeter: { store: { within: ['EEA'] }, process: { within: ['EEA'] }, release: { within: ['EEA'] } },
  retention: { period: 'P5Y', from: '2026-01-01' },
  tariff: { currency: 'EUR', capMinor: 1_000 },
  splits: { issuer: 6_000, custodian: 2_000, network: 1_000, subjects: 1_000 },
}

/** The manifest above with changes. */
export function aManifest(changes: Partial<Record<keyof typeof WATCH, unknown>> = {}): Manifest {
  return manifestSchema.parse({ ...WATCH, ...changes })
}
