import { canonicalJson } from '../kernel/canonical-json.ts'
import { formatInstant } from '../kernel/clock.ts'
import { signJws } from '../kernel/crypto/jws.ts'
import { digestOf } from '../kernel/digest.ts'
import { TYP } from '../protocol/proof/message-types.ts'
import type { NetworkCaller, TestParty } from './test-network.ts'

/** What a site says to an ask in a test; every part can be changed. */
export interface TestDecision {
  readonly ask: string
  readonly acquirer: string
  readonly issuer: string
  readonly reason?: string
  readonly priceMinor?: number
  readonly currency?: string
  readonly release?: string | undefined
  /** Without a clearing record: it comes later. */
  readonly isUncleared?: boolean
  readonly decision?: object
  readonly clearing?: object
}

const SPLITS = { issuer: 5000, issuerProcessor: 0, custodian: 2500, network: 500, subjects: 2000 }

/** A site's message about an ask: signed decision, release, receipt, clearing record. */
export function testDecision(
  network: NetworkCaller,
  site: TestParty,
  facts: TestDecision,
): Record<string, unknown> {
  const { ask, reason = 'approved', release = 'aaaa.bbbb.cccc.dddd.ffff' } = facts
  const kind = reason === 'approved' ? 'approved' : (reason.split('.', 1)[0] ?? '')
  const isDeclined = kind === 'declined'
  const decision = {
    ask,
    site: site.name,
    decision: kind,
    reason,
    ...(isDeclined ? {} : { releaseDigest: digestOf(release) }),
    decidedAt: formatInstant(network.clock.now()),
    ...facts.decision,
  }
  return {
    decision: signJws(canonicalJson(decision), { typ: TYP.decision, key: site.signing }),
    ...(isDeclined ? {} : { release }),
    receipts: [testReceipt(site, ask)],
    ...(isDeclined || facts.isUncleared === true ? {} : { clearing: testClearing(network, site, facts) }),
  }
}

/** A signed clearing record. Units are such that the tariff of `testOffer` allows up to 6.00 EUR. */
export function testClearing(
  network: NetworkCaller,
  site: TestParty,
  {
    ask,
    acquirer,
    issuer,
    priceMinor = 300,
    currency = 'EUR',
    release = 'aaaa.bbbb.cccc.dddd.ffff',
    clearing = {},
  }: TestDecision,
): string {
  const record = {
    ask,
    site: site.name,
    acquirer,
    dataSet: 'athletes',
    issuer,
    units: { peopleStep: 1000, rowsStep: 0, cpuSeconds: 0 },
    price: { amount: priceMinor, currency },
    splits: SPLITS,
    releaseDigest: digestOf(release),
    time: formatInstant(network.clock.now()),
    ...clearing,
  }
  return signJws(canonicalJson(record), { typ: TYP.clearingRecord, key: site.signing })
}

function testReceipt(site: TestParty, ask: string): object {
  const receipt = signJws(canonicalJson({ kind: 'release', site: site.name, sequence: 0, askId: ask }), {
    typ: TYP.receipt,
    key: site.signing,
  })
  return {
    receipt,
    log: { origin: `hedgerow/${site.name}`, index: 0, inclusionProof: [], checkpoint: 'note' },
  }
}
