import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { peekJws } from '../../../src/kernel/crypto/jws.ts'
import { consentTextDigest } from '../../../src/protocol/consent/consent-text.ts'
import { manifestSchema } from '../../../src/protocol/data-set.ts'
import { receiptSchema } from '../../../src/protocol/proof/receipt.ts'
import type { Receipt, ReceiptKind } from '../../../src/protocol/proof/receipt.ts'
import { openPersonRecords } from '../../../src/sdk/person.ts'
import { testGrant, testManifest, testPeople } from '../../../src/testing/test-population.ts'
import { testTrade } from '../../../src/testing/test-trade.ts'

// GDPR Art. 7(1): to be able to show what somebody was told when they allowed something.

const trade = await testTrade()
after(() => trade[Symbol.asyncDispose]())
const site = trade.site()
const people = testPeople(30)
await trade.fill(site, { dataSet: 'athletes', people, grants: [] })
const asker = await trade.addAcquirer('northcare')
const records = openPersonRecords(site.client({ issuer: 'federation', key: trade.federation.signing }), {
  ref: 'p-1',
  reason: 'she asked',
})
const textOf = (title: string, columns?: string[]) =>
  consentTextDigest(manifestSchema.parse(testManifest('athletes', { title })), columns)

async function receiptsOf(kind: ReceiptKind): Promise<readonly Receipt[]> {
  const listed = await site.operator.receipts({ kind, limit: 200 })
  return listed.map(({ receipt }) => receiptSchema.parse(JSON.parse(peekJws(receipt)?.payload ?? '')))
}

test('the receipt of a grant and of a refusal tells which text the person was shown, whole or of some columns', async () => {
  await site.issuer.giveGrants(people.slice(0, 20).map(({ id }) => testGrant('athletes', id)))
  await site.issuer.giveGrants([testGrant('athletes', 'p-25', { columns: ['height'] })])
  await site.issuer.refuseGrant(testGrant('athletes', 'p-26'))
  const given = await receiptsOf('grant')
  assert.equal(given.length, 21)
  for (const [index, { noticeVersions }] of given.entries())
    assert.deepEqual(noticeVersions, [textOf('People of a test', index === 20 ? ['height'] : undefined)])
  const [refused] = await receiptsOf('refusal')
  assert.deepEqual(refused?.noticeVersions, [textOf('People of a test')])
  assert.match(await records.consents('records'), new RegExp(textOf('People of a test')))
})

test('so does that of an ask, a release and a decline, and the person reads it of each use', async () => {
  await asker.ask('select count(*) from athletes')
  await asker.ask('select count(*) from athletes', { purpose: 'dpv:Marketing' })
  for (const kind of ['ask', 'release'] as const) {
    const [receipt] = await receiptsOf(kind)
    assert.deepEqual(receipt?.noticeVersions, [textOf('People of a test')], kind)
  }
  const [use] = await records.uses(5)
  assert.deepEqual(use?.noticeVersions, [textOf('People of a test')])
  const exported = await new Response(await records.export({ format: 'jsonl' })).text()
  assert.match(exported, /"kind":"use".*"noticeVersions":\["sha-256:/)
})

test('a changed text is another version: old grants carry nothing, and new ones tell the new text', async () => {
  await site.issuer.describe(testManifest('athletes', { title: 'People and their heights' }))
  await site.issuer.giveGrants(people.map(({ id }) => testGrant('athletes', id)))
  const given = await receiptsOf('grant')
  assert.deepEqual(given.at(-1)?.noticeVersions, [textOf('People and their heights')])
  await asker.ask('select country, count(*) from athletes group by country')
  const answered = [...(await receiptsOf('ask')), ...(await receiptsOf('decline'))]
  const last = answered.toSorted((one, other) => one.sequence - other.sequence).at(-1)
  assert.deepEqual(last?.noticeVersions, [textOf('People and their heights')])
})
