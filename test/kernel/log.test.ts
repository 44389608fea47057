import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { createInterface } from 'node:readline'
import { afterEach, test } from 'node:test'

const LOG = JSON.stringify(new URL('../../src/kernel/log.ts', import.meta.url).href)

test('records that are written together come whole and in order, and the last ones when the process ends', async () => {
  const child = logging(`
    for (let n = 0; n < 2000; n += 1) log.info('counted', { n })
    log.warn('warned')
    log.info('said last')`)
  const lines = (await text(child.stderr)).trimEnd().split('\n').map(recordOf)
  assert.deepEqual(
    lines.map(({ n, msg }) => n ?? msg),
    [...Array.from({ length: 2000 }, (_, n) => n), 'warned', 'said last'],
  )
})

test('a record is written while the process goes on, whether or not another follows', async () => {
  const child = logging(`log.info('said alone'); process.stdin.resume()`)
  const [line] = (await once(createInterface(child.stderr), 'line')) as [string]
  assert.equal(recordOf(line).msg, 'said alone')
  child.stdin.end()
  await once(child, 'exit')
})

test('an error is written with what came before it', async () => {
  const child = logging(`log.info('before'); log.error('failed'); process.stdin.resume()`)
  const lines: string[] = []
  const reader = createInterface(child.stderr)
  reader.on('line', (line) => lines.push(line))
  while (lines.length < 2) await once(reader, 'line')
  child.kill('SIGKILL')
  await once(child, 'exit')
  assert.deepEqual(
    lines.map((line) => recordOf(line).msg),
    ['before', 'failed'],
  )
})

test(
  'errors that come while others are written come out without a later record',
  { timeout: 30_000 },
  async () => {
    const child = logging(`
    for (let n = 0; n < 5; n += 1) log.error('failed', { n })
    process.stdin.resume()`)
    const lines: string[] = []
    const reader = createInterface(child.stderr)
    reader.on('line', (line) => lines.push(line))
    while (lines.length < 5) await once(reader, 'line')
    child.kill('SIGKILL')
    await once(child, 'exit')
    assert.deepEqual(
      lines.map((line) => recordOf(line).n),
      [0, 1, 2, 3, 4],
    )
  },
)

test(
  'a record whose time comes while a slow reader holds up the one before comes out after it',
  { timeout: 30_000 },
  async () => {
    const child = logging(`
    log.info('x'.repeat(1_000_000))
    log.info('said late')
    setTimeout(() => console.log('now'), 100)
    process.stdin.resume()`)
    await once(createInterface(child.stdout), 'line')
    const reader = createInterface(child.stderr)
    const lines: string[] = []
    reader.on('line', (line) => lines.push(line))
    while (lines.length < 2) await once(reader, 'line')
    assert.equal(recordOf(lines[1] ?? '').msg, 'said late')
    child.kill('SIGKILL')
    await once(child, 'exit')
  },
)

/** Ends what a test that failed has left. */
const children: ChildProcess[] = []
afterEach(() => children.splice(0).forEach((child) => child.kill('SIGKILL')))

function logging(program: string) {
  const source = `import { jsonLog } from ${LOG}; const log = jsonLog({ service: 'test', level: 'info' }); ${program}`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', source], { stdio: 'pipe' })
  children.push(child)
  return child
}

function recordOf(line: string): { readonly msg: string; readonly n?: number } {
  return JSON.parse(line) as { msg: string; n?: number }
}
