import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { peekJws } from '../../src/kernel/crypto/jws.ts'
import { NETWORK_API } from '../../src/protocol/http/network-endpoints.ts'
import { receiptSchema } from '../../src/protocol/proof/receipt.ts'
import { testPeople } from '../../src/testing/test-population.ts'
import { testTrade } from '../../src/testing/test-trade.ts'
import type { TestAcquirer, TestTrade } from '../../src/testing/test-trade.ts'

// Data Governance Act, Art. 12(a): whoever keeps data for others uses it for nothing of its own.

const SQL = 'select country, avg(score) as score from athletes group by country'

let trade: TestTrade
let custodian: TestAcquirer
let fellow: TestAcquirer
let stranger: TestAcquirer
before(async () => {
  trade = await testTrade({ sites: [{ name: 'galway', settings: { custodian: 'keeper' } }] })
  custodian = await trade.addAcquirer('keeper')
  fellow = await trade.addAcquirer('fellow')
  stranger = await trade.addAcquirer('stranger')
  await trade.fill(trade.site(), { dataSet: 'athletes', people: testPeople(60) })
})
after(() => trade[Symbol.asyncDispose]())

async function reasonOf(acquirer: TestAcquirer, more: object = {}): Promise<string | undefined> {
  const { sites } = await acquirer.ask(SQL, more)
  return sites[0]?.reason
}

test('the custodian of a site is given nothing, in no mode, and no dry run', async () => {
  assert.equal(await reasonOf(stranger), 'approved')
  assert.equal(await reasonOf(custodian), 'declined.custodian')
  assert.equal(await reasonOf(custodian, { dryRun: true }), 'declined.custodian')
  assert.equal(await reasonOf(custodian, { mode: 'rows' }), 'declined.custodian')
})

test('nor is a member that puts its answers together with the custodian, and each attempt is in the log', async () => {
  assert.equal(await reasonOf(fellow), 'approved')
  await trade.network.call(trade.network.operator, NETWORK_API.declareCollusion, {
    params: { id: 'fellow' },
    body: { with: ['keeper'] },
  })
  assert.equal(await reasonOf(fellow), 'declined.custodian')
  assert.equal(await reasonOf(stranger), 'approved')
  const declines = await trade.site().operator.receipts({ kind: 'decline', limit: 10 })
  const read = declines.map(({ receipt }) =>
    receiptSchema.parse(JSON.parse(peekJws(receipt)?.payload ?? '{}')),
  )
  const attempts = read.filter(({ reason }) => reason === 'declined.custodian')
  const names = attempts.map(({ acquirer }) => acquirer ?? '').toSorted()
  assert.deepEqual(names, ['fellow', 'keeper', 'keeper', 'keeper'])
})
