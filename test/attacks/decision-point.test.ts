import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { Endpoint } from '../../src/kernel/http/endpoint.ts'
import { peekJws } from '../../src/kernel/crypto/jws.ts'
import { SITE_API } from '../../src/protocol/http/site-api.ts'
import { openDecisionPoint } from '../../src/sdk/enforcement-point.ts'
import { openOfficer } from '../../src/sdk/officer.ts'
import { openSiteAdministration } from '../../src/sdk/issuer.ts'
import { recordingLog } from '../../src/testing/recording-log.ts'
import { publicKeys, testParty, tokenOf } from '../../src/testing/test-network.ts'
import type { TestParty } from '../../src/testing/test-network.ts'
import { testGrant, testManifest, testPeople } from '../../src/testing/test-population.ts'
import { testTrade } from '../../src/testing/test-trade.ts'

// Somebody outside, or inside and curious, wants to know of one person whether they allowed a use.

const log = recordingLog()
const trade = await testTrade({ log })
after(() => trade[Symbol.asyncDispose]())
const site = trade.site()
const clientOf = (party: TestParty) => site.client({ issuer: party.name, key: party.signing })
const pointOf = (party: TestParty) => openDecisionPoint(clientOf(party))
const operator = openDecisionPoint(site.client({ issuer: 'operator', key: site.operatorKey }))
const federation = pointOf(trade.federation)
const rival = await trade.network.addMember('rival', ['issuer'])
await site.operator.registerIssuer({ member: rival.name, keys: publicKeys(rival) })

// Exactly a minimum group allowed it, one of them `p-marker`; `p-silent` is there and allowed nothing.
const people = testPeople(12, (_, index) =>
  index === 9 ? { id: 'p-marker' } : index === 11 ? { id: 'p-silent' } : {},
)
await trade.fill(site, {
  dataSet: 'athletes',
  people,
  grants: people.slice(0, 10).map(({ id }) => testGrant('athletes', id)),
})
await trade.fill(site, { dataSet: 'loners', people, grants: [testGrant('loners', 'p-marker')] })
await openSiteAdministration(clientOf(rival)).describe(testManifest('rivals', { issuer: 'rival' }))
const asker = await trade.addAcquirer('northcare')
await asker.ask('select count(*) from athletes')

const [gate, turnstile, foreign] = [testParty('gate'), testParty('turnstile'), testParty('foreign')]
await federation.namePoint('gate', publicKeys(gate))
await operator.namePoint('turnstile', publicKeys(turnstile))
await pointOf(rival).namePoint('foreign', publicKeys(foreign))

const use = (resource: object, more: object = {}) => ({
  subject: { type: 'acquirer', id: 'northcare' },
  action: { name: 'process' },
  resource: { type: 'data_set', id: 'athletes', ...resource },
  context: { purpose: 'dpv:AcademicResearch' },
  ...more,
})
const ofPerson = (id: string, more: object = {}) =>
  use({ type: 'person', id, properties: { dataSet: 'athletes' } }, more)

async function statusOf(
  party: TestParty | undefined,
  { method, path }: Pick<Endpoint, 'method' | 'path'>,
  body: unknown,
) {
  const now = trade.clock.now()
  const token = party && tokenOf(party, { audience: site.name, now, jti: trade.network.ids.next('jti') })
  const response = await fetch(`${site.url}${path.replaceAll(/\{\w+\}/g, 'p-marker')}`, {
    method: method.toUpperCase(),
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(method === 'post' || method === 'put' ? { body: JSON.stringify(body) } : {}),
  })
  return response.status
}

test('nobody outside gets an answer: no token, an acquirer, an officer, an authority', async () => {
  const [orla, authority] = [testParty('orla'), testParty('dpc')]
  await openOfficer(clientOf(trade.federation)).nameOfficer('orla', publicKeys(orla))
  await openOfficer(site.client({ issuer: 'operator', key: site.operatorKey })).registerRegulator({
    member: 'dpc',
    keys: publicKeys(authority),
  })
  for (const endpoint of [SITE_API.evaluateAccess, SITE_API.evaluateAccesses, SITE_API.searchActions]) {
    assert.equal(await statusOf(undefined, endpoint, ofPerson('p-marker')), 401)
    assert.equal(await statusOf(asker.party, endpoint, ofPerson('p-marker')), 401)
    assert.equal(await statusOf(orla, endpoint, ofPerson('p-marker')), 403)
    assert.equal(await statusOf(authority, endpoint, ofPerson('p-marker')), 403)
  }
})

test('an acquirer does not become an enforcement point by its name or its key', async () => {
  for (const by of [federation, operator]) {
    await assert.rejects(by.namePoint('northcare', publicKeys(testParty('northcare'))), { status: 409 })
    await assert.rejects(by.namePoint('innocent', publicKeys(asker.party)), { status: 409 })
  }
  await assert.rejects(pointOf(asker.party).namePoint('mine', publicKeys(testParty('mine'))), { status: 401 })
  await assert.rejects(pointOf(gate).namePoint('mine', publicKeys(testParty('mine'))), { status: 403 })
})

