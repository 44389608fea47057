import { spawnSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { Fault } from '../faults.ts'
import { PROGRAM_ENVIRONMENT } from './postgres-programs.ts'

/**
 * PostgreSQL refuses to run as root, so a server that runs as root starts it as another user of the machine. This
 * file knows which one, and how to start a program as that user.
 */
export interface OperatingUser {
  readonly uid: number
  readonly gid: number
}

/** How to start a program: what to execute, and as whom. */
export interface Launch {
  readonly command: string
  readonly args: readonly string[]
  readonly options: { readonly uid?: number; readonly gid?: number }
}

/**
 * Who PostgreSQL runs as on `dataDirectory`: its owner if it is there, else the machine's user `postgres`, which is
 * made if it is missing. `undefined` when this process is not root: then simply as ourselves.
 */
export function operatingUserFor(dataDirectory: string): OperatingUser | undefined {
  if (process.getuid?.() !== 0) return undefined
  const owner = statSync(dataDirectory, { throwIfNoEntry: false })
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid }
  return findUser('postgres') ?? makeUser('postgres')
}

/**
 * The way to start `command` as `user`. Where the program or its directory lies below one that only root may enter
 * (a checkout in root's home), the program keeps the one right that it needs to get there (CAP_DAC_OVERRIDE), and with
 * `no_setuid_fixup` access(2), by which PostgreSQL looks for its own programs, counts that right too.
 */
export function launchAs(
  user: OperatingUser | undefined,
  { command, args, reach }: { command: string; args: readonly string[]; reach: string },
): Launch {
  if (!user) return { command, args, options: {} }
  if (canReach(command, user) && canReach(reach, user)) return { command, args, options: user }
  const rights = [
    '--clear-groups',
    '--inh-caps',
    '+dac_override',
    '--ambient-caps',
    '+dac_override',
    '--securebits',
    '+no_setuid_fixup',
    '--',
  ]
  return {
    command: 'setpriv',
    args: ['--reuid', `${user.uid}`, '--regid', `${user.gid}`, ...rights, command, ...args],
    options: {},
  }
}

function canReach(path: string, user: OperatingUser): boolean {
  for (let directory = dirname(path); ; directory = dirname(directory)) {
    const { mode, uid, gid } = statSync(directory)
    const enterBit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001
    if ((mode & enterBit) === 0) return false
    if (directory === dirname(directory)) return true
  }
}

function findUser(name: string): OperatingUser | undefined {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${name}:`))
  const [, , uid, gid] = line?.split(':') ?? []
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) }
}

/** `useradd` is what most Linux systems have, `adduser -S` what BusyBox has. */
function makeUser(name: string): OperatingUser {
  const options = { env: PROGRAM_ENVIRONMENT }
  const shell = ['--shell', '/usr/sbin/nologin']
  spawnSync('useradd', ['--system', '--user-group', '--no-create-home', ...shell, name], options)
  if (!findUser(name)) spawnSync('adduser', ['-S', '-D', '-H', name], options)
  const user = findUser(name)
  if (user) return user
  throw new Fault('fault.configuration', {
    what: `Cannot start PostgreSQL as root: make a user "${name}" on this machine, run as an ordinary user, or set HEDGEROW_DATABASE_URL`,
  })
}
