import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { canonicalJson } from '../../src/kernel/canonical-json.ts'
import { formatInstant, later } from '../../src/kernel/clock.ts'
import { signJws } from '../../src/kernel/crypto/jws.ts'
import { digestOf } from '../../src/kernel/digest.ts'
import type { Endpoint } from '../../src/kernel/http/endpoint.ts'
import { LIMITS } from '../../src/kernel/limits.ts'
import { NETWORK_API } from '../../src/protocol/http/network-endpoints.ts'
import { SITE_API } from '../../src/protocol/http/site-api.ts'
import { TYP } from '../../src/protocol/proof/message-types.ts'
import { signAcceptance } from '../../src/protocol/terms-of-use.ts'
import { memberIdSchema } from '../../src/protocol/wire.ts'
import { testOffer, tokenOf } from '../../src/testing/test-network.ts'
import type { TestInput, TestParty } from '../../src/testing/test-network.ts'
import { fundsOf, openWorld } from '../network/world.ts'
import type { World } from '../network/world.ts'
import { DOCUMENT, aFamily } from '../site/principals/a-family.ts'

/*
 * What was signed once and is sent again: by whoever read it on its way, or by the one who signed it and would like it to count anew.
 * Measure of success: it does something a second time, or undoes what came after it.
 */

const DAY_MS = 86_400_000
let w: World
before(async () => {
  w = await openWorld()
})
after(() => w[Symbol.asyncDispose]())

/** A request as it stood on the line: it can be sent again, and again. */
function recorded(
  party: TestParty,
  endpoint: Pick<Endpoint, 'method' | 'path'>,
  { params = {}, body, headers = {}, audience = w.network.name }: TestInput & { audience?: string },
): () => Promise<number> {
  const token = tokenOf(party, { audience, now: w.clock.now(), jti: w.network.ids.next('jti') })
  const path = endpoint.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => params[name] ?? '')
  return async () => {
    const response = await fetch(`${w.network.url}${path}`, {
      method: endpoint.method.toUpperCase(),
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, ...headers },
      body: JSON.stringify(body),
    })
    await response.body?.cancel()
    return response.status
  }
}

const OF_NORTHCARE = { id: 'northcare' }
const acts = () => ({
  suspend: { endpoint: NETWORK_API.setMemberStatus, params: OF_NORTHCARE, body: { status: 'suspended' } },
  resume: { endpoint: NETWORK_API.setMemberStatus, params: OF_NORTHCARE, body: { status: 'active' } },
  suspendSite: {
    endpoint: NETWORK_API.setSiteStatus,
    params: { id: 'zurich' },
    body: { status: 'suspended' },
  },
  limit: {
    endpoint: NETWORK_API.setLimits,
    params: OF_NORTHCARE,
    body: { daily: [{ amount: 1, currency: 'EUR' }] },
  },
  collude: { endpoint: NETWORK_API.declareCollusion, params: OF_NORTHCARE, body: { with: ['rival'] } },
  terms: { endpoint: NETWORK_API.publishTerms, params: {}, body: { text: 'Planted.' } },
  floor: {
    endpoint: NETWORK_API.giveFloorLimit,
    params: { id: 'galway' },
    body: {
      acquirer: 'northcare',
      amount: { amount: 100, currency: 'EUR' },
      validUntil: formatInstant(later(w.clock.now(), DAY_MS)),
    },
  },
  deposit: {
    endpoint: NETWORK_API.transfer,
    params: {},
    body: { kind: 'deposit', member: 'northcare', amount: { amount: 100, currency: 'EUR' } },
  },
})

/** What the operator's acts change: who is there and how, what is held, which terms there are. */
async function standing() {
  const { operator } = w.network
  return {
    members: (await w.network.call(operator, NETWORK_API.listMembers, { query: { limit: 200 } })).items,
    sites: (await w.network.call(operator, NETWORK_API.listSites, { query: { limit: 200 } })).items,
    terms: (await w.network.call(undefined, NETWORK_API.terms)).items,
    funds: await fundsOf(w),
  }
}

