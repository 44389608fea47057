import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { after, before, describe, test } from 'node:test'
import { sql } from 'kysely'
import { formatInstant, later, systemClock } from '../../src/kernel/clock.ts'
import { Fault } from '../../src/kernel/faults.ts'
import { LIMITS } from '../../src/kernel/limits.ts'
import { silentLog } from '../../src/kernel/log.ts'
import type { Log } from '../../src/kernel/log.ts'
import { connect } from '../../src/kernel/postgres/open-postgres.ts'
import { Secret } from '../../src/kernel/secret.ts'
import { loadNetworkSettings, networkDirectory } from '../../src/network/config.ts'
import { NETWORK_API } from '../../src/protocol/http/network-endpoints.ts'
import { breakableLine } from '../../src/testing/breakable-line.ts'
import type { BreakableLine } from '../../src/testing/breakable-line.ts'
import { testClearing, testDecision } from '../../src/testing/test-decision.ts'
import { testDatabaseUrl } from '../../src/testing/test-postgres.ts'
import { signAsk, testAsk, testNetwork, tokenOf } from '../../src/testing/test-network.ts'
import { fundsOf, openWorld } from './world.ts'
import type { World } from './world.ts'

const written: string[] = []
const write = (event: string, facts: object = {}) => void written.push(`${event} ${JSON.stringify(facts)}`)
const log: Log = { info: write, warn: write, error: write }

let w: World
before(async () => {
  w = await openWorld({ log })
})
after(() => w[Symbol.asyncDispose]())

async function get(path: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${w.network.url}${path}`, { headers })
  return { status: response.status, text: await response.text(), headers: response.headers }
}

describe('the door', () => {
  test('tells that it is alive, that it may serve, and what it counts', async () => {
    assert.equal((await get('/healthz')).status, 200)
    assert.deepEqual(JSON.parse((await get('/readyz')).text), { status: 'ready', checks: { database: true } })
    assert.match(
      (await get('/metrics')).text,
      /hedgerow_network_membership_changes_total\{change="added"\} \d+/,
    )
  })

  test('describes every endpoint in one document, and shows it without anything from elsewhere', async () => {
    const document = JSON.parse((await get('/openapi.json')).text) as {
      openapi: string
      paths: Record<string, object>
    }
    assert.equal(document.openapi, '3.1.0')
    for (const { path } of Object.values(NETWORK_API)) assert.ok(document.paths[path], path)
    const docs = await get('/docs')
    assert.match(docs.text, /\/v1\/asks/)
    for (const page of [docs, await get('/')]) {
      assert.doesNotMatch(page.text, /<script |src=|https?:\/\//)
      assert.match(page.headers.get('content-security-policy') ?? '', /default-src 'none'/)
      assert.equal(page.headers.get('set-cookie'), null)
    }
    assert.doesNotMatch(docs.text, /<script/)
  })

  test('lets no script run on its page but the one that renews it, and reloads the page for nobody', async () => {
    const { text, headers } = await get('/')
    const [, script = '', ...more] = /<script>([^]*?)<\/script>/.exec(text) ?? []
    assert.deepEqual(more, [])
    assert.equal(text.split('<script').length, 2)
    const source = createHash('sha256').update(script).digest('base64')
    const policy = headers.get('content-security-policy') ?? ''
    assert.ok(policy.includes(`; script-src 'sha256-${source}'; connect-src 'self';`), policy)
    assert.doesNotMatch(text, /http-equiv/)
    assert.match(text, /<a href="\/">Look again<\/a>/)
  })

  test('answers problems with their code and a request id, and nothing of what came', async () => {
    const problem = await w.network.refusal(w.network.operator, NETWORK_API.member, {
      params: { id: 'nobody-here' },
    })
    assert.deepEqual([problem.status, problem.code], [404, 'fault.not_found'])
    assert.match(problem.instance ?? '', /^urn:hedgerow:request:req_/)
    assert.equal((await get('/nowhere')).status, 404)
    const broken = await fetch(`${w.network.url}/v1/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"marker',
    })
    assert.equal(broken.status, 400)
    assert.doesNotMatch(await broken.text(), /marker/)
  })

  test('takes no body over the limit', async () => {
    const body = { ask: `${'a'.repeat(LIMITS.requestBytesMax)}.b.c` }
    assert.equal((await w.network.refusal(w.northcare, NETWORK_API.ask, { body })).status, 413)
  })

  test('takes no two limits in one currency', async () => {
    const daily = [5, 6].map((amount) => ({ amount, currency: 'CHF' }))
    const problem = await w.network.refusal(w.network.operator, NETWORK_API.setLimits, {
      params: { id: 'northcare' },
      body: { daily },
    })
    assert.deepEqual(problem.errors, [{ field: 'daily', expected: 'expected each currency once' }])
    const nobody = { params: { id: 'nobody' }, body: { daily: [] } }
    assert.equal((await w.network.refusal(w.network.operator, NETWORK_API.setLimits, nobody)).status, 404)
  })

  test('gives the same answer for the same Idempotency-Key, and 409 with another body', async () => {
    const headers = { 'idempotency-key': 'deposit-0001' }
    const body = (amount: number) => ({
      kind: 'deposit',
      member: 'northcare',
      amount: { amount, currency: 'EUR' },
    })
    const first = await w.network.call(w.network.operator, NETWORK_API.transfer, { body: body(5), headers })
    assert.deepEqual(
      await w.network.call(w.network.operator, NETWORK_API.transfer, { body: body(5), headers }),
      first,
    )
    assert.equal(
      (await w.network.refusal(w.network.operator, NETWORK_API.transfer, { body: body(6), headers })).code,
      'fault.idempotency_conflict',
    )
  })
})

