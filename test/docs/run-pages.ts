import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { ROOT, blocksOf, textOf } from './pages.ts'

/** What a block gave and, where the page shows what it prints, what is shown. */
export interface BlockRun {
  readonly place: string
  readonly commands: string
  readonly code: number
  readonly expectedCode: number
  readonly out: string
  readonly shown: string | undefined
}

/** A directory in which a reader of the pages works: `./hedgerow` is there, and ports nobody else uses. */
export interface Desk extends AsyncDisposable {
  run(page: string): AsyncGenerator<BlockRun>
}

/** The ports that the pages are written with. */
const PORTS = ['7400', '7411'] as const

/**
 * Opens a desk. Blocks marked `sh run` are run in turn in one shell's environment, `sh serve` are servers that go on
 * until the desk is closed; others are not run. A `text` block behind one shows what it prints. The id of an ask in a
 * command stands for the last one that was printed.
 */
export async function openDesk(): Promise<Desk> {
  const directory = await mkdtemp(join(tmpdir(), 'hedgerow-docs-'))
  await symlink(join(ROOT, 'hedgerow'), join(directory, 'hedgerow'))
  const ports = await Promise.all(PORTS.map(freePort))
  const servers: ChildProcess[] = []
  const state = { lastAsk: '' }
  const translate = (text: string) =>
    PORTS.reduce((all, port, index) => all.replaceAll(port, ports[index] ?? port), text).replaceAll(
      /ask_[0-9A-Z]{26}/g,
      (written) => (state.lastAsk === '' ? written : state.lastAsk),
    )
  return {
    async *run(page) {
      const blocks = blocksOf(textOf(page))
      for (const [index, { info, text, line }] of blocks.entries()) {
        const [language, kind, ...rest] = info.split(' ')
        if (language !== 'sh') continue
        if (kind === 'serve') servers.push(await serve(translate(text), { directory, port: ports[0] ?? '' }))
        if (kind !== 'run') continue
        const next = blocks[index + 1]
        const { code, out } = await runShell(translate(text), { directory, port: ports[0] ?? '' })
        state.lastAsk = /ask_[0-9A-Z]{26}/g.exec(out)?.[0] ?? state.lastAsk
        yield {
          place: `${page}:${line}`,
          commands: text,
          code,
          expectedCode: Number(/^exit=(\d+)$/.exec(rest[0] ?? '')?.[1] ?? 0),
          out: PORTS.reduce((all, port, at) => all.replaceAll(ports[at] ?? port, port), out),
          shown: next?.info === 'text' ? next.text : undefined,
        }
      }
    },
    async [Symbol.asyncDispose]() {
      for (const server of servers.toReversed()) await stop(server)
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** After which a block that goes on is one that hangs: some fifty times what the longest takes. */
const BLOCK_TIMEOUT_MS = 300_000

interface Place {
  readonly directory: string
  readonly port: string
}

function environment({ port }: Place): Record<string, string> {
  const { PATH = '', HOME = '' } = process.env
  return {
    PATH: `${dirname(process.execPath)}:${PATH}`,
    HOME,
    HEDGEROW_NETWORK_URL: `http://127.0.0.1:${port}`,
  }
}

/** One block in a shell that takes over what the one before it exported. */
async function runShell(block: string, place: Place): Promise<{ code: number; out: string }> {
  const script = `set -e\nif [ -f .exported ]; then . ./.exported; fi\n${block}\nexport -p > .exported\n`
  const child = spawn('sh', ['-c', script], {
    cwd: place.directory,
    env: environment(place),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // its commands are ended with it
  })
  let out = ''
  child.stdout.on('data', (bytes: Buffer) => (out += bytes.toString()))
  child.stderr.on('data', (bytes: Buffer) => (out += bytes.toString()))
  await ended(child, 'close').catch((cause: unknown) => {
    process.kill(-(child.pid ?? 0), 'SIGKILL')
    throw new Error(`The block did not end: ${block}\n${out}`, { cause })
  })
  return { code: child.exitCode ?? -1, out: out.replaceAll('\r\n', '\n').trimEnd() }
}

/** Starts a server and waits until it says that it has started. */
async function serve(block: string, place: Place): Promise<ChildProcess> {
  const child = spawn('sh', ['-c', block.replace(/^\.\/hedgerow/m, 'exec ./hedgerow')], {
    cwd: place.directory,
    env: environment(place),
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const lines = createInterface({ input: child.stderr })
  const said: string[] = []
  const late = AbortSignal.timeout(BLOCK_TIMEOUT_MS)
  await new Promise<void>((resolve, reject) => {
    const fail = (what: string) => reject(new Error(`The server ${what}: ${said.join('\n')}`))
    const giveUp = () => {
      child.kill('SIGKILL')
      fail('did not start')
    }
    late.addEventListener('abort', giveUp)
    child.once('exit', () => fail('ended'))
    lines.on('line', (line) => {
      said.push(line)
      if (!/"msg":"(?:network|site)\.started"/.test(line)) return
      late.removeEventListener('abort', giveUp)
      resolve()
    })
  })
  return child
}

async function stop(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return
  server.kill('SIGTERM')
  await ended(server, 'exit').catch((cause: unknown) => {
    server.kill('SIGKILL')
    throw new Error('The server did not stop', { cause })
  })
}

async function ended(child: ChildProcess, event: 'exit' | 'close'): Promise<void> {
  await once(child, event, { signal: AbortSignal.timeout(BLOCK_TIMEOUT_MS) })
}

/** A port below those that a system gives to whoever asks for any, which another test might be given before it is used. */
async function freePort(): Promise<string> {
  const port = randomInt(20_000, 32_000)
  const server = createServer()
  const isFree = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => resolve(true))
  })
  if (!isFree) return freePort()
  server.close()
  await once(server, 'close')
  return String(port)
}

/** What varies from run to run: the page's own stands for any. `…` stands for anything at all. */
const VARYING: readonly RegExp[] = [
  /\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z/,
  /\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2} UTC/,
  /\d{1,2} [A-Z][a-z]+ \d{4}, \d{2}:\d{2} UTC/,
  /\b(?:ask|stl|contract)_[0-9A-Z]{26}/,
  /\d{4}-\d{2}-\d{2}/,
  /"x":"[A-Za-z0-9_-]{43}"/,
  /sha-256:[0-9a-f]{32,64}/,
  /file:[0-9a-f]{32}/,
]

/** Whether what was printed is what the page shows, but for what varies. */
export function isAsShown(out: string, shown: string): boolean {
  const varying = new RegExp(`${VARYING.map(({ source }) => source).join('|')}|…`, 'g')
  let pattern = ''
  let end = 0
  for (const match of shown.matchAll(varying)) {
    const kind = VARYING.find((one) => new RegExp(`^(?:${one.source})$`).test(match[0]))
    pattern += RegExp.escape(shown.slice(end, match.index)) + (kind ? `(?:${kind.source})` : '[\\s\\S]*?')
    end = match.index + match[0].length
  }
  return new RegExp(`^${pattern}${RegExp.escape(shown.slice(end))}$`).test(out)
}
