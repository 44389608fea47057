import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { monotonicMs, systemClock } from '../../src/kernel/clock.ts'

/** Away from the ports of the other test of the demonstration, and from those that a system gives to whoever asks for any. */
const PORT = 26_100 + (process.pid % 6_000)
const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

test('a demonstration that stays up says when a server ends, how, and what to do; the others go on', async () => {
  const home = await mkdtemp(join(tmpdir(), 'hedgerow-demo-'))
  const { PATH, NODE_COMPILE_CACHE } = process.env
  const demo = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', MAIN, 'demo', '--port', String(PORT)],
    { env: { PATH, NODE_COMPILE_CACHE, HEDGEROW_HOME: home }, stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const ended = once(demo, 'exit')
  let out = ''
  demo.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  const says = async (wanted: RegExp) => {
    const deadline = monotonicMs() + 90_000
    while (!wanted.test(out)) {
      assert.ok(monotonicMs() < deadline && demo.exitCode === null, out)
      await systemClock.sleep(50)
    }
  }
  try {
    await says(/Ctrl-C stops everything/)
    const zurich = await readFile(join(home, 'sites', 'zurich', 'lock'), 'utf8')
    process.kill(Number(/\d+/.exec(zurich)?.[0]), 'SIGKILL')
    await says(
      /✗ zurich ended: killed by SIGKILL\n {4}Start it again with {3}\.\/hedgerow site serve zurich --port \d+\n/,
    )
    const pid = await readFile(join(home, 'network', 'postgres', 'data', 'postmaster.pid'), 'utf8')
    process.kill(Number(pid.split('\n')[0]), 'SIGKILL')
    await says(
      /✗ network ended: PostgreSQL ended by itself \(SIGKILL\); start the server again.*\(exit code 3\)\n/,
    )
    const galway = /galway {3}(\S+)/.exec(out.slice(out.indexOf('Running')))?.[1] ?? ''
    assert.ok((await fetch(`${galway}/healthz`)).ok)
    assert.doesNotMatch(out, /✗ galway/)
  } finally {
    if (demo.exitCode === null) demo.kill('SIGINT')
    await ended
    await rm(home, { recursive: true, force: true })
  }
  assert.equal(demo.exitCode, 1, 'not everything went as it should')
})