describe('the page', () => {
  test('shows offers to everybody, and what goes on only to this machine', async () => {
    const { id } = await w.network.ask(w.northcare, testAsk(w.network, w.northcare))
    const body = testDecision(w.network, w.galway, { ask: id, acquirer: 'northcare', issuer: 'federation' })
    await w.network.call(w.galway, NETWORK_API.decide, { params: { id: 'galway' }, body })
    await w.network.ask(w.northcare, testAsk(w.network, w.northcare, { mode: 'rows' }))
    const local = await get('/')
    for (const text of [
      'athletes',
      'northcare',
      'AcademicResearch',
      'declined.no_route',
      '3.00 EUR',
      'The trial balance is zero',
      'hedgerow/network',
    ]) {
      assert.ok(local.text.includes(text), text)
    }
    const elsewhere: Record<string, string>[] = [
      { 'x-forwarded-for': '192.0.2.7' },
      { forwarded: 'for=192.0.2.7' },
      { 'x-real-ip': '192.0.2.7' },
      { via: '1.1 proxy' },
    ]
    for (const headers of elsewhere) {
      const { text } = await get('/', headers)
      assert.ok(text.includes('athletes'))
      assert.ok(!text.includes('northcare'))
    }
  })

  test('shows no more to a visitor of a proxy on this machine that says nothing of itself (nginx, unless told)', async () => {
    const { host } = new URL(w.network.url)
    const visit = request(w.network.url, { agent: false, headers: { host, connection: 'close' } })
    visit.end()
    const [answer] = (await once(visit, 'response')) as [IncomingMessage]
    const text = (await answer.toArray()).join('')
    assert.ok(text.includes('athletes'))
    assert.ok(!text.includes('northcare'))
  })
})

describe('the log', () => {
  test('holds ids and reasons, and no token, question or key', () => {
    const all = written.join('\n')
    assert.match(all, /ask\.taken .*"acquirer":"northcare"/)
    assert.match(all, /ask\.declined .*declined\.no_route/)
    assert.doesNotMatch(all, /eyJ|aaaa\.bbbb|sha-256:/)
  })
})

describe('a restart', () => {
  test('forgets nothing: members, offers, asks, balances, used tokens', async () => {
    const root = await mkdtemp(join(tmpdir(), 'hedgerow-restart-'))
    const facts = { audience: 'network', now: w.clock.now(), jti: w.network.ids.next('jti') }
    let token = ''
    let ask = testAsk(w.network, w.northcare)
    let url = ''
    {
      await using first = await openWorld({ root })
      url = first.databaseUrl
      token = tokenOf(first.northcare, facts)
      assert.equal(
        (await fetch(`${first.network.url}/v1/members`, { headers: { authorization: `Bearer ${token}` } }))
          .status,
        200,
      )
      ask = testAsk(first.network, first.northcare)
      await first.network.ask(first.northcare, ask)
    }
    await using second = await testNetwork({ clock: w.clock, root, databaseUrl: url })
    const again = await fetch(`${second.url}/v1/members`, { headers: { authorization: `Bearer ${token}` } })
    assert.equal(again.status, 401)
    assert.equal(((await again.json()) as { detail: string }).detail, 'replayed')
    const state = await second.call(second.operator, NETWORK_API.askState, { params: { id: ask.id } })
    assert.equal(state.status, 'waiting')
    const offers = await second.call(undefined, NETWORK_API.listOffers)
    assert.equal(offers.items.length, 2)
    const { items } = await second.call(second.operator, NETWORK_API.balances, {
      query: { owner: 'northcare' },
    })
    assert.deepEqual(
      items.map(({ availableMinor, heldMinor }) => [availableMinor, heldMinor]),
      [[9000, 1000]],
    )
    await assert.rejects(testNetwork({ clock: w.clock, root, databaseUrl: url }), {
      code: 'fault.directory_in_use',
    })
    await rm(root, { recursive: true, force: true })
  })
})

