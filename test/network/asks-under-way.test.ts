import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { formatInstant, later } from '../../src/kernel/clock.ts'
import { canonicalJson } from '../../src/kernel/canonical-json.ts'
import { signJws } from '../../src/kernel/crypto/jws.ts'
import { digestOf } from '../../src/kernel/digest.ts'
import { TYP } from '../../src/protocol/proof/message-types.ts'
import { NETWORK_API } from '../../src/protocol/http/network-endpoints.ts'
import { testClearing, testDecision } from '../../src/testing/test-decision.ts'
import type { TestDecision } from '../../src/testing/test-decision.ts'
import { signAsk, testAsk } from '../../src/testing/test-network.ts'
import type { TestParty } from '../../src/testing/test-network.ts'
import { openWorld } from './world.ts'
import type { World } from './world.ts'

/*
 * What the network knows of an ask without reading it back must be what the record says, whatever becomes of the ask.
 */

let w: World
before(async () => {
  w = await openWorld()
})
after(() => w[Symbol.asyncDispose]())

/** Takes everything that waits for a site, so that its next look finds nothing in the record. */
async function drain(site: TestParty, query: Record<string, string | number> = {}) {
  return w.network.call(site, NETWORK_API.work, { params: { id: site.name }, query })
}

const SEALED = { galway: 'aaaa.bbbb.cccc.dddd.eeee', zurich: 'aaaa.bbbb.cccc.dddd.eeee' }

/** An ask to both sites. */
function askBoth(more: object = {}) {
  return testAsk(w.network, w.northcare, {
    ...more,
    question: { digest: digestOf('question'), sealed: SEALED },
  })
}

function send(ask: object, wait = 20_000) {
  const body = { ask: signAsk(ask, w.northcare) }
  return w.network.call(w.northcare, NETWORK_API.ask, { query: { wait, releases: 'true' }, body })
}

async function decide(site: TestParty, ask: string, facts: Partial<TestDecision> = {}): Promise<void> {
  const told = { ask, acquirer: 'northcare', issuer: 'federation', ...facts }
  const body = testDecision(w.network, site, told)
  await w.network.call(site, NETWORK_API.decide, { params: { id: site.name }, body })
}

async function stateInRecord(id: string) {
  return w.network.call(w.northcare, NETWORK_API.askState, { params: { id }, query: { releases: 'true' } })
}

test('a site that waits is given the ask as the record has it, whichever way it comes', async () => {
  await drain(w.galway, { resume: 'true' })
  for (const dryRun of [false, true]) {
    const waiting = drain(w.galway, { wait: 20_000 })
    const ask = askBoth({ dryRun })
    await send(ask, 0)
    const given = await waiting
    assert.deepEqual(
      given.items.map((item) => item.ask),
      [ask.id],
    )
    // A site that was away asks for all again, and that is read from the record.
    const again = await drain(w.galway, { resume: 'true' })
    assert.deepEqual(again, given)
    await decide(w.galway, ask.id, { reason: 'declined.purpose' })
    await decide(w.zurich, ask.id, { reason: 'declined.purpose' })
  }
})

test('asks that came alone and in a batch are given once each, in their order', async () => {
  await drain(w.galway, { resume: 'true' })
  const alone = [askBoth(), askBoth()]
  const batched = [askBoth()]
  await send(alone[0] ?? {}, 0)
  await w.network.askBatch(w.northcare, batched)
  await send(alone[1] ?? {}, 0)
  const expected = [alone[0], batched[0], alone[1]].map((ask) => ask?.id)
  const { items } = await drain(w.galway)
  assert.deepEqual(
    items.map(({ ask }) => ask),
    expected,
  )
  assert.deepEqual((await drain(w.galway)).items, [])
  for (const id of expected)
    for (const site of [w.galway, w.zurich]) await decide(site, id ?? '', { reason: 'declined.purpose' })
})

test('whoever waits is told what the record says, as soon as every site has answered', async () => {
  const ask = askBoth()
  const waiting = send(ask)
  await drain(w.galway, { wait: 20_000 })
  await decide(w.galway, ask.id)
  await decide(w.zurich, ask.id, { reason: 'declined.group_too_small' })
  const told = await waiting
  assert.equal('status' in told ? told.status : '', 'answered')
  assert.deepEqual(told, await stateInRecord(ask.id))
})

