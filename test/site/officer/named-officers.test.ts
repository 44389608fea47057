import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { Endpoint } from '../../../src/kernel/http/endpoint.ts'
import { SITE_API } from '../../../src/protocol/http/site-api.ts'
import { openSiteAdministration } from '../../../src/sdk/issuer.ts'
import { openOfficer } from '../../../src/sdk/officer.ts'
import { openPersonRecords } from '../../../src/sdk/person.ts'
import { openRequestDesk } from '../../../src/sdk/requests.ts'
import { publicKeys, testParty, tokenOf } from '../../../src/testing/test-network.ts'
import type { TestParty } from '../../../src/testing/test-network.ts'
import { testGrant, testPeople } from '../../../src/testing/test-population.ts'
import { testTrade } from '../../../src/testing/test-trade.ts'

const trade = await testTrade()
after(() => trade[Symbol.asyncDispose]())
const site = trade.site()
await trade.fill(site, { dataSet: 'athletes', people: testPeople(30) })
const asker = await trade.addAcquirer('northcare')
await asker.ask('select count(*) from athletes')

const clientOf = (party: TestParty) => site.client({ issuer: party.name, key: party.signing })
const seatOf = (party: TestParty) => openOfficer(clientOf(party))
const custodian = openOfficer(site.client({ issuer: 'operator', key: site.operatorKey }))
const controller = seatOf(trade.federation)
const other = await trade.network.addMember('other-issuer', ['issuer'])
await site.operator.registerIssuer({ member: other.name, keys: publicKeys(other) })
const [orla, piet] = [testParty('orla'), testParty('piet')]
await controller.nameOfficer('orla', publicKeys(orla))
await custodian.nameOfficer('piet', publicKeys(piet))

test('an issuer’s officer reads a person’s data with a reason, and the person sees name and reason', async () => {
  const records = (reason?: string) => openPersonRecords(clientOf(orla), { ref: 'p-1', reason })
  await assert.rejects(records().uses(10), { status: 400 })
  const because = 'a complaint of 3 May'
  assert.equal((await records(because).uses(10)).length, 1)
  const text = await new Response(await records(because).export({ format: 'jsonl' })).text()
  assert.match(text, /"kind":"row"/)
  assert.match(await records(because).consents('records'), /dpv:ConsentRecord/)
  const seen = await openPersonRecords(clientOf(trade.federation), {
    ref: 'p-1',
    reason: 'she asked who looked',
  }).accesses(10)
  const looks = seen.filter(({ by }) => by === 'officer:orla')
  assert.deepEqual(looks.map(({ what }) => what).toSorted(), ['consents', 'export', 'uses'])
  assert.ok(looks.every(({ reason }) => reason === because))
  for (const { receipt, what } of looks)
    assert.equal((await site.operator.receipt(receipt)).log.index, receipt, what)
  assert.equal((await seatOf(orla).register()).controllers.length, 1)
  assert.deepEqual(await openRequestDesk(clientOf(orla)).list({ isOpen: true, limit: 5 }), [])
})

test('the custodian’s officer names whose person it is; nobody’s officer reads another issuer’s people', async () => {
  const reason = 'audit of spring'
  const records = openPersonRecords(clientOf(piet), { ref: 'p-2', issuer: 'federation', reason })
  assert.equal((await records.accesses(5))[0]?.by, 'officer:piet')
  await assert.rejects(openPersonRecords(clientOf(piet), { ref: 'p-2', reason }).uses(1), { status: 400 })
  const foreign = testParty('fenna')
  await seatOf(other).nameOfficer('fenna', publicKeys(foreign))
  await assert.rejects(openPersonRecords(clientOf(foreign), { ref: 'p-2', reason }).uses(1), { status: 404 })
  await assert.rejects(
    openPersonRecords(clientOf(foreign), { ref: 'p-2', issuer: 'federation', reason }).uses(1),
    { status: 404 },
  )
  assert.deepEqual((await seatOf(foreign).register()).controllers, [])
})

