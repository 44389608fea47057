import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after } from 'node:test'
import { stringify } from 'yaml'
import { readMemberProfile } from '../../src/cli/member-profile.ts'
import { NETWORK_API } from '../../src/protocol/http/network-endpoints.ts'
import {
  csvOf,
  testGrant,
  testManifest,
  testPeople,
  testProcessing,
} from '../../src/testing/test-population.ts'
import { testProcesses } from '../../src/testing/test-processes.ts'
import { offered } from '../../src/testing/test-trade.ts'
import type { CliRun } from '../cli/run-cli.ts'
import { typedHere } from '../cli/typed-here.ts'

/*
 * A network and a site in processes of their own, with a data set and somebody who may ask about it, for what is typed
 * against them wrongly.
 */

const opened = new AsyncDisposableStack()
after(() => opened.disposeAsync())

/** The two servers, and who calls them. */
export const processes = opened.use(await testProcesses(process.env))

/** How many people the data set is about. */
const PEOPLE = 40

const { caller, siteOperator, network } = processes
for (const [member, role] of [
  ['world', 'issuer'],
  ['buyer', 'acquirer'],
] as const) {
  const added = await hedgerow(
    'member',
    'add',
    member,
    '--country',
    'IE',
    '--role',
    role,
    '--network',
    network.url,
  )
  assert.equal(added.code, 0, added.error)
}
const profile = await readMemberProfile(processes.home, 'world')
await siteOperator.registerIssuer({
  member: 'world',
  keys: { signing: profile.signing.publicJwk, sealing: profile.sealing.publicJwk },
})
await succeeds(
  'officer',
  'contract',
  'record',
  '--file',
  await fileOf('contract.yaml', stringify(testProcessing('world'))),
  ...toSite(),
)
const deposit = { kind: 'deposit', member: 'buyer', amount: { amount: 100_000, currency: 'EUR' } }
await caller.call(caller.operator, NETWORK_API.transfer, {
  body: deposit,
  headers: { 'idempotency-key': 'deposit-1' },
})
const manifest = await fileOf('athletes.yaml', stringify(testManifest('athletes', { issuer: 'world' })))
await succeeds('dataset', 'describe', manifest, ...toSite())
await succeeds(
  'dataset',
  'import',
  'athletes',
  await fileOf('good.csv', csvOf(testPeople(PEOPLE))),
  ...toSite(),
)
const grants = testPeople(PEOPLE).map(({ id }) => JSON.stringify(testGrant('athletes', id)))
await succeeds(
  'grant',
  'give',
  '--file',
  await fileOf('grants.ndjson', `${grants.join('\n')}\n`),
  ...toSite(),
)
await offered(caller, { site: 'galway', dataSet: 'athletes' })

/** What a user types, in this process: the same program without the start of one. */
export function hedgerow(...args: readonly string[]): Promise<CliRun> {
  return typedHere(processes.home, args)
}

/** The same, which must work. */
export async function succeeds(...args: readonly string[]): Promise<CliRun> {
  const run = await hedgerow(...args)
  assert.equal(run.code, 0, `${args.join(' ')}: ${run.error}`)
  return run
}

/** What is said of the site, by who has given it its data set. */
export function toSite(): readonly string[] {
  return ['--site', 'galway', '--url', processes.site.url, '--as', 'world']
}

/** A file of the user's. */
export async function fileOf(name: string, text: string): Promise<string> {
  const file = join(processes.home, name)
  await writeFile(file, text)
  return file
}

/** A question of the buyer's. */
export function ask(sql: string): Promise<CliRun> {
  const how = ['--as', 'buyer', '--network', processes.network.url, '--purpose', 'dpv:AcademicResearch']
  return hedgerow('ask', ...how, '--mode', 'aggregate', '--sql', sql)
}

/** What the buyer has. */
export async function balanceOf(): Promise<string> {
  return (await succeeds('ledger', 'balance', '--as', 'buyer', '--network', processes.network.url)).out
}

/** What the site has. */
export async function rowsAndBatches(): Promise<string> {
  const [found] = await processes.siteOperator.dataSets()
  return `${found?.rows} rows of ${found?.people} people in ${found?.batches} batches`
}
