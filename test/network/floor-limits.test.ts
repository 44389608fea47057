import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { formatInstant, later } from '../../src/kernel/clock.ts'
import type { DecisionMessage } from '../../src/protocol/decision.ts'
import { NETWORK_API } from '../../src/protocol/http/network-endpoints.ts'
import { testDecision } from '../../src/testing/test-decision.ts'
import type { TestDecision } from '../../src/testing/test-decision.ts'
import { signAsk, testAsk } from '../../src/testing/test-network.ts'
import type { TestParty } from '../../src/testing/test-network.ts'
import { fundsOf, shareBalancedWorld, withFreshAcquirer } from './world.ts'
import type { World } from './world.ts'

/* What the network makes of floor limits, whatever a site says that it booked on them. Sites themselves: test/site/floor. */

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

const world = shareBalancedWorld()

const eur = (amount: number) => ({ amount, currency: 'EUR' })
const inMs = ({ clock }: World, ms: number) => formatInstant(later(clock.now(), ms))

/** A request for a limit of 10.00 EUR for an hour. */
function wanted(w: World, more: object = {}, key: string = w.network.ids.next('key')) {
  const body = { acquirer: w.northcare.name, amount: eur(1_000), validUntil: inMs(w, HOUR_MS), ...more }
  return { params: { id: 'galway' }, body, headers: { 'idempotency-key': key } }
}

function give(w: World, more: object = {}, key?: string) {
  return w.network.call(w.network.operator, NETWORK_API.giveFloorLimit, wanted(w, more, key))
}

describe('a floor limit', () => {
  test('is for an active acquirer, of more than nothing, and for a time', async () => {
    const w = await withFreshAcquirer(world())
    const wrong: readonly [string, object, string][] = [
      ['no acquirer', { acquirer: 'federation' }, 'is not an active member with the role'],
      ['nobody', { acquirer: 'nobody' }, 'is not an active member with the role'],
      ['nothing', { amount: eur(0) }, 'amount'],
      ['over in three minutes', { validUntil: inMs(w, 180_000) }, 'validUntil'],
      ['for more than 31 days', { validUntil: inMs(w, 31 * DAY_MS + 1) }, 'validUntil'],
      ['cleared before it ends', { clearUntil: inMs(w, HOUR_MS) }, 'clearUntil'],
      ['cleared after 90 days', { clearUntil: inMs(w, HOUR_MS + 90 * DAY_MS + 1) }, 'clearUntil'],
      ['more than there is', { amount: eur(10_001) }, 'has less than that'],
      ['another currency', { amount: { amount: 1, currency: 'CHF' } }, 'has less than that'],
    ]
    for (const [what, more, says] of wrong) {
      const refused = await w.network.refusal(w.network.operator, NETWORK_API.giveFloorLimit, wanted(w, more))
      assert.ok(JSON.stringify(refused).includes(says), `${what}: ${JSON.stringify(refused)}`)
    }
    const params = { id: w.northcare.name }
    const set = (status: string) =>
      w.network.call(w.network.operator, NETWORK_API.setMemberStatus, { params, body: { status } })
    await set('suspended')
    await assert.rejects(give(w), /is not an active member with the role/)
    await set('active')
    assert.deepEqual(await fundsOf(w), { available: 10_000, held: 0 })
    const most = { amount: eur(10_000), validUntil: inMs(w, 31 * DAY_MS), clearUntil: inMs(w, 121 * DAY_MS) }
    assert.equal((await give(w, most)).state, 'open')
    assert.deepEqual(await fundsOf(w), { available: 0, held: 10_000 })
  })

  test('is given once for a key, also when the answer is long forgotten, and no other by that key', async () => {
    const w = await withFreshAcquirer(world())
    const facts = { validUntil: inMs(w, 20 * DAY_MS) }
    const key = `limit ${w.northcare.name}`
    const first = await give(w, facts, key)
    w.clock.advance(8 * DAY_MS)
    assert.deepEqual(await give(w, facts, key), first)
    for (const more of [{ amount: eur(999) }, { validUntil: inMs(w, DAY_MS) }, { acquirer: 'northcare' }])
      await assert.rejects(give(w, { ...facts, ...more }, key), /fault\.idempotency_conflict/)
    assert.deepEqual(await fundsOf(w), { available: 9_000, held: 1_000 })
  })

  test('is closed by its site alone, once, when it has ended, and what is left is free', async () => {
    const w = await withFreshAcquirer(world())
    const { id: limit } = await give(w)
    const close = (site: TestParty) =>
      w.network.call(site, NETWORK_API.closeFloorLimit, { params: { id: site.name, limit } })
    await assert.rejects(close(w.zurich), /Refused with 404/)
    // A minute for clocks that differ.
    w.clock.advance(HOUR_MS - 60_001)
    await assert.rejects(close(w.galway), /it is in force/)
    w.clock.advance(1)
    const other = await give(w)
    assert.equal((await close(w.galway)).state, 'closed')
    assert.equal((await close(w.galway)).state, 'closed')
    assert.deepEqual(await fundsOf(w), { available: 9_000, held: 1_000 }, `${other.id} is held`)
  })

  test('that is not cleared in time is freed then and not before', async () => {
    const w = await withFreshAcquirer(world())
    await give(w, { clearUntil: inMs(w, 2 * HOUR_MS) })
    w.clock.advance(2 * HOUR_MS - 1)
    await w.network.serving.sweep()
    assert.deepEqual(await fundsOf(w), { available: 9_000, held: 1_000 })
    w.clock.advance(1)
    await w.network.serving.sweep()
    await w.network.serving.sweep()
    assert.deepEqual(await fundsOf(w), { available: 10_000, held: 0 })
  })
})

