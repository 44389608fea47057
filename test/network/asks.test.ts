import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { canonicalJson } from '../../src/kernel/canonical-json.ts'
import { formatInstant, later } from '../../src/kernel/clock.ts'
import { signJws } from '../../src/kernel/crypto/jws.ts'
import { LIMITS } from '../../src/kernel/limits.ts'
import { ASK_CHECKS } from '../../src/network/authorisation/checks.ts'
import { NETWORK_API } from '../../src/protocol/http/network-endpoints.ts'
import type { AskState } from '../../src/protocol/http/network-api.ts'
import { TYP } from '../../src/protocol/proof/message-types.ts'
import { REASON_CODES } from '../../src/protocol/reason.ts'
import { verifyReceiptBundle } from '../../src/protocol/proof/verify-receipt.ts'
import { signAsk, testAsk, testOffer, testParty } from '../../src/testing/test-network.ts'
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

/** Sets the most that may be held for the acquirer's asks of one day. */
function limitDay({ network, northcare }: World, amount: number) {
  const body = { daily: [{ amount, currency: 'EUR' }] }
  return network.call(network.operator, NETWORK_API.setLimits, { params: { id: northcare.name }, body })
}

function outcomesOf(states: readonly AskState[]): readonly string[] {
  return states.map(({ reason, status }) => reason ?? status)
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

  test('asks no other site than is named, and none where one that is named is priced otherwise', async () => {
    const w = await withFreshAcquirer(shared)
    const { network, northcare, galway, zurich, federation: issuer } = w
    const swiss = {
      currency: 'CHF',
      perRunMinor: 100,
      per100PeopleMinor: 50,
      minimumFeeMinor: 100,
      capMinor: 1000,
    }
    const of = { galway: { issuer, country: 'IE' }, zurich: { issuer, country: 'CH' } }
    await network.publish(galway, [
      testOffer(galway, of.galway),
      testOffer(galway, { ...of.galway, dataSet: 'games' }),
    ])
    const games = testOffer(zurich, { ...of.zurich, dataSet: 'games', tariff: swiss })
    await network.publish(zurich, [testOffer(zurich, of.zurich), games])
    const sealed = ['galway', 'zurich']
    const asked = async (more: object) => {
      const state = await send(w, { ...testAsk(network, northcare, { sites: sealed }), ...more })
      return [state.reason ?? '', ...state.sites.map(({ site }) => String(site))]
    }
    assert.deepEqual(await asked({ sites: ['zurich'] }), ['', 'zurich'])
    assert.deepEqual(await asked({ offer: 'games' }), ['', 'galway'])
    assert.deepEqual(await asked({ offer: 'games', sites: sealed }), ['declined.limit'])
    const nowhere = { ...testAsk(network, northcare), sites: ['nowhere'] }
    const body = { ask: signAsk(nowhere, northcare) }
    const problem = await network.refusal(northcare, NETWORK_API.ask, { body })
    assert.deepEqual(
      problem.errors?.map(({ field, expected }) => [field, expected]),
      [['ask.sites[0]', 'expected a site of this network: galway, zurich']],
    )
  })

  test('takes nothing for an ask that its acquirer signed as something else', async () => {
    const w = await withFreshAcquirer(shared)
    const text = canonicalJson(testAsk(w.network, w.northcare))
    const ask = signJws(text, { typ: TYP.askBatch, key: w.northcare.signing })
    const state = await w.network.call(w.northcare, NETWORK_API.ask, { body: { ask } })
    assert.equal('reason' in state && state.reason, 'declined.signature')
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
    await limitDay(w, 1000)
    const state = await w.network.call(w.northcare, NETWORK_API.ask, { body: { ask: forged } })
    assert.ok('reason' in state)
    assert.equal(state.reason, 'declined.signature')
    assert.deepEqual(await fundsOf(w), { available: 10_000, held: 0 })
    const work = await w.network.call(w.galway, NETWORK_API.work, {
      params: { id: 'galway' },
      query: { resume: 'true' },
    })
    assert.ok(!work.items.some(({ ask: id }) => id === ask.id))
    assert.equal((await send(w, ask)).status, 'waiting', 'nor does it count towards the limit of the day')
    assert.deepEqual(await fundsOf(w), { available: 9000, held: 1000 })
    assert.ok((await w.network.call(w.network.operator, NETWORK_API.trialBalance)).isBalanced)
  })

  test('keeps the limit of the day', async () => {
    const w = await withFreshAcquirer(shared)
    await limitDay(w, 1500)
    assert.equal((await send(w, testAsk(w.network, w.northcare))).status, 'waiting')
    assert.equal((await send(w, testAsk(w.network, w.northcare))).reason, 'declined.limit')
    w.clock.advance(24 * 3_600_000)
    assert.equal((await send(w, testAsk(w.network, w.northcare))).status, 'waiting')
    assert.equal((await send(w, testAsk(w.network, w.northcare))).reason, 'declined.limit')
    const limitsFor = async (party: TestParty, query = {}) =>
      (await w.network.call(party, NETWORK_API.listLimits, { query })).items.filter(
        ({ member }) => member === w.northcare.name,
      )
    const set = [{ member: w.northcare.name, daily: [{ amountMinor: 1500n, currency: 'EUR' }] }]
    assert.deepEqual(await limitsFor(w.network.operator), set)
    assert.deepEqual(await limitsFor(w.northcare), set)
    assert.deepEqual([await limitsFor(w.federation), await limitsFor(w.galway)], [[], []])
    const of = { query: { member: w.northcare.name } }
    assert.equal((await w.network.refusal(w.federation, NETWORK_API.listLimits, of)).status, 403)
    const none = { params: { id: w.northcare.name }, body: { daily: [] } }
    await w.network.call(w.network.operator, NETWORK_API.setLimits, none)
    assert.deepEqual(await limitsFor(w.northcare), [])
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
    assert.deepEqual(outcomesOf(answers), ['waiting', 'declined.no_route', 'waiting', 'waiting'])
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
    const seen = await w.network.call(processor, NETWORK_API.askState, { params: { id: after.id } })
    assert.equal(seen.acquirer, w.northcare.name, 'who sent it may look')
    const own = await w.network.askBatch(processor, [testAsk(w.network, processor)])
    assert.deepEqual(outcomesOf(own), ['declined.member_unknown'], 'it asks nothing for itself')
  })

  test('of a suspended acquirer is declined whoever sends it, and may be sent again when it is not', async () => {
    const w = await withFreshAcquirer(shared)
    const { network, northcare } = w
    const processor = await network.addMember('postroom', ['acquirer-processor'])
    const params = { id: northcare.name }
    await network.call(northcare, NETWORK_API.setProcessors, { params, body: { processors: ['postroom'] } })
    const set = (status: string) =>
      network.call(network.operator, NETWORK_API.setMemberStatus, { params, body: { status } })
    const asks = [testAsk(network, northcare)]
    await set('suspended')
    assert.deepEqual(outcomesOf(await network.askBatch(processor, asks)), ['declined.member_unknown'])
    await set('active')
    assert.deepEqual(outcomesOf(await network.askBatch(processor, asks)), ['waiting'])
  })

  test('is worth nothing in the hands of another, and no longer than it may be', async () => {
    const w = await withFreshAcquirer(shared)
    const thief = await withFreshAcquirer(shared)
    const { network, northcare } = w
    const signed = (asks: readonly object[]) => ({
      batch: signJws(canonicalJson({ processor: northcare.name, asks }), {
        typ: TYP.askBatch,
        key: northcare.signing,
      }),
    })
    const body = signed([testAsk(network, northcare)])
    const [stolen, sent] = [
      await network.call(thief.northcare, NETWORK_API.ask, { body }),
      await network.call(northcare, NETWORK_API.ask, { body }),
    ]
    assert.deepEqual('answers' in stolen && outcomesOf(stolen.answers), ['declined.signature'])
    assert.deepEqual('answers' in sent && outcomesOf(sent.answers), ['waiting'])
    const long = signed(Array<object>(LIMITS.asksPerBatchMax + 1).fill(testAsk(network, northcare)))
    const problem = await network.refusal(northcare, NETWORK_API.ask, { body: long })
    assert.equal(problem.errors?.[0]?.expected, 'expected at most 500 asks')
  })

  test('holds up to the limit of the day and no more, for that day, and a dry run never', async () => {
    const w = await withFreshAcquirer(shared)
    // Still held at the end: what is freed does not count towards the day.
    const expires = formatInstant(later(w.clock.now(), 20 * 3_600_000))
    const ask = (more: object = {}) => testAsk(w.network, w.northcare, { expires, ...more })
    // One that is declined makes each be decided by itself.
    const batch = async () =>
      outcomesOf(
        await w.network.askBatch(w.northcare, [ask({ mode: 'rows' }), ask(), ask(), ask({ dryRun: true })]),
      )
    await limitDay(w, 1000)
    assert.deepEqual(await batch(), ['declined.no_route', 'waiting', 'declined.limit', 'waiting'])
    assert.deepEqual(await batch(), ['declined.no_route', 'declined.limit', 'declined.limit', 'waiting'])
    // From ten in the morning to one at night.
    w.clock.advance(15 * 3_600_000)
    assert.deepEqual(await batch(), ['declined.no_route', 'waiting', 'declined.limit', 'waiting'])
    const poor = await w.network.addMember('poorhouse', ['acquirer'])
    const asks = [testAsk(w.network, poor), testAsk(w.network, poor, { dryRun: true })]
    assert.deepEqual(outcomesOf(await w.network.askBatch(poor, asks)), ['declined.funds', 'waiting'])
  })

  test('takes what the balance covers, in the order of the batch', async () => {
    const w = await withFreshAcquirer(shared)
    const asks = Array.from({ length: 12 }, () => testAsk(w.network, w.northcare))
    const answers = await w.network.askBatch(w.northcare, asks)
    assert.deepEqual(outcomesOf(answers), [
      ...Array<string>(10).fill('waiting'),
      'declined.funds',
      'declined.funds',
    ])
    assert.deepEqual(await fundsOf(w), { available: 0, held: 10_000 })
  })
})
