import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { lockDirectory } from '../../src/kernel/directory-lock.ts'
import { Fault } from '../../src/kernel/faults.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hedgerow-lock-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const refusedWith = (code: string) => (error: unknown) => error instanceof Fault && error.code === code

describe('lockDirectory()', () => {
  test('refuses a second holder, and lets the next one in after release', async () => {
    const first = await lockDirectory(directory)
    await assert.rejects(lockDirectory(directory), refusedWith('fault.directory_in_use'))
    await first[Symbol.asyncDispose]()
    const second = await lockDirectory(directory)
    await second[Symbol.asyncDispose]()
    assert.deepEqual(readdirSync(directory), ['version'])
  })

  test('refuses while another process holds it, and takes over when that process was killed', async () => {
    const module = new URL('../../src/kernel/directory-lock.ts', import.meta.url).href
    const script = `const { lockDirectory } = await import(${JSON.stringify(module)})
      await lockDirectory(process.argv[1]); console.log('held'); setInterval(() => {}, 1000)`
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    try {
      await once(child.stdout, 'data')
      await assert.rejects(lockDirectory(directory), refusedWith('fault.directory_in_use'))
    } finally {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    await using lock = await lockDirectory(directory)
    assert.ok(lock)
    assert.equal(JSON.parse(readFileSync(join(directory, 'lock'), 'utf8')).pid, process.pid)
  })

  test('takes over from an earlier process that had the number of one that runs now', async () => {
    writeFileSync(
      join(directory, 'lock'),
      JSON.stringify({ host: hostname(), pid: process.pid, started: 'long ago' }),
    )
    await using lock = await lockDirectory(directory)
    assert.ok(lock)
  })

  test('takes over a lock that is torn', async () => {
    writeFileSync(join(directory, 'lock'), '{"pid":')
    await using lock = await lockDirectory(directory)
    assert.ok(lock)
  })

  test('does not judge a process on another machine', async () => {
    writeFileSync(
      join(directory, 'lock'),
      JSON.stringify({ host: 'elsewhere.example', pid: 1, started: '1' }),
    )
    await assert.rejects(lockDirectory(directory), refusedWith('fault.directory_in_use'))
  })

  test('of many that find one stale lock exactly one gets it', async () => {
    for (let round = 0; round < 40; round += 1) {
      writeFileSync(
        join(directory, 'lock'),
        JSON.stringify({ host: hostname(), pid: 2 ** 22 + 1, started: '1' }),
      )
      const outcomes = await Promise.allSettled(Array.from({ length: 12 }, () => lockDirectory(directory)))
      assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1, `round ${round}`)
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected')
          assert.ok(refusedWith('fault.directory_in_use')(outcome.reason), String(outcome.reason))
      }
    }
  })

  test('refuses a directory of another version and lets go of it', async () => {
    writeFileSync(join(directory, 'version'), '999\n')
    await assert.rejects(lockDirectory(directory), refusedWith('fault.directory_version'))
    assert.deepEqual(readdirSync(directory), ['version'])
  })

  test('says what is wrong with a directory that cannot be made', async () => {
    writeFileSync(join(directory, 'file'), '')
    await assert.rejects(lockDirectory(join(directory, 'file', 'below')), refusedWith('fault.configuration'))
  })
})
