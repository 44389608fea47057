import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { SITE_API } from '../../../src/protocol/http/site-api.ts'
import { openHandOver } from '../../../src/sdk/hand-over.ts'
import type { WireGrant } from '../../../src/sdk/issuer.ts'
import { openPersonRecords } from '../../../src/sdk/person.ts'
import { NETWORK_API } from '../../../src/protocol/http/network-endpoints.ts'
import { publicKeys } from '../../../src/testing/test-network.ts'
import { testGrant, testPeople } from '../../../src/testing/test-population.ts'
import { offered, testTrade } from '../../../src/testing/test-trade.ts'
import { systemClock } from '../../../src/kernel/clock.ts'

const trade = await testTrade({ sites: [{ name: 'galway' }, { name: 'cork' }] })
after(() => trade[Symbol.asyncDispose]())
const [galway, cork] = [trade.site('galway'), trade.site('cork')]
const people = testPeople(60, (_, index) =>
  index === 7 ? { name: 'Ó "Néill", Áine', note: 'line\nbreak' } : {},
)
await trade.fill(galway, {
  dataSet: 'athletes',
  people,
  grants: people.slice(0, 50).map(({ id }) => testGrant('athletes', id)),
})
await galway.issuer.revokeGrants([{ dataSet: 'athletes', person: 'p-3' }])

const issuer = galway.client({ issuer: 'federation', key: trade.federation.signing })
const seat = openHandOver(issuer)
const custodian = openHandOver(galway.client({ issuer: 'operator', key: galway.operatorKey }))
const reason = 'the contract has ended'

type Part = Parameters<typeof seat.part>[1]['part']

