#!/usr/bin/env node
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * What npm links as `hedgerow`. It runs under whatever Node.js the machine has, which may be older than the one that
 * Hedgerow needs: then the command line runs under the one that came with the package (docs/decisions/0001).
 */
const NODE_MAJOR_MIN = 26

/** Exit code of wrong use, as in `failures.ts`, which an older Node.js need not be able to load. */
const WRONG_USE = 2

async function launch(): Promise<void> {
  if (Number.parseInt(process.versions.node, 10) >= NODE_MAJOR_MIN) {
    const { runCommandLine } = await import('./main.ts')
    await runCommandLine()
    return
  }
  const node = ownNode()
  if (node === undefined) {
    process.stderr.write(
      `Cannot run under Node.js ${process.versions.node}: install ${NODE_MAJOR_MIN} or newer, or install this package again with install scripts allowed\n`,
    )
    process.exitCode = WRONG_USE
    return
  }
  runUnder(node)
}

/** The Node.js that the dependency `node` places; `undefined` where its install script was not let run. */
function ownNode(): string | undefined {
  try {
    const found = join(dirname(createRequire(import.meta.url).resolve('node/package.json')), 'bin', 'node')
    return existsSync(found) ? found : undefined
  } catch {
    return undefined
  }
}

function runUnder(node: string): void {
  const main = fileURLToPath(
    new URL(`main${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
  )
  const child = spawn(node, ['--disable-warning=ExperimentalWarning', main, ...process.argv.slice(2)], {
    stdio: 'inherit',
  })
  // A service manager stops this process: what it started has to end too, and in order.
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => void child.kill(name))
  child.on('exit', (code) => {
    process.exitCode = code ?? 1
  })
}

await launch()
