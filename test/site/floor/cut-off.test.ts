import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { later, systemClock } from '../../../src/kernel/clock.ts'
import { money } from '../../../src/kernel/money.ts'
import { NETWORK_API } from '../../../src/protocol/http/network-endpoints.ts'
import { breakableLine } from '../../../src/testing/breakable-line.ts'
import type { BreakableLine } from '../../../src/testing/breakable-line.ts'
import { testGrant, testManifest, testPeople } from '../../../src/testing/test-population.ts'
import { testTrade } from '../../../src/testing/test-trade.ts'
import type { TestTrade } from '../../../src/testing/test-trade.ts'
import { LIMITS } from '../../../src/kernel/limits.ts'
import {
  QUICK,
  allCleared,
  giveKnownLimit,
  giveLimit,
  limitsAt,
  locally,
  moneyOf,
  until,
} from './local-world.ts'

const SQL = 'select country, count(*) as n from athletes group by country'

let trade: TestTrade
let line: BreakableLine
/** Runs ahead of the machine's clock by what the test says. */
let aheadMs = 0
const clock = {
  now: () => later(systemClock.now(), aheadMs),
  sleep: (durationMs: number, signal?: AbortSignal) => systemClock.sleep(durationMs, signal),
}
before(async () => {
  trade = await testTrade({ sites: [], clock })
  line = await breakableLine(trade.network.url)
  const site = await trade.addSite({ name: 'galway', settings: QUICK, networkUrl: line.url })
  await trade.fill(site, { dataSet: 'athletes', people: testPeople(200) })
})
afterEach(() => line.mend())
after(async () => {
  await trade[Symbol.asyncDispose]()
  await line[Symbol.asyncDispose]()
})

test('a site that is cut off goes on serving within its floor limit, also after a restart, and clears when it is back', async () => {
  const acquirer = await trade.addAcquirer('alder-care')
  await giveKnownLimit(trade, { acquirer, amountMinor: 2_000 })
  line.cut()
  const first = await locally(acquirer, { site: trade.site(), network: trade.network }).ask(
    acquirer.request(SQL),
  )
  assert.equal(first.sites[0]?.reason, 'approved')
  assert.deepEqual(first.sites[0].problems, [])
  await trade.site().stop()
  await trade.site().start()
  const local = locally(acquirer, { site: trade.site(), network: trade.network })
  const reasons: (string | undefined)[] = []
  // An equal question gets the stored answer, for its price again.
  for (let round = 0; round < 30 && reasons.at(-1) !== 'declined.funds'; round += 1) {
    reasons.push((await local.ask(acquirer.request(SQL))).sites[0]?.reason)
  }
  assert.equal(reasons[0], 'approved')
  assert.equal(reasons.at(-1), 'declined.funds', reasons.join(' '))
  const booked = (await limitsAt(trade.site())).at(-1)
  assert.ok((booked?.toClear ?? 0) > 1)
  assert.deepEqual(await moneyOf(trade.network, 'alder-care'), { available: 98_000, held: 2_000, paid: 0 })
  line.mend()
  await allCleared(trade.site())
  const paid = Number(booked?.booked.amountMinor)
  assert.ok(paid <= 2_000)
  assert.deepEqual(await moneyOf(trade.network, 'alder-care'), {
    available: 98_000,
    held: 2_000 - paid,
    paid,
  })
})

test('what was booked is cleared as soon as the network is back, however seldom limits are looked for', async () => {
  const acquirer = await trade.addAcquirer('rowan-care')
  const site = await trade.addSite({
    name: 'mayo',
    settings: { floorLimits: { refreshSeconds: 3_600 } },
    networkUrl: line.url,
  })
  await trade.fill(site, { dataSet: 'rowers', people: testPeople(200) })
  await giveLimit(trade.network, { site: 'mayo', acquirer: 'rowan-care', amountMinor: 2_000 })
  // It looks at its start.
  await site.stop()
  await site.start()
  await until('the site knows', async () => (await limitsAt(site)).length === 1)
  line.cut()
  const { sites } = await locally(acquirer, { site, network: trade.network }).ask(
    acquirer.request(SQL.replace('athletes', 'rowers'), { offer: 'rowers' }),
  )
  assert.equal(sites[0]?.reason, 'approved')
  assert.equal((await limitsAt(site))[0]?.toClear, 1)
  line.mend()
  await allCleared(site)
})

