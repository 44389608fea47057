import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { formatInstant, instant, later } from '../../src/kernel/clock.ts'
import type { Instant } from '../../src/kernel/clock.ts'
import { digestOf } from '../../src/kernel/digest.ts'
import { NETWORK_API } from '../../src/protocol/http/network-endpoints.ts'
import { testClearing, testDecision } from '../../src/testing/test-decision.ts'
import type { TestDecision } from '../../src/testing/test-decision.ts'
import { signAsk, testAsk } from '../../src/testing/test-network.ts'
import type { TestParty } from '../../src/testing/test-network.ts'
import { assertBalanced, fundsOf, openWorld, withFreshAcquirer } from './world.ts'
import type { World } from './world.ts'

let shared: World
before(async () => {
  shared = await openWorld()
})
after(() => shared[Symbol.asyncDispose]())

async function sendAsk(w: World, more: Parameters<typeof testAsk>[2] = {}): Promise<string> {
  const state = await w.network.ask(w.northcare, testAsk(w.network, w.northcare, more))
  assert.equal(state.status, 'waiting')
  return state.id
}

function decide(w: World, ask: string, more: Partial<TestDecision> = {}, site: TestParty = w.galway) {
  const facts = { ask, acquirer: w.northcare.name, issuer: w.federation.name, ...more }
  return w.network.call(site, NETWORK_API.decide, {
    params: { id: site.name },
    body: testDecision(w.network, site, facts),
  })
}

function refusedDecision(
  w: World,
  ask: string,
  more: Partial<TestDecision> = {},
  site: TestParty = w.galway,
) {
  const facts = { ask, acquirer: w.northcare.name, issuer: w.federation.name, ...more }
  return w.network.refusal(site, NETWORK_API.decide, {
    params: { id: site.name },
    body: testDecision(w.network, site, facts),
  })
}

