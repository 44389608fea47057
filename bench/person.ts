import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { monotonicMs, systemClock } from '../src/kernel/clock.ts'
import { silentLog } from '../src/kernel/log.ts'
import { startEmbedded } from '../src/kernel/postgres/embedded-postgres.ts'
import { embeddedUrl, ensureDatabase } from '../src/kernel/postgres/open-postgres.ts'
import { httpClient } from '../src/sdk/http-client.ts'
import { openOfficer } from '../src/sdk/officer.ts'
import { openSiteAdministration } from '../src/sdk/issuer.ts'
import { openPersonRecords } from '../src/sdk/person.ts'
import { testContract, testGrant, testManifest } from '../src/testing/test-population.ts'
import { testProcesses } from '../src/testing/test-processes.ts'
import type { TestProcesses } from '../src/testing/test-processes.ts'
import { addAcquirer, offered } from '../src/testing/test-trade.ts'
import { median } from './shared/median.ts'
import { scale, writeReport } from './shared/report.ts'

/**
 * What one person waits for at a site with many: the export of somebody with very many rows, the reads of somebody
 * with one, a grant and its revocation. All through the door, receipts included; the site is a process of its own, and so is its
 * PostgreSQL, on a durable disk. The baseline of the reads is a bare commit there, because each of them writes a receipt.
 */

const PEOPLE = Math.round(200_000 * scale())
const ROWS = Math.round(100_000 * scale())
const USES = 300
const READS = 300

const home = await mkdtemp(join(tmpdir(), 'hedgerow-person-'))
await using opened = new AsyncDisposableStack()
opened.defer(() => rm(home, { recursive: true, force: true }))
// Durable, unlike that of the tests.
const server = await startEmbedded({ directory: home, log: silentLog })
opened.defer(() => server.stop())
await ensureDatabase(embeddedUrl(server, 'postgres'), 'site')
const databaseUrl = embeddedUrl(server, 'site').reveal()
const processes = opened.use(await testProcesses(process.env, { siteSettings: { databaseUrl } }))
const { site, caller, federation } = processes
// An issuer signs in once in five minutes, not once a person.
const client = httpClient({
  server: { url: site.url, name: site.name },
  caller: { issuer: federation.name, key: federation.signing },
  clock: systemClock,
  ids: caller.ids,
  keepsToken: true,
})
const database = opened.use(await connect(databaseUrl))
await fill(processes)
const bareCommit = await timed(100, () => database.client.query(`update consent_sequence set last = last`))

const issuer = openSiteAdministration(client)
const records = (ref: string) => openPersonRecords(client, { ref, reason: 'a benchmark' })
const exportMs: number[] = []
let exportBytes = 0
for (let round = 0; round < 3; round += 1) {
  const started = monotonicMs()
  exportBytes = await sizeOf(await records('p-many').export({ format: 'jsonl' }))
  exportMs.push(monotonicMs() - started)
}
const key = (round: number) => `p-${(round * 7_919) % PEOPLE}`
const uses = await timed(READS, (round) => records(key(round)).uses(20))
const earnings = await timed(READS, (round) => records(key(round)).earnings())
const exportOne = await timed(READS, async (round) =>
  sizeOf(await records(key(round)).export({ format: 'jsonl' })),
)
const give = await timed(READS, (round) =>
  issuer.giveGrants([
    testGrant('athletes', key(round), { grantee: { member: 'northcare' }, minimumPriceMinor: 2 }),
  ]),
)
const revoke = await timed(READS, (round) =>
  issuer.revokeGrants([{ dataSet: 'athletes', person: key(round), grantee: { member: 'northcare' } }]),
)