test('an answer that the network took, though the site never heard of it, is captured once', async () => {
  const acquirer = await trade.addAcquirer('birch-care')
  await giveKnownLimit(trade, { acquirer, amountMinor: 2_000 })
  const local = locally(acquirer, { site: trade.site(), network: trade.network })
  line.loseAnswersTo('/local-answers')
  const result = await local.ask(acquirer.request(SQL))
  const price = Number(result.sites[0]?.captured?.amountMinor)
  await until(
    'the network has captured it',
    async () => (await moneyOf(trade.network, 'birch-care')).paid > 0,
  )
  assert.equal((await limitsAt(trade.site())).at(-1)?.toClear, 1)
  line.mend()
  await allCleared(trade.site())
  assert.deepEqual(await moneyOf(trade.network, 'birch-care'), {
    available: 98_000,
    held: 2_000 - price,
    paid: price,
  })
})

test('an ask that the network gave up, and whose site answered it locally, is captured once and its hold freed', async () => {
  const acquirer = await trade.addAcquirer('cedar-care')
  await giveKnownLimit(trade, { acquirer, amountMinor: 2_000 })
  const local = locally(acquirer, { site: trade.site(), network: trade.network })
  line.cut()
  const signed = await local.prepare(acquirer.request(SQL, { expires: later(clock.now(), 1_500) }))
  const sent = await acquirer.acquirer.send(signed.jws)
  assert.equal(sent.status, 'waiting')
  const answered = await local.send(signed.jws)
  const price = Number(answered.sites[0]?.captured?.amountMinor)
  await until(
    'the network gives it up',
    async () => (await acquirer.acquirer.find(signed.ask.id)).status !== 'waiting',
  )
  assert.equal((await acquirer.acquirer.find(signed.ask.id)).sites[0]?.status, 'unreachable')
  line.mend()
  await allCleared(trade.site())
  const state = await acquirer.acquirer.find(signed.ask.id)
  assert.equal(state.sites[0]?.decision, answered.sites[0]?.decision)
  assert.deepEqual(await moneyOf(trade.network, 'cedar-care'), {
    available: 98_000,
    held: 2_000 - price,
    paid: price,
  })
})

test('terms that the network does not know are not sold on the local network', async () => {
  const acquirer = await trade.addAcquirer('dogwood-care')
  await giveKnownLimit(trade, { acquirer, amountMinor: 20_000 })
  const local = locally(acquirer, { site: trade.site(), network: trade.network })
  line.cut()
  await trade.site().issuer.describe(testManifest('athletes', { title: 'Under another title' }))
  assert.equal((await local.ask(acquirer.request(SQL))).sites[0]?.reason, 'declined.no_route')
  line.mend()
  // Grants are to terms, so they are given anew.
  await trade.site().issuer.giveGrants(testPeople(200).map(({ id }) => testGrant('athletes', id)))
  await until('they are sold once the network knows them', async () => {
    const result = await local.ask(acquirer.request(SQL))
    return result.sites[0]?.reason === 'approved'
  })
})

test('a member that was suspended is not let in once the site hears of it', async () => {
  const acquirer = await trade.addAcquirer('elder-care')
  await giveKnownLimit(trade, { acquirer, amountMinor: 20_000 })
  await trade.network.call(trade.network.operator, NETWORK_API.setMemberStatus, {
    params: { id: 'elder-care' },
    body: { status: 'suspended' },
  })
  const local = locally(acquirer, { site: trade.site(), network: trade.network })
  await until('the site hears of it', () =>
    local.ask(acquirer.request(SQL)).then(
      () => false,
      () => true,
    ),
  )
})

