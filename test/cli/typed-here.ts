import { PassThrough } from 'node:stream'
import { runCommand } from '../../src/cli/main.ts'
import { processSession } from '../../src/cli/session.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import type { Clock } from '../../src/kernel/clock.ts'
import type { CliRun } from './run-cli.ts'

/** Types a command in this process: the same program without the start of one, which takes most of a second. One at a time. */
export async function typedHere(
  home: string,
  args: readonly string[],
  {
    clock = systemClock,
    environment = {},
    signal = new AbortController().signal,
    isErrorInteractive = false,
  }: {
    clock?: Clock
    environment?: Record<string, string>
    signal?: AbortSignal
    isErrorInteractive?: boolean
  } = {},
): Promise<CliRun> {
  const out = new PassThrough()
  const error = new PassThrough()
  const session = processSession({ HEDGEROW_HOME: home, ...environment }, signal)
  const terminal = { out, error, isInteractive: false, isErrorInteractive, columns: PIPED_COLUMNS }
  await runCommand({ ...session, clock, terminal }, args)
  const code = Number(process.exitCode ?? 0)
  process.exitCode = 0
  return { code, out: textOf(out), error: textOf(error) }
}

/** What `processTerminal` takes where nobody looks. */
const PIPED_COLUMNS = 120

/** All that was written; one `read()` gives one piece. */
function textOf(stream: PassThrough): string {
  const pieces: string[] = []
  stream.setEncoding('utf8')
  for (let piece: unknown = stream.read(); typeof piece === 'string'; piece = stream.read())
    pieces.push(piece)
  return pieces.join('')
}
