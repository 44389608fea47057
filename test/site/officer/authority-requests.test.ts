import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { openOfficer } from '../../../src/sdk/officer.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { publicKeys, testParty } from '../../../src/testing/test-network.ts'
import type { TestParty } from '../../../src/testing/test-network.ts'
import { testManifest } from '../../../src/testing/test-population.ts'
import { testTrade } from '../../../src/testing/test-trade.ts'

const clock = new ManualClock(Date.parse('2026-03-02T09:00:00Z'))
const trade = await testTrade({ clock })
after(() => trade[Symbol.asyncDispose]())
const site = trade.site()
await site.issuer.describe(testManifest('athletes'))

const seatOf = (party: TestParty) => openOfficer(site.client({ issuer: party.name, key: party.signing }))
const custodian = openOfficer(site.client({ issuer: 'operator', key: site.operatorKey }))
const controller = seatOf(trade.federation)

const subpoena = {
  authority: 'District Court of a third country',
  country: 'US',
  reference: '26-mc-114',
  receivedAt: '2026-03-01T10:00:00Z',
  answerBy: '2026-03-10',
  instrument: 'Subpoena duces tecum',
  asksFor: 'All rows of athletes of two clubs',
}
const refusal = {
  decision: 'refused',
  ground: 'GDPR Art. 48: it rests on no international agreement',
} as const
const given = { decision: 'given', given: 'The offers of 2025', least: 'Only what the letter names' } as const

let keys = 0
const record = (more: Partial<Parameters<typeof custodian.recordAuthorityRequest>[0]> = {}) =>
  custodian.recordAuthorityRequest({ ...subpoena, ...more }, `authority-key-${(keys += 1)}`)

test('a request is recorded, the holder of the data sees it at once, and it is decided once', async () => {
  const recorded = await record()
  assert.equal(recorded.state, 'open')
  const [seen] = await controller.authorityRequests()
  assert.equal(seen?.request, recorded.request)
  assert.deepEqual(
    seen?.holders.map(({ issuer, seesSince }) => [issuer, seesSince]),
    [['federation', clock.now()]],
  )
  const decided = await custodian.decideAuthorityRequest(recorded.request, refusal)
  assert.equal(decided.state, 'refused')
  await assert.rejects(custodian.decideAuthorityRequest(recorded.request, refusal), { status: 409 })
  assert.deepEqual((await controller.authorityRequests())[0]?.decision, refusal)
  const receipts = await site.operator.receipts({ kind: 'request', limit: 20 })
  assert.equal(receipts.length, 2, 'recorded and decided, each with a receipt')
  await assert.rejects(custodian.decideAuthorityRequest('authority_none', refusal), { status: 404 })
})

test('personal data is given on an agreement and a ground of Chapter V only, other data also under the conditions', async () => {
  const personal = await record()
  const decide = (request: string, more: object) =>
    custodian.decideAuthorityRequest(request, { ...given, ...more })
  const conditions = {
    isReasonedAndSpecific: true,
    isReviewable: true,
    weighsInterests: true,
    checkedBy: 'Counsel',
  } as const
  for (const more of [{}, { agreement: 'MLAT' }, { transferGround: 'Art. 49(1)(e)' }, { conditions }])
    await assert.rejects(decide(personal.request, more), { status: 400 })
  const other = await record({ isPersonalData: false })
  for (const more of [{}, { transferGround: 'none' }, { conditions: { ...conditions, isReviewable: false } }])
    await assert.rejects(decide(other.request, more), { status: 400 })
  assert.equal((await decide(other.request, { conditions })).state, 'given')
  const carried = { agreement: 'EU-US MLAT', transferGround: 'GDPR Art. 49(1)(e)' }
  assert.equal((await decide(personal.request, carried)).state, 'given')
})

test('a holder that may not know is told when the secrecy ends, and no sooner', async () => {
  const before = (await controller.authorityRequests()).length
  const secrecy = { ground: 'an investigation that would be frustrated', until: '2026-03-05T00:00:00Z' }
  const hidden = await record({ secrecy })
  assert.deepEqual(hidden.holders, [{ issuer: 'federation' }])
  assert.equal((await controller.authorityRequests()).length, before)
  assert.equal((await custodian.authorityRequests())[0]?.request, hidden.request)
  clock.advance(Date.parse(secrecy.until) - clock.now() - 1)
  assert.equal((await controller.authorityRequests()).length, before)
  clock.advance(1)
  assert.equal((await controller.authorityRequests())[0]?.request, hidden.request)
})

test('the clock of the authority is shown: overdue is from the day after', async () => {
  const open = await record({ answerBy: '2026-03-05' })
  const state = async () =>
    (await custodian.authorityRequests()).find(({ request }) => request === open.request)?.state
  assert.equal(await state(), 'open')
  clock.advance(86_400_000)
  assert.equal(await state(), 'overdue')
})

test('who may do what, and what is no request of a third country', async () => {
  await assert.rejects(record({ country: 'DE' }), { status: 400 })
  await assert.rejects(record({ receivedAt: '2030-01-01T00:00:00Z' }), { status: 400 })
  await assert.rejects(record({ dataSets: ['nobody-has-it'] }), { status: 400 })
  await assert.rejects(controller.recordAuthorityRequest(subpoena, 'authority-key-not-theirs'), {
    status: 403,
  })
  const other = await trade.network.addMember('other-issuer', ['issuer'])
  await site.operator.registerIssuer({ member: other.name, keys: publicKeys(other) })
  assert.deepEqual(await seatOf(other).authorityRequests(), [])
  const regulator = testParty('dpc')
  await custodian.registerRegulator({ member: 'dpc', keys: publicKeys(regulator) })
  const [first] = await seatOf(regulator).authorityRequests()
  assert.ok(first)
  await assert.rejects(seatOf(regulator).decideAuthorityRequest(first.request, refusal), { status: 403 })
  await assert.rejects(controller.decideAuthorityRequest(first.request, refusal), { status: 403 })
})
