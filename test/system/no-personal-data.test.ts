import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { sql } from 'kysely'
import { silentLog } from '../../src/kernel/log.ts'
import { connect } from '../../src/kernel/postgres/open-postgres.ts'
import type { Database } from '../../src/kernel/postgres/database.ts'
import type { WireManifest } from '../../src/sdk/issuer.ts'
import { Secret } from '../../src/kernel/secret.ts'
import { filesOf, postgresDirectory } from '../../src/testing/files-of.ts'
import { markerSearch, plainMarkerSearch } from '../../src/testing/find-markers.ts'
import type { FoundMarker } from '../../src/testing/find-markers.ts'
import { recordingLog } from '../../src/testing/recording-log.ts'
import { recordingProxy } from '../../src/testing/recording-proxy.ts'
import { csvOf, testGrant, testManifest, testPeople } from '../../src/testing/test-population.ts'
import { fileBody, testTrade } from '../../src/testing/test-trade.ts'
import type { TestAcquirer, TestSite, TestTrade } from '../../src/testing/test-trade.ts'

/** In columns that are sealed under the person's key, and in the person's key itself. */
const SEALED = 'zqsealed7mark'
/** In columns that lie readable in the vault. */
const PLAIN = 'zqplain7mark'
/** In literals and parameters of questions, and in double quotes where a literal was meant. */
const LITERAL = 'zqliteral7mark'
const NUMBER = '987654321.125'
const LITERAL_NUMBER = '555000777.375'
const BIRTH_DATE = '1931-03-29'
const LITERAL_DATE = '1947-08-13'

const EVERY_MARKER = [SEALED, PLAIN, LITERAL, NUMBER, LITERAL_NUMBER, BIRTH_DATE, LITERAL_DATE]

const people = testPeople(90, (_, index) => ({
  id: `${SEALED}-key-${index}`,
  name: `${SEALED} name ${index}`,
  note: `Once upon a time ${SEALED} note ${index}`,
  country: index % 3 === 0 ? 'FR' : `${PLAIN}-country`,
  birthDate: BIRTH_DATE,
  height: 987_654_321.125,
}))

const asWide: Partial<WireManifest> = {
  columns: testManifest('athletes').columns.map((column) =>
    column.name === 'height' ? { ...column, bounds: [0, 1e12] } : column,
  ),
}

test('what is personal stands nowhere but in the vault and in sealed releases', async (context) => {
  const log = recordingLog()
  await using closing = new AsyncDisposableStack()
  let proxy: Awaited<ReturnType<typeof recordingProxy>> | undefined
  const trade = closing.use(
    await testTrade({
      log,
      networkUrl: async (network) => {
        proxy = closing.use(await recordingProxy(network.url))
        return proxy.url
      },
    }),
  )
  assert.ok(proxy)
  const recorded = proxy
  const answers = await live(trade)

  const places = async () => ({
    'the bytes between processes': recorded.recorded(),
    'the logs': [Buffer.from(log.lines.join('\n'))],
    'answers of the doors': answers.map((text) => Buffer.from(text)),
    'the pages and meters': await pagesOf(trade),
    'the receipts of the site': await receiptsOf(trade.site()),
    'the log directory of the site': await filesOf(join(trade.site().root, 'log')),
    'the directory of the network': await filesOf(trade.network.root),
    'the rows of the network': [await dumpOf(trade.networkDatabaseUrl)],
    'the rows of the record of the site': [await dumpOf(trade.site().databaseUrl)],
  })
  const find = markerSearch(EVERY_MARKER)
  for (const [place, buffers] of Object.entries(await places())) {
    assert.ok(Buffer.concat(buffers).length > 0, `nothing to search in ${place}`)
    assert.deepEqual(buffers.flatMap(find), [], place)
  }

  await context.test(
    'and the files of the record, the log of PostgreSQL and the vault hold nothing sealed in clear',
    async () => {
      await trade.site().stop()
      const inVault = await filesOf(join(trade.site().root, 'vault'))
      assert.deepEqual(inVault.flatMap(plainMarkerSearch([SEALED, LITERAL])), [])
      assert.ok(
        inVault.some((bytes) => bytes.includes(PLAIN)),
        'what is not sealed is found in the vault, so the search reads it',
      )
      assert.deepEqual((await filesOf(trade.site().root)).flatMap(plainMarkerSearch([SEALED, LITERAL])), [])
      const ofRecord = await filesOf(await postgresDirectory())
      assert.deepEqual(ofRecord.flatMap(plainMarkerSearch([SEALED, PLAIN, LITERAL])), [])
      await trade.site().start()
    },
  )

  await context.test('and a leak made on purpose is found in each of these places', async () => {
    await trade.site().issuer.describe(testManifest('athletes', { ...asWide, title: `Data of ${PLAIN}` }))
    await untilOffered(trade, PLAIN)
    log.info(`saw ${LITERAL}`)
    const after = await places()
    for (const place of [
      'the bytes between processes',
      'the logs',
      'the rows of the network',
      'the rows of the record of the site',
    ] as const)
      assert.ok(after[place].flatMap(find).length > 0, `a leak in ${place} is not seen`)
    const forms = new Set(after['the bytes between processes'].flatMap(find).map(({ form }) => form))
    assert.ok(
      [...forms].some((form) => form.startsWith('base64url')),
      'inside of a token',
    )
  })
})

