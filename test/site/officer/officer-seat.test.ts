import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatInstant } from '../../../src/kernel/clock.ts'
import { NETWORK_API } from '../../../src/protocol/http/network-endpoints.ts'
import { SITE_API } from '../../../src/protocol/http/site-api.ts'
import { openOfficer } from '../../../src/sdk/officer.ts'
import type { WireIncident } from '../../../src/sdk/officer.ts'
import { publicKeys } from '../../../src/testing/test-network.ts'
import { testGrant } from '../../../src/testing/test-population.ts'
import { until } from '../floor/local-world.ts'
import {
  clock,
  trade,
  site,
  COUNT,
  people,
  seatOf,
  custodian,
  controller,
  contact,
} from './officer-fixture.ts'

const northcare = await trade.addAcquirer('northcare')
// What the incidents are about.
assert.equal((await northcare.ask('select count(*) from athletes')).sites[0]?.reason, 'approved')

test('a use of high risk is declined until it is assessed, and again when the assessment ends', async () => {
  const asker = await trade.addAcquirer('asker')
  const personal = { purpose: 'dpv:Personalisation' }
  const reason = async () => (await asker.ask('select count(*) from athletes', personal)).sites[0]?.reason
  assert.equal(await reason(), 'declined.purpose')
  const facts = {
    dataSet: 'athletes',
    purpose: 'dpv:Personalisation',
    kind: 'dpia',
    reference: 'DPIA-2026-014',
    approvedBy: 'Orla Byrne',
    approvedOn: '2026-02-01',
    reviewBy: '2026-04-01',
  } as const
  // A transfer assessment is no impact assessment.
  await controller.attachAssessment({ ...facts, kind: 'tia' })
  assert.equal(await reason(), 'declined.purpose')
  const attached = await controller.attachAssessment(facts)
  assert.equal(await reason(), 'approved')
  assert.deepEqual((await controller.assessments()).missing, [])
  assert.equal((await controller.withdrawAssessment(attached.assessment)).state, 'withdrawn')
  assert.equal(await reason(), 'declined.purpose')
  const receipts = await site.operator.receipts({ kind: 'policy', limit: 10 })
  assert.ok(receipts.length >= 3)
  await assert.rejects(controller.attachAssessment({ ...facts, reviewBy: '2026-01-01' }), { status: 400 })
})

test('a data set that is joined needs an assessment of its own', async () => {
  const purposes = ['dpv:ResearchAndDevelopment', 'dpv:Personalisation']
  const grants = people.map(({ id }) => testGrant('walks', id, { purposes }))
  await trade.fill(site, { dataSet: 'walks', people, manifest: { purposes }, grants })
  const asker = await trade.addAcquirer('joiner')
  const join_ = 'select count(*) from athletes a join walks w on a.id = w.id'
  const reason = async () => (await asker.ask(join_, { purpose: 'dpv:Personalisation' })).sites[0]?.reason
  const assess = (dataSet: string) =>
    controller.attachAssessment({
      dataSet,
      purpose: 'dpv:Personalisation',
      kind: 'dpia',
      reference: `DPIA of ${dataSet}`,
      approvedBy: 'Orla Byrne',
      approvedOn: '2026-02-01',
      reviewBy: '2026-04-01',
    })
  const first = await assess('athletes')
  assert.equal(await reason(), 'declined.purpose')
  const second = await assess('walks')
  assert.equal(await reason(), 'approved')
  for (const { assessment } of [first, second]) await controller.withdrawAssessment(assessment)
  await site.issuer.retire('walks')
})

test('an assessment carries a use to the last day before its review, and not a day longer', async () => {
  await controller.attachAssessment({
    dataSet: 'athletes',
    purpose: 'dpv:Personalisation',
    kind: 'dpia',
    reference: 'DPIA-2026-015',
    approvedBy: 'Orla Byrne',
    approvedOn: '2026-02-01',
    reviewBy: '2026-03-03',
  })
  assert.deepEqual((await controller.assessments()).missing, [])
  clock.advance(Date.parse('2026-03-03T00:00:00Z') - clock.now() - 1)
  assert.deepEqual((await controller.assessments()).missing, [])
  clock.advance(1)
  assert.equal((await controller.assessments()).missing.length, 1)
})

test('a ground for transfers that is removed holds for the next ask, and one that is restored again', async () => {
  const asker = await trade.addAcquirer('swiss')
  const reason = async () =>
    (await asker.ask('select count(*) from athletes', { releaseTo: { jurisdiction: 'CH' } })).sites[0]?.reason
  assert.equal(await reason(), 'approved')
  const removed = await custodian.removeTransfer('adequacy-ch', 'annulled this morning')
  assert.equal(removed.state, 'removed')
  assert.equal(await reason(), 'declined.perimeter_release')
  assert.equal((await controller.register()).controllers[0]?.transfers[0]?.ground, undefined)
  assert.equal((await custodian.restoreTransfer('adequacy-ch')).state, 'in_force')
  assert.equal(await reason(), 'approved')
  await assert.rejects(controller.removeTransfer('adequacy-ch', 'not mine to say'), { status: 403 })
  await assert.rejects(custodian.removeTransfer('adequacy-xx', 'no such'), { status: 404 })
})

