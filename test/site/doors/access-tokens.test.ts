import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { later, systemClock } from '../../../src/kernel/clock.ts'
import type { Clock } from '../../../src/kernel/clock.ts'
import type { KeyPair } from '../../../src/kernel/crypto/keys.ts'
import { PeerRefusal } from '../../../src/kernel/http/call-json.ts'
import { idSource } from '../../../src/kernel/id.ts'
import { LIMITS } from '../../../src/kernel/limits.ts'
import { systemRandom } from '../../../src/kernel/random.ts'
import { signClientAssertion } from '../../../src/protocol/http/client-assertion.ts'
import { SITE_API } from '../../../src/protocol/http/site-api.ts'
import { httpClient } from '../../../src/sdk/http-client.ts'
import { openOfficer } from '../../../src/sdk/officer.ts'
import { publicKeys, testParty } from '../../../src/testing/test-network.ts'
import { testPeople } from '../../../src/testing/test-population.ts'
import { testTrade } from '../../../src/testing/test-trade.ts'

/** The machine's clock, some time ahead. */
let aheadMs = 0
const clock: Clock = {
  now: () => later(systemClock.now(), aheadMs),
  sleep: (durationMs, signal) => systemClock.sleep(durationMs, signal),
}
const advance = (durationMs: number) => {
  aheadMs += durationMs
}
const trade = await testTrade({ clock })
after(() => trade[Symbol.asyncDispose]())
const site = trade.site()
await trade.fill(site, { dataSet: 'athletes', people: testPeople(20) })
const ids = idSource(systemClock, systemRandom)
const { federation } = trade

const assertionOf = (issuer: string, key: KeyPair) =>
  signClientAssertion({ issuer, audience: 'galway', now: clock.now(), jti: ids.next('jti'), key })

async function exchange(assertion: string) {
  const body = { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer' as const, assertion }
  return (await site.client(undefined).call(SITE_API.token, { body })).access_token
}

const listWith = (bearer: string) =>
  httpClient({ server: { url: site.url, name: 'galway' }, bearer, clock, ids }).call(SITE_API.listOfficers)

const isRefused = (why: RegExp) => (thrown: unknown) =>
  thrown instanceof PeerRefusal && thrown.status === 401 && why.test(thrown.message)

test('a site gives an access token for an assertion, and it says who calls, as often as they like', async () => {
  const token = await exchange(assertionOf('federation', federation.signing))
  for (let call = 0; call < 3; call += 1) assert.deepEqual((await listWith(token)).items, [])
  await assert.rejects(listWith(`${token}x`), isRefused(/./))
})

test('an assertion that was exchanged is used up, and one that was used is not exchanged', async () => {
  const exchanged = assertionOf('federation', federation.signing)
  await exchange(exchanged)
  await assert.rejects(listWith(exchanged), isRefused(/replayed/))
  const used = assertionOf('federation', federation.signing)
  await listWith(used)
  await assert.rejects(exchange(used), isRefused(/replayed/))
  const unknown = testParty('stranger')
  await assert.rejects(exchange(assertionOf('stranger', unknown.signing)), isRefused(/unknown-key/))
  await assert.rejects(exchange(assertionOf('federation', unknown.signing)), isRefused(/unknown-key/))
})

test('an access token lives five minutes, and no longer', async () => {
  const token = await exchange(assertionOf('federation', federation.signing))
  advance(LIMITS.tokenLifetimeMsMax - 5_000)
  await listWith(token)
  advance(5_000)
  await assert.rejects(listWith(token), isRefused(/expired/))
})

test('an access token ends with the key it was given for, at once', async () => {
  const orla = testParty('orla')
  const controller = openOfficer(site.client({ issuer: 'federation', key: federation.signing }))
  await controller.nameOfficer('orla', publicKeys(orla))
  const token = await exchange(assertionOf('orla', orla.signing))
  await listWith(token)
  await controller.dismissOfficer('orla')
  await assert.rejects(listWith(token), isRefused(/unknown-key/))
  const issuerToken = await exchange(assertionOf('federation', federation.signing))
  await listWith(issuerToken)
  await site.operator.registerIssuer({ member: 'federation', keys: publicKeys(testParty('other')) })
  await assert.rejects(listWith(issuerToken), isRefused(/unknown-key/))
  await site.operator.registerIssuer({ member: 'federation', keys: publicKeys(federation) })
})

test('a client that keeps its token exchanges one assertion for many calls', async () => {
  const client = httpClient({
    server: { url: site.url, name: 'galway' },
    caller: { issuer: 'federation', key: federation.signing },
    clock,
    ids,
    keepsToken: true,
  })
  const first = await client.token()
  await client.call(SITE_API.listDataSets)
  assert.equal(await client.token(), first)
  advance(LIMITS.tokenLifetimeMsMax)
  assert.equal((await client.call(SITE_API.listDataSets)).items.length, 1)
  assert.notEqual(await client.token(), first)
})
