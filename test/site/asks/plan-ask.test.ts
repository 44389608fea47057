import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openOfficer } from '../../../src/sdk/officer.ts'
import { testGrant, testPeople } from '../../../src/testing/test-population.ts'
import { testTrade } from '../../../src/testing/test-trade.ts'
import type { TestAcquirer, TestTrade } from '../../../src/testing/test-trade.ts'

/* What is decided of an ask between its text and its run: which data sets it uses, and whom its price leaves out. */

const EVALUATING = 'dpv:Personalisation'
const people = testPeople(80)

let trade: TestTrade
let asker: TestAcquirer

before(async () => {
  trade = await testTrade()
  const site = trade.site()
  const purposes = ['dpv:ResearchAndDevelopment', EVALUATING]
  for (const dataSet of ['athletes', 'members'])
    await trade.fill(site, {
      dataSet,
      people,
      manifest: { purposes },
      grants: people.map(({ id }) => testGrant(dataSet, id, { purposes })),
    })
  asker = await trade.addAcquirer('northcare')
})
after(() => trade[Symbol.asyncDispose]())

async function answer(question: string, more: Parameters<TestAcquirer['ask']>[1] = {}) {
  const [site] = (await asker.ask(question, more)).sites
  assert.ok(site)
  assert.deepEqual(site.problems, [])
  return { reason: site.reason, rows: site.release?.rows, detail: site.decision?.detail }
}

test('a question has to use the data set that was asked for and paid', async () => {
  const other = await answer('select count(*) from members')
  assert.equal(other.reason, 'declined.column')
  assert.match(other.detail ?? '', /does not use the data set "athletes" that was asked for/)
  assert.equal(other.rows, undefined)
  const both = 'select count(*) from athletes join members using (id)'
  assert.deepEqual((await answer(both)).rows, [[80]])
})

test('a data set that is joined needs an assessment of its own', async () => {
  const controller = openOfficer(trade.site().client({ issuer: 'federation', key: trade.federation.signing }))
  const attach = (dataSet: string) =>
    controller.attachAssessment({
      dataSet,
      purpose: EVALUATING,
      kind: 'dpia',
      reference: 'DPIA-1',
      approvedBy: 'Orla Byrne',
      approvedOn: '2020-01-01',
      reviewBy: '2060-01-01',
    })
  const use = { purpose: EVALUATING }
  const joined = 'select count(*) from athletes join members using (id) where score >= 0'
  assert.equal((await answer('select count(*) from athletes', use)).reason, 'declined.purpose')
  await attach('athletes')
  assert.equal((await answer('select count(*) from athletes', use)).reason, 'approved')
  assert.equal((await answer(joined.replace('score', 'athletes.score'), use)).reason, 'declined.purpose')
  await attach('members')
  assert.equal((await answer(joined.replace('score', 'athletes.score'), use)).reason, 'approved')
})

/** People of whom some ask for more than the subjects' three cents each: what is told of that, and who is counted. */
async function withDearer(dataSet: string, dearer: number) {
  await trade.fill(trade.site(), {
    dataSet,
    people,
    manifest: {
      tariff: {
        currency: 'EUR',
        perRunMinor: 100,
        per100PeopleMinor: 1_000,
        per100RowsMinor: 10,
        minimumFeeMinor: 100,
        capMinor: 1_000,
      },
    },
    grants: people.map(({ id }, index) =>
      testGrant(dataSet, id, { minimumPriceMinor: index < dearer ? 4 : 3 }),
    ),
  })
  return answer(`select count(*) from ${dataSet}`, { offer: dataSet })
}

test('that some ask for a higher price is told from the minimum group on, and not one person earlier', async () => {
  assert.deepEqual(await withDearer('nine', 9), { reason: 'approved', rows: [[71]], detail: undefined })
  const ten = await withDearer('ten', 10)
  assert.deepEqual([ten.reason, ten.rows], ['partial.people', [[70]]])
  const joined = await answer('select count(*) from ten join athletes using (id)', { offer: 'ten' })
  assert.deepEqual([joined.reason, joined.rows], ['partial.people', [[70]]])
})
