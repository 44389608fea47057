import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { later } from '../../../src/kernel/clock.ts'
import { signJws } from '../../../src/kernel/crypto/jws.ts'
import { canonicalJson } from '../../../src/kernel/canonical-json.ts'
import { money } from '../../../src/kernel/money.ts'
import { TYP } from '../../../src/protocol/proof/message-types.ts'
import { NETWORK_API } from '../../../src/protocol/http/network-endpoints.ts'
import { SITE_API } from '../../../src/protocol/http/site-api.ts'
import { testPeople } from '../../../src/testing/test-population.ts'
import { testTrade } from '../../../src/testing/test-trade.ts'
import type { TestAcquirer, TestTrade } from '../../../src/testing/test-trade.ts'
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

const TREES = [
  'alder',
  'birch',
  'cedar',
  'dogwood',
  'elder',
  'fig',
  'gorse',
  'hazel',
  'juniper',
  'kauri',
  'maple',
  'oak',
  'pine',
]

let trade: TestTrade
let names = 0
before(async () => {
  trade = await testTrade({ sites: [{ name: 'galway', settings: QUICK }] })
  await trade.fill(trade.site(), { dataSet: 'athletes', people: testPeople(200) })
})
after(() => trade[Symbol.asyncDispose]())

/** A fresh acquirer with a floor limit, and its view of the site. */
async function floored(amountMinor = 10_000) {
  names += 1
  const acquirer = await trade.addAcquirer(`${TREES[names] ?? ''}-care`)
  const limit = await giveKnownLimit(trade, { acquirer, amountMinor })
  return { acquirer, limit, local: locally(acquirer, { site: trade.site(), network: trade.network }) }
}

function request(acquirer: TestAcquirer, sql = SQL, more: Parameters<TestAcquirer['request']>[1] = {}) {
  return acquirer.request(sql, more)
}

/** An answer without what the witness has signed of its checkpoints, which comes when it comes. */
function unwitnessed(answer: object): unknown {
  return JSON.parse(
    JSON.stringify(answer, (name, value: unknown) => {
      if (typeof value === 'bigint') return `${value}`
      return name === 'checkpoint' ? String(value).replaceAll(/^— \S+\/witness .*\n/gm, '') : value
    }),
  )
}

