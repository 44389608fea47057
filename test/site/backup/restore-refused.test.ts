import assert from 'node:assert/strict'
import { cp, mkdir, readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { Secret } from '../../../src/kernel/secret.ts'
import { backupDirectory } from '../../../src/site/backup/backups.ts'
import type { RestoreStep } from '../../../src/site/backup/restore-backup.ts'
import { testRestore } from '../../../src/testing/test-backup.ts'
import { testDatabaseUrl } from '../../../src/testing/test-postgres.ts'
import { bare, entry, copyOfSafe } from './restore-fixture.ts'

test('a second restore into the same place is refused, and so is one into any directory with something in it', async () => {
  await using place = await testRestore(bare, entry)
  await place.restore()
  await assert.rejects(place.restore(), { code: 'fault.conflict' })
  await using other = await testRestore(bare, entry)
  await mkdir(other.into, { recursive: true })
  await writeFile(join(other.into, 'note.txt'), 'mine')
  await assert.rejects(other.restore(), { code: 'fault.conflict' })
  assert.deepEqual(await readdir(other.into), ['note.txt'])
  await using third = await testRestore(bare, entry)
  await assert.rejects(third.restore({ databaseUrl: new Secret(place.databaseUrl) }), {
    code: 'fault.conflict',
  })
  await assert.rejects(readdir(third.into), { code: 'ENOENT' })
})

const STEPS: readonly RestoreStep[] = ['opened', 'files', 'record', 'vault', 'replayed']

test('a restore that breaks off at any step leaves nothing that could serve, and the next one is whole', async () => {
  await using place = await testRestore(bare, entry)
  const fresh = async () => new Secret((await testDatabaseUrl()).reveal())
  for (const step of STEPS) {
    const onStep = (at: RestoreStep) => {
      if (at === step) throw new Error('crash')
    }
    await assert.rejects(place.restore({ onStep, databaseUrl: await fresh() }), /crash/)
    await assert.rejects(readdir(place.into), { code: 'ENOENT' }, step)
    assert.deepEqual(await readdir(join(place.into, '..')), [], step)
  }
  const stop = new AbortController()
  const stopping = { signal: stop.signal, onStep: () => stop.abort(), databaseUrl: await fresh() }
  await assert.rejects(place.restore(stopping), { name: 'AbortError' })
  assert.deepEqual(await readdir(join(place.into, '..')), [])
  // What a process that was killed leaves is in the way of nobody.
  await mkdir(join(place.into, '..', '.galway.restoring', 'keys'), { recursive: true })
  await place.restore({ databaseUrl: await fresh() })
  assert.deepEqual(await readdir(join(place.into, '..')), ['galway'])
})

test('a changed byte in any file, a missing file and another manifest are refused', async () => {
  const from = join(bare.root, 'copy')
  const files = await readdir(backupDirectory(entry), { recursive: true, withFileTypes: true })
  const names = files.filter((file) => file.isFile()).map(({ parentPath, name }) => join(parentPath, name))
  assert.ok(names.length > 15)
  for (const [index, path] of names.entries()) {
    await cp(backupDirectory(entry), from, { recursive: true })
    const copy = join(from, path.slice(backupDirectory(entry).length))
    const bytes = await readFile(copy)
    const at = Math.floor(bytes.length / 2)
    bytes[at] = (bytes[at] ?? 0) ^ 1
    if (index % 3 === 0) await rm(copy)
    else if (index % 3 === 1) await truncate(copy, at)
    else await writeFile(copy, bytes)
    await using place = await testRestore(bare, entry)
    await assert.rejects(place.restore({ from }), { code: 'fault.backup_damaged' }, path)
    await assert.rejects(readdir(place.into), { code: 'ENOENT' })
    await rm(from, { recursive: true })
  }
})

test('another key, another safe and a safe without this backup open nothing', async () => {
  await using place = await testRestore(bare, entry)
  const keyFile = join(bare.root, 'other.key')
  await writeFile(keyFile, `${Buffer.alloc(32, 7).toString('base64url')}\n`, { mode: 0o600 })
  await assert.rejects(place.restore({ keyFile }), { code: 'fault.backup_damaged' })
  await writeFile(join(bare.root, 'open.key'), await readFile(keyFile), { mode: 0o644 })
  await assert.rejects(place.restore({ keyFile: join(bare.root, 'open.key') }), { code: 'fault.key_exposed' })
  await assert.rejects(place.restore({ safe: join(bare.root, 'nowhere') }), { code: 'fault.backup_safe' })
  const safe = await copyOfSafe('without')
  await rm(join(safe, 'backups', `${entry.backup}.json`))
  await assert.rejects(place.restore({ safe }), { code: 'fault.backup_safe' })
  await writeFile(join(safe, 'safe.json'), JSON.stringify({ site: 'zurich' }))
  await assert.rejects(place.restore({ safe }), { code: 'fault.backup_safe' })
})

test('a list of erased people that is missing or older than the log is refused', async () => {
  await using place = await testRestore(bare, entry)
  const safe = await copyOfSafe('older')
  await writeFile(join(safe, 'forgotten.ndjson'), '')
  await assert.rejects(place.restore({ safe }), /lacks "erasure_/)
  await rm(join(safe, 'forgotten.ndjson'))
  await using second = await testRestore(bare, entry)
  await assert.rejects(second.restore({ safe }), { code: 'fault.backup_safe' })
  await using third = await testRestore(bare, entry)
  const forgottenList = bare.site.forgottenList
  assert.equal((await third.restore({ safe, forgottenList })).erasures, 1)
})

test('receipts that a later checkpoint tells of and nobody has are refused, or declared in a signed receipt', async () => {
  await using place = await testRestore(bare, entry)
  const safe = await copyOfSafe('behind')
  const names = (await readdir(safe)).filter((name) => name.startsWith('receipts-'))
  const last = join(safe, names.toSorted().at(-1) ?? '')
  const lines = (await readFile(last, 'utf8')).trimEnd().split('\n')
  await writeFile(last, `${lines.slice(0, -2).join('\n')}\n`)
  await assert.rejects(place.restore({ safe }), /2 receipts after number/)
  await using again = await testRestore(bare, entry)
  const restored = await again.restore({ safe, mayMiss: true })
  assert.equal(restored.logMissing, 2)
  const site = await again.open()
  const [said] = await site.log.list({ after: restored.logKnown - 1, limit: 1, kind: 'restore' })
  assert.match(Buffer.from((said?.jws ?? '').split('.')[1] ?? '', 'base64url').toString(), /"logMissing":2/)
  // A hole in the middle is no gap at the end.
  await writeFile(last, `${lines.filter((_, index) => index !== 1).join('\n')}\n`)
  await using third = await testRestore(bare, entry)
  await assert.rejects(third.restore({ safe, mayMiss: true }), { code: 'fault.backup_safe' })
})

test('receipts in the safe that the site did not sign a checkpoint over are found out', async () => {
  await using place = await testRestore(bare, entry)
  const safe = await copyOfSafe('forged')
  const names = (await readdir(safe)).filter((name) => name.startsWith('receipts-'))
  const last = join(safe, names.toSorted().at(-1) ?? '')
  const lines = (await readFile(last, 'utf8')).trimEnd().split('\n')
  const signature = lines[1]?.split('.')[2] ?? ''
  const forged = [...(lines[0]?.split('.').slice(0, 2) ?? []), signature].join('.')
  await writeFile(last, `${[forged, ...lines.slice(1)].join('\n')}\n`)
  await assert.rejects(place.restore({ safe }), { code: 'fault.log_damaged' })
})
