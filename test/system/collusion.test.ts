import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { openOperator } from '../../src/sdk/operator.ts'
import { NETWORK_API } from '../../src/protocol/http/network-endpoints.ts'
import { testPeople } from '../../src/testing/test-population.ts'
import { testTrade } from '../../src/testing/test-trade.ts'
import type { TestAcquirer } from '../../src/testing/test-trade.ts'

const trade = await testTrade()
after(() => trade[Symbol.asyncDispose]())
await trade.fill(trade.site(), { dataSet: 'athletes', people: testPeople(100) })

async function told(asker: TestAcquirer, from: number): Promise<{ reason: unknown; people: number }> {
  const asked = await asker.ask(`select count(*) from athletes where score >= ${from}`)
  const [site] = asked.sites
  return { reason: site?.reason, people: Number(site?.release?.rows[0]?.[0]) }
}

async function reason(asker: TestAcquirer, from: number): Promise<unknown> {
  return (await told(asker, from)).reason
}

test('what one of two may still have, it has of fewer people once they are declared to collude', async () => {
  const [atlas, birch, cargo, delta] = [
    await trade.addAcquirer('atlas'),
    await trade.addAcquirer('birch'),
    await trade.addAcquirer('cargo'),
    await trade.addAcquirer('delta'),
  ]
  for (const [first, second] of [
    [atlas, birch],
    [cargo, delta],
  ] as const) {
    assert.equal(await reason(first, 0), 'approved')
    assert.equal(await reason(second, 20), 'approved')
  }
  await trade.network.call(trade.network.operator, NETWORK_API.declareCollusion, {
    params: { id: 'cargo' },
    body: { with: ['delta'] },
  })
  // One person has a score of 20.
  assert.deepEqual(await told(atlas, 21), { reason: 'approved', people: 79 })
  const above20 = await told(cargo, 21)
  assert.equal(above20.reason, 'partial.differencing')
  assert.ok(
    80 - above20.people >= 10,
    'the other had all 80: both together are about a minimum group or nobody',
  )
  const members = await openOperator(cargo.client).members()
  assert.deepEqual(members.find(({ id }) => id === 'delta')?.colludesWith, ['cargo'])
})
