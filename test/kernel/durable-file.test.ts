import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { replaceFile } from '../../src/kernel/durable-file.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hedgerow-file-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

describe('replaceFile()', () => {
  test('makes the directories on the way and names the first that is new', async () => {
    const path = join(directory, 'a', 'b', 'file')
    assert.equal(await replaceFile(path, 'one', { mode: 0o600 }), join(directory, 'a'))
    assert.equal(await replaceFile(path, new Uint8Array([50])), undefined)
    assert.equal(readFileSync(path, 'utf8'), '2')
    assert.deepEqual(readdirSync(join(directory, 'a', 'b')), ['file'])
  })

  test('gives the mode that was asked for', async () => {
    await replaceFile(join(directory, 'file'), 'x', { mode: 0o600 })
    assert.equal(statSync(join(directory, 'file')).mode & 0o777, 0o600)
  })

  test('leaves nothing behind when it cannot replace', async () => {
    mkdirSync(join(directory, 'taken', 'by-a-directory'), { recursive: true })
    await assert.rejects(replaceFile(join(directory, 'taken'), 'x'))
    assert.deepEqual(readdirSync(directory), ['taken'])
  })
})
