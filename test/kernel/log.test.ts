import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { createInterface } from 'node:readline'
import { test } from 'node:test'

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

function logging(program: string) {
  const source = `import { jsonLog } from ${LOG}; const log = jsonLog({ service: 'test', level: 'info' }); ${program}`
  return spawn(process.execPath, ['--input-type=module', '--eval', source], { stdio: 'pipe' })
}

function recordOf(line: string): { readonly msg: string; readonly n?: number } {
  return JSON.parse(line) as { msg: string; n?: number }
}