test('a clearing record that comes later, a site that never answers and one that answered before are told as they are', async () => {
  const ask = askBoth({ expires: formatInstant(later(w.clock.now(), 10_000)) })
  const waiting = send(ask)
  await drain(w.galway, { wait: 20_000 })
  await decide(w.galway, ask.id, { isUncleared: true })
  const facts = { ask: ask.id, acquirer: 'northcare', issuer: 'federation' }
  const clearing = testClearing(w.network, w.galway, facts)
  await w.network.call(w.galway, NETWORK_API.clear, { params: { id: 'galway' }, body: { clearing } })
  // The same decision again is answered from the record.
  await decide(w.galway, ask.id, { isUncleared: true })
  w.clock.advance(11_000)
  await w.network.serving.sweep()
  const told = await waiting
  assert.deepEqual('sites' in told ? told.sites.map(({ status }) => status) : [], ['answered', 'unreachable'])
  assert.deepEqual(told, await stateInRecord(ask.id))
})

test('what was known of a leg does not let an expired one be closed', async () => {
  const ask = askBoth()
  await send(ask, 0)
  await drain(w.galway, { resume: 'true' })
  const body = testDecision(w.network, w.galway, {
    ask: ask.id,
    acquirer: 'northcare',
    issuer: 'federation',
  })
  w.clock.advance(3_600_000)
  await w.network.serving.sweep()
  await assert.rejects(
    w.network.call(w.galway, NETWORK_API.decide, { params: { id: 'galway' }, body }),
    /expired/,
  )
})

test('a release that is withdrawn while other sites are waited for is given to nobody', async () => {
  const ask = askBoth()
  const waiting = send(ask)
  await drain(w.galway, { wait: 20_000 })
  await decide(w.galway, ask.id)
  const said = { site: 'galway', asks: [ask.id], time: formatInstant(w.clock.now()) }
  const order = signJws(canonicalJson(said), { typ: TYP.withdrawal, key: w.galway.signing })
  const body = { order, isAtOnce: false }
  await w.network.call(w.galway, NETWORK_API.withdrawReleases, { params: { id: 'galway' }, body })
  await decide(w.zurich, ask.id)
  const told = await waiting
  assert.deepEqual('sites' in told ? told.sites.map(({ release }) => release !== undefined) : [], [
    false,
    true,
  ])
  assert.deepEqual(told, await stateInRecord(ask.id))
})

test('whoever was suspended while it waited is given nothing until it is not any longer', async () => {
  const ask = askBoth()
  const set = (status: string) =>
    w.network.call(w.network.operator, NETWORK_API.setMemberStatus, {
      params: { id: 'northcare' },
      body: { status },
    })
  await drain(w.galway, { resume: 'true' })
  const query = { wait: 20_000, releases: 'true' }
  const body = { ask: signAsk(ask, w.northcare) }
  const waiting = w.network.refusal(w.northcare, NETWORK_API.ask, { query, body })
  await drain(w.galway, { wait: 20_000 })
  const looking = w.network.refusal(w.northcare, NETWORK_API.askState, { query, params: { id: ask.id } })
  await set('suspended')
  await decide(w.galway, ask.id)
  await decide(w.zurich, ask.id)
  for (const { status, detail } of [await waiting, await looking])
    assert.deepEqual([status, detail], [401, 'suspended'])
  await set('active')
  const { sites } = await stateInRecord(ask.id)
  assert.ok(sites.every(({ release }) => release !== undefined))
})

test('a site that was suspended while it waited for work or news is given none', async () => {
  const params = { id: 'zurich' }
  const set = (status: string) =>
    w.network.call(w.network.operator, NETWORK_API.setSiteStatus, { params, body: { status } })
  await drain(w.zurich, { resume: 'true' })
  const query = { wait: 20_000 }
  const waiting = [
    w.network.refusal(w.zurich, NETWORK_API.work, { params, query }),
    w.network.refusal(w.zurich, NETWORK_API.noticeNews, { params, query }),
  ]
  // Long enough that both are let in and wait.
  await setTimeout(100)
  await set('suspended')
  w.clock.advance(20_001)
  for (const { status, detail } of await Promise.all(waiting))
    assert.deepEqual([status, detail], [401, 'suspended'])
  await set('active')
  await drain(w.zurich)
})
