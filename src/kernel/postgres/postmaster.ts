import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { monotonicMs, systemClock } from '../clock.ts'
import { Fault } from '../faults.ts'
import type { Log } from '../log.ts'
import { commandOf, isAlive } from '../process-identity.ts'

/** What `postmaster.pid` says of the server that runs on a data directory. */
export interface Postmaster {
  readonly pid: number
  /** `starting`, `ready`, `stopping`, `standby`. */
  readonly status: string
}

/** Reads `postmaster.pid` (first line: process id, eighth: status); `undefined` when no server runs or it is being written. */
export async function readPostmaster(data: string): Promise<Postmaster | undefined> {
  const text = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')
  const lines = text.split('\n')
  const pid = Number(lines[0])
  return Number.isSafeInteger(pid) && pid > 0 ? { pid, status: (lines[7] ?? '').trim() } : undefined
}

/**
 * Stops a server that a killed process of ours left behind on this data directory. A pid file that outlived its server
 * may name a process that has nothing to do with us: only one that was started on this very directory is touched.
 */
export async function endOrphan(
  data: string,
  { log, deadlineMs }: { log: Log; deadlineMs: number },
): Promise<void> {
  const postmaster = await readPostmaster(data)
  if (!postmaster || !isAlive(postmaster.pid)) return
  if (!(commandOf(postmaster.pid) ?? '').includes(`-D ${data}`)) return
  log.warn('postgres.orphan', { pid: postmaster.pid })
  await endProcess(postmaster.pid, deadlineMs)
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