describe('POST /v1/sites/{id}/decisions', () => {
  test('captures what was delivered, frees the rest, splits the price to the last unit', async () => {
    const w = await withFreshAcquirer(shared)
    const ask = await sendAsk(w)
    const answer = await decide(w, ask, { priceMinor: 333 })
    assert.deepEqual([answer.captured?.amountMinor, answer.freed?.amountMinor], [333n, 667n])
    assert.deepEqual(await fundsOf(w), { available: 9667, held: 0 })
    const { items } = await w.network.call(w.network.operator, NETWORK_API.listTransfers, {
      query: { owner: w.northcare.name },
    })
    const captures = items.filter(({ kind }) => kind === 'capture')
    assert.deepEqual(
      Object.fromEntries(
        captures.map(({ party, amount, credit }) => [party, [credit.owner, amount.amountMinor]]),
      ),
      {
        issuer: ['federation', 166n],
        custodian: ['edgeworks', 83n],
        network: ['network', 16n],
        subjects: ['subjects/federation/galway', 66n],
        rounding: ['network/rounding', 2n],
      },
    )
    await assertBalanced(w)
  })

  test('gives decision, receipts and release to the acquirer and to nobody else', async () => {
    const w = await withFreshAcquirer(shared)
    const ask = await sendAsk(w)
    await decide(w, ask)
    const params = { id: ask }
    const state = await w.network.call(w.northcare, NETWORK_API.askState, { params })
    assert.equal(state.status, 'answered')
    assert.deepEqual(
      state.sites.map(({ status, reason, hasRelease, receipts, captured }) => [
        status,
        reason,
        hasRelease,
        receipts.length,
        captured?.amountMinor,
      ]),
      [['answered', 'approved', true, 1, 300n]],
    )
    const { releases } = await w.network.call(w.northcare, NETWORK_API.releases, { params })
    assert.deepEqual(
      releases.map(({ site, release }) => [site, release]),
      [['galway', 'aaaa.bbbb.cccc.dddd.ffff']],
    )
    const other = await withFreshAcquirer(shared)
    for (const stranger of [other.northcare, w.galway, w.federation]) {
      assert.equal((await w.network.refusal(stranger, NETWORK_API.releases, { params })).status, 404)
      assert.equal((await w.network.refusal(stranger, NETWORK_API.askState, { params })).status, 404)
    }
    assert.equal((await w.network.refusal(w.network.operator, NETWORK_API.releases, { params })).status, 404)
  })

  test('takes the same decision again as before, and refuses another one', async () => {
    const w = await withFreshAcquirer(shared)
    const ask = await sendAsk(w)
    const first = await decide(w, ask)
    assert.deepEqual(await decide(w, ask), first)
    assert.equal((await refusedDecision(w, ask, { priceMinor: 200 })).code, 'fault.conflict')
    assert.equal((await refusedDecision(w, ask, { reason: 'declined.purpose' })).code, 'fault.conflict')
    const facts = { ask, acquirer: w.northcare.name, issuer: w.federation.name }
    const message = testDecision(w.network, w.galway, facts)
    const clearing = testClearing(w.network, w.galway, { ...facts, priceMinor: 200 })
    for (const more of [{ clearing: undefined, release: undefined }, { clearing }]) {
      const sent = { params: { id: 'galway' }, body: { ...message, ...more } }
      assert.equal((await w.network.refusal(w.galway, NETWORK_API.decide, sent)).code, 'fault.conflict')
    }
    assert.deepEqual(await fundsOf(w), { available: 9700, held: 0 })
    const later = await sendAsk(w)
    await decide(w, later, { isUncleared: true })
    const otherwise = { isUncleared: true, decision: { price: { amount: 100, currency: 'EUR' } } }
    assert.equal((await refusedDecision(w, later, otherwise)).code, 'fault.conflict')
  })

  test('frees the whole share after a decline', async () => {
    const w = await withFreshAcquirer(shared)
    const ask = await sendAsk(w, { sites: ['galway', 'zurich'] })
    await decide(w, ask, { reason: 'declined.purpose' })
    assert.deepEqual(await fundsOf(w), { available: 9000, held: 1000 })
    const state = await w.network.call(w.northcare, NETWORK_API.askState, { params: { id: ask } })
    assert.equal(state.status, 'waiting')
    await decide(w, ask, { reason: 'declined.group_too_small' }, w.zurich)
    assert.deepEqual(await fundsOf(w), { available: 10_000, held: 0 })
  })

  test('refuses what does not hold, and leaves everything as it was', async () => {
    const w = await withFreshAcquirer(shared)
    const ask = await sendAsk(w, { maxPrice: { amount: 500, currency: 'EUR' } })
    const wrong: [string, Partial<TestDecision>][] = [
      ['above the hold', { priceMinor: 501 }],
      [
        'above the tariff',
        { priceMinor: 500, clearing: { units: { peopleStep: 100, rowsStep: 0, cpuSeconds: 0 } } },
      ],
      ['other currency', { currency: 'CHF' }],
      [
        'other splits',
        {
          clearing: { splits: { issuer: 0, issuerProcessor: 0, custodian: 10_000, network: 0, subjects: 0 } },
        },
      ],
      ['other issuer', { issuer: 'edgeworks' }],
      ['a processor that the offer does not name', { clearing: { issuerProcessor: 'edgeworks' } }],
      ['other acquirer', { acquirer: 'edgeworks' }],
      ['other data set', { clearing: { dataSet: 'workers' } }],
      ['clearing of another ask', { clearing: { ask: w.network.ids.next('ask') } }],
      ['clearing of another site', { clearing: { site: 'zurich' } }],
      ['decision of another site', { decision: { site: 'zurich' } }],
      ['reason of another kind', { decision: { reason: 'declined.purpose' } }],
      ['another release than named', { decision: { releaseDigest: `sha-256:${'0'.repeat(64)}` } }],
      [
        'another release than named, to be cleared later',
        { isUncleared: true, decision: { releaseDigest: `sha-256:${'0'.repeat(64)}` } },
      ],
    ]
    for (const [what, more] of wrong) {
      const problem = await refusedDecision(w, ask, more)
      assert.equal(problem.code, 'fault.conflict', `${what}: ${JSON.stringify(problem)}`)
    }
    assert.deepEqual(await fundsOf(w), { available: 9500, held: 500 })
    await decide(w, ask, { priceMinor: 500 })
    assert.deepEqual(await fundsOf(w), { available: 9500, held: 0 })
  })

  test('pays nothing and hands nothing on with a decline', async () => {
    const w = await withFreshAcquirer(shared)
    const ask = await sendAsk(w)
    const release = 'aaaa.bbbb.cccc.dddd.ffff'
    const facts = { ask, acquirer: w.northcare.name, issuer: w.federation.name }
    const declined = testDecision(w.network, w.galway, {
      ...facts,
      reason: 'declined.purpose',
      decision: { releaseDigest: digestOf(release) },
    })
    for (const more of [{ release }, { clearing: testClearing(w.network, w.galway, facts) }]) {
      const body = { ...declined, ...more }
      const problem = await w.network.refusal(w.galway, NETWORK_API.decide, {
        params: { id: 'galway' },
        body,
      })
      assert.equal(problem.code, 'fault.conflict')
    }
    assert.deepEqual(await fundsOf(w), { available: 9000, held: 1000 })
  })

  test('pays what the tariff says for what was metered, and not a cent more', async () => {
    const w = await withFreshAcquirer(shared)
    const ask = await sendAsk(w)
    assert.equal((await refusedDecision(w, ask, { priceMinor: 601 })).code, 'fault.conflict')
    assert.equal((await decide(w, ask, { priceMinor: 600 })).captured?.amountMinor, 600n)
  })

  test('refuses a site that was not asked, and one that signs with the key of another', async () => {
    const w = await withFreshAcquirer(shared)
    const ask = await sendAsk(w)
    assert.equal((await refusedDecision(w, ask, {}, w.zurich)).status, 404)
    const forged = { ...w.zurich, name: 'galway' }
    const body = testDecision(w.network, forged, {
      ask,
      acquirer: w.northcare.name,
      issuer: w.federation.name,
    })
    const problem = await w.network.refusal(w.galway, NETWORK_API.decide, { params: { id: 'galway' }, body })
    assert.equal(problem.code, 'fault.conflict')
    assert.equal(
      (await w.network.refusal(w.zurich, NETWORK_API.decide, { params: { id: 'galway' }, body })).status,
      403,
    )
  })

  test('takes no release and no money for a dry run', async () => {
    const w = await withFreshAcquirer(shared)
    const ask = await sendAsk(w, { dryRun: true })
    assert.equal((await refusedDecision(w, ask)).code, 'fault.conflict')
    assert.equal((await refusedDecision(w, ask, { isUncleared: true })).code, 'fault.conflict')
    const body = testDecision(w.network, w.galway, {
      ask,
      acquirer: w.northcare.name,
      issuer: w.federation.name,
      isUncleared: true,
      decision: { releaseDigest: undefined, price: { amount: 300, currency: 'EUR' } },
    })
    await w.network.call(w.galway, NETWORK_API.decide, {
      params: { id: 'galway' },
      body: { ...body, release: undefined },
    })
    assert.deepEqual(await fundsOf(w), { available: 10_000, held: 0 })
  })

  test('wakes whoever waits for the answer', async () => {
    const w = await withFreshAcquirer(shared)
    const ask = await sendAsk(w)
    const waiting = w.network.call(w.northcare, NETWORK_API.askState, {
      params: { id: ask },
      query: { wait: 20_000 },
    })
    await decide(w, ask)
    assert.equal((await waiting).status, 'answered')
  })
})

