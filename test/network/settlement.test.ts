import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { SettleAnswer } from '../../src/protocol/http/money-api.ts'
import { LIMITS } from '../../src/kernel/limits.ts'
import { NETWORK_API } from '../../src/protocol/http/network-endpoints.ts'
import type { Settlement } from '../../src/protocol/money/settlement.ts'
import { testDecision } from '../../src/testing/test-decision.ts'
import { testAsk } from '../../src/testing/test-network.ts'
import type { TestParty } from '../../src/testing/test-network.ts'
import { assertBalanced, openWorld } from './world.ts'
import type { World } from './world.ts'

async function trade(w: World, priceMinor: number): Promise<void> {
  const { id } = await w.network.ask(w.northcare, testAsk(w.network, w.northcare))
  const body = testDecision(w.network, w.galway, {
    ask: id,
    acquirer: 'northcare',
    issuer: 'federation',
    priceMinor,
  })
  await w.network.call(w.galway, NETWORK_API.decide, { params: { id: 'galway' }, body })
}

function close({ network }: World, key: string): Promise<SettleAnswer> {
  return network.call(network.operator, NETWORK_API.settle, { body: {}, headers: { 'idempotency-key': key } })
}

async function settle(w: World, key: string): Promise<Settlement> {
  const answer = await close(w, key)
  assert.ok('id' in answer, JSON.stringify(answer))
  return answer
}

