import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

/** Runs `hedgerow demo ARGS…` in a home directory of its own. */
export function runDemoCli(
  home: string,
  args: readonly string[],
): Promise<{ readonly code: number; readonly out: string; readonly error: string }> {
  const { PATH, NODE_COMPILE_CACHE } = process.env
  const env = { PATH, NODE_COMPILE_CACHE, HEDGEROW_HOME: home }
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', MAIN, 'demo', ...args],
      { env, timeout: 115_000, maxBuffer: 16 * 1024 * 1024 },
      (failure, out, error) =>
        resolve({
          code: failure === null ? 0 : typeof failure.code === 'number' ? failure.code : -1,
          out,
          error,
        }),
    )
  })
}
