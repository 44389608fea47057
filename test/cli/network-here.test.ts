import assert from 'node:assert/strict'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { nearestNetwork } from '../../src/cli/connect.ts'
import { processSession } from '../../src/cli/session.ts'
import { leaveAddress } from '../../src/kernel/http/serving-address.ts'
import { testTrade } from '../../src/testing/test-trade.ts'
import { temporaryHome } from './run-cli.ts'
import { typedHere } from './typed-here.ts'

/** Reserved: nobody is found by it (RFC 6761). */
const ELSEWHERE = 'http://network.invalid:7400'

/** A home under which a network runs: whoever asks it is given a date long ago. */
async function homeWithNetwork(context: TestContext): Promise<{ home: string; url: string }> {
  const home = await temporaryHome(context)
  const server = createServer((_, response) => {
    response.setHeader('date', 'Sat, 01 Jan 2000 00:00:00 GMT').end('{}')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  await mkdir(join(home, 'network'))
  await leaveAddress(join(home, 'network'), url)
  return { home, url }
}

test('the network that runs here is meant by addresses of this machine, by whichever name, and by no other', async (context) => {
  const { home, url } = await homeWithNetwork(context)
  const session = processSession({ HEDGEROW_HOME: home }, new AbortController().signal)
  for (const known of ['http://127.0.0.1:7400', 'http://localhost:7400', 'http://[::1]:7400'])
    assert.equal(await nearestNetwork(session, known), url, known)
  for (const known of [ELSEWHERE, 'http://127.0.0.1.example:7400', 'http://10.0.0.1:7400'])
    assert.equal(await nearestNetwork(session, known), known)
  const empty = processSession({ HEDGEROW_HOME: join(home, 'none') }, new AbortController().signal)
  assert.equal(await nearestNetwork(empty, 'http://localhost:7400'), 'http://localhost:7400')
})

test('a site of a network elsewhere is not held against the one that runs under the same home', async (context) => {
  const { home, url } = await homeWithNetwork(context)
  await using trade = await testTrade({ sites: [{ name: 'galway', root: join(home, 'sites', 'galway') }] })
  const clockFinding = async () => {
    const { out } = await typedHere(home, ['site', 'doctor', '--json', '--url', trade.site().url])
    const findings = JSON.parse(out) as readonly { check: string; state: string }[]
    return findings.find(({ check }) => check === 'clock')?.state
  }
  assert.equal(await clockFinding(), 'bad', 'its network is on this machine, and tells another time')
  const config = join(home, 'sites', 'galway', 'config.yaml')
  const written = await readFile(config, 'utf8')
  await writeFile(config, written.replaceAll(trade.network.url, ELSEWHERE))
  assert.equal(await clockFinding(), 'unknown')
  const { out } = await typedHere(home, ['status', '--json'])
  const { servers } = JSON.parse(out) as { servers: readonly { kind: string; url: string; next?: string }[] }
  assert.deepEqual(
    servers.flatMap((one) => (one.kind === 'network' ? [[one.url, one.next]] : [])),
    [
      [ELSEWHERE, undefined],
      [url, undefined],
    ],
  )
})

test('a site that does not run is not taken for the one that listens where it would', async (context) => {
  const home = await temporaryHome(context)
  await using trade = await testTrade({ sites: [{ name: 'galway' }] })
  const place = ['--territory', 'IE', '--longitude', '-9.0568', '--latitude', '53.2707']
  const port = new URL(trade.site().url).port
  const facts = ['--custodian', 'claddagh', '--network', trade.network.url, '--port', port]
  assert.equal((await typedHere(home, ['site', 'init', 'limerick', ...place, ...facts])).code, 0)
  const { out } = await typedHere(home, ['site', 'doctor', 'limerick', '--json'])
  const findings = JSON.parse(out) as readonly { check: string; says: string }[]
  assert.equal(findings.find(({ check }) => check === 'service')?.says, 'the site does not answer')
  const evidence = await typedHere(home, ['site', 'evidence'])
  assert.equal(evidence.code, 1)
  assert.match(evidence.error, /wrong-audience; another server answers there, .*--url of a site/)
})

test('a site names the command by which it knows an issuer, and status says that it winds down, and nothing to be done next', async (context) => {
  const home = await temporaryHome(context)
  await using trade = await testTrade({ sites: [{ name: 'galway', root: join(home, 'sites', 'galway') }] })
  const status = async () => (await typedHere(home, ['status'])).out
  assert.match(
    await status(),
    /\nNext, for galway: {2}hedgerow site issuer ISSUER --site galway && hedgerow dataset describe /,
  )
  assert.equal((await typedHere(home, ['member', 'keys', 'stranger'])).code, 0)
  const stranger = await typedHere(home, ['dataset', 'list', '--as', 'stranger', '--url', trade.site().url])
  assert.equal(stranger.code, 1)
  assert.match(stranger.error, /unknown-key; register .*"hedgerow site issuer MEMBER --site SITE"/)
  const wound = await typedHere(home, [
    'site',
    'wind-down',
    '--reason',
    'it closes',
    '--url',
    trade.site().url,
  ])
  assert.equal(wound.code, 0, wound.error)
  assert.match(await status(), /0 data sets, 0 people,\s+winds down since/)
  assert.doesNotMatch(await status(), /\nNext, for galway/)
})
