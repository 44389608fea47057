import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { canonicalJson } from '../../src/kernel/canonical-json.ts'
import { formatInstant } from '../../src/kernel/clock.ts'
import { signJws } from '../../src/kernel/crypto/jws.ts'
import { NETWORK_API } from '../../src/protocol/http/network-endpoints.ts'
import { TYP } from '../../src/protocol/proof/message-types.ts'
import { testClearing, testDecision } from '../../src/testing/test-decision.ts'
import type { TestDecision } from '../../src/testing/test-decision.ts'
import { signAsk, testAsk } from '../../src/testing/test-network.ts'
import type { TestParty } from '../../src/testing/test-network.ts'
import { fundsOf, openWorld, shareBalancedWorld, withFreshAcquirer } from '../network/world.ts'
import type { World } from '../network/world.ts'

/*
 * Money that moves for nothing, twice, or to somebody else. Sites that lie in what they clear, races for one balance, members that go
 * in the middle of a trade. Measure of success: a balance that is not what was delivered, or books that do not agree.
 */

const world = shareBalancedWorld()

async function sendAsk(w: World, more: Parameters<typeof testAsk>[2] = {}): Promise<string> {
  const state = await w.network.ask(w.northcare, testAsk(w.network, w.northcare, more))
  assert.equal(state.status, 'waiting')
  return state.id
}

const factsOf = (w: World, ask: string, more: Partial<TestDecision> = {}): TestDecision => ({
  ask,
  acquirer: w.northcare.name,
  issuer: w.federation.name,
  ...more,
})

/** What the network says to a message of a site; nothing when it is taken. */
function push(w: World, body: unknown, site: TestParty = w.galway): Promise<unknown> {
  const sent = { params: { id: site.name }, body }
  return w.network.call(site, NETWORK_API.decide, sent as never).then(
    () => undefined,
    (error: unknown) => error,
  )
}

describe('a site that lies', () => {
  const other = `sha-256:${'0'.repeat(64)}`
  const lies: [string, (w: World, ask: string) => Record<string, unknown>][] = [
    [
      'charges for a release that it does not send',
      (w, ask) => ({ ...testDecision(w.network, w.galway, factsOf(w, ask)), release: undefined }),
    ],
    [
      'charges for another release than it sends',
      (w, ask) => testDecision(w.network, w.galway, factsOf(w, ask, { clearing: { releaseDigest: other } })),
    ],
    [
      'charges for a release that its decision does not name',
      (w, ask) => ({
        ...testDecision(w.network, w.galway, factsOf(w, ask, { decision: { releaseDigest: undefined } })),
        release: undefined,
      }),
    ],
    [
      'tells the acquirer one price and the network another',
      (w, ask) =>
        testDecision(
          w.network,
          w.galway,
          factsOf(w, ask, { decision: { price: { amount: 200, currency: 'EUR' } } }),
        ),
    ],
    [
      'tells the acquirer the price in another currency',
      (w, ask) =>
        testDecision(
          w.network,
          w.galway,
          factsOf(w, ask, { decision: { price: { amount: 300, currency: 'CHF' } } }),
        ),
    ],
    [
      'charges less than nothing',
      (w, ask) => testDecision(w.network, w.galway, factsOf(w, ask, { priceMinor: -1 })),
    ],
    [
      'charges more than a number holds',
      (w, ask) => testDecision(w.network, w.galway, factsOf(w, ask, { priceMinor: 2 ** 53 + 2 })),
    ],
    [
      'charges a part of a cent',
      (w, ask) => testDecision(w.network, w.galway, factsOf(w, ask, { priceMinor: 0.5 })),
    ],
  ]
  for (const [what, lie] of lies) {
    test(`that ${what} is not paid`, async () => {
      const w = await withFreshAcquirer(world())
      const ask = await sendAsk(w)
      assert.match(String(await push(w, lie(w, ask))), /Refused with 4/)
      assert.deepEqual(await fundsOf(w), { available: 9_000, held: 1_000 })
      assert.equal(
        await push(
          w,
          testDecision(
            w.network,
            w.galway,
            factsOf(w, ask, { decision: { price: { amount: 300, currency: 'EUR' } } }),
          ),
        ),
        undefined,
      )
      assert.deepEqual(await fundsOf(w), { available: 9_700, held: 0 })
    })
  }

  test('that shows the receipts of another is not heard', async () => {
    const w = await withFreshAcquirer(world())
    const ask = await sendAsk(w)
    const facts = factsOf(w, ask)
    const { receipts } = testDecision(w.network, { ...w.zurich, name: 'galway' }, facts)
    const body = { ...testDecision(w.network, w.galway, facts), receipts }
    const problem = await w.network.refusal(w.galway, NETWORK_API.decide, { params: { id: 'galway' }, body })
    assert.match(problem.detail ?? '', /the receipt is not signed by the site/)
    assert.deepEqual(await fundsOf(w), { available: 9000, held: 1000 })
  })

  test('that clears later is paid for a release that was withdrawn since it was delivered', async () => {
    const w = await withFreshAcquirer(world())
    const ask = await sendAsk(w)
    assert.equal(
      await push(w, testDecision(w.network, w.galway, factsOf(w, ask, { isUncleared: true }))),
      undefined,
    )
    const said = { site: 'galway', asks: [ask], time: formatInstant(w.clock.now()) }
    const order = signJws(canonicalJson(said), { typ: TYP.withdrawal, key: w.galway.signing })
    const params = { id: 'galway' }
    await w.network.call(w.galway, NETWORK_API.withdrawReleases, { params, body: { order, isAtOnce: false } })
    const body = { clearing: testClearing(w.network, w.galway, factsOf(w, ask)) }
    assert.equal(
      (await w.network.call(w.galway, NETWORK_API.clear, { params, body })).captured?.amountMinor,
      300n,
    )
    assert.deepEqual(await fundsOf(w), { available: 9_700, held: 0 })
  })

  test('that clears later is paid for the release that it sent, and for no other', async () => {
    const w = await withFreshAcquirer(world())
    const clear = (ask: string, clearing: object) =>
      w.network.refusal(w.galway, NETWORK_API.clear, {
        params: { id: 'galway' },
        body: { clearing: testClearing(w.network, w.galway, factsOf(w, ask, { clearing })) },
      })
    const sent = await sendAsk(w)
    assert.equal(
      await push(w, testDecision(w.network, w.galway, factsOf(w, sent, { isUncleared: true }))),
      undefined,
    )
    assert.equal((await clear(sent, { releaseDigest: other })).code, 'fault.conflict')
    const kept = await sendAsk(w)
    const withoutRelease = testDecision(w.network, w.galway, factsOf(w, kept, { isUncleared: true }))
    assert.equal(await push(w, { ...withoutRelease, release: undefined }), undefined)
    assert.equal((await clear(kept, {})).code, 'fault.conflict')
    const approvedAt = await sendAsk(w)
    const priced = { price: { amount: 200, currency: 'EUR' } }
    assert.equal(
      await push(
        w,
        testDecision(w.network, w.galway, factsOf(w, approvedAt, { isUncleared: true, decision: priced })),
      ),
      undefined,
    )
    assert.equal((await clear(approvedAt, {})).code, 'fault.conflict')
    assert.deepEqual(await fundsOf(w), { available: 7_000, held: 3_000 })
    await w.network.call(w.galway, NETWORK_API.clear, {
      params: { id: 'galway' },
      body: { clearing: testClearing(w.network, w.galway, factsOf(w, sent)) },
    })
    assert.deepEqual(await fundsOf(w), { available: 7_700, held: 2_000 })
  })
})

