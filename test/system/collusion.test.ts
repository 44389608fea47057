import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { openOperator } from '../../src/sdk/operator.ts'
import { NETWORK_API } from '../../src/protocol/network-endpoints.ts'
import { testPeople } from '../../src/testing/test-population.ts'
import { testTrade } from '../../src/testing/test-trade.ts'
import type { TestAcquirer } from '../../src/testing/test-trade.ts'

const trade = await testTrade()
after(() => trade[Symbol.asyncDispose]())
await trade.fill(trade.site(), { dataSet: 'athletes', people: testPeople(100) })

async function reason(asker: TestAcquirer, from: number): Promise<unknown> {
  return (await asker.ask(`select avg(height) from athletes where score >= ${from}`)).sites[0]?.reason
}

test('what one of two may still have, it may not have once they are declared to collude', async () => {
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
  assert.equal(await reason(atlas, 21), 'approved')
  assert.equal(await reason(cargo, 21), 'declined.differencing')
  assert.equal(await reason(cargo, 40), 'approved')
  assert.equal(await reason(delta, 41), 'declined.differencing')
  const members = await openOperator(cargo.client).members()
  assert.deepEqual(members.find(({ id }) => id === 'delta')?.colludesWith, ['cargo'])
})
