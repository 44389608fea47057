import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { dataSetIdSchema } from '../../../src/protocol/wire.ts'
import type { WireGrant } from '../../../src/sdk/issuer.ts'
import { openOfficer } from '../../../src/sdk/officer.ts'
import { openPersonRecords } from '../../../src/sdk/person.ts'
import { GrantMirror } from '../../../src/site/consent/grant-mirror.ts'
import { testContract, testGrant, testManifest, testPeople } from '../../../src/testing/test-population.ts'
import { testTrade } from '../../../src/testing/test-trade.ts'
import type { TestAcquirer, TestSite, TestTrade } from '../../../src/testing/test-trade.ts'

const people = testPeople(40)
const opened = new AsyncDisposableStack()
let trade: TestTrade
let site: TestSite
let acquirer: TestAcquirer

before(async () => {
  trade = opened.use(await testTrade())
  site = trade.site()
  await trade.fill(site, { dataSet: 'athletes', people })
  await trade.fill(site, {
    dataSet: 'visits',
    people,
    manifest: { legalBasis: 'eu-gdpr:A6-1-b' },
    grants: [],
  })
  await openOfficer(
    site.client({ issuer: trade.federation.name, key: trade.federation.signing }),
  ).recordBasis(testContract('visits'))
})
after(() => opened.disposeAsync())

/** How many rows an acquirer that has asked nothing before gets; declines give their reason. */
async function rowsFor(name: string, more: Parameters<TestAcquirer['ask']>[1] = {}) {
  acquirer = await trade.addAcquirer(name)
  const { sites } = await acquirer.ask('select id, height from athletes', { mode: 'rows', ...more })
  return sites[0]?.release?.rows.length ?? sites[0]?.reason
}

function records(ref: string) {
  return openPersonRecords(site.client({ issuer: 'federation', key: trade.federation.signing }), {
    ref,
    reason: 'a test',
  })
}

/** The terms of a grant, whoever gives it. */
function termsOf(more: Partial<WireGrant> = {}) {
  const { dataSet, grantee, purposes, modes } = testGrant('athletes', '', more)
  return { dataSet, grantee, purposes, modes }
}

async function statesOf(person: string) {
  const grants = await site.issuer.grants({ person, limit: 20 })
  return grants.filter(({ dataSet }) => dataSet === 'athletes').map(({ state }) => state)
}

test('an objection to a purpose is in force at once, for narrower purposes too, on every basis, and after a restart', async () => {
  assert.equal(await rowsFor('before-all'), 40)
  await records('p-1').objectTo('dpv:ResearchAndDevelopment')
  await records('p-2').objectTo('dpv:Marketing')
  assert.equal(await rowsFor('after-objection'), 39)
  const basis = { legalBasis: 'eu-gdpr:A6-1-b', mode: 'aggregate', offer: 'visits' } as const
  const counted = await (
    await trade.addAcquirer('other-basis')
  ).ask('select count(*) as people from visits', basis)
  assert.deepEqual(counted.sites[0]?.release?.rows, [[39]])
  await site.stop()
  await site.start()
  assert.equal(await rowsFor('after-restart'), 39)
  assert.deepEqual(
    (await records('p-1').objections()).map(({ purpose, issuer, withdrawnAt }) => [
      purpose,
      issuer,
      withdrawnAt,
    ]),
    [['dpv:ResearchAndDevelopment', 'federation', undefined]],
  )
  assert.equal((await records('p-1').objectTo('dpv:ResearchAndDevelopment')).changed, 0)
  await records('p-1').withdrawObjection('dpv:ResearchAndDevelopment')
  assert.equal(await rowsFor('after-withdrawal'), 40)
  await records('p-1').objectTo('dpv:ResearchAndDevelopment')
  await site.stop()
  await site.start()
  assert.equal(await rowsFor('objected-again'), 39)
  await records('p-1').withdrawObjection('dpv:ResearchAndDevelopment')
})

test('an objection counts for a run that is under way, as a revocation does', () => {
  const mirror = new GrantMirror()
  const dataSet = dataSetIdSchema.parse('athletes')
  mirror.apply({ sequence: 4, newTerms: [], given: [], revoked: [] })
  const objection = { sequence: 5, person: 7, purpose: 'dpv:Marketing' }
  mirror.apply({ sequence: 5, newTerms: [], given: [], revoked: [], objected: [objection] })
  assert.deepEqual([...mirror.revokedSince(4, dataSet)], [7])
  assert.deepEqual([...mirror.revokedSince(5, dataSet)], [])
})

