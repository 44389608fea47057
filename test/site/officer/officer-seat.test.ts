import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { formatInstant } from '../../../src/kernel/clock.ts'
import { SITE_API } from '../../../src/protocol/http/site-api.ts'
import { openOfficer } from '../../../src/sdk/officer.ts'
import type { WireIncident } from '../../../src/sdk/officer.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { publicKeys } from '../../../src/testing/test-network.ts'
import type { TestParty } from '../../../src/testing/test-network.ts'
import { testGrant, testPeople } from '../../../src/testing/test-population.ts'
import { testTrade } from '../../../src/testing/test-trade.ts'
import { sharedDirectory } from '../../shared.ts'

const clock = new ManualClock(Date.parse('2026-03-02T09:00:00Z'))
const trade = await testTrade({ clock })
after(() => trade[Symbol.asyncDispose]())
const site = trade.site()
const COUNT = 60
const people = testPeople(COUNT)

await trade.fill(site, {
  dataSet: 'athletes',
  people,
  manifest: {
    purposes: ['dpv:ResearchAndDevelopment', 'dpv:Personalisation'],
    perimeter: {
      store: { within: ['EEA'] },
      process: { within: ['EEA'] },
      release: { within: ['EEA', 'adequate'] },
    },
  },
  grants: grantsOfAll(),
})

function grantsOfAll() {
  const purposes = ['dpv:ResearchAndDevelopment', 'dpv:Personalisation']
  return people.map(({ id }) => testGrant('athletes', id, { purposes }))
}

const seatOf = (party: TestParty) => openOfficer(site.client({ issuer: party.name, key: party.signing }))
const custodian = openOfficer(site.client({ issuer: 'operator', key: site.operatorKey }))
const controller = seatOf(trade.federation)

const contact = {
  name: 'World Federation of <Sports> & Games',
  address: '1 Eyre Square, Galway',
  country: 'IE',
  email: 'privacy@federation.example',
  dataProtectionOfficer: { name: 'Orla Byrne', email: 'dpo@federation.example' },
  supervisoryAuthority: 'the Data Protection Commission',
}
await controller.describeParty('federation', contact)
await custodian.describeParty('edgeworks', { ...contact, name: 'Edgeworks' })

const northcare = await trade.addAcquirer('northcare')
const quill = await trade.addAcquirer('quill')

test('the register follows from the terms in force and the record of releases', async () => {
  assert.equal((await northcare.ask('select count(*) from athletes')).sites[0]?.reason, 'approved')
  const elsewhere = { releaseTo: { jurisdiction: 'CH' } }
  assert.equal((await quill.ask('select avg(height) from athletes', elsewhere)).sites[0]?.reason, 'approved')

  const register = await controller.register()
  const [activity] = register.controllers
  assert.equal(activity?.controller.name, contact.name)
  assert.equal(activity?.controller.dataProtectionOfficer, 'Orla Byrne, dpo@federation.example')
  assert.equal(activity?.subjects.people, COUNT)
  assert.equal(activity?.subjects.includesMinors, false)
  assert.deepEqual(
    activity?.recipients.map(({ acquirer, countries, releases }) => ({ acquirer, countries, releases })),
    [
      { acquirer: 'northcare', countries: ['IE'], releases: 1 },
      { acquirer: 'quill', countries: ['CH'], releases: 1 },
    ],
  )
  assert.deepEqual(activity?.transfers, [{ country: 'CH', ground: 'adequacy-ch', releases: 1 }])
  assert.equal(activity?.erasure.until, Date.parse('2070-01-01T00:00:00Z'))
  assert.equal(register.processing[0]?.controller.name, contact.name)
  // Personalisation evaluates people one by one, and nobody has assessed it.
  assert.match(register.gaps.join('\n'), /"athletes" needs an impact assessment for dpv:Personalisation/)

  await site.issuer.describe({ ...(await manifest()), retention: { period: 'P10Y', from: '2020-01-01' } })
  const [changed] = (await controller.register()).controllers
  assert.equal(changed?.erasure.until, Date.parse('2030-01-01T00:00:00Z'))
  assert.notEqual(changed?.policy, activity?.policy)
  // Under other terms people are asked anew.
  await site.issuer.giveGrants(grantsOfAll())
})

async function manifest() {
  const client = site.client({ issuer: 'operator', key: site.operatorKey })
  const found = await client.call(SITE_API.dataSet, { params: { dataSet: 'athletes' } })
  return found.manifest
}

