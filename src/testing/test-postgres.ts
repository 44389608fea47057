import { spawn } from 'node:child_process'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog } from '../kernel/log.ts'
import { startEmbedded } from '../kernel/postgres/embedded-postgres.ts'
import type { EmbeddedPostgres } from '../kernel/postgres/embedded-postgres.ts'
import { connect, embeddedUrl, ensureDatabase } from '../kernel/postgres/open-postgres.ts'
import type { Postgres } from '../kernel/postgres/open-postgres.ts'
import type { Secret } from '../kernel/secret.ts'
import { layCluster } from './test-cluster.ts'
import type { Template } from './test-cluster.ts'

/**
 * A fresh database on a real PostgreSQL, empty or a copy of a template: `await using postgres = await testPostgres()`. The first call of a
 * process starts one embedded server in a temporary directory (a quarter of a second), each further one only makes a
 * database. The server and its files go away when the process ends, however it ends.
 */
export async function testPostgres(template?: Template): Promise<Postgres> {
  return connect(await testDatabaseUrl(template), {
    name: 'test',
    log: silentLog,
    stop: () => Promise.resolve(),
  })
}

/**
 * The address of a fresh database, for what opens its own connections: empty, or a copy of a template, in which a server finds
 * its tables and need not make them.
 */
export async function testDatabaseUrl(template?: Template): Promise<Secret<string>> {
  running ??= start()
  const server = await running
  databaseCount += 1
  const name = `test_${databaseCount}`
  await ensureDatabase(embeddedUrl(server, 'postgres'), name, template)
  return embeddedUrl(server, name)
}

let running: Promise<EmbeddedPostgres> | undefined
let databaseCount = 0

async function start(): Promise<EmbeddedPostgres> {
  const directory = await mkdtemp(join(tmpdir(), 'hedgerow-test-'))
  await layCluster(directory)
  const server = await startEmbedded({ directory, log: silentLog, isDurable: false })
  removeAfter(server.pid, directory)
  return server
}

/** Waits, outside this process, until the server has been stopped by its watcher, and removes the directory. */
function removeAfter(pid: number, directory: string): void {
  const script = 'read -r _; while kill -0 "$1" 2>/dev/null; do sleep 0.1; done; rm -rf "$2"'
  const sweeper = spawn('/bin/sh', ['-c', script, 'sh', `${pid}`, directory], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  if ('unref' in sweeper.stdin && typeof sweeper.stdin.unref === 'function') sweeper.stdin.unref()
  sweeper.unref()
}
