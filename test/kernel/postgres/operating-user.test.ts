import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { launchAs, operatingUserFor } from '../../../src/kernel/postgres/operating-user.ts'

const skip =
  (process.getuid?.() !== 0 || process.platform !== 'linux') &&
  'only root on Linux starts PostgreSQL as somebody else'

describe('launchAs()', { skip }, () => {
  test('reaches a program and a directory below one that only root may enter, and is not root', () => {
    const closed = mkdtempSync(join(tmpdir(), 'hedgerow-closed-'))
    try {
      const inside = join(closed, 'inside')
      mkdirSync(inside)
      chmodSync(inside, 0o755)
      const file = join(inside, 'file')
      writeFileSync(file, '', { mode: 0o755 })
      const user = operatingUserFor(join(closed, 'none'))
      assert.ok(user && user.uid !== 0)
      const run = (command: string, args: readonly string[]) => {
        const launch = launchAs(user, { command, args, reach: file })
        return spawnSync(launch.command, launch.args, {
          ...launch.options,
          encoding: 'utf8',
          env: { PATH: '/usr/bin:/bin' },
        })
      }
      assert.equal(run('/usr/bin/test', ['-x', file]).status, 0, 'access(2) says yes')
      assert.equal(run('/usr/bin/cat', [file]).status, 0)
      assert.equal(run('/usr/bin/id', ['-u']).stdout.trim(), `${user.uid}`)
      assert.notEqual(spawnSync('/usr/bin/test', ['-x', file], user).status, 0, 'without it, it says no')
    } finally {
      rmSync(closed, { recursive: true, force: true })
    }
  })

  test('is the owner of a directory that is there already', () => {
    const directory = mkdtempSync(join(tmpdir(), 'hedgerow-owner-'))
    try {
      const user = operatingUserFor(directory)
      assert.ok(user && user.uid !== 0, 'root itself never is')
      spawnSync('chown', ['12345:12345', directory])
      assert.deepEqual(operatingUserFor(directory), { uid: 12_345, gid: 12_345 })
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  })
})

test('launchAs() starts a program as it is when there is nobody else to be', () => {
  assert.deepEqual(launchAs(undefined, { command: '/bin/true', args: ['x'], reach: '/' }), {
    command: '/bin/true',
    args: ['x'],
    options: {},
  })
})
