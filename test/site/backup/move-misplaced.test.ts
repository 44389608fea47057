import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir, readFile, readdir, rename, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { test } from 'node:test'
import { backupDirectory } from '../../../src/site/backup/backups.ts'
import { makeBackup } from '../../../src/site/backup/make-backup.ts'
import { listEntries, saveEntry } from '../../../src/site/backup/safe.ts'
import { testRestore } from '../../../src/testing/test-backup.ts'
import { testPeople } from '../../../src/testing/test-population.ts'
import { bareSite } from '../../../src/testing/test-site.ts'
import type { BareSite } from '../../../src/testing/test-site.ts'

// Versions before this one, with HEDGEROW_HOME relative, kept backups in a copy of the site's path below itself.

/** Puts them where such a version would have, from a home that held the site's parent folder. */
async function misplace({ root }: BareSite, kinds: readonly string[]): Promise<string> {
  const copy = join(root, basename(dirname(root)), basename(root))
  for (const kind of kinds) {
    await mkdir(dirname(join(copy, kind)), { recursive: true })
    await rename(join(root, kind), join(copy, kind))
  }
  return copy
}

test('a site with a backup in a copy of its path takes everything to where it belongs, and can be restored', async () => {
  await using bare = await bareSite()
  await bare.fill({ dataSet: 'athletes', people: testPeople(30) })
  const made = await makeBackup(bare.site)
  let copy = ''
  await bare.reopen(async () => {
    copy = await misplace(bare, ['safe', 'backups', 'keys/backup.key'])
    await saveEntry({ directory: join(copy, 'safe') }, { ...made, directory: join(copy, 'backups') })
  })
  const entries = await listEntries({ directory: join(bare.root, 'safe') })
  assert.deepEqual(
    entries.map(({ backup, directory }) => ({ backup, directory })),
    [{ backup: made.backup, directory: join(bare.root, 'backups') }],
  )
  assert.ok(entries[0] && existsSync(backupDirectory(entries[0])))
  assert.ok(existsSync(join(bare.root, 'keys', 'backup.key')))
  assert.ok(!existsSync(dirname(copy)), 'nothing is left of the copy')
  await using restored = await testRestore(bare, entries[0])
  const { people, rows } = await restored.restore()
  assert.deepEqual({ people, rows }, { people: 30, rows: { athletes: 30 } })
})

test('a move that was cut off goes on at the next start', async () => {
  await using bare = await bareSite()
  await bare.fill({ dataSet: 'athletes', people: testPeople(30) })
  const made = await makeBackup(bare.site)
  await bare.reopen(async () => {
    // The backup was moved, its entry not yet rewritten.
    const copy = await misplace(bare, ['safe', 'keys/backup.key'])
    await mkdir(join(copy, 'backups'))
    await saveEntry({ directory: join(copy, 'safe') }, { ...made, directory: join(copy, 'backups') })
  })
  const [entry] = await listEntries({ directory: join(bare.root, 'safe') })
  assert.equal(entry?.directory, join(bare.root, 'backups'))
  assert.ok(existsSync(join(bare.root, 'keys', 'backup.key')))
})

test('an old safe that no backup rests on is destroyed where the site has another, keys of people first', async () => {
  await using bare = await bareSite()
  await bare.fill({ dataSet: 'athletes', people: testPeople(30) })
  const copy = join(bare.root, basename(dirname(bare.root)), basename(bare.root))
  const safe = join(copy, 'safe')
  await bare.reopen(async () => {
    await mkdir(join(safe, 'backups'), { recursive: true })
    await writeFile(join(safe, 'safe.json'), await readFile(join(bare.root, 'safe', 'safe.json')))
    await writeFile(join(safe, 'people.ndjson'), 'a key of somebody')
  })
  assert.ok(!existsSync(dirname(copy)))
})

test('a safe that the settings name, and the folder of another site, are left where they are', async () => {
  await using bare = await bareSite()
  const copy = join(bare.root, basename(dirname(bare.root)), basename(bare.root))
  await bare.reopen(async () => {
    await mkdir(join(copy, 'safe', 'backups'), { recursive: true })
    await writeFile(join(copy, 'safe', 'safe.json'), '{"site":"zurich"}')
  })
  assert.deepEqual((await readdir(join(copy, 'safe'))).toSorted(), ['backups', 'safe.json'])
})
