import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { sql } from 'kysely'
import { formatInstant, instant } from '../../../src/kernel/clock.ts'
import { Fault } from '../../../src/kernel/faults.ts'
import { silentLog } from '../../../src/kernel/log.ts'
import { startEmbedded } from '../../../src/kernel/postgres/embedded-postgres.ts'
import { KEPT } from '../../../src/kernel/postgres/kept-statements.ts'
import { embeddedUrl, openPostgres, requireNewEnough } from '../../../src/kernel/postgres/open-postgres.ts'
import { isAlive } from '../../../src/kernel/process-identity.ts'
import { Secret } from '../../../src/kernel/secret.ts'
import { testPostgres } from '../../../src/testing/test-postgres.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hedgerow-pg-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const refusedWith = (code: string) => (error: unknown) => {
  assert.ok(error instanceof Fault && error.code === code, `expected ${code}, got ${String(error)}`)
  return true
}

const postmasterPid = (of: string) =>
  Number(readFileSync(join(of, 'postgres', 'data', 'postmaster.pid'), 'utf8').split('\n', 1)[0])

/** Processes that this one has started, by the file system of processes. */
const childrenOf = (parent: number) =>
  readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false
    try {
      const stat = readFileSync(join('/proc', pid, 'stat'), 'utf8')
      return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] === `${parent}`
    } catch {
      return false
    }
  })

describe('a statement that is kept', () => {
  test('stays prepared on its connection and gives the same, with other values and after a failure too', async () => {
    await using postgres = await testPostgres()
    await postgres.db.connection().execute(async (db) => {
      const half = (by: number) =>
        sql<{ half: bigint }>`
          ${KEPT} select ${100}::int8 / ${by}::int8 as half`.execute(db)
      const plain = (by: number) =>
        sql<{ half: bigint }>`select ${100}::int8 / ${by}::int8 as half`.execute(db)
      for (const by of [2, 4, 5]) assert.deepEqual((await half(by)).rows, (await plain(by)).rows)
      await assert.rejects(half(0), /division by zero/)
      assert.deepEqual((await half(2)).rows, [{ half: 50n }])
      const { rows } = await sql<{ statement: string }>`select statement from pg_prepared_statements`.execute(
        db,
      )
      assert.deepEqual(
        rows.map(({ statement }) => statement.trim()),
        ['/* kept */ select $1::int8 / $2::int8 as half'],
      )
    })
  })
})

describe('openPostgres() with the embedded one', () => {
  // Making a cluster takes most of the time; these tests stop and start one.
  let directory: string
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'hedgerow-pg-'))
  })
  after(() => rmSync(directory, { recursive: true, force: true }))

  test('keeps what was committed over a stop and a start, and stops cleanly', async () => {
    {
      await using postgres = await openPostgres({ directory, name: 'site', log: silentLog })
      await sql`create table kept (x int8)`.execute(postgres.db)
      await sql`insert into kept values (${7n})`.execute(postgres.db)
    }
    const log = readFileSync(join(directory, 'postgres', 'server.log'), 'utf8')
    assert.match(log, /database system is shut down/)
    await using postgres = await openPostgres({ directory, name: 'site', log: silentLog })
    assert.deepEqual((await sql`select x from kept`.execute(postgres.db)).rows, [{ x: 7n }])
    const { rows } = await sql<{ fsync: string }>`select current_setting('fsync') as fsync`.execute(
      postgres.db,
    )
    assert.equal(rows[0]?.fsync, 'on')
  })

  test('keeps the password to itself and listens on no network', async () => {
    await using postgres = await openPostgres({ directory, name: 'site', log: silentLog })
    assert.equal(statSync(join(directory, 'postgres', 'password')).mode & 0o777, 0o600)
    assert.equal(String(postgres.url), '[secret]')
    const { rows } = await sql<{
      addresses: string
    }>`select current_setting('listen_addresses') as addresses`.execute(postgres.db)
    assert.equal(rows[0]?.addresses, '')
    const wrong = new Secret(postgres.url.reveal().replace(/:[^:@/]+@/, ':wrong@'))
    await assert.rejects(
      openPostgres({ directory, url: wrong, name: 'site', log: silentLog }),
      refusedWith('fault.database_unreachable'),
    )
  })

  const onLinux = { skip: process.platform !== 'linux' && 'only Linux shows the environment of a process' }
  test('gives nothing of our environment to the programs that it starts', onLinux, async () => {
    process.env['HEDGEROW_PLANTED'] = 'hedgerow-planted-secret'
    try {
      await using postgres = await openPostgres({ directory, name: 'site', log: silentLog })
      assert.ok(postgres.db)
      const server = postmasterPid(directory)
      const of = (pid: string, what: string) => readFileSync(join('/proc', pid, what), 'utf8')
      const watching = childrenOf(process.pid).filter((pid) =>
        of(pid, 'cmdline').includes(`\0sh\0${server}\0`),
      )
      assert.equal(watching.length, 1, 'the process that ends the server when ours is gone')
      for (const pid of [...watching, `${server}`])
        // What stands there is not for the output of a test that fails.
        assert.equal(/HEDGEROW|planted|HOME=/.test(of(pid, 'environ')), false)
    } finally {
      delete process.env['HEDGEROW_PLANTED']
    }
  })

  test('goes on with a server that a killed process left behind', async () => {
    const module = new URL('../../../src/kernel/postgres/embedded-postgres.ts', import.meta.url).href
    const script = `const { startEmbedded } = await import(${JSON.stringify(module)})
      const log = { info() {}, warn() {}, error() {} }
      await startEmbedded({ directory: process.argv[1], log }); console.log('up'); setInterval(() => {}, 1000)`
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(child.stdout, 'data')
    const orphan = postmasterPid(directory)
    child.kill('SIGKILL')
    await once(child, 'exit')
    await using postgres = await openPostgres({ directory, name: 'site', log: silentLog })
    assert.ok(!isAlive(orphan))
    await sql`select 1`.execute(postgres.db)
  })

  test('does not touch a process that a stale pid file happens to name', async () => {
    {
      await using postgres = await openPostgres({ directory, name: 'site', log: silentLog })
      assert.ok(postgres.db)
    }
    const user = statSync(join(directory, 'postgres', 'data'))
    // As the same user as PostgreSQL, which would else not believe that the process is none of its own.
    const bystander = spawn('sleep', ['60'], process.getuid?.() === 0 ? { uid: user.uid, gid: user.gid } : {})
    writeFileSync(
      join(directory, 'postgres', 'data', 'postmaster.pid'),
      `${bystander.pid}\n/elsewhere\n0\n5432\n\n\n\nready\n`,
    )
    try {
      await using postgres = await openPostgres({ directory, name: 'site', log: silentLog })
      assert.ok(postgres.db)
      assert.equal(bystander.exitCode ?? bystander.signalCode, null)
    } finally {
      bystander.kill()
    }
  })
})

