import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { consentTextDigest } from '../../../src/protocol/consent/consent-text.ts'
import { manifestSchema } from '../../../src/protocol/data-set.ts'
import { askAgainLines, peopleToAsk } from '../../../src/sdk/ask-again.ts'
import { openOfficer } from '../../../src/sdk/officer.ts'
import { openPersonRecords } from '../../../src/sdk/person.ts'
import { publicKeys, testParty } from '../../../src/testing/test-network.ts'
import type { TestParty } from '../../../src/testing/test-network.ts'
import { testGrant, testManifest, testPeople } from '../../../src/testing/test-population.ts'
import { testTrade } from '../../../src/testing/test-trade.ts'

const trade = await testTrade()
after(() => trade[Symbol.asyncDispose]())
const site = trade.site()
const clientOf = (party: TestParty) => site.client({ issuer: party.name, key: party.signing })
const issuer = clientOf(trade.federation)
const people = testPeople(30)
const toNorthcare = { grantee: { member: 'northcare' } }
await trade.fill(site, {
  dataSet: 'athletes',
  people,
  grants: [
    ...people.slice(0, 20).map(({ id }) => testGrant('athletes', id)),
    testGrant('athletes', 'p-3', toNorthcare),
    testGrant('athletes', 'p-22', { validUntil: '2099-01-01T00:00:00Z', columns: ['height'] }),
  ],
})
const rival = await trade.network.addMember('rival', ['issuer'])
await site.operator.registerIssuer({ member: rival.name, keys: publicKeys(rival) })
const orla = testParty('orla')
await openOfficer(issuer).nameOfficer('orla', publicKeys(orla))
const reason = 'columns were described anew'
const keysOf = async (limit = 100) =>
  (await peopleToAsk(issuer, { dataSet: 'athletes', reason, limit })).map(({ person }) => person)
const kinds = async () => (await site.operator.receipts({ kind: 'access', limit: 500 })).length

test('while the text stands nobody is to be asked, and nobody is looked at', async () => {
  assert.deepEqual(await keysOf(), [])
  assert.equal(await kinds(), 0)
})

test('after a changed text everybody is whose grant it was, with what they had allowed', async () => {
  await site.issuer.describe(testManifest('athletes', { title: 'People and how tall they are' }))
  const listed = await peopleToAsk(issuer, { dataSet: 'athletes', reason, limit: 100 })
  assert.deepEqual(
    listed.map(({ person }) => person).toSorted(),
    [...people.slice(0, 20).map(({ id }) => id), 'p-22'].toSorted(),
  )
  const [before, now] = ['People of a test', 'People and how tall they are'].map((title) =>
    consentTextDigest(manifestSchema.parse(testManifest('athletes', { title })), ['height']),
  )
  assert.deepEqual(listed.find(({ person }) => person === 'p-22')?.granted, [
    {
      grantee: { anyone: true },
      purposes: ['dpv:ResearchAndDevelopment'],
      modes: ['aggregate', 'rows'],
      columns: ['height'],
      givenBy: 'self',
      notice: before,
      standing: now,
    },
  ])
  assert.equal(listed.find(({ person }) => person === 'p-3')?.granted.length, 2)
})

test('each who is shown has it in their record, with the reason and a receipt, and nobody else has', async () => {
  const seenBy = (ref: string) => openPersonRecords(issuer, { ref, reason: 'she asked' }).accesses(10)
  const look = (await seenBy('p-1')).find(({ what }) => what === 'whom to ask again')
  assert.deepEqual([look?.by, look?.reason], ['issuer:federation', reason])
  assert.equal((await site.operator.receipt(look?.receipt ?? -1)).log.index, look?.receipt)
  assert.equal((await seenBy('p-29')).filter(({ what }) => what === 'whom to ask again').length, 0)
})

test('who has answered the new text, yes or no, is not asked a second time by the same', async () => {
  await site.issuer.giveGrants([testGrant('athletes', 'p-0'), testGrant('athletes', 'p-3')])
  await site.issuer.refuseGrant(testGrant('athletes', 'p-1'))
  await site.issuer.revokeGrants([{ dataSet: 'athletes', person: 'p-2' }])
  const left = await peopleToAsk(issuer, { dataSet: 'athletes', reason, limit: 100 })
  const keys = left.map(({ person }) => person)
  for (const answered of ['p-0', 'p-1', 'p-2']) assert.ok(!keys.includes(answered), answered)
  assert.deepEqual(
    left.find(({ person }) => person === 'p-3')?.granted.map(({ grantee }) => grantee),
    [toNorthcare.grantee],
  )
  assert.equal(keys.length, 18)
})

test('pages and lines give the same people, each once', async () => {
  const all = await keysOf()
  const paged: string[] = []
  const cursors: string[] = []
  let cursor: string | undefined
  do {
    const address = new URL(`${site.url}/v1/datasets/athletes/people-to-ask`)
    address.search = new URLSearchParams({
      reason,
      limit: '5',
      ...(cursor === undefined ? {} : { cursor }),
    }).toString()
    const token = (await issuer.token()) ?? ''
    const response = await fetch(address, { headers: { authorization: `Bearer ${token}` } })
    const page = (await response.json()) as { items: { person: string }[]; nextCursor?: string }
    assert.ok(page.items.length <= 5)
    paged.push(...page.items.map(({ person }) => person))
    cursor = page.nextCursor
    if (cursor !== undefined) cursors.push(cursor)
  } while (cursor !== undefined)
  assert.deepEqual(paged, all)
  // The site's number of a person is nobody's to see: cursors are long, all of one length, and none is a number.
  assert.ok(cursors.length > 1)
  assert.deepEqual([...new Set(cursors.map(({ length }) => length))], [51])
  assert.ok(cursors.every((one) => Number.isNaN(Number(one))))
  const text = await new Response(await askAgainLines(issuer, { dataSet: 'athletes', reason })).text()
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { person: string }).person)
  assert.deepEqual(lines, all)
})

test('the keys are told to the issuer and its officer, to nobody else, and not without a reason', async () => {
  const asked = { dataSet: 'athletes', reason, limit: 5 }
  assert.equal((await peopleToAsk(clientOf(orla), asked)).length >= 5, true)
  await assert.rejects(peopleToAsk(clientOf(rival), asked), { status: 404 })
  await assert.rejects(peopleToAsk(issuer, { ...asked, dataSet: 'unheard_of' }), { status: 404 })
  const operator = site.client({ issuer: 'operator', key: site.operatorKey })
  await assert.rejects(peopleToAsk(operator, asked), { status: 404 })
  await assert.rejects(peopleToAsk(issuer, { ...asked, reason: '' }), { status: 400 })
})

test('whoever was erased is not asked', async () => {
  await site.rights('issuer').erase({ person: 'p-7' }, { reason: 'consent_withdrawn' })
  const keys = await keysOf()
  assert.ok(!keys.includes('p-7'))
  assert.equal(keys.length, 17)
})
