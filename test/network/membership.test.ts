import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { canonicalJson } from '../../src/kernel/canonical-json.ts'
import { formatInstant, later } from '../../src/kernel/clock.ts'
import { signJws } from '../../src/kernel/crypto/jws.ts'
import { generateKeyPair } from '../../src/kernel/crypto/keys.ts'
import { skeletonOf } from '../../src/network/membership/look-alike.ts'
import { followKeyChain, signKeyRotation } from '../../src/protocol/proof/key-chain.ts'
import { TYP } from '../../src/protocol/proof/message-types.ts'
import { NETWORK_API } from '../../src/protocol/http/network-endpoints.ts'
import { publicKeys, testAsk, testOffer, testParty, tokenOf } from '../../src/testing/test-network.ts'
import type { TestParty } from '../../src/testing/test-network.ts'
import { openWorld } from './world.ts'
import type { World } from './world.ts'

let w: World
before(async () => {
  w = await openWorld()
})
after(() => w[Symbol.asyncDispose]())

function withToken(token: string): Promise<Response> {
  return fetch(`${w.network.url}/v1/members`, { headers: { authorization: `Bearer ${token}` } })
}

async function refusedToken(token: string): Promise<string> {
  const response = await withToken(token)
  assert.equal(response.status, 401)
  const problem = (await response.json()) as { detail: string; title: string }
  return problem.detail
}

describe('tokens', () => {
  const facts = () => ({ audience: 'network', now: w.clock.now(), jti: w.network.ids.next('jti') })

  test('are refused with one word: missing, malformed, forged, for another audience, old, early', async () => {
    assert.equal((await w.network.refusal(undefined, NETWORK_API.listMembers)).detail, 'missing')
    assert.equal(await refusedToken('a.b.c'), 'malformed')
    assert.equal(await refusedToken('abc'), 'malformed')
    assert.equal(await refusedToken(tokenOf({ ...testParty('northcare') }, facts())), 'unknown-key')
    assert.equal(await refusedToken(tokenOf({ ...w.northcare, name: 'nobody' }, facts())), 'unknown-key')
    assert.equal(
      await refusedToken(tokenOf(w.northcare, { ...facts(), audience: 'galway' })),
      'wrong-audience',
    )
    assert.equal(
      await refusedToken(tokenOf(w.northcare, { ...facts(), now: later(w.clock.now(), -3_600_000) })),
      'expired',
    )
    assert.equal(
      await refusedToken(tokenOf(w.northcare, { ...facts(), now: later(w.clock.now(), 3_600_000) })),
      'not-yet-valid',
    )
    const good = tokenOf(w.northcare, facts())
    const other = tokenOf(w.northcare, facts())
    assert.equal(
      await refusedToken(good.slice(0, good.lastIndexOf('.')) + other.slice(other.lastIndexOf('.'))),
      'bad-signature',
    )
  })

  test('are used once', async () => {
    const token = tokenOf(w.northcare, facts())
    assert.equal((await withToken(token)).status, 200)
    assert.equal(await refusedToken(token), 'replayed')
  })

  test('live longer than five minutes only to be refused', async () => {
    const issuedAtS = Math.floor(w.clock.now() / 1000)
    const claims = {
      iss: 'northcare',
      sub: 'northcare',
      aud: 'network',
      iat: issuedAtS,
      exp: issuedAtS + 301,
      jti: w.network.ids.next('jti'),
    }
    assert.equal(
      await refusedToken(
        signJws(canonicalJson(claims), { typ: TYP.clientAssertion, key: w.northcare.signing }),
      ),
      'lives-too-long',
    )
  })

  test('are exchanged for an access token that works many times, for five minutes', async () => {
    const body = {
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      assertion: tokenOf(w.northcare, facts()),
    }
    const { access_token } = await w.network.call(undefined, NETWORK_API.token, { body })
    assert.equal((await withToken(access_token)).status, 200)
    assert.equal((await withToken(access_token)).status, 200)
    assert.equal((await w.network.refusal(undefined, NETWORK_API.token, { body })).detail, 'replayed')
    w.clock.advance(5 * 60_000)
    assert.equal(await refusedToken(access_token), 'expired')
  })
})

