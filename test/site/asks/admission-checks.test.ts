import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instant, later } from '../../../src/kernel/clock.ts'
import { generateKeyPair } from '../../../src/kernel/crypto/keys.ts'
import { digestOf } from '../../../src/kernel/digest.ts'
import { LIMITS } from '../../../src/kernel/limits.ts'
import { money } from '../../../src/kernel/money.ts'
import { askSchema } from '../../../src/protocol/ask.ts'
import { manifestSchema } from '../../../src/protocol/data-set.ts'
import { evidenceSchema } from '../../../src/protocol/proof/evidence.ts'
import { memberSchema } from '../../../src/protocol/member.ts'
import { REASON_CODES } from '../../../src/protocol/reason.ts'
import { ADMISSION_CHECKS, admit } from '../../../src/site/asks/admission-checks.ts'
import type { AskFacts } from '../../../src/site/asks/ask-facts.ts'

const now = instant(Date.parse('2026-11-24T10:00:00Z'))
const keys = { signing: generateKeyPair('Ed25519').publicJwk, sealing: generateKeyPair('X25519').publicJwk }
const jwe = 'eyJhbGciOiJFQ0RILUVTIn0..aaaa.bbbb.cccc'

const manifest = manifestSchema.parse({
  dataSet: 'athletes',
  title: 'Athletes',
  issuer: 'federation',
  person: { key: 'id' },
  columns: [{ name: 'id', type: 'text', sensitivity: 'direct_identifier' }],
  legalBasis: 'eu-gdpr:A6-1-a',
  purposes: ['dpv:ResearchAndDevelopment'],
  modes: ['aggregate'],
  perimeter: { store: { within: ['IE'] }, process: { within: ['IE'] }, release: { within: ['EEA'] } },
  retention: { period: 'P5Y', from: '2026-01-01' },
  tariff: { currency: 'EUR', capMinor: 1000 },
  splits: { issuer: 5000, custodian: 2000, network: 1000, subjects: 2000 },
})

function facts(change: Partial<AskFacts> = {}, askChange: object = {}): AskFacts {
  return {
    ask: askSchema.parse({
      id: 'ask_01J9ZQ00000000000000000000',
      acquirer: 'northcare',
      purpose: 'dpv:AcademicResearch',
      legalBasis: 'eu-gdpr:A6-1-a',
      mode: 'aggregate',
      offer: 'athletes',
      sites: ['any'],
      releaseTo: { jurisdiction: 'IE' },
      question: { digest: digestOf('q'), sealed: { galway: jwe } },
      maxPrice: { amount: 1250, currency: 'EUR' },
      expires: '2026-11-24T10:05:00Z',
      idempotencyKey: 'once-and-only-once',
      ...askChange,
    }),
    askDigest: digestOf('ask'),
    acquirer: memberSchema.parse({
      id: 'northcare',
      name: 'Northcare',
      country: 'IE',
      roles: ['acquirer'],
      keys,
      firstKeys: keys,
    }),
    isCustodian: false,
    acquirerKeys: keys,
    priceLimit: money(1000, 'EUR'),
    unassessedRisk: undefined,
    contractLack: undefined,
    manifest,
    removedGrounds: new Set(),
    evidence: evidenceSchema.parse({
      site: 'galway',
      kind: 'operator-attested',
      territory: 'IE',
      longitude: -9.06,
      latitude: 53.27,
      validFrom: '2026-11-24T00:00:00Z',
      validUntil: '2026-11-25T00:00:00Z',
    }),
    now,
    ...change,
  }
}

test('admit() lets an ask through that meets every check', () => {
  assert.equal(admit(facts()), undefined)
})

const DECLINES: readonly (readonly [what: string, facts: AskFacts, code: string])[] = [
  [
    'a suspended member',
    facts({ acquirer: { ...facts().acquirer, status: 'suspended' } }),
    'declined.member_unknown',
  ],
  ['the custodian of the site itself', facts({ isCustodian: true }), 'declined.custodian'],
  ['an ask at the moment it expires', facts({ now: facts().ask.expires }), 'declined.expired'],
  ['an ask that lives for a month', facts({}, { expires: '2026-12-24T10:00:00Z' }), 'declined.expired'],
  ['a data set that is not here', facts({ manifest: undefined }), 'declined.no_route'],
  ['a site without evidence', facts({ evidence: undefined }), 'declined.evidence_missing'],
  [
    'a site whose evidence ended',
    facts({ evidence: { ...evidenceOf(facts()), validUntil: now } }),
    'declined.evidence_expired',
  ],
  [
    'a site that moved',
    facts({ evidence: { ...evidenceOf(facts()), territory: 'GB', longitude: -2, latitude: 52 } }),
    'declined.perimeter_store',
  ],
  [
    'a release outside the perimeter',
    facts({}, { releaseTo: { jurisdiction: 'BR' } }),
    'declined.perimeter_release',
  ],
  [
    'a release on a ground that was removed',
    facts(
      {
        manifest: { ...manifest, perimeter: { ...manifest.perimeter, release: { within: ['CH'] } } },
        removedGrounds: new Set(['adequacy-ch']),
      },
      { releaseTo: { jurisdiction: 'CH' } },
    ),
    'declined.perimeter_release',
  ],
  ['a data set without a contract', facts({ contractLack: 'none' }), 'declined.contract'],
  ['a purpose that is refused to all', facts({}, { purpose: 'dpv:CreditChecking' }), 'declined.purpose'],
  ['a purpose wider than the terms', facts({}, { purpose: 'dpv:Marketing' }), 'declined.purpose'],
  [
    'a use of high risk that nobody has assessed',
    facts({ unassessedRisk: 'special categories' }),
    'declined.purpose',
  ],
  ['a legal basis that is not offered', facts({}, { legalBasis: 'eu-gdpr:A6-1-f' }), 'declined.purpose'],
  ['a mode that is not offered', facts({}, { mode: 'rows' }), 'declined.mode'],
  [
    'a retention that ended today',
    facts({ manifest: { ...manifest, retention: { from: '2021-11-24', period: 'P5Y' } } }),
    'declined.retention',
  ],
]

for (const [what, given, code] of DECLINES) {
  test(`admit() declines ${what}: ${code}`, () => assert.equal(admit(given)?.code, code))
}

test('admit() turns at the moment: the last millisecond before expiry is still admitted', () => {
  const { ask } = facts()
  assert.equal(admit(facts({ now: instant(ask.expires - 1) })), undefined)
  const longest = later(now, LIMITS.askLifetimeMsMax)
  assert.equal(admit(facts({ ask: { ...ask, expires: longest } })), undefined)
})

test('the checks stand in the order of the catalogue of reasons', () => {
  const codes = DECLINES.map(([, , code]) => REASON_CODES.findIndex((known) => known === code))
  assert.deepEqual(
    codes,
    codes.toSorted((a, b) => a - b),
  )
  assert.ok(ADMISSION_CHECKS.length >= 10)
})

test('admit() gives the earliest reason when several apply', () => {
  const wrongEverywhere = facts(
    { evidence: undefined, acquirer: { ...facts().acquirer, status: 'suspended' } },
    { mode: 'rows', purpose: 'dpv:Marketing' },
  )
  assert.equal(admit(wrongEverywhere)?.code, 'declined.member_unknown')
})

function evidenceOf({ evidence }: AskFacts) {
  assert.ok(evidence)
  return evidence
}
