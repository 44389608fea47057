import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canonicalJson } from '../../../src/kernel/canonical-json.ts'
import { signJws } from '../../../src/kernel/crypto/jws.ts'
import { generateKeyPair } from '../../../src/kernel/crypto/keys.ts'
import { digestOf } from '../../../src/kernel/digest.ts'
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

/** What the network hands on of a signed ask, with what it says may be charged for it here. */
function handedOn(priceLimit: Money, id = ask.id) {
  const item = workItemSchema.parse({
    ask: id,
    acquirer: ask.acquirer,
    jws: signJws(canonicalJson(ask), { typ: TYP.ask, key: signing }),
    dataSet: ask.offer,
    priceLimit: { amount: Number(priceLimit.amountMinor), currency: priceLimit.currency },
    dryRun: false,
    expires: ask.expires,
  })
  const acquirer = memberRecordSchema.parse({
    id: ask.acquirer,
    name: 'Northcare',
    country: 'IE',
    roles: ['acquirer'],
    keys,
    firstKeys: keys,
    processors: [],
    colludesWith: [],
  })
  const verified = verifyAsk({ item, batchJws: undefined, acquirer, signerKeys: keys })
  return verified.ok ? 'taken' : verified.error.code
}

test('a site takes a signed ask for the highest price that was signed, or less', () => {
  assert.equal(handedOn(money(1250, 'EUR')), 'taken')
  assert.equal(handedOn(money(300, 'EUR')), 'taken')
})

test('a network that lets an ask cost more than was signed, or other money, is not believed', () => {
  assert.equal(handedOn(money(1251, 'EUR')), 'declined.signature')
  assert.equal(handedOn(money(1250, 'GBP')), 'declined.signature')
})

test('a signed ask counts for no other id than its own', () => {
  assert.equal(handedOn(money(1250, 'EUR'), 'ask_01J9ZQ00000000000000000001'), 'declined.signature')
})