const breach = (): WireIncident => ({
  title: 'Answers were forwarded',
  nature: ['confidentiality'],
  awareAt: formatInstant(clock.now()),
  scope: {
    kind: 'releases',
    acquirer: 'northcare',
    from: '2026-03-01T00:00:00Z',
    to: '2026-03-03T00:00:00Z',
  },
  risk: 'high',
  language: 'en',
  description: 'An employee of the recipient forwarded answers.',
  consequences: 'Groups of athletes may be recognised.',
  measures: 'The recipient is suspended.',
})

test('an incident names whom it is about by the record of releases, and its clock runs 72 hours', async () => {
  const opened = await custodian.openIncident(breach(), 'incident-key-1')
  assert.equal(opened.affected.people, COUNT)
  assert.equal(opened.affected.releases, 1)
  assert.deepEqual(opened.affected.recipients, ['northcare'])
  assert.equal(opened.authority.due - opened.awareAt, 72 * 3_600_000)
  assert.equal((await custodian.openIncident(breach(), 'incident-key-1')).incident, opened.incident)

  // The processor told the controller by that; the controller sees it, and to whom it writes.
  const seen = await controller.incident(opened.incident)
  assert.equal(seen.affected.people, COUNT)
  const before = await site.operator.receipts({ kind: 'access', limit: 100 })
  await assert.rejects(controller.letters(opened.incident, 'de'), (error: Error) => {
    assert.match(error.message, /written in English; say consequences and measures in German/)
    return true
  })
  assert.equal(
    (await site.operator.receipts({ kind: 'access', limit: 100 })).length,
    before.length,
    'nobody’s key was read for it',
  )
  const english = await controller.letters(opened.incident, 'en')
  assert.ok(english.text.includes('The recipient is suspended.'))
  const german = {
    step: 'letter-text',
    language: 'de',
    consequences: 'Gruppen von Sportlern sind vielleicht zu erkennen.',
    measures: 'Der Empfänger ist gesperrt.',
  } as const
  await controller.addStep(opened.incident, german, 'step-text-1')
  const letters = await controller.letters(opened.incident, 'de')
  assert.ok(letters.text.includes(german.consequences) && letters.text.includes(german.measures))
  assert.doesNotMatch([letters.subject, ...letters.text].join(' '), /Groups of athletes|suspended|went wrong/)
  await assert.rejects(controller.letters(opened.incident, 'fr'), /in French/)
  assert.match(letters.subject, /etwas ist schiefgegangen/)
  assert.doesNotMatch(
    letters.text.join('\n'),
    /Betroffen sind/,
    'the manifest tells no category of what was released',
  )
  assert.deepEqual(
    letters.people.map(({ person }) => person).toSorted(),
    people.map(({ id }) => id).toSorted(),
  )
  await assert.rejects(custodian.letters(opened.incident), { status: 404 })
  const reads = await site.operator.receipts({ kind: 'access', limit: 100 })
  assert.ok(reads.length >= COUNT, 'that the keys were read is a receipt for each')

  clock.advance(72 * 3_600_000 - 1)
  assert.equal((await custodian.incident(opened.incident)).authority.isOverdue, false)
  clock.advance(1)
  assert.equal((await custodian.incident(opened.incident)).authority.isOverdue, true)
  const told = { step: 'authority-told', reference: 'DPC-77' } as const
  await assert.rejects(custodian.addStep(opened.incident, told, 'step-key-1'), { status: 400 })
  const late = { ...told, reasonForDelay: 'The record had to be restored first.' }
  assert.equal((await custodian.addStep(opened.incident, late, 'step-key-2')).authority.isOwed, false)
  const form = await custodian.incidentPage(opened.incident)
  assert.match(form, /about 60, computed from the record of releases/)
  assert.match(form, /late because: The record had to be restored first\./)
})

