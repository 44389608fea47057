import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { WireManifest } from '../../../src/sdk/issuer.ts'
import { openOfficer } from '../../../src/sdk/officer.ts'
import type { WireBasis } from '../../../src/sdk/officer.ts'
import { openPersonRecords } from '../../../src/sdk/person.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { publicKeys } from '../../../src/testing/test-network.ts'
import type { TestParty } from '../../../src/testing/test-network.ts'
import { testContract, testGrant, testManifest, testPeople } from '../../../src/testing/test-population.ts'
import { testTrade } from '../../../src/testing/test-trade.ts'
import type { TestAcquirer } from '../../../src/testing/test-trade.ts'

const clock = new ManualClock(Date.parse('2026-03-02T09:00:00Z'))
const trade = await testTrade({ clock })
after(() => trade[Symbol.asyncDispose]())
const site = trade.site()
const people = testPeople(60)

const seatOf = (party: TestParty) => openOfficer(site.client({ issuer: party.name, key: party.signing }))
// Made anew for each test: a site that was stopped and started has another address.
const custodianSeat = () => openOfficer(site.client({ issuer: 'operator', key: site.operatorKey }))
const controller = seatOf(trade.federation)
const RESEARCH = 'dpv:ResearchAndDevelopment'

/** A data set on a basis, with nothing granted. */
async function place(dataSet: string, manifest: Partial<WireManifest>): Promise<void> {
  await trade.fill(site, { dataSet, people, manifest, grants: [] })
}

/** What a new acquirer hears who counts people on a basis: how many, or why not. */
let askers = 0
async function count(dataSet: string, legalBasis: string, asker?: TestAcquirer) {
  const acquirer = asker ?? (await trade.addAcquirer(`asker-${(askers += 1)}`))
  const { sites } = await acquirer.ask(`select count(*) from ${dataSet}`, { offer: dataSet, legalBasis })
  return sites[0]?.release?.rows[0]?.[0] ?? sites[0]?.reason
}

const personOf = (ref: string) =>
  openPersonRecords(site.client({ issuer: trade.federation.name, key: trade.federation.signing }), {
    ref,
    reason: 'she asked by telephone',
  })

await place('members', { legalBasis: 'eu-gdpr:A6-1-b' })
await place('registry', { legalBasis: 'eu-gdpr:A6-1-e' })
await place('shifts', { legalBasis: 'eu-gdpr:A6-1-f' })
await place('payroll', { legalBasis: 'eu-gdpr:A6-1-c' })

test('nothing stands on a basis that nobody has recorded, and what is missing is said', async () => {
  for (const [dataSet, basis] of [
    ['members', 'A6-1-b'],
    ['registry', 'A6-1-e'],
    ['shifts', 'A6-1-f'],
    ['payroll', 'A6-1-c'],
  ] as const)
    assert.equal(await count(dataSet, `eu-gdpr:${basis}`), 'declined.legal_basis')
  const { missing } = await controller.bases()
  assert.deepEqual(
    missing.map(({ dataSet, needs }) => [dataSet, needs]),
    [
      ['members', 'contract'],
      ['payroll', 'legal_obligation'],
      ['registry', 'permit'],
      ['shifts', 'legitimate_interest'],
    ],
  )
  assert.match((await controller.register()).gaps.join('\n'), /"members" needs a record of the kind contract/)
})

