import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { testPeople } from '../../../src/testing/test-population.ts'
import { testTrade } from '../../../src/testing/test-trade.ts'

// Answers about fewer people than were asked about, from the ask to the opened release.

const trade = await testTrade()
after(() => trade[Symbol.asyncDispose]())
const COUNT = 300
/** The first three live in Iceland; the minimum group is 10. */
const K = 10
const people = testPeople(COUNT, (_, index) => (index < 3 ? { country: 'IS' } : {}))
await trade.fill(trade.site(), { dataSet: 'athletes', people })

const EVERYBODY = 'select count(*), avg(height) from athletes'
const BUT_A_FEW = `${EVERYBODY} where country <> 'IS'`

async function askerAfterEverybody(id: string) {
  const asker = await trade.addAcquirer(id, { depositMinor: 10_000_000 })
  const [whole] = (await asker.ask(EVERYBODY)).sites
  assert.deepEqual([whole?.reason, whole?.release?.isNarrowed], ['approved', undefined])
  return asker
}

test('the decision, the receipts and the release say that it is about fewer people, and the sums are true for them', async () => {
  const asker = await askerAfterEverybody('reader')
  const [site] = (await asker.ask(BUT_A_FEW)).sites
  assert.equal(site?.reason, 'partial.differencing')
  assert.equal(site?.decision?.decision, 'partial')
  assert.ok(site.receipts.length === 2 && site.receipts.every(({ isVerified }) => isVerified))
  assert.equal(site.release?.isNarrowed, true)
  const [[count, mean] = []] = site.release?.rows ?? []
  assert.equal(count, COUNT - K)
  // 7 of 297 are missing beside those three: the mean lies between those without the 7 tallest and without the 7 shortest.
  const heights = people.slice(3).map(({ height }) => height)
  const ordered = heights.toSorted((left, right) => left - right)
  const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  assert.ok(Number(mean) >= meanOf(ordered.slice(0, 3 - K)) && Number(mean) <= meanOf(ordered.slice(K - 3)))
})

test('an equal ask gets the same, and is as partial as before', async () => {
  const asker = await askerAfterEverybody('repeater')
  const [first] = (await asker.ask(BUT_A_FEW)).sites
  const [second] = (await asker.ask(BUT_A_FEW)).sites
  assert.deepEqual([second?.reason, second?.release?.rows], ['partial.differencing', first?.release?.rows])
  assert.equal(second?.release?.isNarrowed, true)
})

test('who is left out has no use of it in the history, and is not paid for', async () => {
  const asker = await askerAfterEverybody('payer')
  const [whole] = (await asker.ask(EVERYBODY)).sites
  const [narrowed] = (await asker.ask(BUT_A_FEW)).sites
  assert.ok(whole?.captured && narrowed?.captured)
  assert.ok(narrowed.captured.amountMinor <= whole.captured.amountMinor)
  assert.equal(narrowed.decision?.people, 200)
})

test('after the narrowed answer its cells stand: what was left out is not to be had alone', async () => {
  const asker = await askerAfterEverybody('patient')
  await asker.ask(BUT_A_FEW)
  const [iceland] = (await asker.ask("select count(*) from athletes where country = 'IS'")).sites
  assert.equal(iceland?.reason, 'declined.group_too_small')
  // All but one more: that one is covered again, by others.
  const [more] = (await asker.ask(`${BUT_A_FEW} and score <> 40`)).sites
  assert.equal(more?.reason, 'partial.differencing')
  const [[count] = []] = more.release?.rows ?? []
  assert.ok(Number(count) <= COUNT - 2 * K || Number(count) === COUNT - K, `${count} people`)
})

test('whoever carries an answer cannot tell how many rows it has: not from its length, nor from its receipts', async () => {
  const asker = await trade.addAcquirer('carried', { depositMinor: 10_000_000 })
  const among = "from athletes where country <> 'IS'"
  const [few] = (await asker.ask(`select count(*) ${among}`)).sites
  const [many] = (await asker.ask(`select country, count(*) ${among} group by country`)).sites
  assert.ok((few?.release?.rows.length ?? 0) < (many?.release?.rows.length ?? 0))
  const said = [few, many].map((site) => {
    const receipt = site?.receipts.find((one) => one.receipt?.kind === 'release')?.receipt
    assert.ok(receipt)
    // What differs from ask to ask whatever is in it.
    return { ...receipt, ask: '', askId: '', lineage: '', sequence: 0, time: '', release: '', policy: '' }
  })
  assert.deepEqual(said[0], said[1])
})
