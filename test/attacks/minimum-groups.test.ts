import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testPeople } from '../../src/testing/test-population.ts'
import { testTrade } from '../../src/testing/test-trade.ts'

/*
 * Answers with different minimum groups over the same people: of columns of a special category, or of a data set whose
 * terms want more people. A number of few people of one is no help against the sums of the other. Measure of success: two
 * sums of the stricter one whose difference is about fewer people than its minimum group.
 */

/** Fewer than the stricter data set wants, and enough for the other. */
const FEW = 12

test('what an answer by laxer terms cuts off is not taken off a sum by stricter ones', async () => {
  await using trade = await testTrade()
  const site = trade.site()
  const people = testPeople(90, (_, index) => ({ score: index < FEW ? 5 : 30 + (index % 20) }))
  await trade.fill(site, { dataSet: 'athletes', people })
  await trade.fill(site, { dataSet: 'visits', people, manifest: { minimumGroup: 30 } })
  const northcare = await trade.addAcquirer('northcare')
  const answerOf = async (sql: string, asker = northcare) => {
    const [answer] = (await asker.ask(sql)).sites
    return [answer?.reason, answer?.release?.rows[0]?.[0]]
  }
  const sum = 'select sum(v.height) from athletes a join visits v on a.id = v.id'
  const count = 'select count(*) from athletes a where score'
  assert.equal((await answerOf(sum))[0], 'approved')
  assert.deepEqual(await answerOf(`${count} < 10`), ['declined.differencing', undefined])
  // The few are covered by as many others as the stricter terms want.
  assert.deepEqual(await answerOf(`${count} >= 10`), ['partial.differencing', 60])
  const rest = await northcare.ask(`${sum} where a.score >= 10`)
  assert.notEqual(rest.sites[0]?.reason, 'approved')
  // Whoever asked for nothing stricter before may have it. Then the few wait until they are a stricter minimum group.
  const laxer = await trade.addAcquirer('insureplus')
  assert.deepEqual(await answerOf(`${count} < 10`, laxer), ['approved', FEW])
  const others = await answerOf(`${sum} where a.score >= 10`, laxer)
  assert.equal(others[0], 'approved')
  assert.deepEqual(await answerOf(sum, laxer), others)
})
