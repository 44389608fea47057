import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { syncDirectory } from '../durable-file.ts'
import { Fault } from '../faults.ts'
import { systemRandom } from '../random.ts'
import { launchAs } from './operating-user.ts'
import type { OperatingUser } from './operating-user.ts'
import { PROGRAM_ENVIRONMENT, cannotRun, failedToStart } from './postgres-programs.ts'

/** Where an embedded PostgreSQL lives, and as whom it runs. */
export interface ClusterPlace {
  /** `<directory>/postgres`: holds the password, the socket, the server's log and `data`. */
  readonly base: string
  readonly data: string
  readonly user: OperatingUser | undefined
}

export const SUPERUSER = 'hedgerow'

/**
 * Makes the data directory and a random password for its superuser. Made beside and renamed into place, so that a
 * crash never leaves half a cluster that looks whole.
 */
export async function makeCluster(
  initdb: string,
  { base, data, user }: ClusterPlace,
  isDurable: boolean,
): Promise<void> {
  const draft = `${data}.new`
  const passwordFile = join(base, 'password')
  await rm(draft, { recursive: true, force: true })
  await writePassword(passwordFile, user)
  const args = [
    '--pgdata',
    draft,
    '--username',
    SUPERUSER,
    '--pwfile',
    passwordFile,
    '--auth=scram-sha-256',
    '--data-checksums',
    '--no-instructions',
  ]
  const text = [
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    ...(isDurable ? [] : ['--no-sync']),
  ]
  const {
    command,
    args: all,
    options,
  } = launchAs(user, { command: initdb, args: [...args, ...text], reach: draft })
  const child = spawn(command, all, {
    ...options,
    cwd: '/',
    env: PROGRAM_ENVIRONMENT,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const [code] = (await once(child, 'close').catch((cause: unknown) => {
    throw cannotRun(command, cause)
  })) as [number | null]
  if (code !== 0) throw failedToStart(said, 'make its directory')
  await rename(draft, data)
  await syncDirectory(base)
}

async function writePassword(path: string, user: OperatingUser | undefined): Promise<void> {
  await rm(path, { force: true })
  const file = await open(path, 'wx', 0o600)
  try {
    if (user) await file.chown(user.uid, user.gid)
    await file.writeFile(`${Buffer.from(systemRandom.bytes(24)).toString('base64url')}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Refuses a data directory that another major version of PostgreSQL wrote. */
export async function requireMajor(major: string, data: string): Promise<void> {
  const version = (await readFile(join(data, 'PG_VERSION'), 'utf8').catch(() => 'unknown')).trim()
  if (version === major) return
  throw new Fault('fault.directory_version', {
    what: `Cannot start PostgreSQL ${major} on "${data}": it was written by PostgreSQL ${version}`,
  })
}