describe('POST /v1/asks?wait=', () => {
  /** Sends an ask and has galway answer it while its sender waits. */
  async function sendAndDecide(w: World, query: { wait: number; releases?: 'true' }) {
    const ask = testAsk(w.network, w.northcare)
    const body = { ask: signAsk(ask, w.northcare) }
    const waiting = w.network.call(w.northcare, NETWORK_API.ask, { query, body })
    const pull = { params: { id: 'galway' }, query: { wait: 20_000 } }
    for (let isGiven = false; !isGiven;) {
      const { items } = await w.network.call(w.galway, NETWORK_API.work, pull)
      isGiven = items.some((item) => item.ask === ask.id)
    }
    await decide(w, ask.id)
    const answer = await waiting
    assert.ok(!('answers' in answer))
    return { answer, body }
  }
  const releasesOf = ({ sites }: { sites: readonly { release?: string | undefined }[] }) =>
    sites.map(({ release }) => release)
  const sealed = ['aaaa.bbbb.cccc.dddd.ffff']

  test('answers once every site has, with what was released if that is wanted, and the same again', async () => {
    const w = await withFreshAcquirer(shared)
    const plain = await sendAndDecide(w, { wait: 20_000 })
    assert.equal(plain.answer.status, 'answered')
    assert.deepEqual(releasesOf(plain.answer), [undefined])
    const query = { wait: 20_000, releases: 'true' } as const
    const { answer, body } = await sendAndDecide(w, query)
    assert.deepEqual([answer.status, answer.sites[0]?.captured?.amountMinor], ['answered', 300n])
    assert.deepEqual(releasesOf(answer), sealed)
    assert.deepEqual(await w.network.call(w.northcare, NETWORK_API.ask, { query, body }), answer)
    assert.deepEqual(await fundsOf(w), { available: 9_400, held: 0 })
  })

  test('waits no longer than it was told, and not for an ask that is declined', async () => {
    const w = await withFreshAcquirer(shared)
    const send = async (more: Parameters<typeof testAsk>[2]) => {
      const body = { ask: signAsk(testAsk(w.network, w.northcare, more), w.northcare) }
      const answer = await w.network.call(w.northcare, NETWORK_API.ask, { query: { wait: 20_000 }, body })
      assert.ok(!('answers' in answer))
      return answer.status
    }
    assert.equal(await send({ maxPrice: { amount: 1, currency: 'EUR' } }), 'declined')
    const waiting = send({})
    const ticking = setInterval(() => w.clock.advance(1_000), 20)
    assert.equal(await waiting.finally(() => clearInterval(ticking)), 'waiting')
  })

  test('gives a release to its acquirer and to nobody else who may see the ask', async () => {
    const w = await withFreshAcquirer(shared)
    const { answer } = await sendAndDecide(w, { wait: 20_000 })
    const read = (party: TestParty) =>
      w.network.call(party, NETWORK_API.askState, {
        params: { id: answer.id },
        query: { releases: 'true' },
      })
    assert.deepEqual(releasesOf(await read(w.northcare)), sealed)
    assert.deepEqual(releasesOf(await read(w.network.operator)), [undefined])
  })
})