/** Everything that changes something, and what is no officer's to read, without having to know what it takes. */
const ALLOWED = new Set<Pick<Endpoint, 'path'>>([
  SITE_API.evidence,
  SITE_API.listReceipts,
  SITE_API.receipt,
  SITE_API.register,
  SITE_API.notice,
  SITE_API.listAssessments,
  SITE_API.listBases,
  SITE_API.listContracts,
  SITE_API.listSubProcessors,
  SITE_API.listAuthorityRequests,
  SITE_API.listOfficers,
  SITE_API.dataRightsDirectory,
  SITE_API.transfers,
  SITE_API.listIncidents,
  SITE_API.incident,
  SITE_API.listUses,
  SITE_API.earnings,
  SITE_API.listAccesses,
  SITE_API.exportPerson,
  SITE_API.listObjections,
  SITE_API.personBases,
  SITE_API.personConsents,
  SITE_API.requestsOfPerson,
  SITE_API.askAgain,
  SITE_API.listRequests,
  SITE_API.request,
])

test('an officer gets through to what it may read, and to nothing else that there is', async () => {
  const endpoints: readonly Endpoint[] = Object.values(SITE_API)
  assert.ok([...ALLOWED].every((one) => 'method' in one && one.method === 'get'))
  const refused = endpoints.filter((one) => one.isPublic !== true && !ALLOWED.has(one))
  assert.ok(refused.length > 30)
  for (const party of [orla, piet]) {
    for (const { method, path } of refused) {
      const address = path.replaceAll(/\{\w+\}/g, 'p-1')
      const now = trade.clock.now()
      const token = tokenOf(party, { audience: site.name, now, jti: trade.network.ids.next('jti') })
      const response = await fetch(`${site.url}${address}`, {
        method: method.toUpperCase(),
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(method === 'post' || method === 'put' ? { body: '{}' } : {}),
      })
      // What is wrongly formed is refused before anybody asks who may.
      assert.ok([400, 403].includes(response.status), `${method} ${path}: ${response.status}`)
    }
  }
  const administration = openSiteAdministration(clientOf(orla))
  await assert.rejects(administration.giveGrants([testGrant('athletes', 'p-1')]), { status: 403 })
  await assert.rejects(administration.revokeGrants([{ dataSet: 'athletes', person: 'p-1' }]), { status: 403 })
  await assert.rejects(administration.retire('athletes'), { status: 403 })
  await assert.rejects(
    openPersonRecords(clientOf(orla), { ref: 'p-1', reason: 'x' }).objectTo('dpv:Marketing'),
    { status: 403 },
  )
  await assert.rejects(seatOf(orla).nameOfficer('another', publicKeys(testParty('another'))), { status: 403 })
})

test('who named an officer dismisses it, at once; nobody else does, or takes its name', async () => {
  const names = async (party: TestParty) => (await seatOf(party).officers()).map(({ officer }) => officer)
  assert.deepEqual(await names(trade.federation), ['orla'])
  assert.deepEqual(
    (await custodian.officers()).map(({ officer, issuer }) => [officer, issuer]),
    [
      ['fenna', 'other-issuer'],
      ['orla', 'federation'],
      ['piet', undefined],
    ],
  )
  await assert.rejects(seatOf(other).nameOfficer('orla', publicKeys(testParty('orla'))), { status: 409 })
  await assert.rejects(custodian.nameOfficer('orla', publicKeys(testParty('orla'))), { status: 409 })
  await assert.rejects(seatOf(other).dismissOfficer('orla'), { status: 404 })
  const rotated = testParty('orla')
  await controller.nameOfficer('orla', publicKeys(rotated))
  await assert.rejects(seatOf(orla).register(), { status: 401 })
  await seatOf(rotated).register()
  await controller.dismissOfficer('orla')
  await assert.rejects(seatOf(rotated).register(), { status: 401 })
})
