import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canonicalJson } from '../../../src/kernel/canonical-json.ts'
import { signJws } from '../../../src/kernel/crypto/jws.ts'
import { generateKeyPair } from '../../../src/kernel/crypto/keys.ts'
import { digestOf } from '../../../src/kernel/digest.ts'
import type { Digest } from '../../../src/kernel/digest.ts'
import { money } from '../../../src/kernel/money.ts'
import type { Money } from '../../../src/kernel/money.ts'
import { memberRecordSchema, workItemSchema } from '../../../src/protocol/http/network-api.ts'
import { TYP } from '../../../src/protocol/proof/message-types.ts'
import { verifyAsk } from '../../../src/site/asks/verify-ask.ts'

const signing = generateKeyPair('Ed25519')
const keys = { signing: signing.publicJwk, sealing: generateKeyPair('X25519').publicJwk }
const ask = {
  id: 'ask_01J9ZQ00000000000000000000',
  acquirer: 'northcare',
  purpose: 'dpv:AcademicResearch',
  legalBasis: 'eu-gdpr:A6-1-a',
  mode: 'aggregate',
  offer: 'athletes',
  sites: ['any'],
  releaseTo: { jurisdiction: 'IE' },
  question: { digest: digestOf('q'), sealed: { galway: 'eyJhbGciOiJFQ0RILUVTIn0..aaaa.bbbb.cccc' } },
  maxPrice: { amount: 1250, currency: 'EUR' },
  expires: '2026-11-24T10:05:00Z',
  idempotencyKey: 'once-and-only-once',
}

interface HandedOn {
  readonly priceLimit?: Money
  readonly id?: string
  readonly acquirer?: string
  /** What the network says came of the acquirer; absent: the ask as it signed it. */
  readonly jws?: string | undefined
  /** A batch of which the ask is one, and as whose it is handed on. */
  readonly batch?: {
    readonly jws: string | undefined
    readonly processor: string
    readonly index?: number
    readonly digest?: Digest
  }
  /** Who may sign for the acquirer. */
  readonly processors?: readonly string[]
}

const signed = signJws(canonicalJson(ask), { typ: TYP.ask, key: signing })

/** What a site says to what the network hands on of an ask, with what it says may be charged for it here. */
function handedOn(given: HandedOn = {}) {
  const { priceLimit = money(1250, 'EUR'), id = ask.id, acquirer: name = ask.acquirer, batch } = given
  const { jws: batchJws, processor, index = 1, digest = digestOf(batchJws ?? '') } = batch ?? {}
  const item = workItemSchema.parse({
    ask: id,
    acquirer: name,
    ...(batch ? { batch: { digest, index, processor } } : { jws: 'jws' in given ? given.jws : signed }),
    dataSet: ask.offer,
    priceLimit: { amount: Number(priceLimit.amountMinor), currency: priceLimit.currency },
    dryRun: false,
    expires: ask.expires,
  })
  const acquirer = memberRecordSchema.parse({
    id: name,
    name: 'Northcare',
    country: 'IE',
    roles: ['acquirer'],
    keys,
    firstKeys: keys,
    processors: given.processors ?? [],
    colludesWith: [],
  })
  const verified = verifyAsk({ item, batchJws, acquirer, signerKeys: keys })
  return verified.ok ? 'taken' : verified.error.code
}

const forged = 'declined.signature'

test('a site takes a signed ask for the highest price that was signed, or less', () => {
  assert.equal(handedOn(), 'taken')
  assert.equal(handedOn({ priceLimit: money(300, 'EUR') }), 'taken')
})

test('a network that lets an ask cost more than was signed, or other money, is not believed', () => {
  assert.equal(handedOn({ priceLimit: money(1251, 'EUR') }), forged)
  assert.equal(handedOn({ priceLimit: money(1250, 'GBP') }), forged)
})

test('a signed ask counts for no other id than its own, and for no other acquirer', () => {
  assert.equal(handedOn({ id: 'ask_01J9ZQ00000000000000000001' }), forged)
  assert.equal(handedOn({ acquirer: 'southcare' }), forged)
})

test('an ask that nobody signed, or another key, or for something else, or that was changed since, is none', () => {
  const other = generateKeyPair('Ed25519')
  const [header, , signature] = signed.split('.')
  const dearer = Buffer.from(canonicalJson({ ...ask, mode: 'rows' })).toString('base64url')
  for (const jws of [
    undefined,
    signJws(canonicalJson(ask), { typ: TYP.ask, key: other }),
    // As the acquirer's own key, by its name.
    signJws(canonicalJson(ask), { typ: TYP.ask, key: { ...other, keyId: signing.keyId } }),
    signJws(canonicalJson(ask), { typ: TYP.askBatch, key: signing }),
    signJws('{', { typ: TYP.ask, key: signing }),
    signJws(canonicalJson({ ...ask, maxPrice: undefined }), { typ: TYP.ask, key: signing }),
    `${header}.${dearer}.${signature}`,
  ])
    assert.equal(handedOn({ jws }), forged)
})

/** A batch with the ask in its second place. */
const batched = (body: unknown, typ: string = TYP.askBatch) =>
  signJws(canonicalJson(body), { typ, key: signing })
const batch = batched({
  processor: 'clearhouse',
  asks: [{ ...ask, id: 'ask_01J9ZQ00000000000000000002' }, ask],
})
const processors = ['clearhouse']

test('a batch counts where its signer may sign for the acquirer, or is the acquirer', () => {
  assert.equal(handedOn({ batch: { jws: batch, processor: 'clearhouse' }, processors }), 'taken')
  assert.equal(handedOn({ batch: { jws: batch, processor: 'clearhouse' } }), forged)
  assert.equal(handedOn({ batch: { jws: batch, processor: 'somebody' }, processors }), forged)
  assert.equal(handedOn({ batch: { jws: batch, processor: ask.acquirer } }), 'taken')
})

test('an ask is looked for at its own place in its own batch', () => {
  const given = (more: object) =>
    handedOn({ batch: { jws: batch, processor: 'clearhouse', ...more }, processors })
  assert.equal(given({ index: 0 }), forged)
  assert.equal(given({ index: 2 }), forged)
  assert.equal(given({ digest: digestOf('another batch') }), forged)
  assert.equal(given({ jws: undefined }), forged)
  assert.equal(given({ jws: batched({ processor: 'clearhouse', asks: [] }) }), forged)
  assert.equal(given({ jws: batched({ asks: [ask, ask] }) }), forged)
  assert.equal(given({ jws: batched({ processor: 'clearhouse', asks: [ask, ask] }, TYP.ask) }), forged)
  // The ask alone is no batch of it.
  assert.equal(given({ jws: signed }), forged)
})