/** What a site says that it answered on its local network, right in all but `more`. */
function localAnswer(
  w: World,
  floorLimit: string,
  { ask: changed = {}, signer = w.northcare, site = w.galway, ...more }: Lie = {},
) {
  const ask: ReturnType<typeof testAsk> = {
    ...testAsk(w.network, w.northcare),
    sites: [site.name],
    ...changed,
  }
  const facts = { ask: ask.id, acquirer: w.northcare.name, issuer: 'federation', ...more }
  const decision = testDecision(w.network, site, facts)
  return { params: { id: site.name }, body: { ...decision, ask: signAsk(ask, signer), floorLimit } }
}

interface Lie extends Partial<Omit<TestDecision, 'ask'>> {
  /** Of the ask as its acquirer signed it. */
  readonly ask?: object
  readonly signer?: TestParty
  readonly site?: TestParty
}

function clear(w: World, sent: ReturnType<typeof localAnswer>, site = w.galway) {
  return w.network.call(site, NETWORK_API.clearLocal, sent)
}

describe('what a site booked on a floor limit', () => {
  test('is captured once, from what is held for the limit', async () => {
    const w = await withFreshAcquirer(world())
    const { id } = await give(w)
    const sent = localAnswer(w, id)
    assert.equal((await clear(w, sent)).captured?.amountMinor, 300n)
    assert.equal((await clear(w, sent)).captured?.amountMinor, 300n)
    assert.deepEqual(await fundsOf(w), { available: 9_000, held: 700 })
    const ask = { ...testAsk(w.network, w.northcare), sites: ['galway'] }
    const otherwise = { decision: { decidedAt: inMs(w, -1) } }
    await clear(w, localAnswer(w, id, { ask }))
    await assert.rejects(clear(w, localAnswer(w, id, { ask, ...otherwise })), /answered otherwise before/)
    await assert.rejects(clear(w, localAnswer(w, id, { ask, priceMinor: 200 })), /answered otherwise before/)
    assert.deepEqual(await fundsOf(w), { available: 9_000, held: 400 })
  })

  test('is not told to be captured where its decision came before without a price', async () => {
    const w = await withFreshAcquirer(world())
    const { id } = await give(w)
    const ask = { ...testAsk(w.network, w.northcare), sites: ['galway'] }
    await w.network.ask(w.northcare, ask)
    const local = localAnswer(w, id, { ask })
    const { decision, release, receipts } = local.body as unknown as DecisionMessage
    const body = { decision, release, receipts }
    await w.network.call(w.galway, NETWORK_API.decide, { params: { id: 'galway' }, body })
    await assert.rejects(clear(w, local), /answered otherwise before/)
    assert.deepEqual(await fundsOf(w), { available: 8_000, held: 2_000 })
  })

  test('frees what the same ask held here, and comes from the balance once the limit is closed', async () => {
    const w = await withFreshAcquirer(world())
    const { id: limit } = await give(w)
    const ask = { ...testAsk(w.network, w.northcare), sites: ['galway'] }
    await w.network.ask(w.northcare, ask)
    assert.deepEqual(await fundsOf(w), { available: 8_000, held: 2_000 })
    await clear(w, localAnswer(w, limit, { ask }))
    assert.deepEqual(await fundsOf(w), { available: 9_000, held: 700 })
    const late = localAnswer(w, limit, { priceMinor: 200 })
    const tooMuch = localAnswer(w, limit, { priceMinor: 201 })
    w.clock.advance(HOUR_MS)
    await w.network.call(w.galway, NETWORK_API.closeFloorLimit, { params: { id: 'galway', limit } })
    const withdrawn = { kind: 'withdrawal', member: w.northcare.name, amount: eur(9_500) }
    const headers = { 'idempotency-key': w.network.ids.next('wdr') }
    await w.network.call(w.network.operator, NETWORK_API.transfer, { body: withdrawn, headers })
    await assert.rejects(clear(w, tooMuch), /its floor limit is closed, and the balance does not cover it/)
    await clear(w, late)
    assert.deepEqual(await fundsOf(w), { available: 0, held: 0 })
  })

  const lies: readonly [string, (w: World) => Lie, RegExp][] = [
    [
      'an ask that its acquirer did not sign',
      (w) => ({ signer: w.federation }),
      /not signed by its acquirer/,
    ],
    [
      'another ask',
      (w) => {
        const ask = w.network.ids.next('ask')
        return { decision: { ask }, clearing: { ask } }
      },
      /the ask is not the one/,
    ],
    ['another data set', () => ({ ask: { offer: 'workers' } }), /the ask is not the one/],
    ['what had expired', (w) => ({ ask: { expires: inMs(w, -60_000) } }), /had expired/],
    ['a dry run', () => ({ ask: { dryRun: true } }), /a dry run/],
    ['what was asked of all', () => ({ ask: { sites: ['any'] } }), /does not name this site alone/],
    [
      'what was asked of two',
      () => ({ ask: { sites: ['galway', 'zurich'] } }),
      /does not name this site alone/,
    ],
    [
      'more than was signed for',
      () => ({ ask: { maxPrice: eur(299) } }),
      /above what the acquirer signed for/,
    ],
    [
      'in another currency than was signed for',
      () => ({ ask: { maxPrice: { amount: 900, currency: 'CHF' } } }),
      /above what the acquirer signed for/,
    ],
    ['before the limit', (w) => ({ decision: { decidedAt: inMs(w, -60_001) } }), /was not in force/],
    [
      'after the limit',
      (w) => ({ decision: { decidedAt: inMs(w, HOUR_MS + 60_000) }, ask: { expires: inMs(w, 3 * HOUR_MS) } }),
      /was not in force/,
    ],
    ['more than the limit', () => ({ priceMinor: 401 }), /the floor limit does not cover it/],
    [
      'more than its tariff',
      () => ({ clearing: { units: { peopleStep: 0, rowsStep: 0, cpuSeconds: 0 } } }),
      /above the tariff/,
    ],
    ['what it declined', () => ({ reason: 'declined.purpose' }), /nothing was delivered|expected/],
  ]
  for (const [what, lie, says] of lies) {
    test(`is not captured where it is ${what}`, async () => {
      const w = await withFreshAcquirer(world())
      const { id } = await give(w, { amount: eur(400) })
      await assert.rejects(clear(w, localAnswer(w, id, lie(w))), says)
      assert.deepEqual(await fundsOf(w), { available: 9_600, held: 400 })
      await clear(w, localAnswer(w, id))
      assert.deepEqual(await fundsOf(w), { available: 9_600, held: 100 })
    })
  }

  test('is not captured from a limit of another site, acquirer or currency', async () => {
    const w = await withFreshAcquirer(world())
    const rival = await withFreshAcquirer(world())
    await w.network.deposit(w.northcare, 1_000, 'CHF')
    const limits = [
      await give({ ...w, ...rival }),
      await give(w, { amount: { amount: 1_000, currency: 'CHF' } }),
      await w.network.call(w.network.operator, NETWORK_API.giveFloorLimit, {
        ...wanted(w),
        params: { id: 'zurich' },
      }),
    ]
    for (const { id } of limits) await assert.rejects(clear(w, localAnswer(w, id)), /floor limit/)
    assert.deepEqual(await fundsOf(rival), { available: 9_000, held: 1_000 })
  })
})