test('a contract carries uses of those who are party to it, and whoever leaves it is out at once', async () => {
  const parties = people.slice(0, 40).map(({ id }) => id)
  const recorded = await controller.recordBasis(testContract('members', { people: parties }))
  assert.equal(recorded.state, 'in_force')
  assert.equal(recorded.listed, 40)
  assert.equal(await count('members', 'eu-gdpr:A6-1-b'), 40)
  // Another basis than that of the data set is none on which it is offered.
  assert.equal(await count('members', 'eu-gdpr:A6-1-f'), 'declined.purpose')
  assert.equal(await count('members', 'eu-gdpr:A6-1-a'), 'declined.purpose')
  const left = await controller.changeBasisPeople(recorded.basis, { add: ['p-50'], remove: ['p-0', 'p-1'] })
  assert.equal(left.listed, 39)
  assert.equal(await count('members', 'eu-gdpr:A6-1-b'), 39)

  assert.deepEqual(
    (await personOf('p-5').bases()).map(({ basis }) => basis),
    [recorded.basis],
  )
  assert.deepEqual(await personOf('p-0').bases(), [])
  const [use] = await personOf('p-5').uses(1)
  assert.equal(use?.legalBasis, 'eu-gdpr:A6-1-b')
  assert.deepEqual(use?.bases, [
    { basis: recorded.basis, kind: 'contract', reference: 'Terms of membership 2026' },
  ])
  // It was in the answer of before, and is in none since.
  assert.equal((await personOf('p-0').uses(10)).length, 1)

  await personOf('p-5').objectTo('dpv:AcademicResearch', 'members')
  assert.equal(await count('members', 'eu-gdpr:A6-1-b'), 38)
})

test('a basis is there after a restart, and gone from the moment its end is acknowledged', async () => {
  await site.stop()
  await site.start()
  const seat = seatOf(trade.federation)
  assert.equal(await count('members', 'eu-gdpr:A6-1-b'), 38)
  const [known] = (await seat.bases()).items
  const ended = await seat.endBasis(known?.basis ?? '', 'the contract was given notice')
  assert.equal(ended.state, 'ended')
  assert.equal(ended.endReason, 'the contract was given notice')
  assert.equal(await count('members', 'eu-gdpr:A6-1-b'), 'declined.legal_basis')
  // Ending it again changes nothing.
  assert.equal((await seat.endBasis(known?.basis ?? '', 'again')).endReason, 'the contract was given notice')
  await assert.rejects(seat.changeBasisPeople(known?.basis ?? '', { add: ['p-1'] }), { status: 409 })
  await site.stop()
  await site.start()
  assert.equal(await count('members', 'eu-gdpr:A6-1-b'), 'declined.legal_basis')
  const kinds = await site.operator.receipts({ kind: 'policy', limit: 50 })
  assert.ok(kinds.length >= 3, 'recorded, changed and ended, each with a receipt')
})

const permit: WireBasis = {
  kind: 'permit',
  dataSets: ['registry'],
  purposes: ['dpv:AcademicResearch'],
  reference: 'HDAB-2026-0117',
  authority: 'Health Data Access Body',
  acquirers: ['university'],
  conditions: ['Results are published'],
  validFrom: '2026-03-03T00:00:00Z',
  validUntil: '2026-03-05T00:00:00Z',
  people: 'everybody',
}

test('a permit carries its users, in its time, and nobody else', async () => {
  const seat = seatOf(trade.federation)
  const university = await trade.addAcquirer('university')
  const asked = () => count('registry', 'eu-gdpr:A6-1-e', university)
  const recorded = await seat.recordBasis(permit)
  assert.equal(recorded.state, 'not_yet')
  assert.equal(await asked(), 'declined.legal_basis')
  clock.advance(Date.parse('2026-03-03T00:00:00Z') - clock.now())
  assert.equal(await asked(), 60)
  assert.equal(await count('registry', 'eu-gdpr:A6-1-e'), 'declined.legal_basis')
  const notice = await seat.notice({ dataSet: 'registry', purpose: RESEARCH })
  assert.match(JSON.stringify(notice), /Health Data Access Body, HDAB-2026-0117, until 5 March 2026/)
  const registry = (await seat.register()).controllers.find(({ dataSet }) => dataSet === 'registry')
  assert.deepEqual(
    registry?.bases.map(({ kind, reference }) => [kind, reference]),
    [['permit', 'Health Data Access Body, HDAB-2026-0117']],
  )
  assert.match(await seat.registerFile('csv'), /permit: Health Data Access Body, HDAB-2026-0117/)
  clock.advance(Date.parse('2026-03-04T23:59:59.999Z') - clock.now())
  assert.equal(await asked(), 60)
  clock.advance(1)
  assert.equal(await asked(), 'declined.legal_basis')
  const [expired] = (await seat.bases()).items.filter(({ kind }) => kind === 'permit')
  assert.equal(expired?.state, 'expired')
  assert.doesNotMatch(
    JSON.stringify(await seat.notice({ dataSet: 'registry', purpose: RESEARCH })),
    /HDAB-2026-0117/,
  )
})