describe('POST /v1/settlements', () => {
  test('nets the window into positions that add up to zero, and posts them', async () => {
    await using w = await openWorld()
    await trade(w, 333)
    await trade(w, 200)
    const settlement = await settle(w, 'settlement-1')
    const nets = Object.fromEntries(settlement.positions.map(({ account, netMinor }) => [account, netMinor]))
    assert.deepEqual(nets, {
      edgeworks: 83 + 50,
      federation: 166 + 100,
      network: 16 + 10,
      'network/rounding': 2,
      northcare: -533,
      'subjects/federation/galway': 66 + 40,
    })
    assert.equal(
      Object.values(nets).reduce((sum, net) => sum + net, 0),
      0,
    )
    const { items } = await w.network.call(w.network.operator, NETWORK_API.balances)
    const available = (owner: string, kind: string) =>
      items.find((each) => each.owner === owner && each.kind === kind)?.availableMinor
    assert.deepEqual([available('federation', 'earned'), available('federation', 'funds')], [0, 266])
    await assertBalanced(w)
  })

  test('settles a window once for each key, and each capture in one window', async () => {
    await using w = await openWorld()
    await trade(w, 300)
    const first = await settle(w, 'settlement-1')
    assert.deepEqual(await settle(w, 'settlement-1'), first)
    await trade(w, 200)
    const second = await settle(w, 'settlement-2')
    assert.equal(second.from, first.until)
    await trade(w, 100)
    const third = await settle(w, 'settlement-3')
    assert.equal(third.positions.find(({ account }) => account === 'northcare')?.netMinor, -100)
    const page = await w.network.call(w.network.operator, NETWORK_API.listSettlements, {
      query: { limit: 2 },
    })
    assert.deepEqual(
      page.items.map(({ id }) => id),
      [third.id, second.id],
    )
    const rest = await w.network.call(w.network.operator, NETWORK_API.listSettlements, {
      query: { cursor: page.nextCursor ?? '' },
    })
    assert.deepEqual(
      rest.items.map(({ id }) => id),
      [first.id],
    )
  })

  test('settles once, however many close the window at once and however late one asks again', async () => {
    await using w = await openWorld()
    await trade(w, 300)
    const keys = ['settlement-1', 'settlement-2', 'settlement-3', 'settlement-4']
    const answers = await Promise.all(keys.map((key) => close(w, key)))
    const [made, ...others] = answers.flatMap((answer) => ('id' in answer ? [answer] : []))
    assert.deepEqual(others, [])
    const key = keys[answers.findIndex((answer) => 'id' in answer)] ?? ''
    w.clock.advance(LIMITS.idempotencyWindowMs + 1)
    await trade(w, 200)
    assert.deepEqual(await close(w, key), made)
    assert.equal((await settle(w, 'settlement-5')).positions.length, 5)
  })

  test('makes no settlement where there is nothing to settle, and leaves the window open', async () => {
    await using w = await openWorld()
    assert.deepEqual(await close(w, 'settlement-0'), { nothingToSettle: true })
    await trade(w, 300)
    const { id, until } = await settle(w, 'settlement-1')
    w.clock.advance(60_000)
    const nothing = { nothingToSettle: true, newest: id }
    assert.deepEqual(await close(w, 'settlement-2'), nothing)
    const held = await w.network.ask(w.northcare, testAsk(w.network, w.northcare))
    await w.network.deposit(w.northcare, 100)
    assert.deepEqual(await close(w, 'settlement-3'), nothing, `${held.id} is held, and a deposit is no trade`)
    const listed = await w.network.call(w.network.operator, NETWORK_API.listSettlements)
    assert.deepEqual(
      listed.items.map((each) => each.id),
      [id],
    )
    await trade(w, 200)
    assert.deepEqual(await close(w, 'settlement-2'), nothing, 'the same key is answered as before')
    const next = await settle(w, 'settlement-4')
    assert.equal(next.from, until)
    assert.equal(next.positions.find(({ account }) => account === 'northcare')?.netMinor, -200)
  })

  test('an invoice adds up to the positions of its settlement, and is for its member alone', async () => {
    await using w = await openWorld()
    await trade(w, 333)
    await trade(w, 200)
    const { id, positions } = await settle(w, 'settlement-1')
    await trade(w, 100)
    const later = await settle(w, 'settlement-2')
    const invoice = (caller: TestParty, settlement: string, member?: string) =>
      w.network.call(caller, NETWORK_API.invoice, {
        params: { id: settlement },
        query: member === undefined ? {} : { member },
      })
    const charged = await invoice(w.northcare, id)
    assert.equal(charged.number, `${id}/northcare`)
    assert.deepEqual(charged.credits, [])
    const line = { dataSet: 'athletes', site: 'galway', runs: 2, currency: 'EUR', amountMinor: 533 }
    assert.deepEqual(charged.charges, [line])
    assert.equal((await invoice(w.northcare, later.id)).charges[0]?.amountMinor, 100)
    const earned = await invoice(w.network.operator, id, 'federation')
    assert.deepEqual(
      earned.credits.map(({ party, account, amountMinor }) => [party, account, amountMinor]),
      [
        ['issuer', undefined, 266],
        ['subjects', 'subjects/federation/galway', 106],
      ],
    )
    const ours = positions.filter(({ account }) => account.includes('federation'))
    const net = ours.reduce((sum, { netMinor }) => sum + netMinor, 0)
    assert.deepEqual(earned.totals, [{ currency: 'EUR', chargesMinor: 0, creditsMinor: net, netMinor: net }])
    const refusal = (query: Record<string, string>) =>
      w.network.refusal(w.northcare, NETWORK_API.invoice, { params: { id }, query })
    assert.equal((await refusal({ member: 'federation' })).status, 404)
    const nobodys = await w.network.refusal(w.network.operator, NETWORK_API.invoice, { params: { id } })
    assert.equal(nobodys.status, 400)
  })

  test('shows a member its own positions only, and books for the operator only', async () => {
    await using w = await openWorld()
    await trade(w, 300)
    const { id } = await settle(w, 'settlement-1')
    const own = await w.network.call(w.federation, NETWORK_API.settlement, { params: { id } })
    assert.deepEqual(
      own.positions.map(({ account }) => account),
      ['federation', 'subjects/federation/galway'],
    )
    const headers = { 'idempotency-key': 'settlement-2' }
    assert.equal(
      (await w.network.refusal(w.federation, NETWORK_API.settle, { body: {}, headers })).status,
      403,
    )
    assert.equal((await w.network.refusal(w.network.operator, NETWORK_API.settle, { body: {} })).status, 400)
    const statement = await w.network.call(w.federation, NETWORK_API.listTransfers)
    for (const { debit, credit } of statement.items)
      assert.ok([debit.owner, credit.owner].some((owner) => owner.includes('federation')))
    assert.equal((await w.network.refusal(w.federation, NETWORK_API.trialBalance)).status, 403)
  })
})
