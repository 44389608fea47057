import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Clock } from '../kernel/clock.ts'
import { Fault } from '../kernel/faults.ts'
import { listen } from '../kernel/http/listen.ts'
import { makeDirectory } from '../kernel/make-directory.ts'

/** A server of the demonstration in a process of its own, started as anybody would: by the command line. */
export interface ServerProcess {
  readonly name: string
  readonly url: string
  /** Starts it; resolves when its door answers. */
  start(): Promise<void>
  /** Resolves when it may serve (`/readyz`). */
  ready(): Promise<void>
  /** How it ended, with its last sentence, if it did though nobody here stopped it; `undefined` while it runs. */
  ended(): Promise<string | undefined>
  /** Ends it at once, as a power cut would. */
  kill(): Promise<void>
  /** Asks it to stop and waits until it has. */
  stop(): Promise<void>
  /** Resident memory in MB, where the system tells. */
  memoryMb(): Promise<number | undefined>
}

const START_TIMEOUT_MS = 45_000
const STOP_TIMEOUT_MS = 10_000
const POLL_MS = 40

/** A server that is started by `hedgerow ARGS…`; what it writes goes to `logFile`. */
export function serverProcess(facts: {
  name: string
  url: string
  args: readonly string[]
  environment: Readonly<Record<string, string | undefined>>
  logFile: string
  clock: Clock
}): ServerProcess {
  const { name, url, clock } = facts
  let child: ChildProcess | undefined
  let launching: Promise<ChildProcess> | undefined
  let isStopped = false
  const isGone = () => child === undefined || child.exitCode !== null || child.signalCode !== null
  const gone = async () => {
    const running = child
    if (running && !isGone()) await new Promise<void>((resolve) => void running.once('exit', () => resolve()))
  }
  const until = async (path: string) => {
    for (let waitedMs = 0; waitedMs < START_TIMEOUT_MS; waitedMs += POLL_MS) {
      if (isGone())
        throw new Fault('fault.unavailable', {
          what: `Cannot start ${name}: ${(await lastWords(facts.logFile)) ?? `it said nothing; its log is "${facts.logFile}"`}`,
        })
      if (await answers(`${url}${path}`)) return
      await clock.sleep(POLL_MS)
    }
    throw new Fault('fault.unavailable', {
      what: `Cannot start ${name}: it did not answer within ${START_TIMEOUT_MS / 1000} s; its log is "${facts.logFile}"`,
    })
  }
  return {
    name,
    url,
    async start() {
      isStopped = false
      // Somebody else's server on the port would answer in its place.
      await requirePlace({ name, url })
      if (isStopped) throw stoppedMeanwhile(name)
      launching = launch(facts)
      child = await launching
      await until('/healthz')
    },
    ready: () => until('/readyz'),
    async ended() {
      if (child === undefined || isStopped || !isGone()) return undefined
      const how = child.signalCode === null ? `exit code ${child.exitCode}` : `killed by ${child.signalCode}`
      const said = child.signalCode === null ? await lastWords(facts.logFile) : undefined
      return said === undefined ? how : `${said} (${how})`
    },
    async kill() {
      isStopped = true
      child?.kill('SIGKILL')
      await gone()
    },
    async stop() {
      isStopped = true
      // One that is just being started is not to be left behind.
      await launching?.catch(() => undefined)
      if (isGone()) return
      child?.kill('SIGTERM')
      const done = new AbortController()
      void clock.sleep(STOP_TIMEOUT_MS, done.signal).then(() => child?.kill('SIGKILL'))
      await gone()
      done.abort()
    },
    memoryMb: () => memoryMbOf(child?.pid ?? 0),
  }
}

async function memoryMbOf(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const kilobytes = /VmRSS:\s+(\d+) kB/.exec(status)?.[1]
  return kilobytes === undefined ? undefined : Math.round(Number(kilobytes) / 1024)
}

function stoppedMeanwhile(name: string): Fault {
  return new Fault('fault.unavailable', { what: `Cannot start ${name}: it was stopped meanwhile` })
}

async function launch({
  args,
  environment,
  logFile,
}: {
  args: readonly string[]
  environment: Readonly<Record<string, string | undefined>>
  logFile: string
}): Promise<ChildProcess> {
  makeDirectory(dirname(logFile))
  const log = createWriteStream(logFile, { flags: 'w', mode: 0o600 })
  await new Promise<void>((resolve, reject) => {
    log.once('open', () => resolve())
    log.once('error', reject)
  })
  const main = fileURLToPath(
    new URL(`../cli/main${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
  )
  // In a process group of its own: Ctrl-C reaches the demonstration first, which then stops its servers in order.
  return spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, ...args], {
    stdio: ['ignore', log, log],
    env: { ...environment, NO_COLOR: '1' },
    detached: true,
  })
}

/** Refuses a place that another program has, also one that never answers. */
export async function requirePlace({ name, url }: { name: string; url: string }): Promise<void> {
  const { hostname: host, port } = new URL(url)
  const nobody = { fetch: () => new Response(undefined, { status: 503 }) }
  try {
    await using door = await listen(nobody, { host, port: Number(port) })
    void door
  } catch (cause) {
    if (!(cause instanceof Fault) || cause.code !== 'fault.port_in_use') throw cause
    throw new Fault('fault.port_in_use', {
      what: `Cannot start ${name}: another program is at ${url} already; stop it, or choose other ports with --port (make run PORT=8400)`,
      cause,
    })
  }
}

async function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    (response) => response.ok,
    () => false,
  )
}

/** The last line that a server wrote which is a sentence, and neither a record nor the trace of a crash. */
async function lastWords(logFile: string): Promise<string | undefined> {
  const lines = (await readFile(logFile, 'utf8').catch(() => ''))
    .split('\n')
    .filter((line) => line.trim() !== '')
  return lines.findLast((line) => !/^(?:\{|\}|Node\.js v| {4})/.test(line)) ?? lines.at(-1)
}
