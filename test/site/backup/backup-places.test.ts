import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { backupSettings, safeDirectory } from '../../../src/site/backup/backup-places.ts'

const ABSENT = { backup: { windowDays: 30 } }

test('backups of a site whose directory is relative lie in it once, not in a copy of its path below itself', () => {
  for (const root of ['.hedgerow/sites/galway', resolve('.hedgerow/sites/galway')]) {
    const at = (name: string) => resolve('.hedgerow/sites/galway', name)
    assert.equal(backupSettings(root, ABSENT).directory, at('backups'))
    assert.equal(backupSettings(root, ABSENT).keyFile, at('keys/backup.key'))
    assert.equal(safeDirectory(root, ABSENT), at('safe'))
    const named = { backup: { windowDays: 30, directory: 'elsewhere', safe: '/safe', keyFile: '../one.key' } }
    assert.equal(backupSettings(root, named).directory, at('elsewhere'))
    assert.equal(backupSettings(root, named).keyFile, resolve('.hedgerow/sites/one.key'))
    assert.equal(safeDirectory(root, named), '/safe')
  }
})
