import { canonicalJson } from '../../src/kernel/canonical-json.ts'
import { formatInstant } from '../../src/kernel/clock.ts'
import { openSealed, sealTo } from '../../src/kernel/crypto/jwe.ts'
import { peekJws, signJws } from '../../src/kernel/crypto/jws.ts'
import { digestOf } from '../../src/kernel/digest.ts'
import { askSchema, sealedQuestionSchema } from '../../src/protocol/ask.ts'
import { logOrigin, signCheckpoint } from '../../src/protocol/proof/checkpoint.ts'
import { leafHash, rootOf } from '../../src/protocol/proof/merkle.ts'
import { TYP } from '../../src/protocol/proof/message-types.ts'
import { NETWORK_API } from '../../src/protocol/http/network-endpoints.ts'
import type { TestNetwork, TestParty } from '../../src/testing/test-network.ts'

/** Answers the next ask as a site would, approving it for 1.10 EUR, by its tariff; gives the SQL that it found. */
export async function answerNextAsk(
  network: TestNetwork,
  { site, acquirer, issuer }: { site: TestParty; acquirer: TestParty; issuer: TestParty },
): Promise<string> {
  const { items } = await network.call(site, NETWORK_API.work, {
    params: { id: site.name },
    query: { wait: 5_000 },
  })
  const payload = peekJws(items[0]?.jws ?? '')?.payload ?? ''
  const ask = askSchema.parse(JSON.parse(payload))
  const opened = openSealed(ask.question.sealed[site.name] ?? '', {
    key: site.sealing,
    typ: TYP.question,
  })
  const { question } = sealedQuestionSchema.parse(JSON.parse(new TextDecoder().decode(opened)))
  const release = {
    ask: ask.id,
    site: site.name,
    dataSet: 'athletes',
    mode: 'aggregate',
    columns: [{ name: 'n', type: 'integer' }],
    rows: [[41]],
  }
  const sealed = sealTo(acquirer.sealing.publicJwk, {
    plaintext: canonicalJson(release),
    typ: TYP.release,
  })
  const [releaseDigest, time, price] = [
    digestOf(sealed),
    formatInstant(network.clock.now()),
    { amount: 110, currency: 'EUR' },
  ]
  const decision = {
    ask: ask.id,
    site: site.name,
    decision: 'approved',
    reason: 'approved',
    price,
    people: 20,
    releaseDigest,
    decidedAt: time,
  }
  const receipt = {
    kind: 'release',
    site: site.name,
    sequence: 0,
    time,
    askId: ask.id,
    acquirer: acquirer.name,
    reason: 'approved',
    price,
    release: releaseDigest,
  }
  const clearing = {
    ask: ask.id,
    site: site.name,
    acquirer: acquirer.name,
    dataSet: 'athletes',
    issuer: issuer.name,
    units: { peopleStep: 20, rowsStep: 0, cpuSeconds: 0 },
    price,
    splits: { issuer: 5000, issuerProcessor: 0, custodian: 2500, network: 500, subjects: 2000 },
    releaseDigest,
    time,
  }
  const sign = (value: object, typ: string) => signJws(canonicalJson(value), { typ, key: site.signing })
  const body = {
    decision: sign(decision, TYP.decision),
    release: sealed,
    receipts: [loneBundle(sign(receipt, TYP.receipt), site)],
    clearing: sign(clearing, TYP.clearingRecord),
  }
  await network.call(site, NETWORK_API.decide, { params: { id: site.name }, body })
  return 'sql' in question ? question.sql : ''
}

/** A receipt that is the only leaf of its log. */
function loneBundle(receipt: string, { name, signing }: TestParty) {
  const origin = logOrigin(name)
  const root = rootOf([leafHash(new TextEncoder().encode(receipt))])
  return {
    receipt,
    log: {
      origin,
      index: 0,
      inclusionProof: [],
      checkpoint: signCheckpoint({ origin, size: 1, root }, signing),
    },
  }
}