test('what the operator sent is taken once, at this network and soon: again, later, elsewhere or under another key it does nothing', async () => {
  await w.network.addMember('rival', ['acquirer'])
  const before = await standing()
  const { operator } = w.network
  for (const [name, { endpoint, ...input }] of Object.entries(acts())) {
    const headers = { 'idempotency-key': `key-of-${name}` }
    const elsewhere = recorded(operator, endpoint, { ...input, headers, audience: 'elsewhere' })
    assert.equal(await elsewhere(), 401, `${name} of another network`)
    const late = recorded(operator, endpoint, { ...input, headers })
    w.clock.advance(10 * 60_000)
    assert.equal(await late(), 401, `${name} ten minutes later`)
  }
  assert.deepEqual(await standing(), before)

  // Sent and then undone: the same request again does not bring it back, whatever key of a request it is given.
  const suspend = recorded(operator, NETWORK_API.setMemberStatus, acts().suspend)
  const resume = recorded(operator, NETWORK_API.setMemberStatus, acts().resume)
  assert.equal(await suspend(), 200)
  assert.equal(await resume(), 200)
  assert.equal(await suspend(), 401)
  const free = { params: OF_NORTHCARE, body: { daily: [] } }
  const limit = recorded(operator, NETWORK_API.setLimits, acts().limit)
  assert.deepEqual([await limit(), await recorded(operator, NETWORK_API.setLimits, free)()], [200, 200])
  assert.equal(await limit(), 401)
  assert.deepEqual(await standing(), before)
})

test('money is held and paid in once under one Idempotency-Key, also long after, and never for something else', async () => {
  const { operator } = w.network
  const headers = { 'idempotency-key': 'once-and-for-all' }
  const inAWeek = formatInstant(later(w.clock.now(), 7 * DAY_MS))
  const { floor, deposit } = acts()
  const body = { ...floor.body, validUntil: inAWeek }
  const before = await fundsOf(w)
  const given = await w.network.call(operator, NETWORK_API.giveFloorLimit, { ...floor, body, headers })
  await w.network.call(operator, NETWORK_API.transfer, { ...deposit, headers })
  const once = await fundsOf(w)
  assert.deepEqual(once, { available: before.available, held: (before.held ?? 0) + 100 })
  for (const waited of [0, LIMITS.idempotencyWindowMs + 1_000]) {
    w.clock.advance(waited)
    const again = await w.network.call(operator, NETWORK_API.giveFloorLimit, { ...floor, body, headers })
    assert.equal(again.id, given.id)
    await w.network.call(operator, NETWORK_API.transfer, { ...deposit, headers })
    assert.deepEqual(await fundsOf(w), once, `${waited} ms later`)
    for (const [endpoint, input] of [
      [NETWORK_API.giveFloorLimit, { ...floor, body: { ...body, amount: { amount: 200, currency: 'EUR' } } }],
      [NETWORK_API.giveFloorLimit, { ...floor, params: { id: 'zurich' }, body }],
      [NETWORK_API.transfer, { ...deposit, body: { ...deposit.body, member: 'rival' } }],
    ] as const)
      assert.equal((await w.network.refusal(operator, endpoint, { ...input, headers })).status, 409)
  }
  const closing = { params: { id: 'galway', limit: given.id } }
  await w.network.call(w.galway, NETWORK_API.closeFloorLimit, closing)
  const closed = await fundsOf(w)
  await w.network.call(operator, NETWORK_API.giveFloorLimit, { ...floor, body, headers })
  assert.deepEqual(await fundsOf(w), closed, 'what was closed is not held again')
})

test('an older list of offers comes back under no key and no name, and the same one again changes nothing', async () => {
  const { galway, zurich, federation } = w
  const listOf = (dataSet: string) => {
    const offers = [testOffer(galway, { issuer: federation, country: 'IE', dataSet })]
    const list = { site: 'galway', offers, time: formatInstant(w.clock.now()) }
    return { offers: signJws(canonicalJson(list), { typ: TYP.offer, key: galway.signing }) }
  }
  const publish = (body: object, key: string) => ({
    params: { id: 'galway' },
    body,
    headers: { 'idempotency-key': key },
  })
  const names = async () =>
    (await w.network.call(undefined, NETWORK_API.listOffers, { query: { site: 'galway' } })).items.map(
      ({ dataSet }) => String(dataSet),
    )
  const older = listOf('before')
  await w.network.call(galway, NETWORK_API.publishOffers, publish(older, 'list-1'))
  w.clock.advance(1)
  const newer = listOf('after')
  for (const key of ['list-2', 'list-2', 'list-3'])
    await w.network.call(galway, NETWORK_API.publishOffers, publish(newer, key))
  for (const waited of [0, LIMITS.idempotencyWindowMs + 1_000]) {
    w.clock.advance(waited)
    for (const key of ['list-1', 'list-4']) {
      const refused = await w.network.refusal(galway, NETWORK_API.publishOffers, publish(older, key))
      assert.equal(refused.code, 'fault.conflict', `${key} ${waited} ms later`)
    }
  }
  const asZurich = { ...publish(newer, 'list-5'), params: { id: 'zurich' } }
  assert.equal((await w.network.refusal(zurich, NETWORK_API.publishOffers, asZurich)).status, 400)
  assert.equal(
    (await w.network.refusal(zurich, NETWORK_API.publishOffers, publish(newer, 'list-6'))).status,
    403,
  )
  assert.deepEqual(await names(), ['after'])
})

