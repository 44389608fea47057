import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { makeDirectory } from '../../src/kernel/make-directory.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hedgerow-make-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

describe('makeDirectory()', () => {
  test('makes what is missing for its owner alone, and names the first that is new', () => {
    const path = join(directory, 'a', 'b', 'c')
    assert.equal(makeDirectory(path), join(directory, 'a'))
    for (const made of [join(directory, 'a'), path]) assert.equal(statSync(made).mode & 0o777, 0o700)
    assert.equal(makeDirectory(path), undefined)
  })

  test('goes through a link to a directory', () => {
    symlinkSync(directory, join(directory, 'link'))
    makeDirectory(join(directory, 'link', 'below'))
    assert.ok(existsSync(join(directory, 'below')))
  })

  test('ends where nothing can be made and nothing is found', { skip: !existsSync('/proc/self') }, () => {
    assert.throws(() => makeDirectory('/proc/hedgerow/members/northcare'), {
      code: 'fault.configuration',
      message: 'Cannot make the directory "/proc/hedgerow": nothing can be made there',
    })
  })

  test('says what stands in the way, in one line', () => {
    const file = join(directory, 'file')
    writeFileSync(file, '')
    const cases: readonly [string, RegExp][] = [
      [file, /file": ".*file" is not a directory$/],
      [join(file, 'below', 'more'), /more": ".*file" is not a directory$/],
      [join(directory, 'x'.repeat(300)), /: the name is too long$/],
      [join(directory, 'a\nb', 'x'.repeat(300)), /a\\nb.*: the name is too long$/],
      [`${directory}/a\0b`, /a\\u0000b": a name cannot contain a zero byte$/],
    ]
    for (const [path, message] of cases)
      assert.throws(() => makeDirectory(path), { code: 'fault.configuration', message })
  })
})