test('an incident is for those whom it concerns', async () => {
  const other = await trade.network.addMember('other-issuer', ['issuer'])
  await site.operator.registerIssuer({ member: other.name, keys: publicKeys(other) })
  const seat = seatOf(other)
  assert.deepEqual(await seat.incidents(), [])
  const [known] = await custodian.incidents()
  await assert.rejects(seat.incident(known?.incident ?? ''), { status: 404 })
  assert.deepEqual((await seat.register()).controllers, [])
  const scope: WireIncident['scope'] = { kind: 'data-sets', dataSets: ['athletes'] }
  await assert.rejects(seat.openIncident({ ...breach(), scope }, 'incident-key-2'), { status: 404 })
  await assert.rejects(seat.describeParty('federation', contact), { status: 404 })
  // What another issuer opens is about its own people, also where it names no data set; so is a notice, with its recipients.
  const theirs = await seat.openIncident(breach(), 'incident-key-5')
  assert.equal(theirs.affected.people, 0)
  assert.equal((await custodian.incident(theirs.incident)).affected.people, 0)
  await assert.rejects(controller.incident(theirs.incident), { status: 404 })
  assert.ok((await controller.incidents()).every(({ incident }) => incident !== theirs.incident))
  await assert.rejects(
    controller.addStep(theirs.incident, { step: 'note', text: 'not mine' }, 'step-key-3'),
    {
      status: 404,
    },
  )
  const request = { dataSet: 'athletes', purpose: 'dpv:ResearchAndDevelopment' }
  await assert.rejects(seat.notice(request), { status: 404 })
  await seat.addStep(theirs.incident, { step: 'closed', text: 'It was none.' }, 'step-key-4')
  await assert.rejects(custodian.openIncident({ ...breach(), awareAt: 'yesterday' }, 'incident-key-3'), {
    status: 400,
  })
})

test('a supervisory authority reads and proves, and can do nothing else', async () => {
  const authority = await trade.network.addMember('dpc', ['regulator'])
  const client = site.client({ issuer: authority.name, key: authority.signing })
  const seat = openOfficer(client)
  await assert.rejects(seat.register(), { status: 401 })
  await custodian.registerRegulator({ member: authority.name, keys: publicKeys(authority) })
  assert.equal((await seat.register()).controllers.length, 1)
  assert.ok((await seat.incidents()).length > 0)
  assert.ok((await seat.transfers()).length > 10)
  const { items } = await client.call(SITE_API.listReceipts, { query: { limit: 5 } })
  assert.equal(items.length, 5)
  await client.call(SITE_API.receipt, { params: { sequence: items[0]?.sequence ?? 0 } })

  const forbidden = [
    () => client.call(SITE_API.listGrants, { query: { limit: 5 } }),
    () => client.call(SITE_API.listBatches, { params: { dataSet: 'athletes' }, query: { limit: 5 } }),
    () => client.call(SITE_API.giveGrants, { body: testGrant('athletes', 'p-1') }),
    () => client.call(SITE_API.retireDataSet, { params: { dataSet: 'athletes' } }),
    () => client.call(SITE_API.listDataSets, { query: { limit: 5 } }),
    () => client.call(SITE_API.listUses, { params: { ref: 'p-1' }, query: { limit: 5 } }),
    () => client.call(SITE_API.revokeGrants, { body: { dataSet: 'athletes', person: 'p-1' } }),
    () => client.call(SITE_API.giveEvidence, { body: { evidence: 'a.b.c' } }),
    () => seat.removeTransfer('adequacy-ch', 'not theirs'),
    () => seat.openIncident(breach(), 'incident-key-4'),
    () => seat.describeParty('federation', contact),
  ]
  for (const call of forbidden) await assert.rejects(call(), { status: 403 })
  const [known] = await custodian.incidents()
  await assert.rejects(seat.letters(known?.incident ?? ''), { status: 403 })

  await custodian.removeRegulator(authority.name)
  await assert.rejects(seat.register(), { status: 401 })
})

test('an incident says where its recipients are written to, as long as they say so on the network', async () => {
  const known = (await custodian.incidents()).find(({ affected }) => affected.recipients.length > 0)
  const incident = known?.incident ?? ''
  const { network } = trade
  const params = { id: 'northcare' }
  const addresses = async () => {
    clock.advance(20_000)
    return (await controller.incident(incident)).affected.recipientAddresses
  }
  const toldOf = { params, body: { address: 'privacy@northcare.example' } }
  await network.call(network.operator, NETWORK_API.setContact, toldOf)
  await until('the site knows where they are written to', async () => (await addresses()).length > 0)
  assert.deepEqual(await addresses(), [{ member: 'northcare', address: 'privacy@northcare.example' }])
  assert.match(await controller.incidentPage(incident), /northcare \(privacy@northcare\.example\)/)
  await network.call(network.operator, NETWORK_API.removeContact, { params })
  await until('it has forgotten it', async () => (await addresses()).length === 0)
})

test('a site that was stopped comes back with assessments, removed grounds and incidents', async () => {
  await custodian.removeTransfer('scc', 'to be looked at')
  await site.stop()
  await site.start()
  const again = openOfficer(site.client({ issuer: 'operator', key: site.operatorKey }))
  assert.equal((await again.transfers()).find(({ id }) => id === 'scc')?.state, 'removed')
  assert.ok((await again.assessments()).items.length >= 3)
  assert.deepEqual(
    (await again.incidents()).map(({ state }) => state),
    ['closed', 'authority_told'],
  )
  const scope: WireIncident['scope'] = { kind: 'data-sets', dataSets: ['athletes'] }
  const ofAll = await again.openIncident({ ...breach(), scope }, 'incident-key-6')
  const form = await again.incidentPage(ofAll.incident)
  assert.match(form, /about \d+, everybody in the data sets/)
  assert.match(form, /all rows of athletes/)
})
