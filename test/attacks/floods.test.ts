import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { later } from '../../src/kernel/clock.ts'
import type { Instant } from '../../src/kernel/clock.ts'
import { testPeople } from '../../src/testing/test-population.ts'
import { testTrade } from '../../src/testing/test-trade.ts'
import type { TestAcquirer } from '../../src/testing/test-trade.ts'

/*
 * Asks in such numbers that nobody else gets an answer. Measure of success: the only ask of another acquirer, sent after all of
 * them, is answered after most of them.
 */

const trade = await testTrade()
after(() => trade[Symbol.asyncDispose]())
await trade.fill(trade.site(), { dataSet: 'athletes', people: testPeople(60) })

const FLOOD = 60

async function send(asker: TestAcquirer, sql: string): Promise<string> {
  const { ask, jws } = await asker.acquirer.prepare(asker.request(sql))
  assert.equal((await asker.acquirer.send(jws)).status, 'waiting')
  return ask.id
}

async function decidedAt(asker: TestAcquirer, ask: string): Promise<Instant> {
  const until = later(trade.clock.now(), 60_000)
  const { sites } = await asker.acquirer.open(await asker.acquirer.wait(ask, until))
  const moment = sites[0]?.decision?.decidedAt
  assert.ok(moment !== undefined, 'answered')
  return moment
}

test('whoever fills a site with asks waits for them, and nobody else does', async () => {
  const flooder = await trade.addAcquirer('flooder', { depositMinor: 10_000_000 })
  const modest = await trade.addAcquirer('modest')
  // All of them wait at the network, the one of the other behind them.
  await trade.site().stop()
  const flood: string[] = []
  for (let index = 0; index < FLOOD; index += 1)
    flood.push(await send(flooder, `select count(*) from athletes where score > ${index}`))
  const only = await send(modest, 'select count(*) from athletes')
  await trade.site().start()
  const moment = await decidedAt(modest, only)
  const moments: Instant[] = []
  for (const ask of flood) moments.push(await decidedAt(flooder, ask))
  const before = moments.filter((each) => each < moment).length
  assert.ok(before < FLOOD / 2, `${before} of ${FLOOD} were answered before it`)
})