describe('races', () => {
  test('asks that come together never hold more than there is', async () => {
    const w = await withFreshAcquirer(world())
    const asks = Array.from({ length: 30 }, () => testAsk(w.network, w.northcare))
    const states = await Promise.all(asks.map((ask) => w.network.ask(w.northcare, ask)))
    const taken = states.filter(({ status }) => status === 'waiting')
    assert.equal(taken.length, 10)
    assert.ok(states.every(({ status, reason }) => status === 'waiting' || reason === 'declined.funds'))
    assert.deepEqual(await fundsOf(w), { available: 0, held: 10_000 })
  })

  test('a batch and asks of their own never hold more than there is', async () => {
    const w = await withFreshAcquirer(world())
    const asks = (count: number) => Array.from({ length: count }, () => testAsk(w.network, w.northcare))
    const [batch, ...alone] = await Promise.all([
      w.network.askBatch(w.northcare, asks(8)),
      ...asks(8).map((ask) => w.network.ask(w.northcare, ask)),
    ])
    assert.equal([...batch, ...alone].filter(({ status }) => status === 'waiting').length, 10)
    assert.deepEqual(await fundsOf(w), { available: 0, held: 10_000 })
  })

  test('one answer that is sent many times at once is captured once, and two different ones are not both taken', async () => {
    const w = await withFreshAcquirer(world())
    const ask = await sendAsk(w)
    const body = testDecision(w.network, w.galway, factsOf(w, ask))
    const another = testDecision(w.network, w.galway, factsOf(w, ask, { priceMinor: 400 }))
    const codes = await Promise.all([body, another, body, another, body].map((message) => push(w, message)))
    const taken = codes.filter((code) => code === undefined).length
    assert.ok(taken === 2 || taken === 3, String(codes))
    const { available, held } = await fundsOf(w)
    assert.equal(held, 0)
    assert.ok(available === 9_700 || available === 9_600)
  })

  test('an answer and the end of its ask never both have the hold', async () => {
    const w = await withFreshAcquirer(world())
    const ask = await sendAsk(w)
    w.clock.advance(25 * 60 * 60_000)
    const codes = await Promise.all([
      push(w, testDecision(w.network, w.galway, factsOf(w, ask))),
      ...Array.from({ length: 3 }, () => push(w, testDecision(w.network, w.galway, factsOf(w, ask)))),
    ])
    const state = () => w.network.call(w.northcare, NETWORK_API.askState, { params: { id: ask } })
    while ((await state()).status === 'waiting') await new Promise((resolve) => setImmediate(resolve))
    const isPaid = codes.some((code) => code === undefined)
    assert.deepEqual(await fundsOf(w), { available: isPaid ? 9_700 : 10_000, held: 0 })
  })
})

