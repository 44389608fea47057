import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { later, monotonicMs, systemClock } from '../../src/kernel/clock.ts'
import { silentLog } from '../../src/kernel/log.ts'
import { startEmbedded } from '../../src/kernel/postgres/embedded-postgres.ts'
import { embeddedUrl, ensureDatabase } from '../../src/kernel/postgres/open-postgres.ts'
import { NETWORK_API } from '../../src/protocol/http/network-endpoints.ts'
import { PeerRefusal } from '../../src/kernel/http/call-json.ts'
import { httpClient } from '../../src/sdk/http-client.ts'
import { openSiteAdministration } from '../../src/sdk/issuer.ts'
import { recordingLog } from '../../src/testing/recording-log.ts'
import { problemSchema } from '../../src/protocol/http/problem.ts'
import { SITE_API } from '../../src/protocol/http/site-api.ts'
import { signAsk, testAsk, tokenOf } from '../../src/testing/test-network.ts'
import type { TestParty } from '../../src/testing/test-network.ts'
import { csvOf, testGrant, testManifest, testPeople } from '../../src/testing/test-population.ts'
import type { TestTrade } from '../../src/testing/test-trade.ts'
import { testTrade } from '../../src/testing/test-trade.ts'

const HOUR_MS = 3_600_000
const QUESTION = 'select count(*) as people from athletes'

test('a database that goes away while servers run: problem documents until it is back, then all goes on', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'hedgerow-away-'))
  const start = () => startEmbedded({ directory, log: silentLog, isDurable: false })
  await using closing = new AsyncDisposableStack()
  closing.defer(() => rm(directory, { recursive: true, force: true }))
  let postgres = await start()
  closing.defer(() => postgres.stop())
  let count = 0
  const trade = closing.use(
    await testTrade({
      newDatabase: async () => {
        count += 1
        await ensureDatabase(embeddedUrl(postgres, 'postgres'), `record_${count}`)
        return embeddedUrl(postgres, `record_${count}`).reveal()
      },
    }),
  )
  const { network } = trade
  const site = trade.site()
  const people = testPeople(40)
  await trade.fill(site, { dataSet: 'athletes', people })
  const northcare = await trade.addAcquirer('northcare')

  const knocks = await knocksOn(trade, northcare.party)

  await postgres.stop()
  for (const url of [network.url, site.url]) {
    assert.equal((await fetch(`${url}/healthz`)).status, 200, 'it lives')
    assert.equal((await fetch(`${url}/readyz`)).status, 503, 'it may not serve')
  }
  const away = new Set<string>()
  for (const { what, request } of knocks) {
    const response = await fetch(request())
    const text = await response.text()
    assert.notEqual(response.status, 500, `${what}: ${text}`)
    if (response.status !== 503) continue
    away.add(what)
    assert.equal(problemSchema.parse(JSON.parse(text)).code, 'fault.database_unreachable', what)
    assert.equal(response.headers.get('retry-after'), '1', what)
    assert.match(text, /The database of the server is away/)
    assert.doesNotMatch(text, /hedgerow-away|ECONN|ENOENT|socket|password/)
  }
  // A site that asks for work of which there is none is told so from memory; it is refused when there may be some.
  for (const what of ['ask', 'transfer', 'listAsks', 'describeDataSet', 'importBatch', 'revokeGrants'])
    assert.ok(away.has(what), `${what} was not refused`)

  postgres = await start()
  const before = await network.call(network.operator, NETWORK_API.balances, { query: { owner: 'northcare' } })
  assert.equal(before.items[0]?.availableMinor, 100_000, 'what was refused was not booked')
  const answer = await northcare.ask(QUESTION)
  assert.equal(answer.sites[0]?.release?.rows[0]?.[0], people.length, 'what was refused was not revoked')
  assert.deepEqual(
    (await site.issuer.dataSets()).map(({ dataSet, rows }) => [dataSet, rows]),
    [['athletes', people.length]],
    'what was refused was not taken',
  )
  const revocation = [{ dataSet: 'athletes', person: people[0]?.id ?? '' }]
  assert.equal((await site.issuer.revokeGrants(revocation)).changed, 1)
})

interface Knock {
  readonly what: string
  readonly request: () => Request
}

/** A request for each read of both doors, and for the writes that matter most, by whoever may. */
async function knocksOn(trade: TestTrade, acquirer: TestParty): Promise<readonly Knock[]> {
  const { network, federation } = trade
  const site = trade.site()
  const bearer = (party: TestParty, audience: string) =>
    tokenOf(party, { audience, now: systemClock.now(), jti: network.ids.next('jti') })
  const galway = { name: 'galway', signing: site.signing, sealing: acquirer.sealing }
  const tokens = new Map<TestParty, string>()
  // Exchanged before: with an assertion the database would be asked first whether it was used before.
  for (const party of [network.operator, acquirer, galway]) {
    const assertion = bearer(party, network.name)
    const body = { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion }
    tokens.set(party, (await network.call(undefined, NETWORK_API.token, { body })).access_token)
  }
  const atNetwork = (what: keyof typeof NETWORK_API, party: TestParty, body?: object): Knock => ({
    what,
    request: () => requestTo(network.url, NETWORK_API[what], { token: tokens.get(party) ?? '', body }),
  })
  const atSite = (what: keyof typeof SITE_API, body?: object): Knock => ({
    what,
    request: () => requestTo(site.url, SITE_API[what], { token: bearer(federation, site.name), body }),
  })
  const amount = { amount: 1, currency: 'EUR' }
  return [
    ...namesOf(NETWORK_API).map((what) => atNetwork(what, what === 'work' ? galway : network.operator)),
    ...namesOf(SITE_API).map((what) => atSite(what)),
    atNetwork('ask', acquirer, { ask: signAsk(testAsk(network, acquirer), acquirer) }),
    atNetwork('transfer', network.operator, { kind: 'deposit', member: acquirer.name, amount }),
    atSite('describeDataSet', { manifest: testManifest('others') }),
    atSite('importBatch', new Blob([csvOf(testPeople(3))], { type: 'text/csv' })),
    atSite('giveGrants', { grants: [testGrant('athletes', testPeople(1)[0]?.id ?? '')] }),
    atSite('revokeGrants', { revocations: [{ dataSet: 'athletes', person: testPeople(1)[0]?.id ?? '' }] }),
  ]
}

