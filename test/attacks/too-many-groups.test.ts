import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { LIMITS } from '../../src/kernel/limits.ts'
import { testGrant, testPeople } from '../../src/testing/test-population.ts'
import { testTrade } from '../../src/testing/test-trade.ts'

/*
 * Who can make groups until there are as many as may be is told by the next one whether somebody stands in it: too many groups, or not.
 * Measure of success: that is asked again and again, of anybody, for nothing.
 */

const MOST = 3
const people = testPeople(LIMITS.queryGroupsMax + MOST + 2, (_, index) => ({ country: `c${index}` }))
const trade = await testTrade({
  sites: [{ name: 'galway', settings: { refusals: { most: MOST } } }],
})
after(() => trade[Symbol.asyncDispose]())
await trade.fill(trade.site(), {
  dataSet: 'athletes',
  people,
  manifest: { person: { key: 'id', birthDate: 'birth_date' } },
  grants: people.map(({ id }) => testGrant('athletes', id, { modes: ['aggregate'] })),
})

const without = (countries: readonly string[]) =>
  `select country, count(*) from athletes where country not in (${countries.map((name) => `'${name}'`).join()}) group by country`

test('that there are too many groups is a refusal like others, and there are only so many of them', async () => {
  for (const dryRun of [false, true]) {
    const asker = await trade.addAcquirer(dryRun ? 'looker' : 'counter', { depositMinor: 10_000_000 })
    const reasonOf = async (index: number) =>
      (await asker.ask(without(['nowhere', `c${index}`]), { dryRun })).sites[0]?.reason
    for (let index = 0; index < MOST; index += 1) assert.equal(await reasonOf(index), 'declined.too_large')
    // The same again would tell nothing, but no budget is left, whatever is asked.
    assert.equal(await reasonOf(0), 'declined.differencing')
    assert.equal(await reasonOf(MOST), 'declined.differencing')
    const few = people.slice(0, MOST + 3).map(({ country }) => country)
    assert.equal((await asker.ask(without(few), { dryRun })).sites[0]?.reason, 'declined.differencing')
  }
})

test('the same refused again costs nothing', async () => {
  const asker = await trade.addAcquirer('repeater', { depositMinor: 10_000_000 })
  const reasons: (string | undefined)[] = []
  for (let time = 0; time <= MOST; time += 1)
    reasons.push((await asker.ask(without(['nowhere']))).sites[0]?.reason)
  assert.deepEqual(new Set(reasons), new Set(['declined.too_large']))
})