test('terms are accepted once they are known: a statement from before a text came back is of the text of then', async () => {
  const { operator } = w.network
  const publish = (text: string) => w.network.call(operator, NETWORK_API.publishTerms, { body: { text } })
  const stated = (text: string, time = w.clock.now()) =>
    signAcceptance(
      {
        member: memberIdSchema.parse('northcare'),
        network: w.network.name,
        terms: digestOf(text),
        time: formatInstant(time),
      },
      w.northcare.signing,
    )
  const input = (statement: string) => ({ params: OF_NORTHCARE, body: { statement } })
  const accept = (statement: string) => w.network.call(w.northcare, NETWORK_API.acceptTerms, input(statement))
  const newest = async () => {
    const { items } = await w.network.call(w.northcare, NETWORK_API.acceptances)
    return items.map(({ version }) => version)
  }
  assert.equal((await publish('Be kind.')).version, 1)
  const first = stated('Be kind.')
  const ahead = stated('Be kind.', later(w.clock.now(), 30 * DAY_MS))
  assert.equal((await w.network.refusal(w.northcare, NETWORK_API.acceptTerms, input(ahead))).status, 400)
  assert.equal((await accept(first)).version, 1)
  w.clock.advance(DAY_MS)
  await publish('Be brief.')
  const second = stated('Be brief.')
  await accept(second)
  assert.equal((await accept(first)).version, 1, 'older after newer')
  assert.deepEqual(await newest(), [2, 1])
  w.clock.advance(DAY_MS)
  assert.equal((await publish('Be kind.')).version, 3)
  for (const statement of [first, second, first]) await accept(statement)
  assert.deepEqual(await newest(), [2, 1], 'what was said of version 1 is not said of version 3')
  assert.equal((await accept(stated('Be kind.'))).version, 3)
  assert.deepEqual(await newest(), [3, 2, 1])
})

test('a guardianship and evidence of age that ended are not brought back by what made them, in any order', async () => {
  await using family = await aFamily()
  const { client } = family.issuer
  const made = (idempotencyKey: string) =>
    client.call(SITE_API.establishGuardianship, {
      params: { ref: 'p-1' },
      body: { guardian: 'parent-1', authority: 'sole', document: DOCUMENT },
      idempotencyKey,
    })
  const parent = await family.as('parent-1')
  const wards = async () =>
    (await parent.guardians.wards()).filter(({ state }) => state === 'in_force').length
  const first = await made('guardian-1')
  assert.equal((await made('guardian-1')).guardianship, first.guardianship)
  await assert.rejects(made('guardian-2'), { status: 409 })
  assert.equal(await wards(), 1)
  await family.issuer.guardians.end(first.guardianship)
  await made('guardian-1')
  assert.equal(await wards(), 0, 'the answer of then is given again, and no power')
  await assert.rejects(parent.records('p-1').uses(1), { status: 404 })
  const second = await made('guardian-3')
  await family.issuer.guardians.end(first.guardianship)
  assert.equal(await wards(), 1, 'the end of the first is none of the second')
  await family.issuer.guardians.end(second.guardianship)
  await made('guardian-3')
  assert.equal(await wards(), 0)

  const told = () =>
    client.call(SITE_API.giveAgeEvidence, {
      params: { ref: 'p-30' },
      body: { below: 16, document: DOCUMENT },
      idempotencyKey: 'age-told-1',
    })
  const evidence = async () =>
    (await family.issuer.principal('p-30', 'to look').view()).flatMap((view) => view.evidence)
  await told()
  await told()
  const [only, ...more] = await evidence()
  assert.ok(only)
  assert.deepEqual(more, [])
  await family.issuer.principal('p-30').endEvidence(only.evidence)
  await told()
  const moved = (country: string, idempotencyKey: string) =>
    client.call(SITE_API.tellMove, { params: { ref: 'p-30' }, body: { country }, idempotencyKey })
  const laws = async () =>
    (await family.issuer.principal('p-30', 'to look').view()).flatMap(({ laws: all }) =>
      all.map(({ country }) => country),
    )
  for (const [country, key] of [
    ['FR', 'move-one'],
    ['DE', 'move-two'],
    ['FR', 'move-one'],
  ] as const)
    await moved(country, key)
  assert.deepEqual((await laws()).includes('FR'), false, 'the older move is not made again')
  assert.deepEqual(
    (await evidence()).map(({ endedAt }) => endedAt !== undefined),
    [true],
  )
})