describe('startEmbedded()', () => {
  const answers = async (where: string): Promise<string> => {
    const server = await startEmbedded({ directory: where, log: silentLog, isDurable: false })
    const url = embeddedUrl(server, 'postgres')
    {
      await using postgres = await openPostgres({ directory: where, url, name: 'test', log: silentLog })
      await sql`select 1`.execute(postgres.db)
    }
    await server.stop()
    return url.reveal()
  }

  test('starts again after a kill in the middle of making its directory', async () => {
    mkdirSync(join(directory, 'postgres', 'data.new'), { recursive: true })
    writeFileSync(join(directory, 'postgres', 'data.new', 'PG_VERSION'), '18\n')
    assert.match(await answers(directory), /host=/)
  })

  test('works where only the owner may enter the directories above, with a path too long for a socket', async () => {
    const below = join(directory, 'closed', 'long'.repeat(30))
    mkdirSync(below, { recursive: true })
    chmodSync(join(directory, 'closed'), 0o700)
    assert.match(await answers(below), /@127\.0\.0\.1:\d+\/postgres$/)
  })

  test('refuses a directory that another version of PostgreSQL wrote', async () => {
    mkdirSync(join(directory, 'postgres', 'data'), { recursive: true })
    writeFileSync(join(directory, 'postgres', 'data', 'PG_VERSION'), '14\n')
    await assert.rejects(
      openPostgres({ directory, name: 'site', log: silentLog }),
      refusedWith('fault.directory_version'),
    )
  })
})

describe('openPostgres() with an address', () => {
  test('uses that database', async () => {
    await using given = await testPostgres()
    await using postgres = await openPostgres({ directory, url: given.url, name: 'site', log: silentLog })
    await sql`select 1`.execute(postgres.db)
  })

  test('says that a database is away', async () => {
    const url = new Secret('postgresql://nobody:nothing@127.0.0.1:1/none')
    await assert.rejects(
      openPostgres({ directory, url, name: 'site', log: silentLog }),
      refusedWith('fault.database_unreachable'),
    )
  })

  test('does not wait for ever for something that is not PostgreSQL', async () => {
    const server = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(
      0,
      '127.0.0.1',
    )
    await once(server, 'listening')
    const address = server.address()
    const port = address !== null && typeof address === 'object' ? address.port : 0
    try {
      const url = new Secret(`postgresql://nobody:nothing@127.0.0.1:${port}/none`)
      await assert.rejects(
        openPostgres({ directory, url, name: 'site', log: silentLog }),
        (error: unknown) => error instanceof Fault,
      )
    } finally {
      server.close()
    }
  })

  test('says that a database is too old', () => {
    assert.throws(() => requireNewEnough(140_012), refusedWith('fault.database_version'))
    assert.doesNotThrow(() => requireNewEnough(150_000))
  })
})

test('values come back as the types that we use', async () => {
  await using postgres = await testPostgres()
  const at = instant(1_795_487_505_616)
  const { rows } = await sql`
    select 9007199254740993 as big, ${[1n, 2n]}::int8[] as bigs, ${formatInstant(at)}::timestamptz as at,
      date '2026-02-28' as day, 1.50 as exact, '\\x00ff'::bytea as bytes, ${'{"a":1}'}::jsonb as json, 5 as small`.execute(
    postgres.db,
  )
  assert.deepEqual(rows, [
    {
      big: 9007199254740993n,
      bigs: [1n, 2n],
      at,
      day: '2026-02-28',
      exact: '1.50',
      bytes: Buffer.from([0, 255]),
      json: { a: 1 },
      small: 5,
    },
  ])
})
