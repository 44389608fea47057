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

test('two who put their lists of people beside each other do not find the same person in the same place', async () => {
  const [one, other] = [await listsOf('ember'), await listsOf('flint')]
  assert.equal(one.all.length, 100)
  // By chance one person is where they were, and four of the first 20 are the same.
  assert.ok(one.all.filter((person, place) => person === other.all[place]).length < 12)
  assert.ok(one.first.filter((person) => other.first.includes(person)).length < 16)
})

/** People by what is unique of them, in the order in which an acquirer is given their pseudonyms. */
async function listsOf(
  name: string,
): Promise<{ readonly all: readonly number[]; readonly first: readonly number[] }> {
  const asker = await trade.addAcquirer(name)
  const rows = async (sql: string) => (await asker.ask(sql, { mode: 'rows' })).sites[0]?.release?.rows ?? []
  const scores = new Map((await rows('select id, score from athletes')).map(([id, score]) => [id, score]))
  const people = (listed: Awaited<ReturnType<typeof rows>>) =>
    listed.map(([id = null]) => Number(scores.get(id)))
  return {
    all: people(await rows('select id from athletes')),
    first: people(await rows('select id, 1 as one from athletes order by one limit 20')),
  }
}
