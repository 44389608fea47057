import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { SITE_API } from '../../src/protocol/http/site-api.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { PeerRefusal } from '../../src/kernel/http/call-json.ts'
import { openSiteAdministration } from '../../src/sdk/issuer.ts'
import { collectPages } from '../../src/sdk/collect-pages.ts'
import { httpClient } from '../../src/sdk/http-client.ts'
import type { HttpClient } from '../../src/sdk/http-client.ts'
import type { GrantView } from '../../src/sdk/issuer.ts'
import { openPersonRecords } from '../../src/sdk/person.ts'
import { openRightsDesk } from '../../src/sdk/rights.ts'
import type { NetworkCaller } from '../../src/testing/test-network.ts'
import { testGrant, testManifest } from '../../src/testing/test-population.ts'
import type { TestProcesses } from '../../src/testing/test-processes.ts'
import { addAcquirer, offered } from '../../src/testing/test-trade.ts'
import type { TestAcquirer } from '../../src/testing/test-trade.ts'
import { databaseBytes } from './database-bytes.ts'
import { EVERYBODY, countsText } from './operations.ts'
import type { Answer, GdprSystem, Operation } from './operations.ts'
import { PURPOSES, recordOf } from './records.ts'
import type { GdprRecord, Purpose } from './records.ts'

const DATA_SET = 'records'

/** A network and a site that run, and the database that the site keeps its record in. */
export interface SiteOfBenchmark {
  readonly processes: TestProcesses
  readonly databaseUrl: string
}

/**
 * A site: people's data sealed under their keys, grants and objections of each, a signed receipt for every act in a
 * public log, and nothing of it but aggregates for whoever processes. All through the doors.
 */
export async function openOnSite(
  { processes, databaseUrl }: SiteOfBenchmark,
  records: number,
): Promise<GdprSystem> {
  const { caller, federation } = processes
  const client = httpClient({
    server: { url: processes.site.url, name: processes.site.name },
    caller: { issuer: federation.name, key: federation.signing },
    clock: systemClock,
    ids: caller.ids,
    keepsToken: true,
  })
  const issuer = openSiteAdministration(client)
  await issuer.describe(
    testManifest(DATA_SET, {
      person: { key: 'usr', ageAtLeast: 18 },
      columns: [
        { name: 'usr', type: 'text', sensitivity: 'direct_identifier', isRequired: true },
        { name: 'data', type: 'text', sensitivity: 'free_text' },
        { name: 'source', type: 'text', isRequired: true },
      ],
      purposes: [...PURPOSES],
      modes: ['aggregate'],
    }),
  )
  await issuer.importFile({ dataSet: DATA_SET, batch: 'first', format: 'csv', body: csv(records) })
  for (let start = 0; start < records; start += 5_000)
    await issuer.giveGrants(
      Array.from({ length: Math.min(5_000, records - start) }, (_, index) =>
        grantOf(recordOf(start + index)),
      ),
    )
  await offered(caller, { site: processes.site.name, dataSet: DATA_SET })
  await published(client, records)
  const parts: Parts = {
    issuer,
    rights: openRightsDesk(client),
    records: (ref) => openPersonRecords(client, { ref, reason: 'a benchmark' }),
    grantsOf: async (person) => {
      const query = { dataSet: DATA_SET, person, reason: 'a benchmark', limit: 200 }
      const granted = await collectPages((cursor) =>
        client.call(SITE_API.listGrants, { query: { ...query, cursor } }),
      )
      return granted.filter(({ state }) => state === 'in_force')
    },
    acquirer: await acquirerNamed(caller, 'processor'),
    reporters: await reportersOf(caller),
  }
  const root = join(processes.home, 'sites', processes.site.name)
  return {
    name: 'Hedgerow',
    perform: (operation) => unlessGone(() => answerOf(parts, operation)),
    bytes: async () =>
      (await bytesUnder(join(root, 'vault'))) +
      (await bytesUnder(join(root, 'log'))) +
      (await databaseBytes(databaseUrl)),
  }
}

/** Until all receipts of the filling are in the public log: the first operation is not to wait for them. */
async function published(client: HttpClient, records: number): Promise<void> {
  await client.call(SITE_API.receipt, { params: { sequence: records } })
}

/** A grant for somebody who is not there is refused by the name of its field. */
function isOfNobody({ errors }: PeerRefusal): boolean {
  return errors.some(({ field }) => field === 'grants[0].person')
}

interface Parts {
  readonly issuer: ReturnType<typeof openSiteAdministration>
  readonly rights: ReturnType<typeof openRightsDesk>
  readonly records: (ref: string) => ReturnType<typeof openPersonRecords>
  readonly grantsOf: (person: string) => Promise<readonly GrantView[]>
  readonly acquirer: TestAcquirer
  /** Who reports how many people there are for each purpose, one for each: nobody else's answers are beside theirs. */
  readonly reporters: ReadonlyMap<Purpose, TestAcquirer>
}

function acquirerNamed(caller: NetworkCaller, name: string): Promise<TestAcquirer> {
  return addAcquirer(caller, { name, url: caller.url, depositMinor: 100_000_000 })
}