describe('POST /v1/sites/{id}/clearings', () => {
  test('captures a record that comes after its decision, once', async () => {
    const w = await withFreshAcquirer(shared)
    const ask = await sendAsk(w)
    const facts = { ask, acquirer: w.northcare.name, issuer: w.federation.name }
    await decide(w, ask, { isUncleared: true })
    assert.deepEqual(await fundsOf(w), { available: 9000, held: 1000 })
    const clear = (priceMinor: number) => ({
      params: { id: 'galway' },
      body: { clearing: testClearing(w.network, w.galway, { ...facts, priceMinor }) },
    })
    const first = await w.network.call(w.galway, NETWORK_API.clear, clear(250))
    assert.deepEqual(await w.network.call(w.galway, NETWORK_API.clear, clear(250)), first)
    assert.equal((await w.network.refusal(w.galway, NETWORK_API.clear, clear(300))).code, 'fault.conflict')
    assert.deepEqual(await fundsOf(w), { available: 9750, held: 0 })
    await assertBalanced(w)
  })

  test('is refused before the decision', async () => {
    const w = await withFreshAcquirer(shared)
    const ask = await sendAsk(w)
    const clearing = testClearing(w.network, w.galway, {
      ask,
      acquirer: w.northcare.name,
      issuer: w.federation.name,
    })
    const problem = await w.network.refusal(w.galway, NETWORK_API.clear, {
      params: { id: 'galway' },
      body: { clearing },
    })
    assert.equal(problem.code, 'fault.conflict')
  })
})

