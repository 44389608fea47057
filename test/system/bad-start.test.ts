import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { systemClock } from '../../src/kernel/clock.ts'
import { readKeyFile } from '../../src/kernel/crypto/key-file.ts'
import { initSite } from '../../src/site/init-site.ts'
import { openVault } from '../../src/site/vault/open-vault.ts'
import { filesOf } from '../../src/testing/files-of.ts'
import { testDatabaseUrl } from '../../src/testing/test-postgres.ts'
import { testNetwork } from '../../src/testing/test-network.ts'
import { evidenceOf } from '../../src/testing/test-trade.ts'
import { assertRefused, runCli } from '../cli/run-cli.ts'

// A server that cannot start says why and what to do in one sentence, with its exit code, and leaves everything as it was.

let home: string
before(async () => {
  home = await mkdtemp(join(tmpdir(), 'hedgerow-start-'))
})
after(() => rm(home, { recursive: true, force: true }))

/** A site of its own that could start. */
async function freshSite(name: string): Promise<{ home: string; root: string }> {
  const own = join(home, name)
  const root = join(own, 'sites', 'galway')
  await initSite(root, {
    site: 'galway',
    custodian: 'edgeworks',
    territory: 'IE',
    networkUrl: 'http://127.0.0.1:9',
  })
  const key = await readKeyFile(join(root, 'keys', 'operator.jwk'))
  await writeFile(
    join(root, 'evidence.jws'),
    evidenceOf({ site: 'galway', territory: 'IE', clock: systemClock, key }),
  )
  return { home: own, root }
}

