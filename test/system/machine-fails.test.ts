import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { later, monotonicMs, systemClock } from '../../src/kernel/clock.ts'
import { silentLog } from '../../src/kernel/log.ts'
import { startEmbedded } from '../../src/kernel/postgres/embedded-postgres.ts'
import { embeddedUrl, ensureDatabase } from '../../src/kernel/postgres/open-postgres.ts'
import { NETWORK_API } from '../../src/protocol/network-endpoints.ts'
import { PeerRefusal } from '../../src/kernel/http/call-json.ts'
import { recordingLog } from '../../src/testing/recording-log.ts'
import { csvOf, testGrant, testPeople } from '../../src/testing/test-population.ts'
import { fileBody, testTrade } from '../../src/testing/test-trade.ts'

const QUESTION = 'select count(*) as people, sum(score) as score from athletes'

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

  await postgres.stop()
  for (const url of [network.url, site.url]) {
    assert.equal((await fetch(`${url}/healthz`)).status, 200, 'it lives')
    assert.equal((await fetch(`${url}/readyz`)).status, 503, 'it may not serve')
  }
  const body = { kind: 'deposit', member: 'northcare', amount: { amount: 1, currency: 'EUR' } }
  const headers = { 'idempotency-key': 'while-away' }
  const problem = await network.refusal(network.operator, NETWORK_API.transfer, { body, headers })
  assert.deepEqual([problem.status, problem.code], [503, 'fault.database_unreachable'])
  assert.doesNotMatch(JSON.stringify(problem), /hedgerow-away|ECONN|socket|password/)
  const revocation = [{ dataSet: 'athletes', person: people[0]?.id ?? '' }]
  await assert.rejects(site.issuer.revokeGrants(revocation), (thrown: unknown) => {
    assert.ok(thrown instanceof PeerRefusal)
    assert.deepEqual([thrown.status, thrown.problemCode], [503, 'fault.database_unreachable'])
    return true
  })

  postgres = await start()
  const before = await network.call(network.operator, NETWORK_API.balances, { query: { owner: 'northcare' } })
  assert.equal(before.items[0]?.availableMinor, 100_000, 'what was refused was not booked')
  const answer = await northcare.ask(QUESTION)
  assert.equal(answer.sites[0]?.release?.rows[0]?.[0], people.length, 'what was refused was not revoked')
  assert.equal((await site.issuer.revokeGrants(revocation)).changed, 1)
})

test('a site whose clock is an hour off is refused, says so, and is told nothing else', async () => {
  for (const skewMs of [-3_600_000, 3_600_000]) {
    const log = recordingLog()
    const clock = { ...systemClock, now: () => later(systemClock.now(), skewMs) }
    await using trade = await testTrade({ sites: [], log: silentLog })
    await trade.addSite({ name: 'galway', clock, log })
    await until(() => log.lines.some((line) => line.includes('site.line_down')))
    const line = log.lines.find((one) => one.includes('site.line_down')) ?? ''
    assert.match(line, skewMs < 0 ? /expired/ : /not-yet-valid/)
    assert.ok((await fetch(`${trade.site().url}/healthz`)).ok)
  }
})

/** Bytes of the disk that gets full. */
const DISK_MB = 24

function tinyDisk(): { directory: string; unmount: () => void } | undefined {
  const directory = join(tmpdir(), `hedgerow-tiny-${process.pid}`)
  try {
    execFileSync('mkdir', ['-p', directory])
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MB}m`, 'tmpfs', directory], { stdio: 'ignore' })
    return { directory, unmount: () => execFileSync('umount', [directory]) }
  } catch {
    return undefined
  }
}

const disk = tinyDisk()
test(
  'a full disk: an import is refused whole, and the site goes on',
  { skip: disk === undefined && 'a small disk can only be mounted by root' },
  async () => {
    assert.ok(disk)
    await using closing = new AsyncDisposableStack()
    closing.defer(() => disk.unmount())
    const trade = closing.use(
      await testTrade({ sites: [{ name: 'galway', root: join(disk.directory, 'galway') }] }),
    )
    const site = trade.site()
    const people = testPeople(40)
    await trade.fill(site, { dataSet: 'athletes', people })
    const wide = csvOf(testPeople(1_000, (_, index) => ({ id: `wide-${index}`, note: 'x'.repeat(40_000) })))
    await assert.rejects(
      site.issuer.importFile({ dataSet: 'athletes', batch: 'too-much', format: 'csv', body: fileBody(wide) }),
      (thrown: unknown) => {
        assert.ok(thrown instanceof PeerRefusal)
        assert.deepEqual([thrown.status, thrown.problemCode], [503, 'fault.disk_full'])
        assert.match(thrown.message, /[Ff]ree space/)
        return true
      },
    )
    assert.equal((await site.issuer.dataSets())[0]?.rows, people.length)
    const few = testPeople(5, (_, index) => ({ id: `few-${index}` }))
    await site.issuer.importFile({
      dataSet: 'athletes',
      batch: 'few',
      format: 'csv',
      body: fileBody(csvOf(few)),
    })
    await site.issuer.giveGrants(few.map(({ id }) => testGrant('athletes', id)))
    const answer = await (await trade.addAcquirer('northcare')).ask(QUESTION)
    assert.equal(answer.sites[0]?.release?.rows[0]?.[0], people.length + few.length)
  },
)

async function until(holds: () => boolean): Promise<void> {
  const deadline = monotonicMs() + 10_000
  while (!holds()) {
    assert.ok(monotonicMs() < deadline, 'it did not happen')
    await systemClock.sleep(10)
  }
}
