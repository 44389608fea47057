import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { NETWORK_API } from '../../src/protocol/http/network-endpoints.ts'
import { testPeople } from '../../src/testing/test-population.ts'
import { testTrade } from '../../src/testing/test-trade.ts'
import type { TestTrade } from '../../src/testing/test-trade.ts'
import { databaseOfTenant } from '../kernel/postgres/hostile-database.ts'

/*
 * Both servers on databases of somebody who sets everything that can be set for a role against them, and sorts words as people do.
 * Measure of success: an answer, a list or a balance that is another than on a database of our own.
 */

const NAMES = ['Ab', 'aB', 'a-b', 'ab', 'a_c', 'b', 'B2', 'b-1', '_b', 'ä'].map((name) => `${name}.ref`)
const people = testPeople(60, (_, index) => {
  const id = NAMES[index]
  return id === undefined ? {} : { id }
})

let own: TestTrade
let foreign: TestTrade
before(async () => {
  own = await testTrade()
  foreign = await testTrade({ newDatabase: databaseOfTenant })
})
after(async () => {
  await own[Symbol.asyncDispose]()
  await foreign[Symbol.asyncDispose]()
})

/** A trade from import to money, with what can be seen of it that does not depend on keys and moments. */
async function story(trade: TestTrade) {
  const site = trade.site()
  await trade.fill(site, { dataSet: 'athletes', people })
  const asker = await trade.addAcquirer('north-care')
  for (const name of ['north2', 'n-z', 'nz0', 'n-3']) await trade.addAcquirer(name, { depositMinor: 0 })
  const sql = 'select country, count(*) as people, avg(score) as score from athletes group by country'
  const asked = [await asker.ask(sql), await asker.ask(sql), await asker.ask(`${sql} order by country`)]
  await site.issuer.revokeGrants([{ dataSet: 'athletes', person: 'Ab.ref' }])
  asked.push(await asker.ask('select count(*) as people from athletes where score >= 0'))
  const members: string[] = []
  for (let cursor: string | undefined; ;) {
    const query = { limit: 2, ...(cursor === undefined ? {} : { cursor }) }
    const page = await trade.network.call(trade.network.operator, NETWORK_API.listMembers, { query })
    members.push(...page.items.map(({ id }) => id))
    if (page.nextCursor === undefined) break
    cursor = page.nextCursor
  }
  const { items } = await trade.network.call(asker.party, NETWORK_API.balances, {})
  const seen = {
    answers: asked.map(({ sites }) =>
      sites.map(({ decision, release }) => [decision?.decision, decision?.reason, release]),
    ),
    members,
    balances: items,
  }
  return JSON.parse(JSON.stringify(seen).replaceAll(/ask_[0-9A-Z]{26}/g, 'an ask')) as typeof seen
}

test('a trade is the same, word for word, on a database that is set against us', async () => {
  assert.deepEqual(await story(foreign), await story(own))
})