test('the search finds every form of a marker at every alignment', () => {
  const find = markerSearch([SEALED, NUMBER])
  const forms = (text: string | Uint8Array): readonly string[] =>
    find(text).map(({ form }: FoundMarker) => form)
  for (const before of ['', 'a', 'ab', 'abc', 'abcd']) {
    const text = Buffer.from(`${before}${SEALED}, and more of it`)
    assert.ok(forms(text).includes('plain'))
    assert.ok(forms(text.toString('hex')).includes('hex'))
    assert.ok(
      forms(text.toString('base64')).some((form) => form.startsWith('base64+')),
      before,
    )
    assert.ok(
      forms(text.toString('base64url')).some((form) => form.startsWith('base64url+')),
      before,
    )
    const twice = Buffer.from(JSON.stringify({ inner: text.toString('base64url') })).toString('base64url')
    assert.ok(forms(twice).length > 0, 'inside an encoding')
    assert.ok(forms(Buffer.from(text.toString(), 'utf16le')).includes('utf-16le'))
  }
  const number = Buffer.alloc(8)
  number.writeDoubleLE(987_654_321.125)
  assert.ok(forms(number).includes('double'))
  assert.deepEqual(forms('nothing of the kind'), [])
})

/** Everything that a site and a network go through in their lives; gives what the doors answered to whoever was wrong. */
async function live(trade: TestTrade): Promise<readonly string[]> {
  const site = trade.site()
  await trade.fill(site, {
    dataSet: 'athletes',
    people,
    manifest: asWide,
    grants: people.map(({ id }, index) =>
      testGrant('athletes', id, index < 85 ? { columns: ['country', 'height', 'birth_date'] } : {}),
    ),
  })
  const northcare = await trade.addAcquirer('northcare')
  await askAll(northcare)
  await site.issuer.revokeGrants(people.slice(0, 30).map(({ id }) => ({ dataSet: 'athletes', person: id })))
  await askAll(await trade.addAcquirer('southcare'))
  const poor = await trade.addAcquirer('pennyless', { depositMinor: 0 })
  const unpaid = await poor.ask(`select count(*) from athletes where country <> '${LITERAL}'`)
  assert.equal(unpaid.reason, 'declined.funds')
  return [...(await badFiles(site)), ...(await badRequests(trade))]
}

