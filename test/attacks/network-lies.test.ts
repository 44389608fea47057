import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { later } from '../../src/kernel/clock.ts'
import { money } from '../../src/kernel/money.ts'
import type { AskState } from '../../src/protocol/http/network-api.ts'
import { testPeople } from '../../src/testing/test-population.ts'
import { testTrade } from '../../src/testing/test-trade.ts'

/*
 * A network that does not tell an acquirer what a site said. It cannot sign for the site; it can leave out, exchange, and say what it
 * likes of what it took. Measure of success: an answer that is opened without a word of it.
 */

const trade = await testTrade()
after(() => trade[Symbol.asyncDispose]())
await trade.fill(trade.site(), { dataSet: 'athletes', people: testPeople(60) })
const asker = await trade.addAcquirer('northcare')

async function answered(sql: string): Promise<AskState> {
  const { ask, jws } = await asker.acquirer.prepare(asker.request(sql))
  await asker.acquirer.send(jws)
  return asker.acquirer.wait(ask.id, later(trade.clock.now(), 60_000))
}

const first = await answered('select count(*) from athletes')
const second = await answered('select avg(height) from athletes')
const declined = await answered('select max(score) from athletes')

type SiteAnswer = AskState['sites'][number]
const told = (state: AskState, change: (answer: SiteAnswer) => Partial<SiteAnswer>): AskState => ({
  ...state,
  sites: state.sites.map((answer) => ({ ...answer, ...change(answer) })),
})
const [other] = second.sites
assert.ok(other?.captured)

const problemsOf = async (state: AskState): Promise<string> =>
  (await asker.acquirer.open(state)).sites.flatMap(({ problems }) => problems).join('; ')

test('what is told as it was is opened without a problem', async () => {
  for (const state of [first, second, declined]) assert.equal(await problemsOf(state), '')
})

const LIES: readonly [string, AskState, RegExp][] = [
  [
    'keeps a release back',
    told(first, () => ({ hasRelease: false, release: undefined })),
    /the release that the decision names did not come/,
  ],
  [
    'gives the release of another ask',
    told(first, () => ({ release: other.release })),
    /not the one that the decision names/,
  ],
  [
    'takes more than the site signed for',
    told(first, ({ captured }) => ({ captured: money((captured?.amountMinor ?? 0n) + 1n, 'EUR') })),
    /not the price that the site signed/,
  ],
  [
    'takes another currency',
    told(first, ({ captured }) => ({ captured: money(captured?.amountMinor ?? 0n, 'CHF') })),
    /not the price that the site signed/,
  ],
  [
    'takes something for what was declined',
    told(declined, () => ({ captured: money(1n, 'EUR') })),
    /not the price that the site signed/,
  ],
  [
    'gives the receipts of another ask',
    told(first, () => ({ receipts: other.receipts })),
    /no receipt names this ask/,
  ],
  ['gives no receipts', told(first, () => ({ receipts: [] })), /no receipt names this ask/],
  [
    'gives the decision on another ask',
    told(first, () => ({ decision: other.decision })),
    /not signed by the site for this ask/,
  ],
  ['says that another site answered', told(first, () => ({ site: 'zurich' as SiteAnswer['site'] })), /./],
]

for (const [what, state, problem] of LIES) {
  test(`a network that ${what} is found out`, async () => {
    assert.match(await problemsOf(state).catch(String), problem)
  })
}