describe('replays', () => {
  test('an ask under another id or key, or with another body under its own, is not the same again', async () => {
    const w = await withFreshAcquirer(world())
    const ask = testAsk(w.network, w.northcare)
    const first = await w.network.ask(w.northcare, ask)
    assert.deepEqual((await w.network.ask(w.northcare, ask)).id, first.id)
    const again = [
      { ...ask, id: w.network.ids.next('ask') },
      { ...ask, maxPrice: { amount: 999, currency: 'EUR' } },
      { ...ask, idempotencyKey: 'another-key-2' },
    ]
    for (const changed of again)
      assert.equal((await w.network.ask(w.northcare, changed as typeof ask)).reason, 'declined.replayed')
    assert.deepEqual(await fundsOf(w), { available: 9_000, held: 1_000 })
  })

  test('an ask of somebody else, sent by whoever saw it, is theirs to send and costs nobody anything', async () => {
    const w = await withFreshAcquirer(world())
    const thief = await withFreshAcquirer(world())
    const ask = testAsk(w.network, w.northcare)
    const body = { ask: signAsk(ask, w.northcare) }
    const answer = await w.network.call(thief.northcare, NETWORK_API.ask, { body })
    assert.ok(!('answers' in answer))
    assert.equal(answer.reason, 'declined.signature')
    // Nor has the thief taken the id or the key.
    assert.equal((await w.network.ask(w.northcare, ask)).status, 'waiting')
    assert.deepEqual(await fundsOf(thief), { available: 10_000, held: 0 })
  })
})

describe('names', () => {
  test('nobody can be named as the accounts of the network are, or so that it looks like them', async () => {
    await using w = await openWorld({ settings: { name: 'nordic' } })
    for (const name of ['network', 'netw0rk', 'net-work', 'operator', 'nordic', 'nord1c']) {
      await assert.rejects(w.network.addMember(name, ['issuer', 'acquirer']), /Refused with 409/, name)
      const site = w.network.addSite(name, { custodian: w.edgeworks, country: 'IE' })
      await assert.rejects(site, /Refused with 409/, name)
    }
  })
})

describe('members that go in the middle of a trade', () => {
  const suspend = (w: World, party: TestParty, status: 'active' | 'suspended' = 'suspended') =>
    w.network.call(w.network.operator, NETWORK_API.setMemberStatus, {
      params: { id: party.name },
      body: { status },
    })

  test('a suspended acquirer asks nothing more, and what was delivered to it is still paid', async () => {
    const w = await withFreshAcquirer(world())
    const ask = await sendAsk(w)
    await suspend(w, w.northcare)
    const body = { ask: signAsk(testAsk(w.network, w.northcare), w.northcare) }
    assert.equal((await w.network.refusal(w.northcare, NETWORK_API.ask, { body })).status, 401)
    assert.equal(await push(w, testDecision(w.network, w.galway, factsOf(w, ask))), undefined)
    await suspend(w, w.northcare, 'active')
    assert.deepEqual(await fundsOf(w), { available: 9_700, held: 0 })
  })

  test('a suspended site is paid for nothing, and what was held for it is freed', async () => {
    await using w = await openWorld()
    const ask = await sendAsk(w, { sites: ['galway'] })
    await w.network.call(w.network.operator, NETWORK_API.setSiteStatus, {
      params: { id: 'galway' },
      body: { status: 'suspended' },
    })
    assert.ok((await push(w, testDecision(w.network, w.galway, factsOf(w, ask)))) !== undefined)
    const another = await w.network.ask(w.northcare, testAsk(w.network, w.northcare, { sites: ['galway'] }))
    assert.equal(another.reason, 'declined.no_route')
    w.clock.advance(25 * 60 * 60_000)
    const state = () => w.network.call(w.northcare, NETWORK_API.askState, { params: { id: ask } })
    while ((await state()).status === 'waiting') await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual(await fundsOf(w), { available: 10_000, held: 0 })
  })
})
