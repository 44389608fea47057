import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { canonicalJson } from '../../src/kernel/canonical-json.ts'
import { formatInstant } from '../../src/kernel/clock.ts'
import { signJws } from '../../src/kernel/crypto/jws.ts'
import type { Endpoint } from '../../src/kernel/http/endpoint.ts'
import { NETWORK_API } from '../../src/protocol/http/network-endpoints.ts'
import { TYP } from '../../src/protocol/proof/message-types.ts'
import { WEAK_POINTS } from '../../src/kernel/crypto/weak-points.ts'
import { recordingLog } from '../../src/testing/recording-log.ts'
import { publicKeys, testAsk, testOffer, testParty, tokenOf } from '../../src/testing/test-network.ts'
import type { TestParty } from '../../src/testing/test-network.ts'
import { fundsOf, openWorld } from '../network/world.ts'
import type { World } from '../network/world.ts'

/*
 * What can be read in two ways: a field that is there twice, of which one reader takes the first and another the last; bytes that are no
 * text; a key under which anything is signed. Measure of success: it is taken, or fails with 5xx, or is in a log.
 */

const MARKER = 'zqmarker'
const log = recordingLog()
let w: World
before(async () => {
  w = await openWorld({ log })
})
after(async () => {
  assert.doesNotMatch(log.lines.join('\n'), new RegExp(MARKER))
  await w[Symbol.asyncDispose]()
})

async function statusOf(party: TestParty, { method, path }: Pick<Endpoint, 'method' | 'path'>, body: string) {
  const now = w.clock.now()
  const token = tokenOf(party, { audience: w.network.name, now, jti: w.network.ids.next('jti') })
  const response = await fetch(`${w.network.url}${path.replace('{id}', party.name)}`, {
    method: method.toUpperCase(),
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body,
  })
  await response.body?.cancel()
  return response.status
}

/** The same text with the first member of its outermost object said once more, before it, with another value. */
const twice = (text: string, value: string) =>
  text.replace(/^\{("[^"]+"):/, (all, name: string) => `{${name}:${value},${all.slice(1)}`)

test('an ask, an offer and a request with a field twice are refused, whichever is the good one', async () => {
  const ask = canonicalJson(testAsk(w.network, w.northcare))
  const offers = canonicalJson({
    offers: [testOffer(w.galway, { issuer: w.federation, country: 'IE' })],
    site: 'galway',
    time: formatInstant(w.clock.now()),
  })
  const cheap = ask.replace('"maxPrice":{', `"maxPrice":{"amount":1,"currency":"EUR"},"max\\u0050rice":{`)
  assert.notEqual(cheap, ask)
  for (const text of [twice(ask, '"rival"'), cheap, ask.replace('"amount":', '"amount":1,"amount":')]) {
    assert.notEqual(text, ask)
    const body = JSON.stringify({ ask: signJws(text, { typ: TYP.ask, key: w.northcare.signing }) })
    assert.equal(await statusOf(w.northcare, NETWORK_API.ask, body), 400, text)
  }
  for (const text of [twice(offers, '[]'), twice(offers, '[{}]')]) {
    const body = JSON.stringify({ offers: signJws(text, { typ: TYP.offer, key: w.galway.signing }) })
    assert.equal(await statusOf(w.galway, NETWORK_API.publishOffers, body), 400)
  }
  const good = JSON.stringify({ ask: signJws(ask, { typ: TYP.ask, key: w.northcare.signing }) })
  assert.equal(await statusOf(w.northcare, NETWORK_API.ask, twice(good, '"a.b.c"')), 400)
  assert.deepEqual(await fundsOf(w), { available: 10_000, held: 0 })
  assert.equal(await statusOf(w.northcare, NETWORK_API.ask, good), 201)
})

test('a signature over what is no JSON, or no text, is refused and not repeated', async () => {
  const { northcare, galway } = w
  for (const text of [
    MARKER,
    `{"a":"${MARKER}`,
    '',
    'null',
    '\ufeff{}',
    `"${MARKER}\ud800"`,
    '[]',
    '1e999',
  ]) {
    const ask = { ask: signJws(text === '' ? ' ' : text, { typ: TYP.ask, key: northcare.signing }) }
    assert.equal(await statusOf(northcare, NETWORK_API.ask, JSON.stringify(ask)), 400, text)
    const offers = { offers: signJws(text === '' ? ' ' : text, { typ: TYP.offer, key: galway.signing }) }
    assert.equal(await statusOf(galway, NETWORK_API.publishOffers, JSON.stringify(offers)), 400, text)
    const decision = {
      decision: signJws(text === '' ? ' ' : text, { typ: TYP.decision, key: galway.signing }),
    }
    assert.equal(await statusOf(galway, NETWORK_API.decide, JSON.stringify(decision)), 400, text)
    const order = signJws(text === '' ? ' ' : text, { typ: TYP.withdrawal, key: galway.signing })
    const withdrawal = JSON.stringify({ order, isAtOnce: true })
    assert.equal(await statusOf(galway, NETWORK_API.withdrawReleases, withdrawal), 409, text)
  }
})

test('texts and numbers that a database or another reader cannot take are refused, in every field of an ask', async () => {
  const ask = testAsk(w.network, w.northcare)
  for (const odd of [`${MARKER}\0`, `${MARKER}\ud800`, 2 ** 53 + 2, -0.5, 1e300, { __proto__: null }, []])
    for (const field of Object.keys(ask)) {
      const text = JSON.stringify({ ...ask, [field]: odd })
      const body = JSON.stringify({ ask: signJws(text, { typ: TYP.ask, key: w.northcare.signing }) })
      const status = await statusOf(w.northcare, NETWORK_API.ask, body)
      assert.ok(status < 500 && status >= 400, `${field} of ${JSON.stringify(odd)}: ${status}`)
    }
})

test('nobody registers a key to which nothing can be sealed, or under which anything is signed', async () => {
  const [x = ''] = WEAK_POINTS
  const keys = publicKeys(testParty('hollow'))
  for (const weak of [
    { ...keys, sealing: { ...keys.sealing, x } },
    { ...keys, signing: { ...keys.signing, x } },
  ]) {
    const member = { id: 'hollow', name: 'Hollow', country: 'IE', roles: ['acquirer'], keys: weak }
    assert.equal(await statusOf(w.network.operator, NETWORK_API.addMember, JSON.stringify(member)), 400)
  }
})
