import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { formatInstant, later } from '../../src/kernel/clock.ts'
import { ASK_CHECKS } from '../../src/network/authorisation/checks.ts'
import { NETWORK_API } from '../../src/protocol/http/network-endpoints.ts'
import { REASON_CODES } from '../../src/protocol/reason.ts'
import { verifyReceiptBundle } from '../../src/protocol/proof/verify-receipt.ts'
import { signAsk, testAsk, testParty } from '../../src/testing/test-network.ts'
import type { TestParty } from '../../src/testing/test-network.ts'
import { fundsOf, openWorld, withFreshAcquirer } from './world.ts'
import type { World } from './world.ts'

let shared: World
before(async () => {
  shared = await openWorld()
})
after(() => shared[Symbol.asyncDispose]())

function send({ network, northcare }: World, ask: object, signer?: TestParty) {
  return network.ask(northcare, ask, signer)
}

describe('the table of checks', () => {
  test('stands in the order of the catalogue of reasons', () => {
    const places = ASK_CHECKS.map(({ declines }) => REASON_CODES.indexOf(declines))
    assert.deepEqual(
      places,
      places.toSorted((a, b) => a - b),
    )
  })
})

describe('POST /v1/asks', () => {
  test('holds the highest price and routes to the sites that offer it', async () => {
    const w = await withFreshAcquirer(shared)
    const body = await send(w, testAsk(w.network, w.northcare, { sites: ['galway', 'zurich'] }))
    assert.equal(body.status, 'waiting')
    assert.deepEqual(body.hold, { amountMinor: 2000n, currency: 'EUR' })
    assert.deepEqual(
      body.sites.map(({ site, priceLimit }) => [site, priceLimit.amountMinor]),
      [
        ['galway', 1000n],
        ['zurich', 1000n],
      ],
    )
    assert.deepEqual(await fundsOf(w), { available: 8000, held: 2000 })
  })

  test('shares a lower most price between minimum fee and cap', async () => {
    const w = await withFreshAcquirer(shared)
    const ask = testAsk(w.network, w.northcare, {
      sites: ['galway', 'zurich'],
      maxPrice: { amount: 501, currency: 'EUR' },
    })
    const body = await send(w, ask)
    assert.deepEqual(
      body.sites.map(({ priceLimit }) => priceLimit.amountMinor),
      [251n, 250n],
    )
  })

  test('asks only sites in the places that are named, and to which the question is sealed', async () => {
    const w = await withFreshAcquirer(shared)
    const inEea = await send(
      w,
      testAsk(w.network, w.northcare, { sites: ['galway', 'zurich'], within: ['EEA'] }),
    )
    assert.deepEqual(
      inEea.sites.map(({ site }) => site),
      ['galway'],
    )
    const sealedToZurich = await send(w, testAsk(w.network, w.northcare, { sites: ['zurich'] }))
    assert.deepEqual(
      sealedToZurich.sites.map(({ site }) => site),
      ['zurich'],
    )
  })

  test('gives the same answer to the same ask, and holds once', async () => {
    const w = await withFreshAcquirer(shared)
    const ask = testAsk(w.network, w.northcare)
    const first = await send(w, ask)
    const second = await send(w, ask)
    assert.deepEqual(second, first)
    assert.deepEqual(await fundsOf(w), { available: 9000, held: 1000 })
  })

  test('holds nothing for a dry run', async () => {
    const w = await withFreshAcquirer(shared)
    const body = await send(w, testAsk(w.network, w.northcare, { dryRun: true }))
    assert.equal(body.status, 'waiting')
    assert.equal(body.hold, undefined)
    assert.deepEqual(await fundsOf(w), { available: 10_000, held: 0 })
  })

  test('declines as a value, with a receipt that verifies', async () => {
    const w = await withFreshAcquirer(shared)
    const { network, northcare, clock } = w
    const known = testAsk(network, northcare)
    await send(w, known)
    const cases: [string, object, TestParty?][] = [
      ['declined.member_unknown', testAsk(network, { ...northcare, name: 'nobody' })],
      ['declined.signature', testAsk(network, northcare), testParty('mallory')],
      ['declined.replayed', { ...known, purpose: 'dpv:Marketing' }],
      [
        'declined.replayed',
        { ...testAsk(network, northcare), idempotencyKey: Reflect.get(known, 'idempotencyKey') },
      ],
      ['declined.expired', testAsk(network, northcare, { expires: formatInstant(clock.now()) })],
      [
        'declined.expired',
        testAsk(network, northcare, { expires: formatInstant(later(clock.now(), 48 * 3_600_000)) }),
      ],
      ['declined.limit', testAsk(network, northcare, { maxPrice: { amount: 99, currency: 'EUR' } })],
      ['declined.limit', testAsk(network, northcare, { maxPrice: { amount: 9900, currency: 'CHF' } })],
      ['declined.no_route', testAsk(network, northcare, { mode: 'rows' })],
      ['declined.no_route', testAsk(network, northcare, { offer: 'nothing' })],
      ['declined.no_route', testAsk(network, northcare, { within: ['CH'] })],
    ]
    const info = await network.call(undefined, NETWORK_API.network)
    for (const [reason, ask, signer] of cases) {
      const body = await send(w, ask, signer)
      assert.deepEqual([body.status, body.reason], ['declined', reason])
      assert.ok(body.receipt)
      const verified = verifyReceiptBundle(body.receipt, { keysOf: () => [info.signing] })
      assert.ok(verified.ok, JSON.stringify(verified))
      assert.deepEqual([verified.value.receipt.kind, verified.value.receipt.reason], ['decline', reason])
    }
    assert.deepEqual(await fundsOf(w), { available: 9000, held: 1000 })
  })

  test('declines for funds on one side of the balance and not on the other', async () => {
    const w = await withFreshAcquirer(shared)
    for (let count = 0; count < 10; count += 1) {
      assert.equal((await send(w, testAsk(w.network, w.northcare))).status, 'waiting')
    }
    const over = testAsk(w.network, w.northcare)
    const declined = await send(w, over)
    assert.equal(declined.reason, 'declined.funds')
    assert.deepEqual(await send(w, over), declined)
    await w.network.deposit(w.northcare, 1000)
    assert.equal((await send(w, testAsk(w.network, w.northcare))).status, 'waiting')
    assert.deepEqual(await send(w, over), declined)
  })

  test('leaves the id and key of an ask free when somebody else used them with a bad signature', async () => {
    const w = await withFreshAcquirer(shared)
    const ask = testAsk(w.network, w.northcare)
    assert.equal((await send(w, ask, testParty('mallory'))).reason, 'declined.signature')
    assert.equal((await send(w, ask)).status, 'waiting')
  })

  test('takes back what was booked while its signature was still being verified', async () => {
    const w = await withFreshAcquirer(shared)
    const [ask, other] = [testAsk(w.network, w.northcare), testAsk(w.network, w.northcare)]
    const [jws, otherJws] = [signAsk(ask, w.northcare), signAsk(other, w.northcare)]
    const forged = jws.slice(0, jws.lastIndexOf('.')) + otherJws.slice(otherJws.lastIndexOf('.'))
    const state = await w.network.call(w.northcare, NETWORK_API.ask, { body: { ask: forged } })
    assert.ok('reason' in state)
    assert.equal(state.reason, 'declined.signature')
    assert.deepEqual(await fundsOf(w), { available: 10_000, held: 0 })
    const work = await w.network.call(w.galway, NETWORK_API.work, {
      params: { id: 'galway' },
      query: { resume: 'true' },
    })
    assert.ok(!work.items.some(({ ask: id }) => id === ask.id))
    assert.equal((await send(w, ask)).status, 'waiting')
    assert.deepEqual(await fundsOf(w), { available: 9000, held: 1000 })
    assert.ok((await w.network.call(w.network.operator, NETWORK_API.trialBalance)).isBalanced)
  })

  test('keeps the limit of the day', async () => {
    const w = await withFreshAcquirer(shared)
    const body = { daily: [{ amount: 1500, currency: 'EUR' }] }
    await w.network.call(w.network.operator, NETWORK_API.setLimits, {
      params: { id: w.northcare.name },
      body,
    })
    assert.equal((await send(w, testAsk(w.network, w.northcare))).status, 'waiting')
    assert.equal((await send(w, testAsk(w.network, w.northcare))).reason, 'declined.limit')
    w.clock.advance(24 * 3_600_000)
    assert.equal((await send(w, testAsk(w.network, w.northcare))).status, 'waiting')
  })

  test('names each field that is wrong', async () => {
    const w = await withFreshAcquirer(shared)
    const wrong = testAsk(w.network, w.northcare, { maxPrice: { amount: 1.5, currency: 'QQQ' }, mode: 'all' })
    const body = { ask: signAsk(wrong, w.northcare) }
    const problem = await w.network.refusal(w.northcare, NETWORK_API.ask, { body })
    assert.equal(problem.status, 400)
    assert.deepEqual(
      problem.errors?.map(({ field }) => field),
      ['ask.mode', 'ask.maxPrice.amount', 'ask.maxPrice.currency'],
    )
  })
})

