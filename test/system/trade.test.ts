import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testTrade } from '../../src/testing/test-trade.ts'
import { testPeople } from '../../src/testing/test-population.ts'

test('a whole trade in one process: described, imported, granted, asked, opened, paid', async () => {
  await using trade = await testTrade()
  const site = trade.site()
  await trade.fill(site, { dataSet: 'athletes', people: testPeople(120) })
  const northcare = await trade.addAcquirer('northcare')
  const result = await northcare.ask(
    'select country, count(*) as people, avg(height) as height from athletes group by country order by country',
  )
  const [answer] = result.sites
  assert.deepEqual(answer?.problems, [])
  assert.equal(answer?.reason, 'approved')
  assert.equal(answer?.release?.rows.length, 3)
})
