/**
 * Deciding who is eligible among a million people: cold (ages and unions worked out anew), after a change of grants
 * (ages kept), and kept. The baseline is a loop over the same people that reads one interval of each: what nobody who
 * looks at every grant can undercut.
 */
import { Bitset } from '../src/kernel/bitset.ts'
import { instant } from '../src/kernel/clock.ts'
import { epochDay } from '../src/protocol/law/consent-ages.ts'
import type { Manifest } from '../src/protocol/data-set.ts'
import { manifestSchema } from '../src/protocol/data-set.ts'
import type { GrantTerms } from '../src/protocol/consent/grant.ts'
import { grantTermsSchema } from '../src/protocol/consent/grant.ts'
import { EligibilityCache } from '../src/site/consent/eligibility-cache.ts'
import { decideEligibility } from '../src/site/consent/eligibility.ts'
import type { EligibilityContext, Use } from '../src/site/consent/eligibility.ts'
import { PrincipalFacts } from '../src/site/principals/principal-facts.ts'
import { GrantMirror } from '../src/site/consent/grant-mirror.ts'
import { scale, writeReport } from './shared/report.ts'

const size = scale()
const people = Math.round(1_000_000 * size)
const distinctTerms = 60
const now = instant(Date.parse('2026-11-24T10:00:00Z'))
const year = 365 * 86_400_000

function termsOf(index: number): GrantTerms {
  return grantTermsSchema.parse({
    dataSet: 'watches',
    grantee: index % 3 === 0 ? { anyone: true } : { class: index % 3 === 1 ? 'insurer' : 'researcher' },
    purposes: [
      index % 2 === 0 ? 'dpv:ResearchAndDevelopment' : 'dpv:AcademicResearch',
      `dpv:${['PublicBenefit', 'Marketing'][index % 2]}`,
    ],
    modes: index % 5 === 0 ? ['aggregate', 'rows'] : ['aggregate'],
    ...(index % 4 === 0 && { columns: ['steps', 'pulse'] }),
    minimumPriceMinor: index % 10,
  })
}

/** Two grants a person: one without an end, one that ends within two years, at a moment of its own. */
function fill(mirror: GrantMirror): void {
  const given = []
  for (let person = 0; person < people; person += 1) {
    given.push({ person, terms: person % distinctTerms, from: now - year, until: Infinity, isStanding: true })
    given.push({
      person,
      terms: (person * 7) % distinctTerms,
      from: now - year,
      until: now + 1_000 + person * 50,
      isStanding: false,
    })
  }
  const newTerms = Array.from({ length: distinctTerms }, (_, id) => ({ id, terms: termsOf(id) }))
  mirror.apply({ sequence: 1, newTerms, given, revoked: [] })
}

const within = { within: ['EEA'] }
const manifest: Manifest = manifestSchema.parse({
  dataSet: 'watches',
  title: 'Watches',
  issuer: 'maker',
  person: { key: 'id', birthDate: 'born' },
  columns: [
    { name: 'id', type: 'text', sensitivity: 'direct_identifier' },
    { name: 'born', type: 'date' },
    { name: 'steps', type: 'number' },
  ],
  legalBasis: 'eu-gdpr:A6-1-a',
  purposes: ['dpv:ResearchAndDevelopment'],
  modes: ['aggregate'],
  perimeter: { store: within, process: within, release: within },
  retention: { period: 'P5Y', from: '2026-01-01' },
  tariff: { currency: 'EUR', capMinor: 1000 },
  splits: { issuer: 4000, custodian: 3000, network: 1000, subjects: 2000 },
})

const heapBefore = process.memoryUsage()
const mirror = new GrantMirror()
fill(mirror)
globalThis.gc?.()
const heapAfter = process.memoryUsage()
const grantsMb =
  (heapAfter.arrayBuffers + heapAfter.heapUsed - heapBefore.arrayBuffers - heapBefore.heapUsed) / 2 ** 20

const countries = ['', 'DE', 'FR', 'IE', 'ES']
const firstDay = epochDay('1940-01-01')
const context: EligibilityContext = {
  mirror,
  cache: new EligibilityCache(),
  siteCountry: 'IE',
  principals: {
    birthDay: Int32Array.from({ length: people }, (_, person) => firstDay + ((person * 31) % 28_000)),
    residence: Uint16Array.from({ length: people }, (_, person) => person % countries.length),
    countries,
  },
  people: Bitset.of(Array.from({ length: people }, (_, person) => person)),
  restricted: () => new Bitset(),
  isAssessed: () => false,
}
const use: Use = {
  acquirer: 'northcare',
  acquirerClass: 'insurer',
  purpose: 'dpv:AcademicResearch',
  legalBasis: 'eu-gdpr:A6-1-a',
  mode: 'aggregate',
  subjectsPriceMinor: 5,
  minimumGroup: 20,
  now,
}