test('the register is a table and a page too, with everything escaped', async () => {
  const csv = await controller.registerFile('csv')
  const [head, row, ...others] = csv.trimEnd().split('\r\n')
  assert.equal(others.length, 0)
  assert.match(head ?? '', /^controller,controller_address,/)
  assert.match(row ?? '', /^World Federation of <Sports> & Games,"1 Eyre Square, Galway",/)
  const page = await controller.registerFile('html')
  assert.match(page, /World Federation of &lt;Sports&gt; &amp; Games/)
  assert.doesNotMatch(page, /<Sports>|<script/)
})

const shared = sharedDirectory()
const schemas = shared && join(shared, 'standards', 'archimate-exchange', 'xsd-3.1')
const lacks =
  schemas === undefined || !existsSync(schemas)
    ? 'needs the schemas of the ArchiMate exchange format beside the checkout'
    : hasXmllint()
      ? false
      : 'needs xmllint (Debian: libxml2-utils)'

function hasXmllint(): boolean {
  try {
    execFileSync('xmllint', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

test(
  'the ArchiMate model of the register is valid by the schemas of The Open Group',
  { skip: lacks },
  async () => {
    const directory = await mkdtemp(join(tmpdir(), 'hedgerow-archimate-'))
    try {
      const file = join(directory, 'register.xml')
      const validate = () =>
        execFileSync('xmllint', ['--nonet', '--noout', '--schema', 'all.xsd', file], {
          cwd: schemas,
          env: { ...process.env, XML_CATALOG_FILES: 'catalog.xml' },
          stdio: 'pipe',
        })
      const model = await controller.registerFile('archimate')
      await writeFile(file, model)
      validate()
      // The referee does object where order is wrong.
      await writeFile(
        file,
        model.replace(/<elements>[\s\S]*<\/elements>/, '').replace('</model>', '<elements/></model>'),
      )
      assert.throws(validate)
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  },
)

test('notices say what the terms say, in each language, and another version when they change', async () => {
  const request = { dataSet: 'athletes', purpose: 'dpv:ResearchAndDevelopment' }
  const english = await controller.notice(request)
  const said = english.sections.flatMap(({ text }) => text).join('\n')
  for (const part of [
    'Orla Byrne',
    'The northcare (northcare) received answers (used in: Ireland).',
    'the Data Protection Commission',
    'withdraw',
    'edgeworks',
  ])
    assert.ok(said.toLowerCase().includes(part.toLowerCase()), part)
  assert.match(
    (await controller.notice({ ...request, language: 'de' })).title,
    /^Was mit Ihren Daten geschieht/,
  )
  assert.match((await controller.notice({ ...request, language: 'fr' })).title, /^Ce qui est fait/)
  assert.match(await controller.noticePage({ ...request, language: 'de' }), /<html lang="de">/)
  for (const language of ['en', 'de', 'fr'] as const) {
    const { sections } = await controller.notice({ ...request, language })
    const words = sections.flatMap(({ text }) => text).join('\n')
    // Terms, codes and times of machines are not for the people who are told (GDPR Art. 12(1)).
    assert.doesNotMatch(words, /eu-gdpr|dpv|\b(?:IE|EEA|adequate)\b|P\d+[YMD]|\d{4}-\d{2}-\d{2}|_/, words)
  }
  // A purpose that is narrower than one the data set is offered for has a notice of its own.
  const narrower = await controller.notice({ ...request, purpose: 'dpv:AcademicResearch', language: 'de' })
  assert.match(JSON.stringify(narrower), /Zweck: Forschung an Hochschulen und Akademien\./)
  assert.equal((await controller.notice(request)).version, english.version)
  await controller.describeParty('federation', { ...contact, email: 'new@federation.example' })
  assert.notEqual((await controller.notice(request)).version, english.version)
})

test('a notice is found for what is part of a purpose of the terms, and where there is none those that there are are named', async () => {
  const request = { dataSet: 'athletes', purpose: 'dpv:AcademicResearch' }
  const wider = 'It is part of a wider purpose, for which the data may be used: Research and Development.'
  const saidIn = async (purpose: string) =>
    (await controller.notice({ ...request, purpose })).sections.flatMap(({ text }) => text)
  const narrower = await saidIn('dpv:AcademicResearch')
  assert.ok(narrower.includes(wider), narrower.join('\n'))
  assert.ok(narrower.some((line) => line.startsWith('Purpose: Academic Research.')))
  assert.ok(!(await saidIn('dpv:ResearchAndDevelopment')).includes(wider))
  for (const purpose of ['dpv:Marketing', 'hedgerow:SocialScoring'])
    await assert.rejects(controller.notice({ ...request, purpose }), {
      status: 400,
      errors: [
        {
          field: 'purpose',
          expected:
            'expected dpv:ResearchAndDevelopment, dpv:Personalisation, or a purpose that is part of one',
        },
      ],
    })
})

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
})
