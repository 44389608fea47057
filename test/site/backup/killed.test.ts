import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { seededRandom } from '../../../src/demo/seeded-random.ts'
import { systemClock } from '../../../src/kernel/clock.ts'
import { dataSetIdSchema } from '../../../src/protocol/wire.ts'
import { backupDirectory } from '../../../src/site/backup/backups.ts'
import { makeBackup } from '../../../src/site/backup/make-backup.ts'
import type { BackupStep } from '../../../src/site/backup/make-backup.ts'
import type { RestoreStep } from '../../../src/site/backup/restore-backup.ts'
import type { BackupEntry } from '../../../src/site/backup/safe.ts'
import { completeErasures } from '../../../src/site/rights/complete-erasures.ts'
import { findErasure } from '../../../src/site/rights/erasure-store.ts'
import { filesOf } from '../../../src/testing/files-of.ts'
import { plainMarkerSearch } from '../../../src/testing/find-markers.ts'
import { eraseByKey, testRestore } from '../../../src/testing/test-backup.ts'
import { testPeople } from '../../../src/testing/test-population.ts'
import { bareSite } from '../../../src/testing/test-site.ts'
import type { BareSite } from '../../../src/testing/test-site.ts'

/** Every step in `make faults`; two of each beside the other tests. */
const isLong = process.env['HEDGEROW_FAULTS'] !== undefined
const BACKUP_STEPS: readonly BackupStep[] = isLong
  ? ['begun', 'taken', 'vault', 'record', 'people', 'files', 'manifest', 'verified', 'named']
  : ['people', 'named']
const RESTORE_STEPS: readonly RestoreStep[] = isLong
  ? ['opened', 'files', 'record', 'vault', 'replayed', 'named']
  : ['record']
const COMPACTIONS = isLong ? 6 : 1
const MARKER = 'zqkilled3gone'
const CHILD = fileURLToPath(new URL('./act-until-killed.ts', import.meta.url))
const athletes = dataSetIdSchema.parse('athletes')
const random = seededRandom('killed', 'compactions')

let bare: BareSite
let entry: BackupEntry
before(async () => {
  bare = await bareSite()
  const marked = (index: number) => ({
    id: `${MARKER}-${index}`,
    name: `${MARKER} name`,
    country: `${MARKER}-c`,
  })
  await bare.fill({
    dataSet: 'athletes',
    people: testPeople(30, (_, index) => (index < 8 ? marked(index) : {})),
  })
  entry = await makeBackup(bare.site)
})
after(() => bare[Symbol.asyncDispose]())

for (const step of BACKUP_STEPS) {
  test(`a backup whose process is killed at "${step}" leaves nothing, and those that were acknowledged stay`, async () => {
    await bare.reopen(() => killed({ act: 'backup', at: step }))
    const { backups, backupSettings } = bare.site
    const known = await backups.list()
    assert.deepEqual(
      known.map(({ backup, state }) => [backup, state]),
      [[entry.backup, 'whole']],
    )
    assert.deepEqual(await readdir(backupSettings.directory), [entry.backup])
    const inSafe = await readdir(join(backups.safe.directory, 'backups'))
    assert.ok(
      inSafe.every((name) => name.startsWith(entry.backup)),
      inSafe.join(),
    )
    assert.deepEqual(
      await readdir(join(bare.root, 'vault')).then((names) => names.includes('snapshot')),
      false,
    )
  })
}

for (const step of RESTORE_STEPS) {
  test(`a restore whose process is killed at "${step}" leaves no site but a whole one, and the next one is whole`, async () => {
    await using place = await testRestore(bare, entry)
    await killed({ act: 'restore', at: step, into: place.into, databaseUrl: place.databaseUrl })
    const isThere = await stat(place.into).then(
      () => true,
      () => false,
    )
    assert.equal(isThere, step === 'named')
    if (isThere) {
      const site = await place.open()
      assert.equal((await site.vault.people(athletes)).count(), 30)
      return
    }
    await using again = await testRestore(bare, entry)
    const restored = await again.restore({ into: place.into })
    assert.equal(restored.people, 30)
    const drafts = (await readdir(join(place.into, '..'))).filter((name) => name.includes('restoring'))
    assert.deepEqual(drafts, [])
    await rm(place.into, { recursive: true })
  })
}

for (let round = 0; round < COMPACTIONS; round += 1) {
  test(`an erasure whose compaction is killed somewhere stays acknowledged, and is ended after (${round})`, async () => {
    const erased = await eraseByKey(bare, `${MARKER}-${round}`)
    await bare.reopen(() => killed({ act: 'compact', afterMs: Math.floor(random.next() * 400) }))
    assert.equal((await bare.site.vault.people(athletes)).count(), 29 - round)
    assert.ok(
      ['deleted', 'permanent'].includes((await findErasure(bare.site.db, erased.erasure))?.state ?? ''),
    )
    await completeErasures(bare.site)
    const find = plainMarkerSearch([`${MARKER}-${round}`])
    const left = (await filesOf(join(bare.root, 'vault'))).flatMap((bytes) => find(bytes))
    assert.deepEqual(left, [])
    const generations = (await readdir(join(bare.root, 'vault'))).filter((name) => /^g\d+$/.test(name))
    assert.ok(generations.length <= 1, 'no half-written generation is left')
  })
}

/** Runs an act in a process of its own and kills it: when it says that it has reached a step, or some time after it is open. */
async function killed({
  act,
  at = '',
  afterMs = 0,
  into = '',
  databaseUrl = '',
}: {
  act: string
  at?: string
  afterMs?: number
  into?: string
  databaseUrl?: string
}): Promise<void> {
  const file = join(bare.root, 'act.json')
  const { site } = bare
  const settings = { ...bare.settings, databaseUrl: bare.settings.databaseUrl?.reveal() }
  const facts = {
    root: bare.root,
    settings,
    from: backupDirectory(entry),
    safe: site.backups.safe.directory,
    keyFile: site.backupSettings.keyFile,
    into,
    databaseUrl,
  }
  await writeFile(file, JSON.stringify(facts))
  const args = ['--disable-warning=ExperimentalWarning', CHILD, act, at, file]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  let isReached = false
  for await (const line of createInterface({ input: child.stdout })) {
    if (line !== (at === '' ? 'open' : at)) continue
    isReached = true
    if (at === '') await systemClock.sleep(afterMs)
    child.kill('SIGKILL')
    break
  }
  await ended
  await rm(file, { force: true })
  assert.ok(isReached, `the act came as far as ${at === '' ? 'being open' : at}`)
}
