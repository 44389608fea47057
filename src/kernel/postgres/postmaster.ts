import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { monotonicMs, systemClock } from '../clock.ts'
import { Fault } from '../faults.ts'
import type { Log } from '../log.ts'
import { commandOf, isAlive } from '../process-identity.ts'
import { whenMissing } from '../when-missing.ts'

/** What `postmaster.pid` says of the server that runs on a data directory. */
export interface Postmaster {
  readonly pid: number
  /** `starting`, `ready`, `stopping`, `standby`. */
  readonly status: string
}

/** Reads `postmaster.pid` (first line: process id, eighth: status); `undefined` when no server runs or it is being written. */
export async function readPostmaster(data: string): Promise<Postmaster | undefined> {
  const text = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(whenMissing(''))
  const lines = text.split('\n')
  const pid = Number(lines[0])
  return Number.isSafeInteger(pid) && pid > 0 ? { pid, status: (lines[7] ?? '').trim() } : undefined
}

/**
 * Makes way for a server on this data directory. One that a killed process of ours left behind is stopped. A pid file
 * that outlived its server may name a process that has nothing to do with us (after a restart of a container it often
 * does): that process is not touched, but the file goes, because PostgreSQL would not start beside it.
 */
export async function makeWay(
  data: string,
  { log, deadlineMs }: { log: Log; deadlineMs: number },
): Promise<void> {
  const postmaster = await readPostmaster(data)
  if (!postmaster || !isAlive(postmaster.pid)) return
  const command = commandOf(postmaster.pid)
  if (command === undefined) return
  if (command.includes(`-D ${data}`)) {
    log.warn('postgres.orphan', { pid: postmaster.pid })
    await endProcess(postmaster.pid, deadlineMs)
  } else if (!isPostgres(command)) {
    log.warn('postgres.stale_pid_file', { pid: postmaster.pid })
    await rm(join(data, 'postmaster.pid'), { force: true })
  }
}

/** Somebody may have started one by hand, under another name of the directory: PostgreSQL itself then refuses. */
function isPostgres(command: string): boolean {
  return /^(\S*\/)?(postgres|postmaster)(:|\s|$)/.test(command)
}

/** Ends a PostgreSQL: "fast", after the deadline "immediate" (it recovers at the next start), at last by force. */
export async function endProcess(pid: number, deadlineMs: number): Promise<void> {
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    if (!isAlive(pid)) return
    process.kill(pid, signal)
    const deadline = monotonicMs() + (signal === 'SIGINT' ? deadlineMs : 5_000)
    while (isAlive(pid) && monotonicMs() < deadline) await systemClock.sleep(5)
  }
  if (isAlive(pid))
    throw new Fault('fault.directory_in_use', { what: `PostgreSQL (process ${pid}) does not stop` })
}