test('an objection on one data set leaves the others', async () => {
  await records('p-3').objectTo('dpv:ResearchAndDevelopment', 'visits')
  assert.equal(await rowsFor('one-data-set'), 40)
  await records('p-3').withdrawObjection('dpv:ResearchAndDevelopment', 'visits')
  await assert.rejects(records('p-3').objectTo('dpv:Purpose'), { status: 400 })
  await assert.rejects(records('p-3').objectTo('dpv:Marketing', 'unknown'), { status: 404 })
})

test('a new grant that replaces others supersedes them in one step', async () => {
  await site.issuer.giveGrants([testGrant('athletes', 'p-4', { modes: ['aggregate'], replaces: true })])
  assert.deepEqual(await statesOf('p-4'), ['superseded', 'in_force'])
  assert.equal(await rowsFor('replaced'), 39, 'rows are no longer allowed')
  await site.issuer.giveGrants([testGrant('athletes', 'p-4', { replaces: true })])
  assert.deepEqual(await statesOf('p-4'), ['superseded', 'superseded', 'in_force'])
})

test('a refusal ends an equal grant, authorises nothing and stands in the export', async () => {
  const { person, ...terms } = testGrant('athletes', 'p-5')
  assert.equal((await site.issuer.refuseGrant({ ...terms, person })).changed, 1)
  assert.deepEqual(await statesOf('p-5'), ['withdrawn'])
  assert.equal(await rowsFor('refused'), 39)
  const text = await new Response(await records('p-5').export({ format: 'jsonl' })).text()
  assert.ok(text.includes('"kind":"refusal"'))
  await site.issuer.giveGrants([testGrant('athletes', 'p-5')])
})

test('a preview says who, for what, where, how often and for what money, and its text is what the grant is given to', async () => {
  const terms = termsOf({ grantee: { class: 'insurer' } })
  const { answers, notice } = await site.issuer.previewGrant({ ...terms, minimumPriceMinor: 3 })
  const text = answers.map(({ question, answer }) => `${question} ${answer}`).join('\n')
  for (const said of [
    'Every insurer that is a member',
    'Research and Development',
    'height',
    'groups of at least 10 people',
    'Your single rows',
    'the European Economic Area',
    'stays in Ireland, at ',
    'edgeworks',
    'until you withdraw it',
    '30 % of each price',
    'at most 10.00 EUR',
    'at least 0.03 EUR',
    'In one step',
  ])
    assert.ok(text.includes(said), `${said}\n${text}`)
  assert.ok(!text.includes('note'), 'what nobody may use is not offered')
  assert.ok(!text.includes('where specially protected data is used'))
  const given = testGrant('athletes', 'p-6', { grantee: { class: 'insurer' }, notice })
  assert.equal((await site.issuer.giveGrants([given])).changed, 1)
  await assert.rejects(site.issuer.previewGrant({ ...terms, purposes: ['hedgerow:ReIdentification'] }), {
    status: 400,
  })
})

test('a changed text stops authorising and asks again; what does not concern the text does not', async () => {
  const terms = termsOf()
  const { notice } = await site.issuer.previewGrant(terms)
  const manifest = testManifest('athletes')
  await site.issuer.describe({ ...manifest, tariff: { ...manifest.tariff, perRunMinor: 200 } })
  assert.equal(await rowsFor('new-price'), 40)
  const retention = { period: 'P60Y', from: '2020-01-01' }
  await site.issuer.describe({ ...manifest, retention })
  assert.equal(await rowsFor('new-text'), 'declined.nobody_eligible')
  assert.deepEqual(await statesOf('p-7'), ['text_changed'])
  await assert.rejects(site.issuer.giveGrants([testGrant('athletes', 'p-7', { notice })]), { status: 400 })
  await site.issuer.giveGrants(people.slice(0, 25).map(({ id }) => testGrant('athletes', id)))
  assert.deepEqual(await statesOf('p-7'), ['text_changed', 'in_force'])
  assert.equal(await rowsFor('asked-again'), 25)
})