describe('a signed batch', () => {
  test('gives each ask its own answer, as if it had been sent alone', async () => {
    const w = await withFreshAcquirer(shared)
    const first = testAsk(w.network, w.northcare)
    const asks = [
      first,
      testAsk(w.network, w.northcare, { mode: 'rows' }),
      testAsk(w.network, w.northcare),
      first,
    ]
    const answers = await w.network.askBatch(w.northcare, asks)
    assert.deepEqual(
      answers.map(({ reason, status }) => reason ?? status),
      ['waiting', 'declined.no_route', 'waiting', 'waiting'],
    )
    assert.deepEqual(await fundsOf(w), { available: 8000, held: 2000 })
  })

  test('counts for an acquirer only when it named the processor', async () => {
    const w = await withFreshAcquirer(shared)
    const processor = await w.network.addMember('askhouse', ['acquirer-processor'])
    const [before] = await w.network.askBatch(processor, [testAsk(w.network, w.northcare)])
    assert.equal(before?.reason, 'declined.signature')
    const params = { id: w.northcare.name }
    await w.network.call(w.northcare, NETWORK_API.setProcessors, {
      params,
      body: { processors: ['askhouse'] },
    })
    const [after] = await w.network.askBatch(processor, [testAsk(w.network, w.northcare)])
    assert.equal(after?.status, 'waiting')
  })

  test('takes what the balance covers, in the order of the batch', async () => {
    const w = await withFreshAcquirer(shared)
    const asks = Array.from({ length: 12 }, () => testAsk(w.network, w.northcare))
    const answers = await w.network.askBatch(w.northcare, asks)
    const outcomes = answers.map(({ reason, status }) => String(reason ?? status))
    assert.deepEqual(outcomes, [...Array<string>(10).fill('waiting'), 'declined.funds', 'declined.funds'])
    assert.deepEqual(await fundsOf(w), { available: 0, held: 10_000 })
  })
})
