import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

/** What a run of the real command line gave. */
export interface CliRun {
  readonly code: number
  readonly out: string
  readonly error: string
}

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

/** Runs `hedgerow ARGS…` as a user would, with a home directory of its own and nothing of this environment; `piped` is its input. */
export function runCli(
  home: string,
  args: readonly string[],
  environment: Record<string, string> = {},
  piped = '',
): Promise<CliRun> {
  const { PATH, NODE_COMPILE_CACHE } = process.env
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', MAIN, ...args],
      { env: { PATH, NODE_COMPILE_CACHE, HEDGEROW_HOME: home, ...environment }, timeout: 120_000 },
      (failure, out, error) => {
        const code = failure === null ? 0 : typeof failure.code === 'number' ? failure.code : -1
        resolve({ code, out, error })
      },
    )
    // What reads no input may have ended.
    child.stdin?.on('error', () => undefined).end(piped)
  })
}

/** The sentence is there, the code is right, and there is nothing of a program's insides. */
export function assertRefused(run: CliRun, { code, says }: { code: number; says: RegExp }): void {
  const said = run.error + run.out
  assert.match(said, says)
  assert.equal(run.code, code, said)
  assert.doesNotMatch(said, /\n\s+at |Error:|undefined|\[object/)
}

/** A directory that goes away with the test. */
export async function temporaryHome(context: TestContext): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'hedgerow-cli-'))
  context.after(() => rm(home, { recursive: true, force: true }))
  return home
}