/** Endpoints that only read. */
function namesOf<T extends Readonly<Record<string, { readonly method: string }>>>(
  api: T,
): (keyof T & string)[] {
  return Object.keys(api).filter((name) => api[name]?.method === 'get')
}

const PARAMS: Readonly<Record<string, string>> = {
  dataSet: 'athletes',
  sequence: '0',
  ref: 'p-0',
  path: '0/000',
}

function requestTo(
  base: string,
  { method, path }: { method: string; path: string },
  { token, body }: { token: string; body?: object | undefined },
): Request {
  const id = path.includes('/sites/') ? 'galway' : 'northcare'
  const url = new URL(
    path.replaceAll(/\{(\w+)\}/g, (_, name: string) => PARAMS[name] ?? id),
    base,
  )
  if (body instanceof Blob) url.search = '?batch=while-away&format=csv'
  const isFile = body instanceof Blob
  return new Request(url, {
    method: method.toUpperCase(),
    headers: {
      authorization: `Bearer ${token}`,
      'idempotency-key': 'while-away',
      ...(body === undefined || isFile ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: isFile ? body : JSON.stringify(body) }),
  })
}

for (const [how, skewMs] of [
  ['behind', -HOUR_MS],
  ['ahead of', HOUR_MS],
] as const) {
  test(`a site whose clock is an hour ${how} the others' is refused and refuses, and both say by how much`, async () => {
    const log = recordingLog()
    const clock = { ...systemClock, now: () => later(systemClock.now(), skewMs) }
    await using trade = await testTrade({ sites: [], log: silentLog })
    const { network } = trade
    await trade.addSite({ name: 'galway', clock, log })
    await until(() => log.lines.some((line) => line.includes('site.line_down')))
    const line = log.lines.find((one) => one.includes('site.line_down')) ?? ''
    const word = skewMs < 0 ? 'expired' : 'not-yet-valid'
    const { host } = new URL(network.url)
    assert.ok(
      line.includes(`: ${word}; the clock of this machine is 60 minutes ${how} that of ${host}: set right`),
      line,
    )
    // Who calls the site by a right clock is told the same from the other side.
    const { url, operatorKey } = trade.site()
    const operator = openSiteAdministration(
      httpClient({
        server: { url, name: 'galway' },
        caller: { issuer: 'operator', key: operatorKey },
        clock: systemClock,
        ids: network.ids,
      }),
    )
    await assert.rejects(operator.dataSets(), (thrown: unknown) => {
      assert.ok(thrown instanceof PeerRefusal)
      assert.equal(thrown.status, 401)
      const other =
        skewMs < 0 ? 'not-yet-valid; the clock of this machine is 60 minutes ahead of' : 'expired; '
      assert.ok(thrown.message.includes(other), thrown.message)
      return true
    })
    assert.ok((await fetch(`${url}/healthz`)).ok)
  })
}

test('a clock that jumps an hour while the site is on the line: asks are declined, and it is said why', async () => {
  let skewMs = 0
  const clock = { ...systemClock, now: () => later(systemClock.now(), skewMs) }
  await using trade = await testTrade({ sites: [] })
  const site = await trade.addSite({ name: 'galway', clock })
  const people = testPeople(40)
  await trade.fill(site, { dataSet: 'athletes', people })
  const northcare = await trade.addAcquirer('northcare')
  const decided = async (expires = later(systemClock.now(), 60_000)) => {
    const { sites, reason, detail } = await northcare.ask(QUESTION, { expires })
    return sites[0] ? [sites[0].reason, sites[0].decision?.detail] : [reason, detail]
  }
  skewMs = -HOUR_MS
  assert.deepEqual(await decided(), [
    'declined.evidence_missing',
    'The proof of where the site is begins in 59 minutes by the clock of the site',
  ])
  skewMs = 0
  assert.deepEqual(await decided(later(systemClock.now(), -HOUR_MS)), [
    'declined.expired',
    'The ask expired 60 minutes ago by the clock of the network; send it again, or set right the clock that is wrong',
  ])
  assert.equal((await decided())[0], 'approved')
})

async function until(holds: () => boolean): Promise<void> {
  const deadline = monotonicMs() + 10_000
  while (!holds()) {
    assert.ok(monotonicMs() < deadline, 'it did not happen')
    await systemClock.sleep(10)
  }
}