async function linesOf(part: Part, by = seat): Promise<readonly Record<string, unknown>[]> {
  const format = part === 'rows' ? ('ndjson' as const) : undefined
  const text = await new Response(await by.part('athletes', { part, format, reason })).text()
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

test('rows and grants are handed over as they came, and another site takes them in with nothing lost', async () => {
  const rows = await linesOf('rows')
  assert.deepEqual(rows.map(({ id }) => String(id)).toSorted(), people.map(({ id }) => id).toSorted())
  assert.deepEqual(
    rows.find(({ id }) => id === 'p-7'),
    {
      id: 'p-7',
      name: 'Ó "Néill", Áine',
      country: people[7]?.country,
      birth_date: people[7]?.birthDate,
      height: people[7]?.height,
      score: people[7]?.score,
      note: 'line\nbreak',
    },
  )
  const grants = await linesOf('grants')
  // One of fifty was withdrawn, and is not given anew elsewhere.
  assert.equal(grants.length, 49)
  assert.ok(grants.every(({ person }) => person !== 'p-3'))

  await cork.issuer.describe(await seat.manifest('athletes'))
  const body = new Blob([rows.map((row) => `${JSON.stringify(row)}\n`).join('')]).stream()
  await cork.issuer.importFile({ dataSet: 'athletes', batch: 'from-galway', format: 'ndjson', body })
  await cork.issuer.giveGrants(grants as unknown as WireGrant[])
  await offered(trade.network, { site: 'cork', dataSet: 'athletes' })
  const again = openHandOver(cork.client({ issuer: 'federation', key: trade.federation.signing }))
  const byId = (one: Record<string, unknown>, other: Record<string, unknown>) =>
    String(one['id'] ?? one['person']).localeCompare(String(other['id'] ?? other['person']))
  assert.deepEqual((await linesOf('rows', again)).toSorted(byId), rows.toSorted(byId))
  assert.deepEqual((await linesOf('grants', again)).toSorted(byId), grants.toSorted(byId))
})

test('documents and lists are handed over as JSON, sealed ones too, and come in again as they were', async () => {
  const manifest = await seat.manifest('athletes')
  const described = {
    ...manifest,
    dataSet: 'profiles',
    person: { key: 'id' },
    columns: [
      ...manifest.columns.filter(({ name }) => name === 'id'),
      { name: 'profile', type: 'json' as const },
      { name: 'letter', type: 'json' as const, sensitivity: 'free_text' as const },
      { name: 'tags', type: 'text[]' as const },
    ],
  }
  const rows = [
    { id: 'p-1', profile: { a: [1, 'x', null] }, letter: { to: 'Áine' }, tags: ['a', '"b"'] },
    { id: 'p-2', profile: 'a text', letter: null, tags: [] },
  ]
  const given = rows.map((row) => `${JSON.stringify(row)}\n`).join('')
  const handed: string[] = []
  for (const site of [galway, cork]) {
    await site.issuer.describe(described)
    await site.issuer.importFile({
      dataSet: 'profiles',
      batch: 'profiles',
      format: 'ndjson',
      body: new Blob([handed.at(-1) ?? given]).stream(),
    })
    const owner = openHandOver(site.client({ issuer: 'federation', key: trade.federation.signing }))
    handed.push(await new Response(await owner.part('profiles', { part: 'rows', reason })).text())
  }
  assert.deepEqual(handed, [given, given])
})

test('each person sees that their data was handed over, to whom and why', async () => {
  const records = openPersonRecords(issuer, { ref: 'p-7', reason: 'a test looks' })
  const seen = await records.accesses(20)
  const { by, reason: why } = seen.find(({ what }) => what === 'hand-over of rows') ?? {}
  assert.equal(by, 'issuer:federation')
  assert.equal(why, reason)
})

test('every decision of everybody is a consent record, and each person’s a receipt', async () => {
  await galway.issuer.refuseGrant(testGrant('athletes', 'p-59'))
  await trade.fill(galway, { dataSet: 'others', people: people.slice(0, 20) })
  const records = await linesOf('consents')
  // Fifty were given, one of them was withdrawn, one was refused; what was decided about other data is not in it.
  assert.equal(records.length, 51)
  type Record = (typeof records)[number]
  const statusOf = (record: Record) => JSON.stringify(record['dpv:hasConsentStatus'])
  const personOf = (record: Record) => (record['dpv:hasDataSubject'] as Record)['dct:identifier']
  const of = (person: string) => records.filter((record) => personOf(record) === person)
  assert.match(statusOf(of('p-3')[0] ?? {}), /dpv:ConsentWithdrawn/)
  assert.match(statusOf(of('p-59')[0] ?? {}), /dpv:ConsentRefused/)
  assert.match(statusOf(of('p-4')[0] ?? {}), /dpv:ConsentGiven/)
  for (const record of records) {
    assert.equal(record['@type'], 'dpv:ConsentRecord')
    assert.ok(record['@context'], 'each line stands by itself')
    assert.equal((record['dpv:hasProcess'] as Record)['dct:identifier'], 'athletes')
  }
  // What a person takes along of it says the same.
  const own = openPersonRecords(issuer, { ref: 'p-4', reason: 'a test looks' })
  const taken = (JSON.parse(await own.consents('records')) as { '@graph': Record[] })['@graph']
  const handed = { ...of('p-4')[0] }
  delete handed['@context']
  assert.deepEqual(
    taken.filter((record) => (record['dpv:hasProcess'] as Record)['dct:identifier'] === 'athletes'),
    [handed],
  )

  const receipts = await linesOf('receipts')
  assert.equal(receipts.length, 51, 'who decided nothing has no receipt')
  assert.equal(new Set(receipts.map((receipt) => receipt['dct:identifier'])).size, 51)
  assert.deepEqual(
    receipts.map((receipt) => (receipt['dpv:hasRecordOfActivity'] as Record[]).length),
    receipts.map(() => 1),
  )
  // A receipt is known by that of the look, which the person finds among theirs.
  const mine = receipts.find(
    (receipt) => personOf((receipt['dpv:hasRecordOfActivity'] as Record[])[0] ?? {}) === 'p-4',
  )
  const look = (await own.accesses(20)).find(({ what }) => what === 'hand-over of receipts')
  assert.equal(mine?.['dct:identifier'], `receipt-galway-${look?.receipt}`)
  assert.equal(look?.reason, reason)
  for (const part of ['consents', 'receipts'] as const)
    await assert.rejects(linesOf(part, custodian), { status: 404 })
})

test('only the issuer is handed anything: not the operator, and no other issuer', async () => {
  await assert.rejects(linesOf('rows', custodian), { status: 404 })
  const other = await trade.network.addMember('other-issuer', ['issuer'])
  await galway.operator.registerIssuer({ member: other.name, keys: publicKeys(other) })
  const stranger = openHandOver(galway.client({ issuer: other.name, key: other.signing }))
  await assert.rejects(linesOf('rows', stranger), { status: 404 })
  await assert.rejects(linesOf('grants', stranger), { status: 404 })
  await assert.rejects(stranger.windDown('not theirs to say'), { status: 403 })
  await assert.rejects(seat.part('athletes', { part: 'rows', reason: '' }), { status: 400 })
})

test('a site that winds down offers, answers and takes nothing, while rights and hand-over go on', async () => {
  const asker = await trade.addAcquirer('asker')
  const ask = () => asker.ask('select count(*) from athletes', { sites: ['galway'] })
  assert.equal((await ask()).sites[0]?.reason, 'approved')
  const begun = await custodian.windDown('the company closes')
  assert.deepEqual(await custodian.windDown('another reason'), begun)
  const view = await issuer.call(SITE_API.site)
  assert.equal(view.windDown?.reason, 'the company closes')

  const isOffered = async () => {
    const { items } = await trade.network.call(undefined, NETWORK_API.listOffers, {
      query: { dataSet: 'athletes' },
    })
    return items.some(({ site }) => site === 'galway')
  }
  for (let look = 0; look < 200 && (await isOffered()); look += 1) await systemClock.sleep(10)
  const refused = await ask()
  assert.equal(refused.reason, 'declined.no_route')
  await assert.rejects(
    galway.issuer.importFile({
      dataSet: 'athletes',
      batch: 'late',
      format: 'csv',
      body: new Blob(['id\n']).stream(),
    }),
    { status: 409 },
  )
  assert.equal((await galway.issuer.revokeGrants([{ dataSet: 'athletes', person: 'p-5' }])).changed, 1)
  assert.equal((await linesOf('rows')).length, people.length)

  await galway.stop()
  await galway.start()
  const restarted = galway.client({ issuer: 'federation', key: trade.federation.signing })
  assert.equal((await restarted.call(SITE_API.site)).windDown?.reason, 'the company closes')
})