/** Approved, partial and declined asks, and wrong ones of every kind. */
async function askAll(acquirer: TestAcquirer): Promise<void> {
  const counted = await acquirer.ask(
    `select country, count(*) as people, sum(height) as height from athletes where country <> '${LITERAL}' and height < ${LITERAL_NUMBER}e3 group by country`,
  )
  assert.equal(counted.sites[0]?.reason, 'approved')
  assert.match(JSON.stringify(counted.sites[0]?.release), new RegExp(PLAIN), 'real values reach the acquirer')
  const partial = await acquirer.ask('select avg(height) as height, avg(score) as score from athletes')
  assert.equal(partial.sites[0]?.reason, 'partial.columns')
  const wrong = [
    `select count(*) from athletes where country = '${LITERAL}'`,
    `select count(*) from athletes where birth_date > '${LITERAL}'`,
    `select count(*) from athletes where birth_date > date '${LITERAL_DATE}' and height = '${LITERAL}'`,
    `select count(*) from athletes where birth_date > date '${LITERAL}'`,
    `select cast('${LITERAL}' as integer) from athletes`,
    `select sum(height + interval '${LITERAL}') from athletes`,
    `select '${LITERAL}' from athletes where`,
    `select count(*) from athletes where country = '${LITERAL}`,
    `select count(*) from athletes where country = $$${LITERAL}$$ garbage garbage`,
    `select count(*) from athletes where country = "${LITERAL}"`,
    `select count(*) from "${LITERAL}"`,
    `select "${LITERAL}"(height) from athletes`,
    `select count(*) as "${LITERAL}" from athletes`,
    `select cast(height as "${LITERAL}") from athletes`,
    `select count(*) from athletes where country like '%${LITERAL}%' escape '${LITERAL}'`,
    `select date_trunc('${LITERAL}', birth_date) as d, count(*) from athletes group by 1`,
    `select count(*) from athletes where country in ('${LITERAL}', '${LITERAL}2')`,
    `select pg_read_file('${LITERAL}') from athletes`,
    `select count(*) from athletes -- ${LITERAL}`,
    `select name from athletes where name = '${LITERAL}'`,
    `select count(*) from athletes where height = ${LITERAL_NUMBER}`,
    `select count(*) from athletes limit '${LITERAL}'`,
    `select sum(case when country = '${LITERAL}' then 1 else 0 end) from athletes`,
  ]
  for (const text of wrong) await acquirer.ask(text)
  await acquirer.ask('select count(*) from athletes where country = $1 and height > $2', {
    question: {
      sql: 'select count(*) from athletes where country = $1 and height > $2',
      parameters: [LITERAL, LITERAL],
    },
  })
  const rows = await acquirer.ask('select country, height, birth_date from athletes', { mode: 'rows' })
  assert.match(JSON.stringify(rows.sites[0]?.release), /987654321\.125/)
  await acquirer.ask('select count(*) from athletes', { purpose: 'dpv:Marketing' })
  await acquirer.ask('select count(*) from athletes', { releaseTo: { jurisdiction: 'IN' } })
}

/** Files with markers in the wrong cells. Gives what the site said of each. */
async function badFiles(site: TestSite): Promise<readonly string[]> {
  const good = csvOf(people.slice(0, 3))
  const files: readonly ['csv' | 'ndjson' | 'parquet', string][] = [
    ['csv', good.replaceAll('987654321.125', `${PLAIN}-tall`)],
    ['csv', good.replaceAll(BIRTH_DATE, `${PLAIN}-born`)],
    ['csv', `${good}"${SEALED}-torn,${SEALED},${PLAIN}`],
    ['csv', `${good}${SEALED}-short,${SEALED}\n`],
    ['csv', `${good}${SEALED}-long,a,b,1931-03-29,1,2,3,4,${SEALED}\n`],
    ['csv', good.replace('id,name', `id,${SEALED}`)],
    ['csv', good.replaceAll('\n', `\n,${SEALED},FR,1931-03-29,1.5,1,${SEALED}\n`)],
    ['ndjson', `{"id":"${SEALED}-n","height":"${PLAIN}"}\n{"id":"${SEALED}`],
    ['ndjson', `{"${SEALED}":1}\n`],
    ['parquet', `${SEALED} is no parquet`],
  ]
  const said: string[] = []
  for (const [index, [format, text]] of files.entries()) {
    const refused = await site.issuer
      .importFile({ dataSet: 'athletes', batch: `bad-${index}`, format, body: fileBody(text) })
      .then(
        () => assert.fail(`the file ${index} was taken`),
        (thrown: unknown) => JSON.stringify(thrown) + String(thrown),
      )
    said.push(refused)
  }
  return said
}

