import assert from 'node:assert/strict'
import { appendFile, mkdir, mkdtemp, readFile, readdir, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '../../src/kernel/clock.ts'
import { silentLog } from '../../src/kernel/log.ts'
import { systemRandom } from '../../src/kernel/random.ts'
import { openBackupDesk } from '../../src/sdk/backups.ts'
import { httpClient } from '../../src/sdk/http-client.ts'
import { serveSite } from '../../src/site/assemble-site.ts'
import { restoreBackup } from '../../src/site/backup/restore-backup.ts'
import { siteSettingsSchema } from '../../src/site/config.ts'
import { filesOf } from '../../src/testing/files-of.ts'
import { plainMarkerSearch } from '../../src/testing/find-markers.ts'
import { csvOf, testGrant, testManifest, testPeople } from '../../src/testing/test-population.ts'
import { testDatabaseUrl } from '../../src/testing/test-postgres.ts'
import { testProcesses } from '../../src/testing/test-processes.ts'
import { fileBody, testTrade } from '../../src/testing/test-trade.ts'
import { runCli } from '../cli/run-cli.ts'

const MARKER = 'zqlost6gone'
const people = testPeople(60, (_, index) =>
  index === 7
    ? { id: `${MARKER}-key`, name: `${MARKER} name`, country: `${MARKER}-plain`, note: `${MARKER} note` }
    : {},
)

// Many processes and three PostgreSQLs, one after another: on a busy machine that takes a while.
const SLOW = { timeout: 300_000 }

test(
  'a site whose disk is lost comes back by the command line, without whoever was erased since its backup',
  SLOW,
  async () => {
    await using life = await testProcesses({})
    const { home, site } = life
    const root = join(home, 'sites', 'galway')
    const [safe, backups, key] = [join(home, 'safe'), join(home, 'backups'), join(home, 'backup.key')]
    await site.stop()
    await appendFile(join(root, 'config.yaml'), `\nbackup:\n  directory: ${backups}\n  safe: ${safe}\n`)
    await site.start()
    await life.siteIssuer.describe(testManifest('athletes'))
    const file = {
      dataSet: 'athletes',
      batch: 'first',
      format: 'csv',
      body: fileBody(csvOf(people)),
    } as const
    await life.siteIssuer.importFile(file)
    await life.siteIssuer.giveGrants(people.map(({ id }) => testGrant('athletes', id)))
    const cli = async (...args: readonly string[]) => {
      const run = await runCli(home, args)
      assert.equal(run.code, 0, `${args.join(' ')}: ${run.error}`)
      return run.out
    }
    const at = ['--site', 'galway', '--url', site.url]

    const made = JSON.parse(await cli('site', 'backup', ...at, '--json')) as {
      backup: string
      directory: string
    }
    const find = plainMarkerSearch([MARKER])
    assert.deepEqual(
      (await filesOf(backups)).flatMap((bytes) => find(bytes)),
      [],
      'sealed',
    )
    await cli('person', 'erase', ...at, '--issuer', 'federation', '--person', `${MARKER}-key`, '--now')
    const [erasure] = JSON.parse(await cli('person', 'erasures', ...at, '--json')) as {
      erasure: string
      grade: string
    }[]
    assert.equal(erasure?.grade, 'inaccessible', 'as long as the backup can be read')
    assert.match(await cli('site', 'backups', ...at), new RegExp(`${made.backup} +whole`))

    const rehearsal = await cli('site', 'rehearse', 'galway')
    assert.match(rehearsal, /59 people; rows: athletes 59/)
    assert.match(rehearsal, /done again: 1 erasure,/)
    assert.deepEqual(await readdir(join(home, 'sites')), ['galway'], 'nothing of a rehearsal stays')

    await site.kill()
    await rename(join(root, 'keys', 'backup.key'), key)
    const restore = ['site', 'restore', 'galway', '--from', made.directory, '--safe', safe, '--key', key]
    const refused = await runCli(home, restore)
    assert.equal(refused.code, 1)
    assert.match(refused.error, /it is not empty/)
    await rm(root, { recursive: true })
    const missing = await runCli(home, ['site', 'restore', 'galway', '--from', made.directory])
    assert.equal(missing.code, 2)
    const wrong = await runCli(home, [...restore.slice(0, -1), join(home, 'sites', 'nowhere.key')])
    assert.equal(wrong.code, 2)
    const restored = JSON.parse(await cli(...restore, '--json')) as { erasures: number; logMissing: number }
    assert.equal(restored.erasures, 1)
    assert.equal(restored.logMissing, 0)
    assert.deepEqual(
      (await filesOf(root)).flatMap((bytes) => find(bytes)),
      [],
      'in no file, PostgreSQL’s log included',
    )

    await site.start()
    const [dataSet] = await life.siteOperator.dataSets()
    assert.equal(dataSet?.people, 59)
    const again = JSON.parse(
      await cli('person', 'certificate', ...at, '--erasure', erasure?.erasure ?? '', '--json'),
    ) as object
    assert.partialDeepStrictEqual(again, { state: 'deleted', grade: 'inaccessible', issuer: 'federation' })
    // Its backup ends: nothing holds the person any more.
    await cli('site', 'backups', ...at, '--destroy', made.backup)
    const done = JSON.parse(await cli('person', 'erasures', ...at, '--json')) as {
      grade: string
      state: string
    }[]
    assert.deepEqual([done[0]?.grade, done[0]?.state], ['permanent', 'permanent'])
    assert.deepEqual(await readdir(backups), [])
  },
)

test('an acquirer that was answered after the backup is told nothing exact until somebody answers for it', async () => {
  await using trade = await testTrade()
  const site = trade.site()
  const modes = ['aggregate', 'rows', 'private'] as const
  const grants = people.map(({ id }) => testGrant('athletes', id, { modes: [...modes] }))
  await trade.fill(site, { dataSet: 'athletes', people, manifest: { modes: [...modes] }, grants })
  const [northcare, southcare] = [await trade.addAcquirer('northcare'), await trade.addAcquirer('southcare')]
  const count = 'select count(*) from athletes'
  assert.equal((await southcare.ask(count)).sites[0]?.reason, 'approved')
  const operator = site.client({ issuer: 'operator', key: site.operatorKey })
  const made = await openBackupDesk(operator).make()
  assert.equal(
    (await northcare.ask('select count(*) from athletes where height > 1.7')).sites[0]?.reason,
    'approved',
  )
  const noisy = { mode: 'private', privacy: { epsilon: 0.9 } } as const
  assert.equal((await southcare.ask(count, noisy)).sites[0]?.reason, 'approved')
  await site.stop()

  const directory = await mkdtemp(join(tmpdir(), 'hedgerow-held-'))
  await using cleaning = new AsyncDisposableStack()
  cleaning.defer(() => rm(directory, { recursive: true, force: true }))
  await mkdir(directory, { recursive: true })
  const into = join(directory, 'galway')
  const databaseUrl = await testDatabaseUrl()
  const restored = await restoreBackup({
    site: 'galway',
    from: made.directory,
    safe: join(site.root, 'safe'),
    keyFile: join(site.root, 'keys', 'backup.key'),
    into,
    databaseUrl,
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
  })
  assert.deepEqual(restored.held, ['northcare'])
  assert.equal(restored.debited, 1)
  assert.match(await readFile(join(into, 'config.yaml'), 'utf8'), /galway/)
  const settings = siteSettingsSchema.parse({
    site: 'galway',
    custodian: 'edgeworks',
    territory: 'IE',
    network: { url: trade.network.url },
    port: 0,
    databaseUrl: databaseUrl.reveal(),
    vault: { memoryMb: 256, threads: 1 },
  })
  const serving = cleaning.use(
    await serveSite({ root: into, settings, log: silentLog, clock: systemClock, random: systemRandom }),
  )
  const held = await northcare.ask(count)
  assert.equal(held.sites[0]?.reason, 'declined.differencing')
  assert.equal((await northcare.ask(count, { dryRun: true })).sites[0]?.reason, 'declined.differencing')
  assert.equal(
    (await northcare.ask('select id, height from athletes', { mode: 'rows' })).sites[0]?.reason,
    'declined.differencing',
  )
  assert.equal((await southcare.ask('select avg(height) from athletes')).sites[0]?.reason, 'approved')
  // Each person may lose 1 to an acquirer in a year, and 0.9 of it is gone, though the answer is not remembered.
  const spent = await southcare.ask('select avg(height) from athletes', {
    mode: 'private',
    privacy: { epsilon: 0.5 },
  })
  assert.equal(spent.sites[0]?.reason, 'declined.privacy_budget')
  const little = await northcare.ask(count, { mode: 'private', privacy: { epsilon: 0.05 } })
  assert.equal(little.sites[0]?.reason, 'approved', 'noise is not the guard’s to hold')
  const desk = openBackupDesk(
    httpClient({
      server: { url: serving.url, name: 'galway' },
      caller: { issuer: 'operator', key: site.operatorKey },
      clock: systemClock,
      ids: trade.network.ids,
    }),
  )
  assert.deepEqual(await desk.holds(), ['northcare'])
  await assert.rejects(desk.liftHold('southcare', 'not held at all'), { status: 404 })
  assert.deepEqual(await desk.liftHold('northcare', 'releases deleted, confirmed in writing'), [])
  assert.equal((await northcare.ask(count)).sites[0]?.reason, 'approved')
})
