import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { later, systemClock } from '../../src/kernel/clock.ts'
import type { Clock } from '../../src/kernel/clock.ts'
import { NETWORK_API } from '../../src/protocol/http/network-endpoints.ts'
import { httpClient } from '../../src/sdk/http-client.ts'
import { testAsk, testNetwork, tokenOf } from '../../src/testing/test-network.ts'
import type { TestNetwork, TestParty } from '../../src/testing/test-network.ts'
import { testProvider } from '../../src/testing/test-provider.ts'
import { testPeople } from '../../src/testing/test-population.ts'
import { testTrade } from '../../src/testing/test-trade.ts'

// Doors of real servers, whose clock stands still: what is refused is refused by count, whatever the machine does meanwhile.

let aheadMs = 0
const now = systemClock.now()
const clock: Clock = {
  now: () => later(now, aheadMs),
  sleep: (durationMs, signal) => systemClock.sleep(durationMs, signal),
}

/** Lets time pass; a deadline, which is longer, is waited for. */
const passing: Clock['sleep'] = async (durationMs, signal) => {
  if (durationMs > 10_000) return systemClock.sleep(durationMs, signal)
  aheadMs += durationMs
}

suite('a network with low rates', () => {
  let network: TestNetwork
  let northcare: TestParty
  before(async () => {
    const requestRates = { caller: { perSecond: 1, burst: 6 }, address: { perSecond: 0.5, burst: 4 } }
    network = await testNetwork({ clock, settings: { requestRates } })
    northcare = await network.addMember('northcare', ['acquirer'])
  })
  after(() => network[Symbol.asyncDispose]())

  const assertionOf = (party: TestParty) =>
    tokenOf(party, { audience: network.name, now: clock.now(), jti: network.ids.next('jti') })
  const get = (token: string) =>
    fetch(`${network.url}/v1/balances`, { headers: { authorization: `Bearer ${token}` } })

  test('answers 429 with a problem document that says when to come again, then serves again', async () => {
    for (let call = 0; call < 6; call += 1) assert.equal((await get(assertionOf(northcare))).status, 200)
    const refused = await get(assertionOf(northcare))
    assert.equal(refused.status, 429)
    assert.equal(refused.headers.get('retry-after'), '1')
    assert.equal(refused.headers.get('content-type'), 'application/problem+json')
    const problem = (await refused.json()) as Record<string, unknown>
    assert.equal(problem['code'], 'fault.too_many_requests')
    assert.equal(problem['title'], 'Too many requests at once')
    assert.doesNotMatch(JSON.stringify(problem), /northcare|127\.0\.0\.1/)
    const other = await network.addMember('southcare', ['acquirer'])
    assert.equal((await get(assertionOf(other))).status, 200, 'others are not held up')
    aheadMs += 1_000
    assert.equal((await get(assertionOf(northcare))).status, 200)
    assert.equal((await get(assertionOf(northcare))).status, 429)
  })

  test('counts a batch of asks as one request', async () => {
    aheadMs += 60_000
    const asks = Array.from({ length: 50 }, () => testAsk(network, northcare))
    assert.equal((await network.askBatch(northcare, asks)).length, 50)
    assert.equal((await get(assertionOf(northcare))).status, 200)
  })

  const exchange = (assertion: string) =>
    fetch(`${network.url}/v1/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion }),
    })

  test('verifies no more tokens for an address that sends wrong ones, but of keys that were good before', async () => {
    aheadMs += 60_000
    const newcomer = await network.addMember('newcomer', ['acquirer'])
    const given = (await (await exchange(assertionOf(northcare))).json()) as { access_token: string }
    for (let call = 0; call < 4; call += 1) assert.equal((await get('not.a.token')).status, 401)
    const refused = await get('not.a.token')
    assert.equal(refused.status, 429)
    assert.equal(refused.headers.get('retry-after'), '2')
    // Neighbours behind one address: whoever was let in before is, by each of their ways.
    assert.equal((await get(assertionOf(northcare))).status, 200)
    assert.equal((await get(given.access_token)).status, 200)
    assert.equal((await exchange(assertionOf(northcare))).status, 200)
    // Who only claims such a key is found out, and who was never here waits.
    const forged = assertionOf(northcare).replace(/[^.]+$/, 'A'.repeat(86))
    assert.equal((await get(forged)).status, 401)
    assert.equal((await exchange(forged)).status, 401)
    assert.equal((await get(assertionOf(newcomer))).status, 429)
    assert.equal((await exchange(assertionOf(newcomer))).status, 429)
    assert.equal((await fetch(`${network.url}/v1/network`)).status, 200)
    const metrics = await (await fetch(`${network.url}/metrics`)).text()
    assert.match(metrics, /limited_requests_total\{of="address"\} 3/)
    assert.doesNotMatch(metrics, /127\.0\.0\.1/)
    aheadMs += 2_000
    assert.equal((await get(assertionOf(newcomer))).status, 200)
  })

  test('reads no more of a token that is to be exchanged than a token has', async () => {
    aheadMs += 60_000
    assert.equal((await exchange(`a.${'b'.repeat(20_000)}.c`)).status, 413)
  })

  test('is waited for by the client, which then does what it was asked to', async () => {
    aheadMs += 60_000
    const client = httpClient({
      server: { url: network.url, name: network.name },
      caller: { issuer: northcare.name, key: northcare.signing },
      // Whoever waits by it lets time pass for the network.
      clock: { ...clock, sleep: passing },
      ids: network.ids,
    })
    const before = aheadMs
    for (let call = 0; call < 8; call += 1) await client.call(NETWORK_API.balances, {})
    assert.equal(aheadMs - before, 2_000, 'waited twice, a second each')
  })
})

test('a proxy is believed where the settings name its header, and its last word counts', async () => {
  const requestRates = { address: { perSecond: 1, burst: 2 }, addressHeader: 'x-forwarded-for' }
  await using network = await testNetwork({ clock, settings: { requestRates } })
  const from = async (address: string) => {
    const headers = { authorization: 'Bearer not.a.token', 'x-forwarded-for': address }
    return (await fetch(`${network.url}/v1/balances`, { headers })).status
  }
  const seen: number[] = []
  for (const address of ['10.0.0.1, 192.0.2.1', '10.0.0.2, 192.0.2.1', '10.0.0.3, 192.0.2.1', '192.0.2.2'])
    seen.push(await from(address))
  assert.deepEqual(seen, [401, 401, 429, 401])
  const sixth = [
    await from('2001:db8::1'),
    await from('2001:db8:0:0:5::2'),
    await from('2001:db8:0:0:6:7:8:9'),
  ]
  assert.deepEqual(sixth, [401, 401, 429], 'an IPv6 network is one')
  assert.equal(await from('2001:db8:0:1::1'), 401)
})

test('a site holds a person to a rate of their own, and its issuer to another', async () => {
  await using provider = await testProvider()
  const started = systemClock.now()
  await using trade = await testTrade({ clock: { ...clock, now: () => started } })
  const requestRates = { person: { perSecond: 1, burst: 2 } }
  const site = await trade.addSite({
    name: 'dublin',
    settings: { requestRates, oidc: provider.settings },
  })
  await trade.fill(site, { dataSet: 'athletes', people: testPeople(3) })
  const bearer = await provider.token({ sub: testPeople(3)[0]?.id })
  const asPerson = async () => {
    const response = await fetch(`${site.url}/v1/people/me/earnings`, {
      headers: { authorization: `Bearer ${bearer}` },
    })
    return response.status
  }
  assert.deepEqual(
    [await asPerson(), await asPerson(), await asPerson()].map((status) => status === 429),
    [false, false, true],
  )
  for (let call = 0; call < 5; call += 1) assert.equal((await site.issuer.dataSets()).length, 1)
})