function decide(known: EligibilityContext, at = now): number {
  const started = performance.now()
  const decided = decideEligibility(known, { ...use, now: at }, { manifest, columns: ['steps'] })
  const took = performance.now() - started
  if (!decided.ok || decided.value.eligible.isEmpty) throw new Error('Nobody was eligible')
  return took
}

function median(times: readonly number[]): number {
  return times.toSorted((one, other) => one - other)[Math.floor(times.length / 2)] ?? 0
}

function repeat(times: number, act: (round: number) => number): number {
  for (let warm = 0; warm < 5; warm += 1) act(warm)
  return median(Array.from({ length: times }, (_, round) => act(round)))
}

/** One interval of each person, read and put into a set. */
function naiveLoop(from: Float64Array, until: Float64Array): number {
  const started = performance.now()
  const set = new Bitset(people)
  for (let person = 0; person < people; person += 1) {
    if ((from[person] ?? 0) <= now && now < (until[person] ?? 0)) set.add(person)
  }
  return set.isEmpty ? 0 : performance.now() - started
}
const from = new Float64Array(people).fill(now - year)
const until = Float64Array.from({ length: people }, (_, person) => now + person)
const baseline = repeat(20, () => naiveLoop(from, until))

const cold = repeat(20, () => decide({ ...context, cache: new EligibilityCache() }))
let sequence = 1
const change = () => {
  sequence += 1
  mirror.apply({
    sequence,
    newTerms: [],
    given: [{ person: 0, terms: 0, from: 0, until: now + year, isStanding: false }],
    revoked: [],
  })
}
const changed = repeat(20, () => {
  change()
  return decide(context)
})
// Every 50 ms somebody's grant ends: the union of this moment is not that of the last.
const moved = repeat(20, (round) => decide(context, instant(now + 2_000 + round * 100)))
const cached = repeat(100, () => decide(context))
/** Evidence of somebody's age is told, and everybody is judged anew by what was told of a thousand people. */
const facts = new PrincipalFacts()
let tellings = 0
const tell = () => {
  tellings += 1
  const evidence = { evidence: `${tellings}`, person: (tellings * 7) % people, kind: 'document' } as const
  const held = { ...evidence, sequence: tellings, atLeast: 16, givenAt: now, expires: instant(now + year) }
  facts.apply({ what: 'evidence', evidence: held }, tellings)
}
while (tellings < Math.min(1_000, people)) tell()
const judged = repeat(20, () => {
  tell()
  const started = performance.now()
  const principals = facts.over(context.principals, { now, least: 'substantial' })
  return performance.now() - started + decide({ ...context, principals })
})
const seen = mirror.sequence
sequence += 1
const last = { person: people - 1, terms: 0, from: 0, until: Infinity, isStanding: true, sequence }
mirror.apply({ sequence, newTerms: [], given: [last], revoked: [last] })
const inFlight = repeat(20, () => {
  const started = performance.now()
  mirror.revokedSince(seen, manifest.dataSet)
  return performance.now() - started
})

writeReport({
  name: 'consent',
  scale: size,
  figures: [
    {
      name: `eligible among ${people} people, ${distinctTerms} terms, cold`,
      value: cold,
      unit: 'ms',
      baseline,
      goal: 'at most 30',
      met: cold <= 30,
    },
    {
      name: 'after a change of grants',
      value: changed,
      unit: 'ms',
      baseline,
      goal: 'at most 30',
      met: changed <= 30,
    },
    {
      name: 'after a grant has ended',
      value: moved,
      unit: 'ms',
      baseline,
      goal: 'at most 30',
      met: moved <= 30,
    },
    {
      name: 'after evidence of an age was told',
      value: judged,
      unit: 'ms',
      baseline,
      goal: 'at most 30',
      met: judged <= 30,
    },
    { name: 'again', value: cached, unit: 'ms', baseline, goal: 'at most 1', met: cached <= 1 },
    { name: 'revoked while a run was under way', value: inFlight, unit: 'ms' },
    { name: 'memory of the mirror, two grants a person', value: grantsMb, unit: 'MB' },
  ],
})