test('an enforcement point gets through to decisions, and to nothing else that there is', async () => {
  const own = new Set<Pick<Endpoint, 'path'>>([
    SITE_API.evaluateAccess,
    SITE_API.evaluateAccesses,
    SITE_API.searchResources,
    SITE_API.searchActions,
    // Offers are what every member of the network reads.
    SITE_API.localOffers,
  ])
  const endpoints: readonly Endpoint[] = Object.values(SITE_API)
  const others = endpoints.filter((one) => one.isPublic !== true && !own.has(one))
  assert.ok(others.length > 60)
  for (const party of [gate, turnstile])
    for (const endpoint of others) {
      const status = await statusOf(party, endpoint, {})
      // What is wrongly formed is refused before anybody asks who may.
      assert.ok([400, 403].includes(status), `${endpoint.method} ${endpoint.path}: ${status}`)
    }
})

test('who is not the person’s issuer is told the same of everybody, known or not', async () => {
  for (const point of [operator, pointOf(turnstile), pointOf(foreign), pointOf(rival)]) {
    const answers = []
    for (const id of ['p-marker', 'p-silent', 'nobody'])
      for (const name of ['process', 'release', 'store'])
        answers.push([name, await point.evaluate(ofPerson(id, { action: { name } }))] as const)
    for (const [, ofOne] of Map.groupBy(answers, ([name]) => name))
      assert.equal(new Set(ofOne.map(([, answer]) => JSON.stringify(answer))).size, 1)
    assert.ok(answers.every(([, { decision }]) => !decision))
  }
})

test('of another issuer’s data set nothing is said, not even that it is there', async () => {
  const point = pointOf(foreign)
  const known = await point.evaluate(use({}))
  const unknown = await point.evaluate(use({ id: 'unheard_of' }))
  assert.deepEqual(known, unknown)
  const keeping = { subject: { type: 'custodian', id: 'edgeworks' }, action: { name: 'store' } }
  assert.deepEqual(
    await point.evaluate(use({}, keeping)),
    await point.evaluate(use({ id: 'unheard_of' }, keeping)),
  )
  const smuggled = (id: string) =>
    point.evaluate(use({ type: 'person', id, properties: { dataSet: 'rivals', issuer: 'federation' } }))
  const told = await smuggled('p-marker')
  assert.equal(told.decision, false)
  assert.deepEqual(told, await smuggled('nobody'))
})

test('no mode, column or batch makes an answer about a data set one about a person', async () => {
  const point = pointOf(gate)
  for (const mode of ['rows', 'aggregate', 'function', 'private'])
    for (const columns of [undefined, ['height'], ['country', 'score']]) {
      const asked = use(
        { id: 'loners', properties: columns ? { columns } : {} },
        { action: { name: 'process', properties: { mode } } },
      )
      assert.equal((await point.evaluate(asked)).decision, false, `${mode} ${String(columns)}`)
    }
  // It is that they are one that makes it so: their own grant counts.
  const ofOne = { type: 'person', id: 'p-marker', properties: { dataSet: 'loners' } }
  assert.equal((await point.evaluate(use(ofOne))).decision, true)
  const listed = await statusOf(gate, SITE_API.searchResources, { ...use({}), resource: { type: 'person' } })
  assert.equal(listed, 403)
})

test('that somebody left a group is told by the group, and never by whom or how many', async () => {
  const point = pointOf(turnstile)
  assert.equal((await point.evaluate(use({}))).decision, true)
  await site.issuer.revokeGrants([{ dataSet: 'athletes', person: 'p-marker' }])
  const gone = await point.evaluate(use({}))
  await site.issuer.revokeGrants(people.slice(0, 9).map(({ id }) => ({ dataSet: 'athletes', person: id })))
  assert.deepEqual(await point.evaluate(use({})), gone)
  await site.issuer.giveGrants(people.slice(0, 10).map(({ id }) => testGrant('athletes', id)))
})

test('a look at a person is in their record, and neither log, receipts nor errors name them or say what was answered', async () => {
  const point = pointOf(gate)
  const before = (await site.operator.receipts({ limit: 500 })).length
  const linesBefore = log.lines.length
  assert.equal((await point.evaluate(ofPerson('p-marker'))).decision, true)
  assert.equal((await point.evaluate(ofPerson('p-silent'))).decision, false)
  await statusOf(gate, SITE_API.evaluateAccess, { ...ofPerson('p-marker'), subject: 'p-marker' })
  const written = (await site.operator.receipts({ limit: 500 })).slice(before)
  const payloads = written.map(
    ({ receipt }) => JSON.parse(peekJws(receipt)?.payload ?? '{}') as Record<string, unknown>,
  )
  assert.deepEqual(
    payloads.map((payload) => Object.keys(payload).toSorted()),
    payloads.map(() => ['kind', 'sequence', 'site', 'subjectOf', 'time']),
  )
  assert.ok(!JSON.stringify(payloads).includes('p-marker'))
  assert.ok(!log.lines.some((line) => line.includes('p-marker') || line.includes('p-silent')))
  const evaluated = log.lines.slice(linesBefore).filter((line) => line.includes('site.evaluated'))
  assert.equal(evaluated.length, 2)
  assert.ok(
    !evaluated.some((line) => line.includes('approved') || line.includes('declined')),
    evaluated.join('\n'),
  )
})
