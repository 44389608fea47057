import type { AcquirerClass, Role } from '../protocol/member.ts'

// A table of who takes part in the demonstration.

/** A made-up member. Deposits are in EUR. */
export interface DemoMember {
  readonly id: string
  readonly name: string
  readonly country: string
  readonly roles: readonly Role[]
  readonly acquirerClass?: AcquirerClass
  readonly depositEur?: number
}

/** The sites by name. */
export type DemoSiteId = 'galway' | 'dresden' | 'zurich'

/** A site of the demonstration with its place (WGS 84 degrees) and which athletes it holds. */
export interface DemoSite {
  readonly id: DemoSiteId
  readonly custodian: string
  readonly territory: string
  readonly longitude: number
  readonly latitude: number
  /** Added to the port of the network. */
  readonly portOffset: number
  readonly holds: string
}

/** Port of the network unless told; sites come after it. */
export const NETWORK_PORT = 7400

/** The issuer of every data set here. */
export const ISSUER = 'world-sport'

/** An acquirer asks one thing: what is told to one never stands in the way of another (sets that combine). */
export const MEMBERS: readonly DemoMember[] = [
  { id: ISSUER, name: 'World Sport Federation', country: 'IE', roles: ['issuer'] },
  { id: 'claddagh-edge', name: 'Claddagh Edge Hosting', country: 'IE', roles: ['custodian'] },
  { id: 'elbe-edge', name: 'Elbe Edge GmbH', country: 'DE', roles: ['custodian'] },
  { id: 'limmat-edge', name: 'Limmat Edge AG', country: 'CH', roles: ['custodian'] },
  {
    id: 'northcare',
    name: 'Northcare, insurer',
    country: 'IE',
    roles: ['acquirer'],
    acquirerClass: 'insurer',
    depositEur: 500,
  },
  {
    id: 'midland-mutual',
    name: 'Midland, insurer',
    country: 'IE',
    roles: ['acquirer'],
    acquirerClass: 'insurer',
    depositEur: 500,
  },
  {
    id: 'kestrel-kit',
    name: 'Kestrel, boat maker',
    country: 'NL',
    roles: ['acquirer'],
    acquirerClass: 'equipment-maker',
    depositEur: 500,
  },
  {
    id: 'press-box',
    name: 'Pressbox, almanac',
    country: 'FR',
    roles: ['acquirer'],
    acquirerClass: 'publisher',
    depositEur: 500,
  },
  {
    id: 'ad-reach',
    name: 'AdReach, adverts',
    country: 'IE',
    roles: ['acquirer'],
    acquirerClass: 'advertiser',
    depositEur: 500,
  },
  {
    id: 'quill-lab',
    name: 'Quill, laboratory',
    country: 'DE',
    roles: ['acquirer'],
    acquirerClass: 'researcher',
    depositEur: 500,
  },
  {
    id: 'monsoon-data',
    name: 'Monsoon, data lab',
    country: 'IN',
    roles: ['acquirer'],
    acquirerClass: 'researcher',
    depositEur: 500,
  },
  {
    id: 'elbe-institute',
    name: 'Elbe, institute',
    country: 'DE',
    roles: ['acquirer'],
    acquirerClass: 'researcher',
    depositEur: 500,
  },
  {
    id: 'penny-wise',
    name: 'Pennywise, insurer',
    country: 'IE',
    roles: ['acquirer'],
    acquirerClass: 'insurer',
    depositEur: 1,
  },
  {
    id: 'mask-co',
    name: 'Mask, research',
    country: 'IE',
    roles: ['acquirer'],
    acquirerClass: 'researcher',
    depositEur: 500,
  },
  {
    id: 'probe-works',
    name: 'Probe, research',
    country: 'FI',
    roles: ['acquirer'],
    acquirerClass: 'researcher',
    depositEur: 500,
  },
  {
    id: 'harbour-health',
    name: 'Harbour, insurer',
    country: 'IE',
    roles: ['acquirer'],
    acquirerClass: 'insurer',
    depositEur: 500,
  },
  {
    id: 'late-comer',
    name: 'Late, insurer',
    country: 'SE',
    roles: ['acquirer'],
    acquirerClass: 'insurer',
    depositEur: 500,
  },
  {
    id: 'glacier-re',
    name: 'Glacier, insurer',
    country: 'CH',
    roles: ['acquirer'],
    acquirerClass: 'insurer',
    depositEur: 500,
  },
]

export const SITES: readonly DemoSite[] = [
  {
    id: 'galway',
    custodian: 'claddagh-edge',
    territory: 'IE',
    longitude: -9.0568,
    latitude: 53.2707,
    portOffset: 11,
    holds: 'athletes of the EEA but Germany',
  },
  {
    id: 'dresden',
    custodian: 'elbe-edge',
    territory: 'DE',
    longitude: 13.7373,
    latitude: 51.0504,
    portOffset: 12,
    holds: 'athletes of the German team',
  },
  {
    id: 'zurich',
    custodian: 'limmat-edge',
    territory: 'CH',
    longitude: 8.5417,
    latitude: 47.3769,
    portOffset: 13,
    holds: 'athletes of the rest of the world',
  },
]