describe('registration', () => {
  const register = (caller: TestParty, name: string) => ({
    caller,
    input: {
      body: { id: name, name, country: 'IE', roles: ['acquirer'], keys: publicKeys(testParty(name)) },
    },
  })

  test('is for the operator', async () => {
    const { input } = register(w.northcare, 'somebody')
    assert.equal((await w.network.refusal(w.northcare, NETWORK_API.addMember, input)).status, 403)
  })

  test('refuses names that are taken or can be mistaken for another', async () => {
    for (const name of [
      'northcare',
      'n0rthcare',
      'north-care',
      'edgevvorks',
      'ga1way',
      'galway',
      'operator',
      'network',
    ]) {
      const { caller, input } = register(w.network.operator, name)
      assert.equal(
        (await w.network.refusal(caller, NETWORK_API.addMember, input)).code,
        'fault.conflict',
        name,
      )
    }
    assert.equal(skeletonOf('clinic-1'), skeletonOf('dinicl'))
    assert.notEqual(skeletonOf('northcare'), skeletonOf('southcare'))
  })

  test('done again in the same words changes nothing', async () => {
    const party = testParty('insurer')
    const body = {
      id: 'insurer',
      name: 'Insurer',
      country: 'IE',
      roles: ['acquirer'],
      keys: publicKeys(party),
    }
    const first = await w.network.call(w.network.operator, NETWORK_API.addMember, { body })
    assert.deepEqual(await w.network.call(w.network.operator, NETWORK_API.addMember, { body }), first)
    for (const more of [{ country: 'DE' }, { keys: publicKeys(testParty('insurer')) }]) {
      const other = { body: { ...body, ...more } }
      const refused = await w.network.refusal(w.network.operator, NETWORK_API.addMember, other)
      assert.equal(refused.code, 'fault.conflict')
    }
  })

  test('names every field that is wrong', async () => {
    const body = {
      id: 'Ünknown',
      name: '',
      country: 'Ireland',
      roles: [],
      keys: { signing: publicKeys(testParty('x')).sealing },
    }
    const problem = await w.network.refusal(w.network.operator, NETWORK_API.addMember, { body })
    assert.equal(problem.status, 400)
    assert.deepEqual(
      problem.errors?.map(({ field }) => field),
      ['id', 'name', 'country', 'roles', 'keys.signing', 'keys.sealing'],
    )
  })

  test('lists page by name', async () => {
    const first = await w.network.call(w.northcare, NETWORK_API.listMembers, { query: { limit: 2 } })
    const second = await w.network.call(w.northcare, NETWORK_API.listMembers, {
      query: { limit: 200, cursor: first.nextCursor ?? '' },
    })
    const names = [...first.items, ...second.items].map(({ id }) => String(id))
    assert.equal(second.nextCursor, undefined)
    assert.deepEqual(names, names.toSorted())
    assert.ok(names.includes('northcare') && names.includes('edgeworks'))
  })
})

