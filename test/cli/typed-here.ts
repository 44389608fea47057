import { PassThrough } from 'node:stream'
import { buildProgram } from '../../src/cli/main.ts'
import { processSession } from '../../src/cli/session.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import type { Clock } from '../../src/kernel/clock.ts'
import type { CliRun } from './run-cli.ts'

/** Types a command in this process, by a clock: the same program without the start of one. */
export async function typedHere(
  { home, clock = systemClock }: { home: string; clock?: Clock },
  args: readonly string[],
): Promise<CliRun> {
  const out = new PassThrough()
  const error = new PassThrough()
  const session = processSession({ HEDGEROW_HOME: home }, new AbortController().signal)
  const terminal = { out, error, isInteractive: false, columns: 100 }
  await buildProgram({ ...session, clock, terminal }).parseAsync([...args], { from: 'user' })
  const code = Number(process.exitCode ?? 0)
  process.exitCode = 0
  return { code, out: textOf(out), error: textOf(error) }
}

/** All that was written; one `read()` gives one piece. */
function textOf(stream: PassThrough): string {
  const pieces: string[] = []
  stream.setEncoding('utf8')
  for (let piece: unknown = stream.read(); typeof piece === 'string'; piece = stream.read())
    pieces.push(piece)
  return pieces.join('')
}