async function requireSentence(
  own: string,
  args: readonly string[],
  { code, says, environment = {} }: { code: number; says: RegExp; environment?: Record<string, string> },
): Promise<void> {
  const run = await runCli(own, [...args, '--port', '0'], environment)
  const sentences = run.error.split('\n').filter((line) => line !== '' && !line.startsWith('{'))
  assert.equal(sentences.length, 1, run.error)
  assert.match(sentences[0] ?? '', says)
  assert.equal(run.code, code, run.error)
  assert.doesNotMatch(run.error, /\n\s+at |undefined|\[object|secret-word/)
}

const SITE = ['site', 'serve', 'galway']
const NETWORK = ['network', 'serve']

suite('a server that cannot start', () => {
  test('a site whose database is away', async () => {
    const site = await freshSite('away')
    await requireSentence(site.home, SITE, {
      code: 3,
      says: /^Cannot reach PostgreSQL at 127\.0\.0\.1:9; start the database, or mend HEDGEROW_DATABASE_URL$/,
      environment: { HEDGEROW_DATABASE_URL: 'postgres://hedgerow:secret-word@127.0.0.1:9/site' },
    })
  })
  test('a database that does not let this user in', async () => {
    const url = (await testDatabaseUrl()).reveal()
    await requireSentence(join(home, 'entry'), NETWORK, {
      code: 3,
      says: /^The password is not right for PostgreSQL at .*; start the database, or mend HEDGEROW_DATABASE_URL$/,
      environment: { HEDGEROW_DATABASE_URL: url.replace(/:[^:@]+@/, ':secret-word@') },
    })
  })
  test('a database from which another network serves', async () => {
    await using network = await testNetwork({ clock: systemClock })
    await requireSentence(join(home, 'second'), NETWORK, {
      code: 1,
      says: /^Cannot serve from this database: another network does; stop the other server, or use another database$/,
      environment: { HEDGEROW_DATABASE_URL: network.databaseUrl },
    })
    assert.ok((await fetch(`${network.url}/readyz`)).ok, 'the first goes on')
  })
  test('a PostgreSQL directory of another major version', async () => {
    const data = join(home, 'major', 'network', 'postgres', 'data')
    await mkdir(data, { recursive: true, mode: 0o700 })
    await writeFile(join(data, 'PG_VERSION'), '14\n')
    await requireSentence(join(home, 'major'), NETWORK, {
      code: 1,
      says: /it was written by PostgreSQL 14; use the version of Hedgerow/,
    })
    assert.equal(await readFile(join(data, 'PG_VERSION'), 'utf8'), '14\n')
  })
  test('a site directory of another version', async () => {
    const site = await freshSite('version')
    await writeFile(join(site.root, 'version'), '99\n')
    await requireSentence(site.home, SITE, {
      code: 1,
      says: /version "99".*; use the version of Hedgerow that wrote/,
    })
    assert.equal(await readFile(join(site.root, 'version'), 'utf8'), '99\n')
  })
  test('a vault that is no vault', async () => {
    const site = await freshSite('vault')
    await mkdir(join(site.root, 'vault'), { recursive: true, mode: 0o700 })
    await writeFile(join(site.root, 'vault', 'vault.duckdb'), 'not a vault'.repeat(1_000))
    await requireSentence(site.home, SITE, {
      code: 1,
      says: /^Cannot open the vault: its file is not one that this version can read; use the version of Hedgerow that wrote/,
    })
  })
  test('a vault that another process has open', async () => {
    const site = await freshSite('held')
    await using vault = await openVault({ directory: join(site.root, 'vault'), clock: systemClock })
    await requireSentence(site.home, SITE, {
      code: 1,
      says: /^Cannot open the vault: another process has it open; stop the other server/,
    })
    assert.equal(await vault.personCount(), 0)
  })
  test('a port that is in use: a site is left as it was made, and of a network nothing is made', async () => {
    const site = await freshSite('port')
    const before = await filesOf(site.root)
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as { port: number }
    const runs = [
      await runCli(site.home, [...SITE, '--port', String(port)]),
      await runCli(join(home, 'none'), [...NETWORK, '--port', String(port)]),
    ]
    taken.close()
    for (const { error, code } of runs) {
      assert.equal(
        error,
        `Cannot listen on 127.0.0.1:${port}: another program uses the port; choose another with --port\n`,
      )
      assert.equal(code, 1)
    }
    assert.deepEqual(await filesOf(site.root), before)
    assert.ok(!existsSync(join(home, 'none')))
  })
  test('a site that was never made', async () => {
    await requireSentence(join(home, 'nowhere'), SITE, {
      code: 78,
      says: /^There is no site in .*: make it with "hedgerow site init"/,
    })
  })
  test('a network directory of another version', async () => {
    const directory = join(home, 'network-version', 'network')
    await mkdir(directory, { recursive: true, mode: 0o700 })
    await writeFile(join(directory, 'version'), '99\n')
    const run = await runCli(join(home, 'network-version'), ['network', 'serve', '--port', '0'])
    assertRefused(run, { code: 1, says: /version "99".*; use the version of Hedgerow that wrote/ })
    assert.equal(await readFile(join(directory, 'version'), 'utf8'), '99\n')
  })
  test('a network whose database is away', async () => {
    const environment = { HEDGEROW_DATABASE_URL: 'postgres://hedgerow:secret-word@127.0.0.1:9/network' }
    const run = await runCli(join(home, 'network-away'), ['network', 'serve', '--port', '0'], environment)
    assertRefused(run, {
      code: 3,
      says: /^Cannot reach PostgreSQL at 127\.0\.0\.1:9; start the database, or mend HEDGEROW_DATABASE_URL\n$/,
    })
    assert.doesNotMatch(run.error, /secret-word/)
  })
  test('settings that are wrong, all at once', async () => {
    const environment = { HEDGEROW_PORT: 'many', HEDGEROW_DATABASE_URL: 'mysql://x' }
    const run = await runCli(join(home, 'network-settings'), ['network', 'serve'], environment)
    assertRefused(run, { code: 78, says: /port.*\n?.*databaseUrl|databaseUrl.*\n?.*port/s })
  })
})
