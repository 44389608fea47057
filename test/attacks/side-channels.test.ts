import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { SiteDecision } from '../../src/protocol/decision.ts'
import { NETWORK_API } from '../../src/protocol/http/network-endpoints.ts'
import { fileBody, testTrade } from '../../src/testing/test-trade.ts'
import type { TestAcquirer } from '../../src/testing/test-trade.ts'
import type { WireManifest } from '../../src/sdk/issuer.ts'
import { csvOf, testGrant, testPeople } from '../../src/testing/test-population.ts'
import type { TestPerson } from '../../src/testing/test-population.ts'

/*
 * What stands beside the rows of one answer as a channel: decision, steps, share, price, receipts, and the length of what
 * is sealed. Measures of success: any of it that follows people who allowed nothing, people in suppressed groups, how many
 * rows there are, or whether anything was computed again.
 */

const trade = await testTrade()
after(() => trade[Symbol.asyncDispose]())

/** So many allow it in each data set, and are alike in all of them. */
const GRANTED = 195

/** `more`: further terms. */
async function fill(
  dataSet: string,
  people: readonly TestPerson[],
  more: Partial<WireManifest> = {},
): Promise<void> {
  const grants = people.slice(0, GRANTED).map(({ id }) => testGrant(dataSet, id))
  await trade.fill(trade.site(), { dataSet, people, grants, manifest: more })
}

/** Besides those who allow it there are six who do not, or fifteen, of whom everything is out of the ordinary. */
await fill('athletes', testPeople(GRANTED + 6))
await fill(
  'swimmers',
  testPeople(GRANTED + 15, (_, index) => (index < GRANTED ? {} : { country: 'MT', height: 2.4, score: 100 })),
)

const QUESTIONS = [
  'select count(*) from SET',
  'select country, count(*), avg(height) from SET group by country order by country',
  "select count(*) from SET where country = 'MT'",
  'select avg(score) from SET where height < 2.3',
  'select country, sum(score) from SET where score < 50 group by country having count(*) > 5',
  'select birth_date, count(*) from SET group by birth_date',
  'select count(*) from SET where score > 42 and score < 48',
  'select max(score) from SET',
]

/** All that is told of an ask but ids, times, and what is named after the data set. */
async function toldOf(
  asker: TestAcquirer,
  { sql, dataSet, dryRun = false }: { sql: string; dataSet: string; dryRun?: boolean },
) {
  const result = await asker.ask(sql.replaceAll('SET', dataSet), {
    offer: dataSet,
    ...(dryRun ? { dryRun } : {}),
  })
  const [site] = result.sites
  assert.ok(site?.decision)
  assert.deepEqual(site.problems, [])
  const decision: Partial<SiteDecision> = { ...site.decision }
  for (const name of ['ask', 'decidedAt', 'releaseDigest'] as const) delete decision[name]
  const receipts = site.receipts.map(({ receipt }) => {
    assert.ok(receipt)
    const { kind, reason, peopleStep, rowsStep, rows, epsilon, bases, price } = receipt
    return {
      names: Object.keys(receipt).toSorted(),
      kind,
      reason,
      peopleStep,
      rowsStep,
      rows,
      epsilon,
      bases,
      price,
    }
  })
  const { rows, remainder, isNarrowed } = site.release ?? {}
  return {
    decision,
    receipts,
    captured: site.captured,
    rows,
    remainder,
    isNarrowed,
    sizes: await sizesOf(asker, result.id),
  }
}

/** Lengths of what was sealed to the acquirer, as whoever carries it sees them. */
async function sizesOf(asker: TestAcquirer, id: string): Promise<readonly number[]> {
  const { releases } = await asker.client.call(NETWORK_API.releases, { params: { id } })
  return releases.map(({ release }) => release.length)
}

for (const dryRun of [true, false])
  test(`nothing that is told of ${dryRun ? 'a dry run' : 'an ask'} follows people who allowed nothing`, async () => {
    const asker = await trade.addAcquirer(`beside-${dryRun}`, { depositMinor: 10_000_000 })
    for (const sql of QUESTIONS) {
      const [one, other] = [
        await toldOf(asker, { sql, dataSet: 'athletes', dryRun }),
        await toldOf(asker, { sql, dataSet: 'swimmers', dryRun }),
      ]
      assert.deepEqual(other, one, sql)
    }
  })

test('people who come without allowing anything change no share, though the number behind an answer is known exactly', async () => {
  const asker = await trade.addAcquirer('counter', { depositMinor: 10_000_000 })
  const shares = new Set<unknown>()
  for (let more = 0; more <= 6; more += 1) {
    // Of an exact whole 195 would be 95 % of up to 205 people, and 90 % of 206.
    const newcomer = testPeople(1, () => ({ id: `new-${more}` }))
    if (more > 0)
      await trade.site().issuer.importFile({
        dataSet: 'athletes',
        batch: `more-${more}`,
        format: 'csv',
        body: fileBody(csvOf(newcomer)),
      })
    const { decision, rows } = await toldOf(asker, { sql: 'select count(*) from SET', dataSet: 'athletes' })
    assert.deepEqual(rows, [[GRANTED]])
    shares.add(decision.coveragePct)
  }
  assert.equal(shares.size, 1, [...shares].join())
})

test('an equal ask costs what the first one cost, to the second of the engine', async () => {
  const asker = await trade.addAcquirer('again', { depositMinor: 10_000_000 })
  const tariff = { currency: 'EUR' as const, perRunMinor: 100, perCpuSecondMinor: 7, capMinor: 1_000 }
  await fill('dancers', testPeople(GRANTED), { tariff })
  const question = { sql: 'select avg(height) from SET', dataSet: 'dancers' }
  const first = await toldOf(asker, question)
  assert.ok((first.captured?.amountMinor ?? 0n) > 100n, 'the engine is charged')
  assert.deepEqual(await toldOf(asker, question), first)
  assert.deepEqual((await toldOf(asker, { ...question, dryRun: true })).decision, first.decision)
})

test('the length of what is sealed tells neither rows nor digits', async () => {
  const asker = await trade.addAcquirer('carrier', { depositMinor: 10_000_000 })
  const sizes = new Set<number>()
  for (const sql of [
    'select count(*) from SET',
    'select country, sum(height), avg(score), count(*) from SET group by country',
    'select score < 50, count(*) from SET group by 1',
  ])
    for (const size of (await toldOf(asker, { sql, dataSet: 'athletes' })).sizes) sizes.add(size)
  assert.equal(sizes.size, 1, [...sizes].join())
})
