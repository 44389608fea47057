import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const RUN_TESTS = fileURLToPath(new URL('../../scripts/run-tests.ts', import.meta.url))

/** Runs planted test files as `make test` runs all of them, and gives what was said of each test, and the exit code. */
function runPlanted(files: Readonly<Record<string, string>>): { code: number | null; out: string } {
  const directory = mkdtempSync(join(tmpdir(), 'hedgerow-planted-'))
  try {
    for (const [name, text] of Object.entries(files))
      writeFileSync(join(directory, name), `import { after, before, test } from 'node:test'\n${text}`)
    // The runner does nothing where it finds that it is run by itself.
    const env = { ...process.env, NODE_TEST_CONTEXT: undefined }
    const args = [
      '--disable-warning=ExperimentalWarning',
      RUN_TESTS,
      '--test-reporter=tap',
      '--test-concurrency=1',
    ]
    const { status, stdout, stderr } = spawnSync(process.execPath, [...args, join(directory, '*.test.mjs')], {
      env,
      encoding: 'utf8',
    })
    return { code: status, out: stdout + stderr }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

test('each file of a process runs by itself, with its own hooks; one test that fails is enough', () => {
  const file = (name: string, body: string) =>
    `globalThis.open ??= []
     globalThis.isUsed = true
     before(() => globalThis.open.push('${name}'))
     after(() => globalThis.open.pop())
     test('${name} is alone', () => { if (globalThis.open.join() !== '${name}') throw new Error(globalThis.open.join()) })
     ${body}`
  const { code, out } = runPlanted({
    'first.test.mjs': file('first', ''),
    'second.test.mjs': file('second', `test('second fails', () => { throw new Error('planted') })`),
    'third.test.mjs': file(
      'third',
      `await null\ntest('says that all is well', () => { process.exitCode = 0 })`,
    ),
    'unshared.test.mjs': `test('memoryUsage().rss is its own', () => { if (globalThis.isUsed) throw new Error('planted') })`,
  })
  assert.equal(code, 1)
  for (const good of ['first is alone', 'second is alone', 'third is alone'])
    assert.match(out, new RegExp(`^ +ok \\d+ - ${good}$`, 'm'))
  assert.match(out, /not ok \d+ - second fails/)
  assert.match(
    out,
    /^ +ok \d+ - memoryUsage\(\)\.rss is its own$|^ok \d+ - memoryUsage\(\)\.rss is its own$/m,
  )
  assert.match(out, /# fail 1\n/)
})

test('a process that ends before its time is told, and what it left is not taken for run', () => {
  const { code, out } = runPlanted({
    'first.test.mjs': `test('ends', () => process.exit(0))`,
    'second.test.mjs': `test('is not reached', () => undefined)`,
  })
  assert.equal(code, 1)
  assert.match(out, /Not run, because a process ended before its time: \S+second\.test\.mjs/)
})

test('a file that cannot be loaded fails, and the others run', () => {
  const { code, out } = runPlanted({
    'first.test.mjs': `import './nowhere.mjs'`,
    'second.test.mjs': `test('is reached', () => undefined)`,
  })
  assert.equal(code, 1)
  assert.match(out, /not ok \d+ - \S+first\.test\.mjs/)
  assert.match(out, /^ +ok \d+ - is reached$/m)
})

test('where there is no test file nothing passes', () => {
  const { code, out } = runPlanted({})
  assert.equal(code, 1, out)
  assert.match(out, /There is no test file/)
})