describe('keys', () => {
  test('rotate by a statement signed with the key before; the old key signs no more', async () => {
    const old = await w.network.addMember('rotator', ['acquirer'])
    const next = { ...testParty('rotator') }
    const rotation = signKeyRotation({
      member: 'rotator',
      next: publicKeys(next),
      time: formatInstant(w.clock.now()),
      key: old.signing,
    })
    const params = { id: 'rotator' }
    const forged = signKeyRotation({
      member: 'rotator',
      next: publicKeys(next),
      time: formatInstant(w.clock.now()),
      key: generateKeyPair('Ed25519'),
    })
    assert.equal(
      (await w.network.refusal(old, NETWORK_API.rotateMemberKeys, { params, body: { rotation: forged } }))
        .status,
      400,
    )
    assert.equal(
      (await w.network.refusal(w.northcare, NETWORK_API.rotateMemberKeys, { params, body: { rotation } }))
        .status,
      403,
    )
    const grant = { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer' } as const
    const assertion = tokenOf(old, {
      audience: w.network.name,
      now: w.clock.now(),
      jti: w.network.ids.next('jti'),
    })
    const { access_token } = await w.network.call(undefined, NETWORK_API.token, {
      body: { ...grant, assertion },
    })
    const withToken = () =>
      fetch(`${w.network.url}/v1/members`, { headers: { authorization: `Bearer ${access_token}` } })
    assert.equal((await withToken()).status, 200)
    const record = await w.network.call(old, NETWORK_API.rotateMemberKeys, { params, body: { rotation } })
    assert.deepEqual(record.keys, publicKeys(next))
    assert.equal((await withToken()).status, 401, 'a token that was given for the old key')
    const again = await w.network.call(next, NETWORK_API.rotateMemberKeys, { params, body: { rotation } })
    assert.deepEqual(again, record, 'whoever did not hear the answer')
    const followed = followKeyChain('rotator', record.firstKeys, record.rotations)
    assert.ok(followed.ok && followed.value.signing.x === record.keys.signing.x)
    assert.equal((await w.network.refusal(old, NETWORK_API.listMembers)).detail, 'unknown-key')
    assert.equal((await w.network.call(next, NETWORK_API.member, { params })).rotations.length, 1)
    assert.equal((await w.network.ask(next, testAsk(w.network, next), old)).reason, 'declined.signature')
    assert.equal((await w.network.ask(next, testAsk(w.network, next))).reason, 'declined.funds')
  })
})

test('asks are sent by a processor and by nobody else', async () => {
  const sent = { params: { id: 'northcare' }, body: { processors: ['federation'] } }
  const problem = await w.network.refusal(w.northcare, NETWORK_API.setProcessors, sent)
  assert.match(
    problem.detail ?? '',
    /"federation" is not a member|it is not a member with the role "acquirer-processor"/,
  )
})

test('a site is run by a custodian and by nobody else', async () => {
  const body = {
    id: 'limerick',
    custodian: 'northcare',
    country: 'IE',
    keys: publicKeys(testParty('limerick')),
  }
  const problem = await w.network.refusal(w.network.operator, NETWORK_API.addSite, { body })
  assert.match(problem.detail ?? '', /"northcare" is not a member with the role "custodian"/)
})

describe('suspension', () => {
  test('ends everything a member may do, until it is lifted', async () => {
    const member = await w.network.addMember('troubled', ['acquirer'])
    const set = (status: string) =>
      w.network.call(w.network.operator, NETWORK_API.setMemberStatus, {
        params: { id: 'troubled' },
        body: { status },
      })
    await set('suspended')
    assert.equal((await w.network.refusal(member, NETWORK_API.listMembers)).detail, 'suspended')
    await set('active')
    await w.network.call(member, NETWORK_API.listMembers)
  })

  test('of an issuer, its processor, a custodian or a site closes what is offered with it', async () => {
    const { network, galway, federation } = w
    const clerk = await network.addMember('clerkhouse', ['issuer-processor'])
    const offer = testOffer(galway, { issuer: federation, country: 'IE', issuerProcessor: clerk.name })
    w.clock.advance(1000)
    await network.publish(galway, [offer])
    const buyer = await network.addMember('purchaser', ['acquirer'])
    await network.deposit(buyer, 10_000)
    const asked = async () => (await network.ask(buyer, testAsk(network, buyer))).reason
    const listed = async () =>
      (await network.call(undefined, NETWORK_API.listOffers, { query: { site: 'galway' } })).items.length
    for (const name of ['federation', 'clerkhouse', 'edgeworks', 'galway']) {
      const { setSiteStatus, setMemberStatus } = NETWORK_API
      const set = async (status: string) => {
        const change = { params: { id: name }, body: { status } }
        if (name === 'galway') await network.call(network.operator, setSiteStatus, change)
        else await network.call(network.operator, setMemberStatus, change)
      }
      await set('suspended')
      assert.deepEqual([await asked(), await listed()], ['declined.no_route', 0], name)
      await set('active')
      assert.deepEqual([await asked(), await listed()], [undefined, 1], name)
    }
  })
})

describe('offers', () => {
  test('are open to everybody and filtered', async () => {
    const sites = async (query: Record<string, string>) =>
      (await w.network.call(undefined, NETWORK_API.listOffers, { query })).items.map(({ site }) =>
        String(site),
      )
    assert.deepEqual(await sites({}), ['galway', 'zurich'])
    assert.deepEqual(await sites({ within: 'EEA' }), ['galway'])
    assert.deepEqual(await sites({ within: 'CH' }), ['zurich'])
    assert.deepEqual(await sites({ site: 'zurich' }), ['zurich'])
    assert.deepEqual(await sites({ mode: 'rows' }), [])
    assert.deepEqual(await sites({ dataSet: 'workers' }), [])
    assert.deepEqual(await sites({ purpose: 'dpv:AcademicResearch' }), ['galway', 'zurich'])
  })

  test('replace the list before, and an older list does not', async () => {
    const workers = testOffer(w.galway, { issuer: w.federation, country: 'IE', dataSet: 'workers' })
    const athletes = testOffer(w.galway, { issuer: w.federation, country: 'IE' })
    const before = await w.network.call(undefined, NETWORK_API.siteOffers, { params: { id: 'galway' } })
    w.clock.advance(1000)
    await w.network.publish(w.galway, [workers])
    const names = async () =>
      (await w.network.call(undefined, NETWORK_API.listOffers, { query: { site: 'galway' } })).items.map(
        ({ dataSet }) => String(dataSet),
      )
    assert.deepEqual(await names(), ['workers'])
    const old = await w.network.refusal(w.galway, NETWORK_API.publishOffers, {
      params: { id: 'galway' },
      body: before,
    })
    assert.equal(old.code, 'fault.conflict')
    await w.network.publish(w.galway, [athletes])
    assert.deepEqual(await names(), ['athletes'])
  })

  test('are refused when they are not the site’s own, naming the fields', async () => {
    const wrong = testOffer(w.zurich, { issuer: w.edgeworks, country: 'CH', issuerProcessor: 'federation' })
    const signed = (key: TestParty, list: object = {}) => {
      const payload = canonicalJson({
        site: 'galway',
        offers: [wrong],
        time: formatInstant(w.clock.now()),
        ...list,
      })
      return {
        params: { id: 'galway' },
        body: { offers: signJws(payload, { typ: TYP.offer, key: key.signing }) },
      }
    }
    const problem = await w.network.refusal(w.galway, NETWORK_API.publishOffers, signed(w.galway))
    assert.deepEqual(
      problem.errors?.map(({ field }) => field),
      ['site', 'siteCountry', 'siteKeys', 'issuer', 'issuerProcessor'].map((field) => `offers[0].${field}`),
    )
    const elsewhere = signed(w.galway, { site: 'zurich', offers: [] })
    const refused = await w.network.refusal(w.galway, NETWORK_API.publishOffers, elsewhere)
    assert.deepEqual(
      refused.errors?.map(({ field }) => field),
      ['site'],
    )
    assert.equal((await w.network.refusal(w.galway, NETWORK_API.publishOffers, signed(w.zurich))).status, 400)
    assert.equal((await w.network.refusal(w.zurich, NETWORK_API.publishOffers, signed(w.galway))).status, 403)
  })
})

describe('collusion', () => {
  const declare = (caller: TestParty, id: string, others: readonly string[]) =>
    w.network.call(caller, NETWORK_API.declareCollusion, { params: { id }, body: { with: [...others] } })
  const refusal = (caller: TestParty, id: string, others: readonly string[]) =>
    w.network.refusal(caller, NETWORK_API.declareCollusion, { params: { id }, body: { with: [...others] } })

  test('is declared by the operator, of acquirers that are there', async () => {
    const other = await w.network.addMember('atlas', ['acquirer'])
    assert.equal((await refusal(other, 'atlas', ['northcare'])).status, 403)
    assert.equal((await refusal(w.network.operator, 'nobody', ['northcare'])).status, 404)
    const unknown = await refusal(w.network.operator, 'northcare', ['nobody'])
    assert.equal(unknown.status, 409)
    assert.ok(JSON.stringify(unknown).includes('Cannot name \\"nobody\\"'), JSON.stringify(unknown))
    assert.equal((await refusal(w.network.operator, 'northcare', ['edgeworks'])).status, 409)
  })

  test('joins groups, shows to everybody, and is in what sites pull', async () => {
    for (const name of ['birch', 'cargo', 'delta']) await w.network.addMember(name, ['acquirer'])
    assert.deepEqual((await declare(w.network.operator, 'birch', ['cargo'])).colludesWith, ['cargo'])
    assert.deepEqual((await declare(w.network.operator, 'delta', ['cargo'])).colludesWith, ['birch', 'cargo'])
    const { items } = await w.network.call(w.northcare, NETWORK_API.listMembers, { query: { limit: 200 } })
    const found = Object.fromEntries(items.map(({ id, colludesWith }) => [id, colludesWith]))
    assert.deepEqual([found['birch'], found['northcare']], [['cargo', 'delta'], []])
  })
})
