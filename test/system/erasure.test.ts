import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { sql } from 'kysely'
import { peekJws } from '../../src/kernel/crypto/jws.ts'
import { digestOf } from '../../src/kernel/digest.ts'
import { silentLog } from '../../src/kernel/log.ts'
import { connect } from '../../src/kernel/postgres/open-postgres.ts'
import { Secret } from '../../src/kernel/secret.ts'
import type { WireManifest } from '../../src/sdk/issuer.ts'
import { readSiteKeys } from '../../src/site/site-keys.ts'
import { lookupDigest } from '../../src/site/vault/keys/lookup-digest.ts'
import { filesOf, postgresDirectory } from '../../src/testing/files-of.ts'
import { plainMarkerSearch } from '../../src/testing/find-markers.ts'
import { csvOf, testGrant, testManifest, testPeople } from '../../src/testing/test-population.ts'
import { fileBody, testTrade } from '../../src/testing/test-trade.ts'
import type { TestSite } from '../../src/testing/test-trade.ts'

const PLAIN = 'zqplain8gone'
const SEALED = 'zqsealed8gone'
const HEIGHT = 876_543_210.625
const BIRTH_DATE = '1933-04-17'
const ERASED = `${SEALED}-key`

const people = testPeople(60, (_, index) =>
  index === 7
    ? {
        id: ERASED,
        name: `${SEALED} name`,
        note: `${SEALED} note`,
        country: `${PLAIN}-country`,
        birthDate: BIRTH_DATE,
        height: HEIGHT,
      }
    : {},
)

const asWide: Partial<WireManifest> = {
  columns: testManifest('athletes').columns.map((column) =>
    column.name === 'height' ? { ...column, bounds: [0, 1e12] } : column,
  ),
}

const ROWS = 'select country, height, birth_date from athletes'

test('an erased person is read by nothing, and after the second step stands in no byte of any file', async () => {
  await using trade = await testTrade()
  const site = trade.site()
  await trade.fill(site, { dataSet: 'athletes', people, manifest: asWide })
  const northcare = await trade.addAcquirer('northcare')
  const before = await northcare.ask(ROWS, { mode: 'rows' })
  assert.match(JSON.stringify(before.sites[0]?.release), new RegExp(PLAIN), 'the rows went out')
  const secrets = await secretsOf(site)
  assert.notDeepEqual(await search(site, secrets), [], 'the search finds what is there')

  const erased = await site.rights('issuer').erase({ person: ERASED }, { reason: 'consent_withdrawn' })
  assert.equal(erased.state, 'deleted')
  assert.equal(erased.grade, 'deleted')
  assert.equal(erased.permanentBy - erased.requestedAt, 24 * 3_600_000)
  assert.doesNotMatch(JSON.stringify(erased), new RegExp(`${PLAIN}|${SEALED}`))

  const southcare = await trade.addAcquirer('southcare')
  const after = await southcare.ask(ROWS, { mode: 'rows' })
  assert.equal(after.sites[0]?.release?.rows.length, 59)
  assert.doesNotMatch(JSON.stringify(after.sites[0]?.release), new RegExp(PLAIN))
  assert.deepEqual(await site.operator.grants({ dataSet: 'athletes', person: ERASED, limit: 10 }), [])
  const counted = await site.operator.dataSets()
  assert.equal(counted[0]?.people, 59)
  await assert.rejects(site.rights('issuer').erase({ person: ERASED }, { reason: 'request' }), {
    status: 404,
  })

  const asks = Array.from({ length: 6 }, () => southcare.ask('select count(*) from athletes'))
  assert.equal(await site.rights('operator').completeErasures(), 1)
  for (const answer of await Promise.all(asks)) assert.equal(answer.sites[0]?.reason, 'approved')
  const permanent = await site.rights('operator').erasure(erased.erasure)
  assert.equal(permanent.grade, 'permanent')
  assert.equal(permanent.state, 'permanent')
  assert.deepEqual(await search(site, secrets), [])
  assert.equal((await southcare.ask(ROWS, { mode: 'rows' })).sites[0]?.release?.rows.length, 59)

  const receipts = await site.operator.receipts({ kind: 'erasure', limit: 10 })
  assert.deepEqual(
    receipts.map(({ receipt }) => gradeIn(receipt)),
    ['deleted', 'permanent'],
  )
  assert.deepEqual(
    permanent.receipts,
    receipts.map(({ sequence }) => sequence),
  )
  // The log is public, and whoever signs in and has the id sees the certificate: it is told by its digest.
  for (const { receipt } of await site.operator.receipts({ limit: 1_000 })) {
    assert.doesNotMatch(payloadIn(receipt), new RegExp(erased.erasure))
  }
  for (const { receipt } of receipts) assert.match(payloadIn(receipt), new RegExp(digestOf(erased.erasure)))

  await site.stop()
  await site.start()
  assert.deepEqual(await search(site, secrets), [], 'nor after a restart')
  assert.equal((await site.rights('operator').erasures()).length, 1)
})

