import { readFileSync } from 'node:fs'
import { spawnSync } from 'node:child_process'

/** Whether a process with this number runs; it may be another one than once was meant. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !isZombie(pid)
  } catch (error) {
    // EPERM: it runs, as somebody else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/**
 * What tells this process from a later one with the same number: when it started. `undefined` when there is none, or
 * when the system does not say.
 */
export function startOf(pid: number): string | undefined {
  if (process.platform === 'linux') return statFields(pid)?.[19]
  return ask(pid, 'lstart=')
}

/** The command line of a process; `undefined` when there is none, or when the system does not say. */
export function commandOf(pid: number): string | undefined {
  if (process.platform === 'linux') return read(`/proc/${pid}/cmdline`)?.replaceAll('\0', ' ')
  return ask(pid, 'command=')
}

function isZombie(pid: number): boolean {
  return process.platform === 'linux' && statFields(pid)?.[0] === 'Z'
}

/** The fields of `/proc/PID/stat` after the name (proc(5)): first the state, the twentieth is the start time. */
function statFields(pid: number): readonly string[] | undefined {
  const text = read(`/proc/${pid}/stat`)
  return text?.slice(text.lastIndexOf(')') + 2).split(' ')
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function ask(pid: number, column: string): string | undefined {
  const { stdout, status } = spawnSync('ps', ['-o', column, '-p', `${pid}`], { encoding: 'utf8' })
  return status === 0 ? stdout.trim() || undefined : undefined
}