const assessment = {
  dataSet: 'shifts',
  purpose: RESEARCH,
  kind: 'lia',
  reference: 'LIA-7',
  approvedBy: 'Orla Byrne',
  approvedOn: '2026-02-01',
  reviewBy: '2027-02-01',
  balancing: { result: 'interest_prevails', because: 'groups only' },
} as const
const interest = (id: string): WireBasis => ({
  kind: 'legitimate_interest',
  dataSets: ['shifts'],
  purposes: [RESEARCH],
  reference: 'LI-7',
  interest: 'Safe staffing',
  assessment: id,
  objectTo: 'dpo@federation.example',
  validUntil: '2028-01-01T00:00:00Z',
  people: 'everybody',
})

test('an interest needs its assessment in force, in which it prevails; withdrawing that ends it at once', async () => {
  const seat = seatOf(trade.federation)
  await assert.rejects(seat.attachAssessment({ ...assessment, kind: 'dpia' }), { status: 400 })
  const lost = await seat.attachAssessment({
    ...assessment,
    balancing: { result: 'people_prevail', because: 'they are watched' },
  })
  await assert.rejects(seat.recordBasis(interest(lost.assessment)), { status: 400 })
  await assert.rejects(seat.recordBasis(interest('assessment_none')), { status: 400 })
  const attached = await seat.attachAssessment(assessment)
  const recorded = await seat.recordBasis(interest(attached.assessment))
  assert.equal(await count('shifts', 'eu-gdpr:A6-1-f'), 60)
  assert.match(
    JSON.stringify(await seat.notice({ dataSet: 'shifts', purpose: RESEARCH })),
    /Safe staffing \(LI-7\).*dpo@federation\.example/,
  )
  const preview = await site.issuer.previewGrant({ ...testGrant('shifts', ''), person: undefined } as never)
  assert.match(JSON.stringify(preview), /resting on Safe staffing \(LI-7\)/)

  // The channel works: whoever objects is in no answer from then on.
  await personOf('p-9').objectTo(RESEARCH, 'shifts')
  assert.equal(await count('shifts', 'eu-gdpr:A6-1-f'), 59)
  await seat.withdrawAssessment(attached.assessment)
  assert.equal(await count('shifts', 'eu-gdpr:A6-1-f'), 'declined.legal_basis')
  const after_ = (await seat.bases()).items.find(({ basis }) => basis === recorded.basis)
  assert.equal(after_?.state, 'ended')
})