test('a person who comes back after an erasure is a new person, who granted nothing', async () => {
  await using trade = await testTrade()
  const site = trade.site()
  await trade.fill(site, { dataSet: 'athletes', people, manifest: asWide })
  const northcare = await trade.addAcquirer('northcare')
  const query = 'select id, height from athletes'
  const idOf = (rows: readonly (readonly unknown[])[] = []) => rows.find((row) => row[1] === HEIGHT)?.[0]
  const first = await northcare.ask(query, { mode: 'rows' })
  await site.rights('issuer').erase({ person: ERASED }, { reason: 'request' })
  const again = people.filter(({ id }) => id === ERASED)
  const file = { dataSet: 'athletes', batch: 'again', format: 'csv', body: fileBody(csvOf(again)) } as const
  assert.equal((await site.issuer.importFile(file)).newPeople, 1)
  const without = await northcare.ask(query, { mode: 'rows' })
  assert.equal(idOf(without.sites[0]?.release?.rows), undefined, 'earlier grants do not count')
  await site.issuer.giveGrants([testGrant('athletes', ERASED)])
  const back = await northcare.ask(`${query} where height > 0`, { mode: 'rows' })
  const [before, after] = [idOf(first.sites[0]?.release?.rows), idOf(back.sites[0]?.release?.rows)]
  assert.ok(typeof before === 'string' && typeof after === 'string')
  assert.notEqual(before, after, 'another pseudonym: nobody can tell that it is the same person')
})

test('nobody but the person, their issuer and the operator may erase, and a stranger learns nothing', async () => {
  await using trade = await testTrade()
  const site = trade.site()
  await trade.fill(site, { dataSet: 'athletes', people, manifest: asWide })
  const other = await trade.network.addMember('othercare', ['issuer'])
  await site.operator.registerIssuer({
    member: 'othercare',
    keys: { signing: other.signing.publicJwk, sealing: other.sealing.publicJwk },
  })
  const stranger = site.client({ issuer: 'othercare', key: other.signing })
  for (const body of [{ reason: 'request' }, { reason: 'request', issuer: 'federation' }]) {
    const response = await fetch(new URL(`/v1/people/${ERASED}/erasure`, site.url), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${(await stranger.token()) ?? ''}`,
      },
      body: JSON.stringify(body),
    })
    assert.equal(response.status, 404)
  }
  await assert.rejects(site.rights('operator').erase({ person: ERASED }, { reason: 'request' }), {
    status: 400,
  })
  const done = await site
    .rights('operator')
    .erase({ person: ERASED, issuer: 'federation' }, { reason: 'request', isAtOnce: true })
  assert.equal(done.grade, 'permanent')
  assert.equal(done.requestedBy, 'operator')
})

/** What must be nowhere afterwards, besides the markers: the wrapped key, the lookup digest, a digest of the name. */
async function secretsOf(site: TestSite): Promise<readonly Buffer[]> {
  const keys = await readSiteKeys(join(site.root, 'keys'))
  const lookup = lookupDigest(keys.lookup, { issuer: 'federation', personKey: ERASED })
  await using postgres = await connect(new Secret(site.databaseUrl), {
    name: 'look',
    log: silentLog,
    stop: () => Promise.resolve(),
  })
  const { rows } = await sql<{ person: number; wrapped: Buffer }>`
    select person, wrapped from person_key order by person`.execute(postgres.db)
  const heights = Buffer.alloc(8)
  heights.writeDoubleLE(HEIGHT)
  // Numbers are given in the order of keys, and this key sorts last.
  const wrapped = rows.at(-1)?.wrapped
  assert.ok(wrapped)
  return [
    Buffer.from(lookup),
    wrapped,
    Buffer.from(wrapped.toString('hex')),
    Buffer.from(digestOf(`federation\0${ERASED}`)),
    heights,
  ]
}

/** Every place in any file of the site, of its PostgreSQL and of the network's where something is left. */
async function search(site: TestSite, secrets: readonly Buffer[]): Promise<readonly string[]> {
  const find = plainMarkerSearch([PLAIN, SEALED])
  const files = [...(await filesOf(site.root)), ...(await filesOf(await postgresDirectory()))]
  assert.ok(files.length > 100)
  return files.flatMap((bytes) => [
    ...find(bytes).map(({ marker, form }) => `${marker} (${form})`),
    ...secrets.flatMap((secret, index) => (bytes.includes(secret) ? [`secret ${index}`] : [])),
  ])
}

function payloadIn(receipt: string): string {
  return peekJws(receipt)?.payload ?? ''
}

function gradeIn(jws: string): unknown {
  const receipt = JSON.parse(peekJws(jws)?.payload ?? '{}') as { grade?: unknown }
  return receipt.grade
}