describe('an ask on the local network', () => {
  test('is answered with a release and receipts, booked on the floor limit, and captured once', async () => {
    const { acquirer, local, limit } = await floored()
    const name = acquirer.party.name
    assert.deepEqual(await moneyOf(trade.network, name), { available: 90_000, held: 10_000, paid: 0 })
    const result = await local.ask(request(acquirer))
    const [site] = result.sites
    assert.equal(site?.reason, 'approved')
    assert.deepEqual(site.problems, [])
    assert.ok((site.release?.rows.length ?? 0) > 0)
    assert.equal(site.receipts.length, 2)
    const price = Number(site.captured?.amountMinor)
    assert.ok(price > 0)
    await allCleared(trade.site())
    assert.deepEqual(await moneyOf(trade.network, name), {
      available: 90_000,
      held: 10_000 - price,
      paid: price,
    })
    const { items } = await trade.network.call(trade.network.operator, NETWORK_API.listFloorLimits, {
      params: { id: 'galway' },
    })
    assert.equal(items.find(({ id }) => id === limit.id)?.captured.amountMinor, BigInt(price))
    // The network knows it as an ask like any other, with its release for the acquirer.
    const state = await acquirer.acquirer.find(result.id)
    assert.equal(state.sites[0]?.reason, 'approved')
    const opened = await acquirer.acquirer.open(state)
    assert.deepEqual(opened.sites[0]?.release?.rows, site.release?.rows)
  })

  test('gives the same answer again, at the site and through the network, and is charged once', async () => {
    const { acquirer, local } = await floored()
    const signed = await local.prepare(request(acquirer))
    const first = await local.send(signed.jws)
    assert.equal(first.sites[0]?.reason, 'approved')
    const second = await local.send(signed.jws)
    assert.deepEqual(unwitnessed(second), unwitnessed(first))
    assert.deepEqual(unwitnessed(await local.find(signed.ask.id)), unwitnessed(first))
    const paid = first.sites[0]?.captured?.amountMinor
    const through = await acquirer.acquirer.send(signed.jws)
    const waited = await acquirer.acquirer.wait(signed.ask.id, later(trade.clock.now(), 10_000))
    assert.equal(waited.sites[0]?.decision, first.sites[0]?.decision)
    assert.equal(through.id, signed.ask.id)
    await allCleared(trade.site())
    const { paid: charged, held } = await moneyOf(trade.network, acquirer.party.name)
    assert.equal(BigInt(charged), paid)
    assert.equal(held, 10_000 - charged)
  })

  test('that goes both ways at once is one ask, charged once', async () => {
    const { acquirer, local } = await floored()
    for (let round = 0; round < 5; round += 1) {
      const before = await moneyOf(trade.network, acquirer.party.name)
      const signed = await local.prepare(request(acquirer))
      const [there, here] = await Promise.all([acquirer.acquirer.send(signed.jws), local.send(signed.jws)])
      const state =
        there.status === 'waiting'
          ? await acquirer.acquirer.wait(signed.ask.id, later(trade.clock.now(), 10_000))
          : there
      assert.equal(state.sites[0]?.decision, here.sites[0]?.decision)
      await allCleared(trade.site())
      const after = await moneyOf(trade.network, acquirer.party.name)
      assert.equal(BigInt(after.paid - before.paid), state.sites[0]?.captured?.amountMinor)
    }
  })

  test('without a floor limit that covers it is declined for funds, with a receipt, and computes nothing', async () => {
    const { acquirer, local } = await floored(100)
    const result = await local.ask(request(acquirer))
    assert.equal(result.sites[0]?.reason, 'declined.funds')
    assert.deepEqual(result.sites[0].problems, [])
    assert.equal(result.sites[0].receipts.length, 1)
    const { available, held, paid } = await moneyOf(trade.network, acquirer.party.name)
    assert.deepEqual([available, held, paid], [99_900, 100, 0])
  })

  test('never goes past the limit, however many come at once', async () => {
    const { acquirer, local, limit } = await floored(3_000)
    const asks = Array.from({ length: 12 }, (_, index) =>
      local.ask(
        request(
          acquirer,
          `select country, count(*) as n, avg(height) as h${index} from athletes group by country`,
        ),
      ),
    )
    const reasons = (await Promise.all(asks)).map(({ sites: [site] }) => ({
      reason: site?.reason,
      price: site?.captured?.amountMinor ?? 0n,
    }))
    const booked = reasons.reduce((sum, { price }) => sum + price, 0n)
    assert.ok(reasons.some(({ reason }) => reason === 'approved'))
    assert.ok(reasons.some(({ reason }) => reason === 'declined.funds'))
    assert.ok(booked <= 3_000n)
    const kept = (await limitsAt(trade.site())).find(({ id }) => id === limit.id)
    assert.equal(kept?.booked.amountMinor, booked)
    await allCleared(trade.site())
    const { paid, held } = await moneyOf(trade.network, acquirer.party.name)
    assert.deepEqual([paid, held], [Number(booked), 3_000 - Number(booked)])
  })

  test('is refused by the same reasons as through the network', async () => {
    const { acquirer, local } = await floored()
    const reasonOf = async (more: Parameters<TestAcquirer['request']>[1], sql = SQL) =>
      (await local.ask(request(acquirer, sql, more))).sites[0]?.reason
    assert.equal(await reasonOf({ purpose: 'dpv:DirectMarketing' }), 'declined.purpose')
    assert.equal(await reasonOf({ releaseTo: { jurisdiction: 'CN' } }), 'declined.perimeter_release')
    assert.equal(await reasonOf({ maxPrice: money(1n, 'EUR') }), 'declined.limit')
    assert.equal(await reasonOf({ maxPrice: money(5_000n, 'USD') }), 'declined.limit')
    assert.equal(await reasonOf({ within: ['CH'] }), 'declined.no_route')
    assert.equal(await reasonOf({ offer: 'nothing' }), 'declined.no_route')
    assert.equal(await reasonOf({ expires: later(trade.clock.now(), -1_000) }), 'declined.expired')
    assert.equal(await reasonOf({}, 'select height from athletes where'), 'declined.sql_syntax')
  })

  test('that is forged, of somebody else or replayed burns no id', async () => {
    const { acquirer, local } = await floored()
    const other = await floored()
    const signed = await local.prepare(request(acquirer))
    // Signed with the key of somebody else, and then sent by somebody else.
    const forged = signJws(canonicalJson(JSON.parse(payloadOf(signed.jws))), {
      typ: TYP.ask,
      key: other.acquirer.party.signing,
    })
    const reasonOf = (state: Awaited<ReturnType<typeof local.send>>) => state.sites[0]?.reason
    assert.equal(reasonOf(await local.send(forged)), 'declined.signature')
    assert.equal(reasonOf(await other.local.send(signed.jws)), 'declined.signature')
    assert.equal(reasonOf(await local.send(signed.jws)), 'approved')
    const replayed = signJws(
      canonicalJson({ ...JSON.parse(payloadOf(signed.jws)), purpose: 'dpv:DirectMarketing' }),
      { typ: TYP.ask, key: acquirer.party.signing },
    )
    assert.equal(reasonOf(await local.send(replayed)), 'declined.replayed')
    assert.equal(reasonOf(await local.send(signed.jws)), 'approved')
    await assert.rejects(other.local.find(signed.ask.id), { code: 'fault.peer_refused' })
  })

  test('of a member that nobody gave a limit here is not let in, and an acquirer sees nothing else of a site', async () => {
    const stranger = await trade.addAcquirer('stranger-care')
    const local = locally(stranger, { site: trade.site(), network: trade.network })
    await assert.rejects(local.ask(request(stranger)), { code: 'fault.peer_refused' })
    const { acquirer } = await floored()
    const client = trade.site().client({ issuer: acquirer.party.name, key: acquirer.party.signing })
    const refused = { code: 'fault.peer_refused' }
    await assert.rejects(client.call(SITE_API.listDataSets), refused)
    await assert.rejects(client.call(SITE_API.listReceipts), refused)
    await assert.rejects(client.call(SITE_API.listGrants), refused)
    await assert.rejects(client.call(SITE_API.siteFloorLimits), refused)
  })

  test('shares the guard of what came through the network: what would tell of few people is held back', async () => {
    const { acquirer, local } = await floored()
    // 1.5 to 2.09 m in hundredths: three people or four are as tall as any one of them.
    const above = (height: number) => `select count(*) as n from athletes where height >= ${height}`
    const first = await acquirer.ask(above(1.6))
    assert.equal(first.sites[0]?.reason, 'approved')
    const result = await local.ask(request(acquirer, above(1.61)))
    assert.equal(result.sites[0]?.reason, 'partial.differencing')
    const [all, fewer] = [first, result].map(({ sites: [site] }) => Number(site?.release?.rows[0]?.[0]))
    assert.ok((all ?? 0) - (fewer ?? 0) >= 10, `${all} and ${fewer} differ by a minimum group`)
  })

  test('a dry run books nothing and needs no telling', async () => {
    const { acquirer, local, limit } = await floored()
    const result = await local.ask(request(acquirer, SQL, { dryRun: true }))
    assert.equal(result.sites[0]?.reason, 'approved')
    assert.equal(result.sites[0].release, undefined)
    const kept = (await limitsAt(trade.site())).find(({ id }) => id === limit.id)
    assert.deepEqual([kept?.booked.amountMinor, kept?.toClear], [0n, 0])
  })
})