test('who may record what: the issuer for its own, people only by the issuer, and nothing that fits no basis', async () => {
  const seat = seatOf(trade.federation)
  const other = await trade.network.addMember('other-issuer', ['issuer'])
  await site.operator.registerIssuer({ member: other.name, keys: publicKeys(other) })
  const law: WireBasis = {
    kind: 'legal_obligation',
    dataSets: ['payroll'],
    purposes: [RESEARCH],
    reference: 'Retention of accounts',
    law: 'HGB § 257',
    validUntil: '2028-01-01T00:00:00Z',
    people: 'everybody',
  }
  await assert.rejects(seatOf(other).recordBasis(law), { status: 404 })
  const custodian = custodianSeat()
  await assert.rejects(custodian.recordBasis({ ...law, people: ['p-1'] }), { status: 403 })
  await assert.rejects(seat.recordBasis({ ...law, people: ['nobody-known'] }), { status: 400 })
  await assert.rejects(seat.recordBasis({ ...law, validUntil: '2026-01-01T00:00:00Z' }), { status: 400 })
  await assert.rejects(seat.recordBasis({ ...law, purposes: ['hedgerow:SocialScoring'] }), { status: 400 })
  await assert.rejects(seat.recordBasis({ ...law, columns: ['shoe_size'] }), { status: 400 })
  // A contract is nothing on which this data set stands.
  await assert.rejects(seat.recordBasis(testContract('payroll')), { status: 400 })
  const recorded = await custodian.recordBasis(law)
  assert.equal(recorded.recordedBy, 'operator')
  assert.equal(await count('payroll', 'eu-gdpr:A6-1-c'), 60)
  await assert.rejects(seatOf(other).endBasis(recorded.basis, 'not mine'), { status: 404 })
  assert.deepEqual((await seatOf(other).bases()).items, [])
  const regulator = await trade.network.addMember('dpc', ['regulator'])
  await custodian.registerRegulator({ member: regulator.name, keys: publicKeys(regulator) })
  assert.ok((await seatOf(regulator).bases()).items.length > 3)
  await assert.rejects(seatOf(regulator).endBasis(recorded.basis, 'no'), { status: 403 })
  // The same call again under its key is the same record.
  const first = await seat.recordBasis(law, 'one-and-the-same-key')
  assert.equal((await seat.recordBasis(law, 'one-and-the-same-key')).basis, first.basis)
})

test('employees: their consent alone opens nothing; with the works council’s agreement each one’s own grant counts', async () => {
  const seat = seatOf(trade.federation)
  const subjects = {
    person: { key: 'id', birthDate: 'birth_date', residence: 'country', subjects: 'dpv:Employee' },
  }
  await assert.rejects(
    site.issuer.describe(testManifest('staff', { person: { key: 'id', subjects: 'dpv:Robot' } })),
    { status: 422 },
  )
  await trade.fill(site, { dataSet: 'staff', people, manifest: subjects })
  assert.equal(await count('staff', 'eu-gdpr:A6-1-a'), 'declined.purpose')
  const recorded = await seat.recordBasis({
    kind: 'employment',
    dataSets: ['staff'],
    purposes: [RESEARCH],
    reference: 'BV 12/2026',
    agreement: { with: 'works_council', council: 'Works council', concludedOn: '2026-02-01' },
    validUntil: '2028-01-01T00:00:00Z',
    people: 'everybody',
  })
  assert.equal(await count('staff', 'eu-gdpr:A6-1-a'), 60)
  await site.issuer.revokeGrants([{ dataSet: 'staff', person: 'p-3' }])
  assert.equal(await count('staff', 'eu-gdpr:A6-1-a'), 59)
  const [use] = await personOf('p-4').uses(1)
  assert.deepEqual(use?.bases, [
    {
      basis: recorded.basis,
      kind: 'employment',
      reference: 'Works council, 2026-02-01 (BV 12/2026)',
    },
  ])
  await seat.endBasis(recorded.basis, 'notice was given')
  assert.equal(await count('staff', 'eu-gdpr:A6-1-a'), 'declined.purpose')
})

test('what covers a person is in their export, with the reference of each use, and says no name', async () => {
  const stream = await personOf('p-4').export({ format: 'jsonl' })
  const lines = (await new Response(stream).text()).trim().split('\n')
  const records = lines.map((line): Record<string, unknown> => JSON.parse(line) as Record<string, unknown>)
  assert.ok(records.some(({ kind, reference }) => kind === 'basis' && /HGB § 257/.test(String(reference))))
  assert.ok(
    records.some(({ kind, bases }) => kind === 'use' && JSON.stringify(bases).includes('HDAB-2026-0117')),
  )
  const page = await new Response(await personOf('p-4').export({ format: 'html' })).text()
  assert.match(page, /On what else than your own yes your data may be used/)
})