/** Requests with markers where they do not belong. Gives the problem documents. */
async function badRequests(trade: TestTrade): Promise<readonly string[]> {
  const site = trade.site()
  const grant = testGrant('athletes', `${SEALED}-unknown`)
  const bodies: readonly [string, string, string?][] = [
    ['POST', '/v1/grants', JSON.stringify(grant)],
    ['POST', '/v1/grants', `{"person":"${SEALED}`],
    ['POST', '/v1/grants', JSON.stringify({ ...grant, purposes: [`dpv:${SEALED}`] })],
    ['POST', '/v1/grants', JSON.stringify({ ...grant, grantee: { member: SEALED.toUpperCase() } })],
    ['POST', '/v1/grants', JSON.stringify({ ...grant, columns: [`${SEALED} column`] })],
    ['POST', '/v1/grants', JSON.stringify({ ...grant, person: SEALED.repeat(40) })],
    ['POST', '/v1/grants/revocations', JSON.stringify({ dataSet: SEALED, person: SEALED, grantee: SEALED })],
    ['GET', `/v1/grants?person=${SEALED}-key-1&dataSet=${SEALED}`],
    ['GET', `/v1/people/${SEALED}-key-1/uses?cursor=${SEALED}`],
    ['GET', `/v1/people/${SEALED}-nobody/uses`],
    ['GET', `/v1/people/${SEALED}/nothing`],
    ['GET', `/v1/receipts?kind=${SEALED}`],
    ['POST', `/v1/datasets/athletes/batches?batch=${SEALED} x&format=csv`, SEALED],
    ['POST', `/v1/datasets/athletes/batches?batch=b1&format=${SEALED}`, SEALED],
  ]
  const said: string[] = []
  for (const [method, path, body] of bodies) {
    const { token } = site.client({ issuer: 'federation', key: trade.federation.signing })
    const response = await fetch(new URL(path, site.url), {
      method,
      headers: {
        authorization: `Bearer ${(await token()) ?? ''}`,
        'content-type': path.includes('batches') ? 'text/csv' : 'application/json',
      },
      ...(body === undefined ? {} : { body }),
    })
    const text = await response.text()
    // The grants and uses of a person whom the caller names are the one thing that is answered.
    if (response.status >= 400) said.push(text)
    else assert.match(path, /grants\?person|\/uses/, `${path} was taken`)
  }
  for (const body of [`{"ask":"${LITERAL}"}`, `{"ask":{"sql":"${LITERAL}"}}`, `{"${LITERAL}`, LITERAL]) {
    const response = await fetch(new URL('/v1/asks', trade.network.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${LITERAL}` },
      body,
    })
    assert.ok(response.status >= 400)
    said.push(await response.text())
  }
  return said
}

async function pagesOf({ network, sites }: TestTrade): Promise<readonly Buffer[]> {
  const addresses = [
    ...['/', '/metrics', '/readyz', '/checkpoint', '/v1/offers'].map((path) => new URL(path, network.url)),
    ...sites.flatMap(({ url }) =>
      ['/metrics', '/readyz', '/checkpoint', '/v1/site'].map((path) => new URL(path, url)),
    ),
  ]
  return Promise.all(
    addresses.map(async (address) => {
      const response = await fetch(address)
      assert.equal(response.status, 200, address.pathname)
      return Buffer.from(await response.arrayBuffer())
    }),
  )
}

async function receiptsOf(site: TestSite): Promise<readonly Buffer[]> {
  const receipts = await site.operator.receipts({ limit: 1_000 })
  assert.ok(receipts.length > 120)
  return receipts.map(({ receipt }) => Buffer.from(receipt))
}

/** Every row of every table as text. */
async function dumpOf(databaseUrl: string): Promise<Buffer> {
  await using postgres = await connect(new Secret(databaseUrl), {
    name: 'dump',
    log: silentLog,
    stop: () => Promise.resolve(),
  })
  const rows: string[] = []
  for (const table of await tablesOf(postgres.db)) {
    const { rows: texts } = await sql<{
      row: string
    }>`select t::text as row from ${sql.table(table)} as t`.execute(postgres.db)
    rows.push(...texts.map(({ row }) => row))
  }
  return Buffer.from(rows.join('\n'))
}

async function tablesOf(db: Database): Promise<readonly string[]> {
  const { rows } = await sql<{ name: string }>`
    select table_schema || '.' || table_name as name from information_schema.tables
    where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')`.execute(db)
  assert.ok(rows.length > 5)
  return rows.map(({ name }) => name)
}

async function untilOffered({ network }: TestTrade, title: string): Promise<void> {
  for (let tries = 0; tries < 500; tries += 1) {
    const text = await (await fetch(new URL('/v1/offers', network.url))).text()
    if (text.includes(title)) return
  }
  assert.fail(`no offer names "${title}"`)
}