async function reportersOf(caller: NetworkCaller): Promise<Parts['reporters']> {
  const reporters = new Map<Purpose, TestAcquirer>()
  for (const [index, purpose] of PURPOSES.entries())
    reporters.set(purpose, await acquirerNamed(caller, `reporter-${index}`))
  return reporters
}

/** Whoever is erased is to the door as if they had never been there. */
async function unlessGone(act: () => Promise<Answer>): Promise<Answer> {
  try {
    return await act()
  } catch (error) {
    if (error instanceof PeerRefusal && (error.status === 404 || isOfNobody(error))) return 'gone'
    throw error
  }
}

async function answerOf(parts: Parts, operation: Operation): Promise<Answer> {
  const { issuer, rights, records, acquirer } = parts
  switch (operation.kind) {
    case 'create-record':
      await issuer.importRows({
        dataSet: DATA_SET,
        batch: operation.record.user,
        rows: [rowOf(operation.record)],
      })
      await issuer.giveGrants([grantOf(operation.record)])
      return 'done'
    case 'read-data-by-usr':
      return dataIn(
        await textOf(
          await records(operation.user).export({ format: 'csv', part: 'rows', dataSet: DATA_SET }),
        ),
      )
    case 'read-metadata-by-usr': {
      const granted = await parts.grantsOf(operation.user)
      return granted
        .flatMap(({ purposes }) => purposes)
        .toSorted()
        .join(',')
    }
    case 'read-data-by-pur':
      return askBySource(acquirer, operation.purpose)
    case 'count-by-pur':
      return countPeople(parts, operation.purpose)
    case 'decide-use':
      return decideUse(parts, operation.purpose)
    case 'update-data-by-key':
      await rights.correct({ person: operation.user }, { dataSet: DATA_SET, set: { data: operation.data } })
      return 'done'
    case 'update-metadata-by-pur': {
      const { user: person, purpose } = operation
      if (operation.isGranted) {
        await issuer.giveGrants([grantOf({ user: person, purpose })])
        return 'done'
      }
      const granted = (await parts.grantsOf(person)).filter(({ purposes }) => purposes.includes(purpose))
      await issuer.revokeGrants(granted.map(({ grant }) => ({ dataSet: DATA_SET, person, grant })))
      return 'done'
    }
    case 'update-metadata-by-usr': {
      const person = records(operation.user)
      await (operation.isObjecting
        ? person.objectTo(operation.purpose, DATA_SET)
        : person.withdrawObjection(operation.purpose, DATA_SET))
      return 'done'
    }
    case 'delete-record-by-usr':
      await rights.erase({ person: operation.user }, { reason: 'consent_withdrawn' })
      return 'done'
    case 'get-system-logs':
      return String((await issuer.receipts({ limit: operation.count })).length)
    case 'verify-deletion':
      await textOf(await records(operation.user).export({ format: 'csv', part: 'rows', dataSet: DATA_SET }))
      return 'there'
  }
}

/** A dry run: all that is decided of an ask, and nothing leaves. */
async function decideUse({ reporters }: Parts, purpose: Purpose): Promise<Answer> {
  const asked = await reporters.get(purpose)?.ask(COUNT, { purpose, offer: DATA_SET, dryRun: true })
  const reason = asked?.sites[0]?.reason ?? 'no answer'
  return reason.startsWith('declined') ? reason : 'allowed'
}

async function countPeople({ reporters }: Parts, purpose: Purpose): Promise<Answer> {
  const asked = await reporters.get(purpose)?.ask(COUNT, { purpose, offer: DATA_SET })
  const answered = asked?.sites[0]
  if (!answered?.release) return answered?.reason ?? asked?.reason ?? 'no answer'
  return countsText(answered.release.rows.map(([people]) => [EVERYBODY, Number(people)]))
}

const COUNT = 'select count(*) as people from records'
const BY_SOURCE = 'select source, count(*) as people from records group by source'

async function askBySource(acquirer: TestAcquirer, purpose: Purpose): Promise<Answer> {
  const asked = await acquirer.ask(BY_SOURCE, { purpose, offer: DATA_SET })
  const [answered] = asked.sites
  if (!answered?.release) return answered?.reason ?? asked.reason ?? 'no answer'
  const { rows } = answered.release
  return countsText(rows.map(([source, people]) => [String(source), Number(people)]))
}

function grantOf({ user, purpose }: Pick<GdprRecord, 'user' | 'purpose'>) {
  return testGrant(DATA_SET, user, { purposes: [purpose], modes: ['aggregate'] })
}

function rowOf({ user, data, source }: GdprRecord) {
  return { usr: user, data, source }
}

function lineOf({ user, data, source }: GdprRecord): string {
  return `${user},${data},${source}\n`
}

function csv(records: number): ReadableStream<Uint8Array> {
  const lines = Array.from({ length: records }, (_, number) => lineOf(recordOf(number)))
  return new Blob([`usr,data,source\n${lines.join('')}`]).stream()
}

function dataIn(csvText: string): Answer {
  const [head = '', row] = csvText.trim().split('\n')
  return row?.split(',')[head.split(',').indexOf('data')] ?? 'gone'
}

async function textOf(body: ReadableStream<Uint8Array>): Promise<string> {
  return new Response(body).text()
}

async function bytesUnder(directory: string): Promise<number> {
  let bytes = 0
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size
  return bytes
}