describe('floor limits at the network', () => {
  test('are held for, given once for a key, and refused beyond what is there', async () => {
    const acquirer = await trade.addAcquirer('keyed-care')
    const facts = { site: 'galway', acquirer: acquirer.party.name, amountMinor: 60_000, key: 'the-same-key' }
    const validForMs = 86_400_000
    const first = await giveLimit(trade.network, { ...facts, validForMs })
    assert.equal(first.state, 'open')
    assert.deepEqual(await moneyOf(trade.network, acquirer.party.name), {
      available: 40_000,
      held: 60_000,
      paid: 0,
    })
    await assert.rejects(giveLimit(trade.network, { ...facts, key: 'another-key' }), /less than that/)
    await until('it is known', async () => (await limitsAt(trade.site())).some(({ id }) => id === first.id))
  })

  test('are given and seen by nobody else, and closed by their site alone, once they have ended', async () => {
    const { acquirer, limit } = await floored()
    const { network } = trade
    const body = {
      acquirer: acquirer.party.name,
      amount: { amount: 1, currency: 'EUR' },
      validUntil: '2030-01-01T00:00:00Z',
    }
    const params = { id: 'galway' }
    const refusal = await network.refusal(acquirer.party, NETWORK_API.giveFloorLimit, { params, body })
    assert.equal(refusal.code, 'fault.forbidden')
    const seen = await network.refusal(acquirer.party, NETWORK_API.listFloorLimits, { params })
    assert.equal(seen.code, 'fault.forbidden')
    const site = { name: 'galway', signing: trade.site().signing, sealing: acquirer.party.sealing }
    const closing = await network.refusal(site, NETWORK_API.closeFloorLimit, {
      params: { id: 'galway', limit: limit.id },
    })
    assert.equal(closing.code, 'fault.conflict')
  })
})

function payloadOf(jws: string): string {
  return Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString('utf8')
}
