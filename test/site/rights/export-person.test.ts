import assert from 'node:assert/strict'
import { readFile, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { canonicalJson } from '../../../src/kernel/canonical-json.ts'
import { systemClock } from '../../../src/kernel/clock.ts'
import { idSource } from '../../../src/kernel/id.ts'
import { systemRandom } from '../../../src/kernel/random.ts'
import type { CsvPart } from '../../../src/protocol/http/person-api.ts'
import { CSV_KINDS, csvWriter } from '../../../src/protocol/rights/person-export-csv.ts'
import { exportRecordSchema } from '../../../src/protocol/rights/person-export.ts'
import type { ExportRecord } from '../../../src/protocol/rights/person-export.ts'
import { carryPerson } from '../../../src/sdk/carry-person.ts'
import { httpClient } from '../../../src/sdk/http-client.ts'
import { openOfficer } from '../../../src/sdk/officer.ts'
import { openPersonRecords } from '../../../src/sdk/person.ts'
import type { PersonScope } from '../../../src/sdk/person.ts'
import { dataSetIdSchema, memberIdSchema } from '../../../src/protocol/wire.ts'
import { personActs } from '../../../src/site/doors/person-acts.ts'
import { bareSite } from '../../../src/testing/test-site.ts'
import { testPeople } from '../../../src/testing/test-population.ts'
import { testProvider } from '../../../src/testing/test-provider.ts'
import type { TestProvider } from '../../../src/testing/test-provider.ts'
import { testTrade } from '../../../src/testing/test-trade.ts'
import type { TestSite, TestTrade } from '../../../src/testing/test-trade.ts'
import { temporaryHome } from '../../cli/run-cli.ts'
import { typedHere } from '../../cli/typed-here.ts'

const MARKUP = `<script>alert("x")</script> & 'so on', "quoted"\nsecond line`
const people = testPeople(40, (_, index) => (index === 7 ? { note: MARKUP } : {}))
const opened = new AsyncDisposableStack()
let provider: TestProvider
let trade: TestTrade
let site: TestSite

before(async () => {
  provider = opened.use(await testProvider())
  trade = opened.use(
    await testTrade({
      sites: [
        { name: 'galway', settings: { oidc: provider.settings } },
        { name: 'dresden', territory: 'DE' },
      ],
    }),
  )
  site = trade.site()
  await trade.fill(site, { dataSet: 'athletes', people })
  const acquirer = await trade.addAcquirer('northcare')
  await acquirer.ask('select count(*) as people, avg(height) as height from athletes')
  await acquirer.ask('select id, height from athletes', { mode: 'rows' })
})
after(() => opened.disposeAsync())

const ids = idSource(systemClock, systemRandom)

/** The door as a signed-in person uses it. */
async function asPerson(sub: string, ref = 'me') {
  const server = { url: site.url, name: site.name }
  const bearer = await provider.token({ sub })
  return openPersonRecords(httpClient({ server, bearer, clock: systemClock, ids }), { ref })
}

function asIssuer(scope: PersonScope, at = site) {
  return openPersonRecords(at.client({ issuer: 'federation', key: trade.federation.signing }), scope)
}

function asOperator(scope: PersonScope) {
  return openPersonRecords(site.client({ issuer: 'operator', key: site.operatorKey }), scope)
}

async function recordsOf(body: ReadableStream<Uint8Array>): Promise<readonly ExportRecord[]> {
  const lines = (await new Response(body).text()).trimEnd().split('\n')
  return lines.map((line) => {
    const record: unknown = JSON.parse(line)
    assert.ok(exportRecordSchema.safeParse(record).success, line)
    return record as ExportRecord
  })
}

function ofKind<Kind extends ExportRecord['kind']>(records: readonly ExportRecord[], kind: Kind) {
  return records.filter((one): one is Extract<ExportRecord, { kind: Kind }> => one.kind === kind)
}

test('a person gets everything: stored in clear, derived, granted, disclosed by name with question, pseudonym and money', async () => {
  const seat = openOfficer(site.client({ issuer: 'federation', key: trade.federation.signing }))
  await seat.describeParty('federation', {
    name: 'World <Federation>',
    address: '1 Eyre Square',
    country: 'IE',
    email: 'privacy@federation.example',
  })
  const me = await asPerson('p-7')
  const records = await recordsOf(await me.export({ format: 'jsonl' }))
  assert.equal(ofKind(records, 'export')[0]?.names?.['federation'], 'World <Federation>')
  const page = await new Response(await me.export({ format: 'html' })).text()
  assert.match(page, /Source<[^\n]*World &lt;Federation&gt; \(federation\)/)
  const [row] = ofKind(records, 'row')
  assert.deepEqual(row?.values, {
    id: 'p-7',
    name: 'Name 7',
    country: 'FR',
    birth_date: people[7]?.birthDate,
    height: people[7]?.height,
    score: 91,
    note: MARKUP,
  })
  assert.deepEqual(
    ofKind(records, 'principal').map(({ residence, grantsCountOf }) => [residence, grantsCountOf]),
    [['FR', 'self']],
  )
  assert.equal(ofKind(records, 'grant').length, 1)
  assert.equal(ofKind(records, 'dataSet')[0]?.keptUntil, '2070-01-01T00:00:00.000Z')
  const uses = ofKind(records, 'use')
  assert.deepEqual(
    uses.map(({ acquirer, acquirerName, mode, releaseTo, columns }) => [
      acquirer,
      acquirerName,
      mode,
      releaseTo,
      columns,
    ]),
    [
      ['northcare', 'The northcare', 'rows', 'IE', ['height']],
      ['northcare', 'The northcare', 'aggregate', 'IE', ['height']],
    ],
  )
  assert.ok(uses.every(({ question, earned }) => question !== undefined && earned !== undefined))
  assert.match(uses[0]?.pseudonym ?? '', /^[a-z2-7]{26}$/)
  assert.equal(uses[1]?.pseudonym, undefined)
})

test('what the export says of a use is what the acquirer got, and earnings add up to it', async () => {
  const me = await asPerson('p-7')
  const uses = await me.uses(10)
  const earned = await me.earnings()
  const sum = uses.reduce((total, use) => total + (use.earned?.amountMinor ?? 0n), 0n)
  assert.deepEqual(earned.totals, [{ amountMinor: sum, currency: 'EUR' }])
  assert.deepEqual(
    earned.items.map(({ acquirer, dataSet, uses: count }) => [acquirer, dataSet, count]),
    [['northcare', 'athletes', 2]],
  )
})

test('nobody gets somebody else’s data, and cannot tell whether it is there', async () => {
  for (const ref of ['p-8', 'p-nobody']) {
    const other = await asPerson('p-7', ref)
    const reads = [
      () => other.uses(1),
      () => other.earnings(),
      () => other.accesses(1),
      () => other.export({ format: 'jsonl' }),
    ]
    for (const read of reads) await assert.rejects(read, { status: 404, problemCode: 'fault.not_found' })
  }
  await assert.rejects((await asPerson('p-nobody')).uses(1), { status: 404 })
})

test('an issuer and the operator need a reason, and the person reads it; every look has a receipt in the log', async () => {
  await assert.rejects(asIssuer({ ref: 'p-9' }).uses(1), { status: 400 })
  await assert.rejects(asOperator({ ref: 'p-9', reason: 'because' }).uses(1), { status: 400 })
  await asIssuer({ ref: 'p-9', reason: 'she asked at the desk' }).uses(1)
  await asOperator({ ref: 'p-9', issuer: 'federation', reason: 'request 17' }).export({ format: 'jsonl' })
  await site.issuer.grants({ person: 'p-9', limit: 1 })
  const me = await asPerson('p-9')
  const seen = await me.accesses(10)
  assert.deepEqual(
    seen.map(({ by, what, reason }) => [by, what, reason]),
    [
      ['person', 'accesses', undefined],
      ['issuer:federation', 'grants', undefined],
      ['operator', 'export', 'request 17'],
      ['issuer:federation', 'uses', 'she asked at the desk'],
    ],
  )
  for (const { receipt, what } of seen) {
    const verified = await site.operator.receipt(receipt)
    const payload: unknown = JSON.parse(
      Buffer.from(verified.receipt.split('.')[1] ?? '', 'base64url').toString(),
    )
    assert.ok(typeof payload === 'object' && payload !== null && 'kind' in payload && 'subjectOf' in payload)
    assert.equal(payload.kind, what === 'export' ? 'export' : 'access')
    assert.ok(!JSON.stringify(payload).includes('request 17'))
  }
  assert.equal((await (await asPerson('p-10')).accesses(10)).length, 1, 'another’s looks are not there')
})

test('the page shows texts as texts, and CSV holds them whole', async () => {
  const me = await asPerson('p-7')
  const page = await new Response(await me.export({ format: 'html' })).text()
  // It says that it is all, and so it is whatever is asked beside.
  const narrowed = await new Response(await me.export({ format: 'html', dataSet: 'other' })).text()
  assert.ok(narrowed.includes('Rows of “athletes”'))
  // A page for people has no times, terms or codes of machines (GDPR Art. 12(1)).
  const read = page.slice(page.indexOf('<h2>')).replaceAll(/<h2>Rows of[^]*?<\/table>/g, '')
  assert.doesNotMatch(read, /\d{4}-\d{2}-\d{2}T|eu-gdpr:|issuer:|class:|>\d+ EUR</)
  assert.ok(page.includes('&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; &#39;so on&#39;'))
  assert.ok(!page.includes('<script'))
  // On a telephone and by keyboard: one line a fact, and wide tables that scroll by themselves.
  assert.match(page, /<meta name="viewport"/)
  assert.match(page, /<tr><th scope="row">Country<\/th><td>Ireland<\/td><\/tr>/)
  assert.equal(
    [...page.matchAll(/<div class="scroll" role="region" aria-label="[^"]+" tabindex="0"><table>/g)].length,
    [...page.matchAll(/<table>/g)].length,
  )
  assert.ok(page.includes('The northcare (northcare)'))
  for (const heading of ['What you allowed', 'Who used your data', 'Rows of “athletes”', 'Who looked'])
    assert.ok(page.includes(heading), heading)
  const rows = await new Response(
    await me.export({ format: 'csv', part: 'rows', dataSet: 'athletes' }),
  ).text()
  assert.equal(rows.split('\r\n')[0], 'id,name,country,birth_date,height,score,note')
  assert.ok(rows.includes(`"${MARKUP.replaceAll('"', '""')}"`))
  await assert.rejects(me.export({ format: 'csv' }), { status: 400 })
})

test('before a part of an export goes out it is looked whether whoever reads still may, and for parts, not for records', async () => {
  await using bare = await bareSite(systemClock)
  const note = 'n'.repeat(20_000)
  const dataSet = dataSetIdSchema.parse('athletes')
  await bare.fill({ dataSet, people: testPeople(3, () => ({ note })) })
  const acts = personActs(bare.site)
  const identities = [{ issuer: memberIdSchema.parse('federation'), person: 'p-1' }]
  let looks = 0
  const exported = (looksMax: number) => {
    looks = 0
    const mayStill = () => Promise.resolve((looks += 1) <= looksMax)
    const reading = { by: 'guardian:gsh_1', reason: undefined, identities, mayStill }
    return acts.exportPerson(reading, { format: 'jsonl', broken: () => false })
  }
  const records = (await (await exported(Infinity)).text()).trimEnd().split('\n')
  assert.ok(records.some((line) => line.includes(note)))
  assert.ok(looks > 1 && looks < records.length, `${looks} looks for ${records.length} records`)
  for (const looksMax of [0, looks - 1])
    await assert.rejects(exported(looksMax), { code: 'fault.not_found' }, `after ${looksMax}`)

  // Nor does anything go out before the look itself is noted, whatever is wanted, and nothing does where it cannot be.
  const noting = Promise.withResolvers<never>()
  const unnoted = personActs({ ...bare.site, log: { ...bare.site.log, issueBy: () => noting.promise } })
  const wanted = [{ format: 'jsonl' }, { format: 'csv', part: 'rows', dataSet }] as const
  let answered = 0
  const answers = wanted.map((one) =>
    unnoted.exportPerson({ by: 'person', identities }, { ...one, broken: () => false }).finally(() => {
      answered += 1
    }),
  )
  const refused = answers.map((answer) => assert.rejects(answer, /the disk is full/))
  await (await exported(Infinity)).text()
  assert.equal(answered, 0)
  noting.reject(new Error('the disk is full'))
  await Promise.all(refused)
})

test('every kind of record is a table of CSV, with every field that it may have', () => {
  const kinds = exportRecordSchema.options.map(({ shape }) => shape.kind.value)
  assert.deepEqual(Object.values(CSV_KINDS).toSorted(), kinds.toSorted())
  for (const [part, kind] of Object.entries(CSV_KINDS).filter(([, one]) => one !== 'row')) {
    const head = csvWriter(part as CsvPart)([])
      .trimEnd()
      .split(',')
    const schema = exportRecordSchema.options.find(({ shape }) => shape.kind.value === kind)
    assert.deepEqual(['kind', ...head].toSorted(), Object.keys(schema?.shape ?? {}).toSorted(), part)
  }
})

test('an export brought to another site is there with nothing lost, and twice changes nothing', async () => {
  const there = trade.site('dresden')
  const first = await recordsOf(await (await asPerson('p-7')).export({ format: 'jsonl' }))
  const facts = {
    administration: there.issuer,
    records: asIssuer({ ref: 'p-7' }, there),
    identity: { issuer: 'federation', key: 'p-7' },
    now: systemClock.now(),
  }
  const history = ofKind(first, 'use').length + ofKind(first, 'access').length + ofKind(first, 'grant').length
  assert.deepEqual(await carryPerson(first, facts), { dataSets: 1, rows: 1, grants: 1, history })
  assert.deepEqual(await carryPerson(first, facts), { dataSets: 1, rows: 0, grants: 0, history: 0 })
  const scope = { ref: 'p-7', reason: 'to compare' }
  const second = await recordsOf(await asIssuer(scope, there).export({ format: 'jsonl' }))
  const texts = new Set(second.map((record) => comparable(record, there.name)))
  for (const record of first.slice(1)) {
    assert.ok(texts.has(comparable(record, site.name)), `lost: ${JSON.stringify(record)}`)
  }
  assert.equal(ofKind(second, 'grant').filter((one) => one.site === 'dresden').length, 1)
})

test('somebody who comes back to a site that still has their rows has them once, and nothing is mixed', async () => {
  const there = trade.site('dresden')
  const rowsOf = (records: readonly ExportRecord[]) => ofKind(records, 'row').map(({ values }) => values)
  const read = async (from: TestSite, ref = 'p-11') =>
    recordsOf(await asIssuer({ ref, reason: 'to compare' }, from).export({ format: 'jsonl' }))
  const bring = async (records: readonly ExportRecord[], to: TestSite) =>
    carryPerson(records, {
      administration: to.issuer,
      records: asIssuer({ ref: 'p-11' }, to),
      identity: { issuer: 'federation', key: 'p-11' },
      now: systemClock.now(),
    })
  const before = await read(site)
  assert.equal((await bring(before, there)).rows, 1)
  const back = await read(there)
  assert.equal((await bring(back, site)).rows, 0)
  assert.deepEqual(rowsOf(await read(site)), rowsOf(before))
  assert.equal((await bring(await read(site), there)).rows, 0, 'and to and fro')

  await there.rights('issuer').correct({ person: 'p-11' }, { dataSet: 'athletes', set: { score: 17 } })
  const held = rowsOf(await read(site))
  await assert.rejects(
    bring(await read(there), site),
    /the site has 1 rows of this person that the export has not, and lacks 1/,
  )
  assert.deepEqual(rowsOf(await read(site)), held, 'nothing of it was taken')
})

/** Without the name of the site that holds it, its contract, and the moment at which the data set was described there. */
function comparable(record: ExportRecord, here: string): string {
  if (record.kind === 'dataSet')
    return JSON.stringify({ ...record, site: '', describedAt: '', processing: undefined })
  if (record.kind === 'identity' || record.kind === 'principal') {
    assert.equal(record.site, here)
    return JSON.stringify({ ...record, site: '' })
  }
  return canonicalJson(record)
}

test('an export of somebody else is not imported as this person’s, nor a site’s own history into itself', async () => {
  const records = await recordsOf(await (await asPerson('p-7')).export({ format: 'jsonl' }))
  const facts = {
    administration: trade.site('dresden').issuer,
    records: asIssuer({ ref: 'p-8' }, trade.site('dresden')),
    identity: { issuer: 'federation', key: 'p-8' },
    now: systemClock.now(),
  }
  await assert.rejects(carryPerson(records, facts), /not the export of a person/)
  const uses = ofKind(records, 'use')
  await assert.rejects(asIssuer({ ref: 'p-7' }).carry(uses), { status: 400 })
})

test('an export brought to the very site that made it is refused before anything of it is taken', async () => {
  const records = await recordsOf(await (await asPerson('p-9')).export({ format: 'jsonl' }))
  const rowsBefore = (await site.issuer.dataSets()).map(({ rows }) => rows)
  const facts = {
    administration: site.issuer,
    records: asIssuer({ ref: 'p-9' }),
    identity: { issuer: 'federation', key: 'p-9' },
    now: systemClock.now(),
  }
  await assert.rejects(carryPerson(records, facts), /made at "galway", which has all of it/)
  assert.deepEqual(
    (await site.issuer.dataSets()).map(({ rows }) => rows),
    rowsBefore,
  )
})

test('the command line shows and writes the same, readable by its owner only, and fails by its codes', async (context) => {
  const home = await temporaryHome(context)
  const door = ['--site', site.name, '--url', site.url]
  const environment = { HEDGEROW_PERSON_TOKEN: await provider.token({ sub: 'p-7' }) }
  const uses = await typedHere(home, ['person', 'uses', ...door, '--json'], { environment })
  assert.equal(uses.code, 0, uses.error)
  const listed: unknown = JSON.parse(uses.out)
  assert.ok(Array.isArray(listed) && listed.length === 2)
  const file = join(home, 'my-data.jsonl')
  const written = await typedHere(home, ['person', 'export', ...door, '--out', file], { environment })
  assert.equal(written.code, 0, written.error)
  assert.equal((await stat(file)).mode & 0o077, 0)
  assert.ok((await readFile(file, 'utf8')).includes('Remark') === false && (await stat(file)).size > 1_000)
  const tables = join(home, 'tables')
  await typedHere(home, ['person', 'export', ...door, '--format', 'csv', '--out', tables], { environment })
  assert.deepEqual((await readdir(tables)).toSorted(), [
    'about.csv',
    'accesses.csv',
    'dataSets.csv',
    'grants.csv',
    'identities.csv',
    'principals.csv',
    'rows-athletes.csv',
    'uses.csv',
  ])
  const [head = '', grant = ''] = (await readFile(join(tables, 'grants.csv'), 'utf8')).split('\r\n')
  assert.ok(head.includes('notice') && head.includes('state') && grant.includes('in_force'))
  const terms = await readFile(join(tables, 'dataSets.csv'), 'utf8')
  assert.ok(terms.includes('""retention"":{""period""'), 'terms stand whole')
  assert.ok((await readFile(join(tables, 'uses.csv'), 'utf8')).includes('northcare,The northcare,'))
  const codes = [
    await typedHere(home, ['person', 'uses', ...door, '--person', 'p-8'], { environment }),
    await typedHere(home, ['person', 'uses', ...door]),
    await typedHere(home, ['person', 'uses', '--site', 'galway', '--url', 'http://127.0.0.1:9'], {
      environment,
    }),
  ]
  assert.deepEqual(
    codes.map(({ code }) => code),
    [1, 2, 3],
  )
})