test('a limit that has ended is closed by its site, and what is left of its hold is freed', async () => {
  const acquirer = await trade.addAcquirer('fig-care')
  const validForMs = LIMITS.floorLimitTailMs + 60_000
  const limit = await giveLimit(trade.network, {
    site: 'galway',
    acquirer: 'fig-care',
    amountMinor: 5_000,
    validForMs,
  })
  await until('it is known', async () => (await limitsAt(trade.site())).some(({ id }) => id === limit.id))
  const local = locally(acquirer, { site: trade.site(), network: trade.network })
  const sold = await local.ask(acquirer.request(SQL))
  const price = Number(sold.sites[0]?.captured?.amountMinor)
  await allCleared(trade.site())
  aheadMs = 61_000
  const other = `select country, avg(score) as a from athletes group by country`
  // In its last minutes nothing new is begun on it.
  assert.equal((await local.ask(acquirer.request(other))).sites[0]?.reason, 'declined.funds')
  assert.equal((await moneyOf(trade.network, 'fig-care')).held, 5_000 - price)
  aheadMs = validForMs
  await until('it is closed', async () => (await moneyOf(trade.network, 'fig-care')).held === 0)
  assert.deepEqual(await moneyOf(trade.network, 'fig-care'), {
    available: 100_000 - price,
    held: 0,
    paid: price,
  })
  assert.equal((await limitsAt(trade.site())).find(({ id }) => id === limit.id)?.state, 'closed')
})

test('a site that never comes back has what is held for its limits freed in the end', async () => {
  const acquirer = await trade.addAcquirer('gorse-care')
  await giveKnownLimit(trade, { acquirer, amountMinor: 5_000 })
  line.cut()
  aheadMs += 86_400_000 + LIMITS.floorLimitClearMs + 60_000
  await until('it is freed', async () => (await moneyOf(trade.network, 'gorse-care')).held === 0)
  line.mend()
})

test('a site cannot charge for what its acquirer did not sign, nor on a limit of somebody else', async () => {
  const acquirer = await trade.addAcquirer('hazel-care')
  const other = await trade.addAcquirer('juniper-care')
  const limit = await giveKnownLimit(trade, { acquirer, amountMinor: 5_000 })
  const elsewhere = await giveKnownLimit(trade, { acquirer: other, amountMinor: 5_000 })
  const local = locally(acquirer, { site: trade.site(), network: trade.network })
  const signed = await local.prepare(acquirer.request(SQL))
  line.cut()
  const state = await local.send(signed.jws)
  const [answer] = state.sites
  const { network } = trade
  const party = { name: 'galway', signing: trade.site().signing, sealing: acquirer.party.sealing }
  const unsigned = await other.acquirer.prepare(other.request(SQL))
  const body = {
    decision: answer?.decision,
    receipts: answer?.receipts,
    release: answer?.release,
    clearing: 'a.b.c',
    ask: signed.jws,
    floorLimit: limit.id,
  }
  const refusal = (more: object) =>
    network.refusal(party, NETWORK_API.clearLocal, { params: { id: 'galway' }, body: { ...body, ...more } })
  assert.equal((await refusal({})).code, 'fault.conflict')
  assert.equal((await refusal({ ask: unsigned.jws })).code, 'fault.conflict')
  assert.equal((await refusal({ floorLimit: elsewhere.id })).code, 'fault.conflict')
  assert.equal((await moneyOf(network, 'hazel-care')).paid, 0)
  assert.equal((await moneyOf(network, 'juniper-care')).paid, 0)
  line.mend()
  await allCleared(trade.site())
  assert.equal((await moneyOf(network, 'hazel-care')).paid, Number(answer?.captured?.amountMinor))
})

test('rows that went out locally are withdrawn when a person in them is erased, and stay sold', async () => {
  const acquirer = await trade.addAcquirer('kauri-care')
  await giveKnownLimit(trade, { acquirer, amountMinor: 20_000 })
  line.cut()
  const local = locally(acquirer, { site: trade.site(), network: trade.network })
  const signed = await local.prepare(
    acquirer.request('select height from athletes', { mode: 'rows', maxPrice: money(20_000n, 'EUR') }),
  )
  const state = await local.send(signed.jws)
  assert.equal(state.sites[0]?.reason, 'approved')
  assert.ok(state.sites[0].release !== undefined)
  await trade.site().rights('issuer').erase({ person: 'p-1' }, { reason: 'request' })
  const again = await local.send(signed.jws)
  assert.equal(again.sites[0]?.release, undefined)
  assert.equal(again.sites[0]?.decision, state.sites[0].decision)
  line.mend()
  await allCleared(trade.site())
  const { paid } = await moneyOf(trade.network, 'kauri-care')
  assert.equal(BigInt(paid), state.sites[0].captured?.amountMinor)
  assert.equal((await acquirer.acquirer.find(signed.ask.id)).sites[0]?.hasRelease, false)
})
