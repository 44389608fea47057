import { readFileSync, readdirSync } from 'node:fs'

/** A process as the system tells of it (proc(5), `stat`): whose child it is, and ticks of its own and of children that have ended. */
interface Seen {
  readonly parent: number
  readonly ticks: number
}

const MS_PER_TICK = 10
/** Fields after the name: the state is the first. */
const [PARENT, USER, SYSTEM, ENDED_USER, ENDED_SYSTEM] = [1, 11, 12, 13, 14] as const

/**
 * Processor time so far of this process and of all that it started, in milliseconds (Linux; elsewhere it tells nothing): servers,
 * their PostgreSQL and its connections. What else runs on the machine is not in it, so that it can be compared where times of day cannot.
 */
export function processorMs(): number {
  const all = seenProcesses()
  const isOurs = (pid: number): boolean => {
    if (pid === process.pid) return true
    const parent = all.get(pid)?.parent
    return parent !== undefined && parent > 1 && isOurs(parent)
  }
  const ticks = [...all].reduce((sum, [pid, seen]) => (isOurs(pid) ? sum + seen.ticks : sum), 0)
  return all.size === 0 ? Number.NaN : ticks * MS_PER_TICK
}

function seenProcesses(): ReadonlyMap<number, Seen> {
  const seen = new Map<number, Seen>()
  for (const name of namesIn('/proc')) {
    const fields = fieldsOf(name)
    if (!fields) continue
    const of = (place: number) => Number(fields[place])
    seen.set(Number(name), {
      parent: of(PARENT),
      ticks: of(USER) + of(SYSTEM) + of(ENDED_USER) + of(ENDED_SYSTEM),
    })
  }
  return seen
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory).filter((name) => /^\d+$/.test(name))
  } catch {
    return []
  }
}

/** One that has ended meanwhile has none. The name, in brackets, may hold anything. */
function fieldsOf(pid: string): readonly string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined
  }
}