describe('a database that goes away', () => {
  test('is told as such, and served on when it is back', async () => {
    const url = new Secret(w.databaseUrl)
    await using other = await connect(url, { name: 'test', log: silentLog, stop: () => Promise.resolve() })
    await w.network.ask(w.northcare, testAsk(w.network, w.northcare))
    await sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and application_name like 'hedgerow-%'
        and application_name <> 'hedgerow-test'`.execute(other.db)
    const answers = []
    for (let attempt = 0; attempt < 12; attempt += 1) {
      const body = { ask: signAsk(testAsk(w.network, w.northcare, { dryRun: true }), w.northcare) }
      answers.push(
        await w.network.call(w.northcare, NETWORK_API.ask, { body }).then(
          () => 'taken',
          (error: Error) => /fault\.database_unreachable/.exec(error.message)?.[0] ?? error.message,
        ),
      )
    }
    assert.equal(answers.at(-1), 'taken')
    assert.ok(
      answers.every((answer) => answer === 'taken' || answer === 'fault.database_unreachable'),
      answers.join(),
    )
  })
})

/** A line to a test's PostgreSQL, which listens on a socket alone, and the address of the database behind it. */
async function lineTo(databaseUrl: string): Promise<BreakableLine & { readonly databaseUrl: string }> {
  const { pathname, searchParams, username, password } = new URL(databaseUrl.replace('@/', '@localhost/'))
  const line = await breakableLine(`${searchParams.get('host')}/.s.PGSQL.${searchParams.get('port')}`)
  const { host } = new URL(line.url)
  return { ...line, databaseUrl: `postgresql://${username}:${password}@${host}${pathname}` }
}

test('a database whose answer is lost after it has committed: whoever asks again is told, and nothing is done twice', async () => {
  await using line = await lineTo((await testDatabaseUrl('network')).reveal())
  await using own = await openWorld({ databaseUrl: line.databaseUrl })
  const { network, northcare, galway } = own
  const { operator } = network
  const ask = testAsk(network, northcare)
  const trade = { ask: ask.id, acquirer: 'northcare', issuer: 'federation' }
  const keyed = (key: string, body: object) => ({ body, headers: { 'idempotency-key': key } })
  const moved = (kind: string, amount: number) => ({
    kind,
    member: 'northcare',
    amount: { amount, currency: 'EUR' },
  })
  const limit = {
    acquirer: 'northcare',
    amount: { amount: 1_000, currency: 'EUR' },
    validUntil: formatInstant(later(own.clock.now(), 3_600_000)),
  }
  const params = { id: 'galway' }
  const signed = { ask: signAsk(ask, northcare) }
  const decision = testDecision(network, galway, { ...trade, priceMinor: 300, isUncleared: true })
  const clearing = testClearing(network, galway, { ...trade, priceMinor: 300 })
  const acts: readonly [string, string, () => Promise<unknown>][] = [
    ['an ask', ask.id, () => network.call(northcare, NETWORK_API.ask, { body: signed })],
    ['a decision', ask.id, () => network.call(galway, NETWORK_API.decide, { params, body: decision })],
    ['its clearing', 'commit', () => network.call(galway, NETWORK_API.clear, { params, body: { clearing } })],
    [
      'a deposit',
      'commit',
      () => network.call(operator, NETWORK_API.transfer, keyed('movement-1', moved('deposit', 500))),
    ],
    [
      'a withdrawal',
      'commit',
      () => network.call(operator, NETWORK_API.transfer, keyed('movement-2', moved('withdrawal', 200))),
    ],
    [
      'a floor limit',
      'commit',
      () => network.call(operator, NETWORK_API.giveFloorLimit, { params, ...keyed('limit-no-1', limit) }),
    ],
    ['a settlement', 'commit', () => network.call(operator, NETWORK_API.settle, keyed('settlement-1', {}))],
  ]
  for (const [what, text, act] of acts) {
    line.loseAnswersTo(text)
    await assert.rejects(act(), /fault\.database_unreachable/, what)
    line.mend()
    await act()
  }
  assert.deepEqual(await fundsOf(own), { available: 10_000 - 300 + 500 - 200 - 1_000, held: 1_000 })
  const { items } = await network.call(operator, NETWORK_API.listTransfers)
  const kinds = Object.groupBy(items, ({ kind }) => kind)
  assert.deepEqual(
    [kinds.deposit, kinds.withdrawal, kinds.capture].map((of) => of?.length),
    [2, 1, 4],
  )
  const settled = await network.call(operator, NETWORK_API.listSettlements)
  assert.equal(settled.items.length, 1)
  assert.ok((await network.call(operator, NETWORK_API.trialBalance)).isBalanced)
})

describe('settings', () => {
  test('come from a file, then the environment, then flags; every problem is named at once', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'hedgerow-settings-'))
    const file = networkDirectory(directory).config
    await writeFile(file, 'name: orchard\nport: 7500\nhost: 127.0.0.2\n')
    const settings = await loadNetworkSettings({
      file,
      environment: { HEDGEROW_PORT: '7600' },
      flags: { host: '127.0.0.3' },
    })
    assert.deepEqual([settings.name, settings.port, settings.host], ['orchard', 7600, '127.0.0.3'])
    await writeFile(file, 'nmae: orchard\nport: seven\nactivityPage: everybody\n')
    const failed = loadNetworkSettings({
      file,
      environment: { HEDGEROW_DATABASE_URL: 'mysql://x' },
      flags: {},
    })
    await assert.rejects(failed, (error: unknown) => {
      assert.ok(error instanceof Fault)
      assert.equal(error.code, 'fault.configuration')
      assert.deepEqual(error.errors.map(({ field }) => field).toSorted(), [
        'activityPage',
        'databaseUrl',
        'nmae',
        'port',
      ])
      return true
    })
    await rm(directory, { recursive: true })
  })

  test('a database that another network serves from is refused', async () => {
    const root = await mkdtemp(join(tmpdir(), 'hedgerow-second-'))
    const refused = testNetwork({ clock: systemClock, root, databaseUrl: w.databaseUrl })
    await assert.rejects(refused, { code: 'fault.database_in_use', message: /another network does/ })
    await rm(root, { recursive: true })
  })

  test('a database is taken again as soon as its connection is lost, and not served from beside another network', async () => {
    await using own = await testNetwork({ clock: w.clock })
    const other = new pg.Client({ connectionString: own.databaseUrl })
    await other.connect()
    const lose = () =>
      other.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'hedgerow-booking'",
      )
    const holders = async () => {
      const { rows } = await other.query<{ pid: number }>(
        "select pid from pg_locks where locktype = 'advisory' and objid = 74000101 and granted and database = (select oid from pg_database where datname = current_database())",
      )
      return rows.map(({ pid }) => pid)
    }
    const [before] = await holders()
    await lose()
    while ([undefined, before].includes((await holders())[0])) await systemClock.sleep(10)
    const member = await own.addMember('northcare', ['acquirer'])
    const state = await own.ask(member, testAsk(own, member, { sites: [], dryRun: true }))
    assert.equal(state.reason, 'declined.no_route')
    // The other network waits for the lock, so that it has it before anybody else.
    const taken = new pg.Client({ connectionString: own.databaseUrl })
    await taken.connect()
    const taking = taken.query('select pg_advisory_lock(74000101)')
    await lose()
    await taking
    const { code } = await own.serving.ended
    assert.equal(code, 'fault.database_in_use')
    await Promise.all([other.end(), taken.end()])
  })

  test('a port that is taken is one clear sentence, and leaves the directory free', async () => {
    const root = await mkdtemp(join(tmpdir(), 'hedgerow-port-'))
    const port = Number(new URL(w.network.url).port)
    await assert.rejects(testNetwork({ clock: w.clock, root, settings: { port } }), {
      code: 'fault.port_in_use',
      message: new RegExp(`127.0.0.1:${port}: another program uses the port`),
    })
    await using free = await testNetwork({ clock: w.clock, root })
    assert.ok(free.url)
  })
})