describe('the sweep', () => {
  test('frees what is held when an ask expires, with a receipt, and not a moment before', async () => {
    const w = await withFreshAcquirer(shared)
    const ask = await sendAsk(w, { sites: ['galway', 'zurich'] })
    await decide(w, ask, { priceMinor: 300 })
    w.clock.advance(59_999)
    await w.network.serving.sweep()
    assert.deepEqual(await fundsOf(w), { available: 8700, held: 1000 })
    w.clock.advance(1)
    await w.network.serving.sweep()
    assert.deepEqual(await fundsOf(w), { available: 9700, held: 0 })
    const state = await w.network.call(w.northcare, NETWORK_API.askState, { params: { id: ask } })
    assert.equal(state.status, 'answered')
    assert.deepEqual(
      state.sites.map(({ site, status, reason }) => [site, status, reason]),
      [
        ['galway', 'answered', 'approved'],
        ['zurich', 'unreachable', 'declined.site_unreachable'],
      ],
    )
    assert.ok(state.receipt)
    assert.equal((await refusedDecision(w, ask, {}, w.zurich)).code, 'fault.conflict')
    await assertBalanced(w)
  })

  test('gives back to the limit of a day what was held on that day, where asks of two days expire at once', async () => {
    const w = await withFreshAcquirer(shared)
    const params = { id: w.northcare.name }
    const body = { daily: [{ amount: 3000, currency: 'EUR' }] }
    await w.network.call(w.network.operator, NETWORK_API.setLimits, { params, body })
    const dayMs = 86_400_000
    const midnight = instant(Math.ceil(w.clock.now() / dayMs) * dayMs)
    const ask = async (expires: Instant) => {
      const sent = testAsk(w.network, w.northcare, { expires: formatInstant(expires) })
      const { status, reason } = await w.network.ask(w.northcare, sent)
      return reason ?? status
    }
    const [soon, much] = [later(midnight, 1_800_000), later(midnight, 7_200_000)]
    w.clock.advance(midnight - w.clock.now() - 60_000)
    assert.equal(await ask(soon), 'waiting')
    w.clock.advance(120_000)
    assert.deepEqual([await ask(soon), await ask(much)], ['waiting', 'waiting'])
    w.clock.advance(1_800_000)
    await w.network.serving.sweep()
    // One of this day is still held, so there is room for two.
    assert.deepEqual(
      [await ask(much), await ask(much), await ask(much)],
      ['waiting', 'waiting', 'declined.limit'],
    )
    await assertBalanced(w)
  })

  test('frees what is held for a clearing record that never comes', async () => {
    const w = await withFreshAcquirer(shared)
    // A day after it was answered and after it expired, whichever is later.
    const ask = await sendAsk(w, { expires: formatInstant(later(w.clock.now(), 2 * 3_600_000)) })
    await decide(w, ask, { isUncleared: true })
    for (const hours of [1, 24]) {
      w.clock.advance(hours * 3_600_000)
      await w.network.serving.sweep()
      assert.deepEqual(await fundsOf(w), { available: 9000, held: 1000 })
    }
    w.clock.advance(3_600_000)
    await w.network.serving.sweep()
    assert.deepEqual(await fundsOf(w), { available: 10_000, held: 0 })
    const clearing = testClearing(w.network, w.galway, {
      ask,
      acquirer: w.northcare.name,
      issuer: w.federation.name,
    })
    const problem = await w.network.refusal(w.galway, NETWORK_API.clear, {
      params: { id: 'galway' },
      body: { clearing },
    })
    assert.equal(problem.code, 'fault.conflict')
  })
})