writeReport({
  name: 'person',
  scale: scale(),
  figures: [
    {
      name: `export of ${ROWS} rows with two sealed columns, ${Math.round(exportBytes / 2 ** 20)} MiB`,
      value: median(exportMs),
      unit: 'ms',
      goal: 'at most 2000',
      met: median(exportMs) <= 2_000,
    },
    ...readFigures(`uses of one of ${PEOPLE} people, ${USES} releases`, uses, 10),
    ...readFigures('earnings', earnings, 10),
    ...readFigures('export of a person with one row', exportOne, 10),
    ...readFigures('a grant in force', give, 20),
    ...readFigures('a revocation in force', revoke, 20),
  ],
})

function readFigures(name: string, times: readonly number[], goalMs: number) {
  return [
    { name: `${name}, p50`, value: median(times), unit: 'ms', baseline: median(bareCommit) },
    {
      name: `${name}, p99`,
      value: p99(times),
      unit: 'ms',
      baseline: p99(bareCommit),
      goal: `at most ${goalMs}`,
      met: p99(times) <= goalMs,
    },
  ]
}

function p99(times: readonly number[]): number {
  return times.toSorted((one, other) => one - other)[Math.floor(times.length * 0.99)] ?? Number.NaN
}

async function timed(rounds: number, act: (round: number) => Promise<unknown>): Promise<number[]> {
  const times: number[] = []
  for (let round = -10; round < rounds; round += 1) {
    const started = monotonicMs()
    await act(Math.abs(round))
    if (round >= 0) times.push(monotonicMs() - started)
  }
  return times
}

async function sizeOf(body: ReadableStream<Uint8Array>): Promise<number> {
  let bytes = 0
  for await (const chunk of body) bytes += chunk.byteLength
  return bytes
}

async function connect(url: string): Promise<AsyncDisposable & { readonly client: pg.Client }> {
  const client = new pg.Client(url)
  await client.connect()
  return { client, [Symbol.asyncDispose]: () => client.end() }
}

/** Many people with a row each, one with very many, and a history of releases in which all of them are. */
async function fill({ siteIssuer, caller: network, site: filled }: TestProcesses): Promise<void> {
  const dataSet = 'athletes'
  const person = { key: 'id', birthDate: 'birth_date', residence: 'country', rowsMax: 10_000_000 }
  await siteIssuer.describe(testManifest(dataSet, { person, legalBasis: 'eu-gdpr:A6-1-b' }))
  await openOfficer(client).recordBasis(testContract(dataSet))
  await siteIssuer.importFile({ dataSet, batch: 'first', format: 'csv', body: csvStream() })
  await offered(network, { site: filled.name, dataSet })
  const acquirer = await addAcquirer(network, { name: 'northcare', url: network.url })
  await acquirer.ask('select count(*) as people from athletes', { legalBasis: 'eu-gdpr:A6-1-b' })
  await database.client.query(`
    insert into use_record (ask_id, data_set, acquirer, purpose, mode, columns, reason, receipt_sequence, release_to, time_ms,
      price_minor, subjects_minor, currency, people)
    select ask_id, data_set, acquirer, purpose, mode, columns, reason, receipt_sequence, release_to, time_ms,
      price_minor, subjects_minor, currency, people from use_record, generate_series(2, ${USES})`)
}

function csvStream(): ReadableStream<Uint8Array> {
  function* lines() {
    yield 'id,name,country,birth_date,height,score,note\n'
    for (let index = 0; index < PEOPLE + ROWS; index += 1) {
      const id = index < PEOPLE ? `p-${index}` : 'p-many'
      yield `${id},Name ${index},IE,1980-05-1${index % 10},1.${60 + (index % 30)},${index % 100},Remark ${index}\n`
    }
  }
  const source = lines()
  const encoder = new TextEncoder()
  return new ReadableStream({
    pull(controller) {
      let text = ''
      for (let line = 0; line < 2_000; line += 1) {
        const next = source.next()
        if (next.done) {
          if (text !== '') controller.enqueue(encoder.encode(text))
          controller.close()
          return
        }
        text += next.value
      }
      controller.enqueue(encoder.encode(text))
    },
  })
}
