import assert from 'node:assert/strict'
import { cp, readFile, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { sql } from 'kysely'
import { Fault } from '../../../src/kernel/faults.ts'
import { grantRequestSchema } from '../../../src/protocol/consent/grant.ts'
import { dataSetIdSchema } from '../../../src/protocol/wire.ts'
import { backupView } from '../../../src/site/backup/backups.ts'
import { makeBackup } from '../../../src/site/backup/make-backup.ts'
import type { BackupParts, BackupStep } from '../../../src/site/backup/make-backup.ts'
import { readPeople } from '../../../src/site/backup/people-file.ts'
import type { PersonInBackup } from '../../../src/site/backup/people-file.ts'
import { peoplePath } from '../../../src/site/backup/safe.ts'
import { giveGrants } from '../../../src/site/consent/give-grants.ts'
import { revokeGrants } from '../../../src/site/consent/revoke-grants.ts'
import { findErasure } from '../../../src/site/rights/erasure-store.ts'
import { filesOf } from '../../../src/testing/files-of.ts'
import { plainMarkerSearch } from '../../../src/testing/find-markers.ts'
import { eraseByKey, testRestore } from '../../../src/testing/test-backup.ts'
import { testGrant, testPeople } from '../../../src/testing/test-population.ts'
import { bareSite } from '../../../src/testing/test-site.ts'
import type { BareSite } from '../../../src/testing/test-site.ts'

const athletes = dataSetIdSchema.parse('athletes')
const MARKER = 'zqsecret5here'

let bare: BareSite
before(async () => {
  bare = await bareSite()
  const people = testPeople(60, (_, index) => ({ country: `${MARKER}-${index}`, note: `${MARKER} note` }))
  await bare.fill({ dataSet: 'athletes', people })
})
after(() => bare[Symbol.asyncDispose]())

const STEPS: readonly BackupStep[] = [
  'begun',
  'taken',
  'vault',
  'record',
  'people',
  'files',
  'manifest',
  'verified',
  'named',
]

for (const step of STEPS) {
  test(`a backup that fails at "${step}" leaves nothing, and is never listed as one`, async () => {
    const before = await listing()
    const failing = makeBackup(bare.site, {
      onStep: async (at) => {
        if (at !== step) return
        assert.deepEqual(
          (await bare.site.backups.list()).filter(({ state }) => state === 'whole'),
          [],
        )
        throw new Error('the disk is gone')
      },
    })
    await assert.rejects(failing, { code: 'fault.internal' })
    assert.deepEqual(await bare.site.backups.list(), [])
    assert.deepEqual(await listing(), before)
  })
}

test('a backup whose vault cannot be copied to the end gives the moment of the record back', async () => {
  const snapshot: BackupParts['vault']['snapshot'] = async (atMoment) => {
    await bare.site.vault.snapshot(atMoment)
    throw new Fault('fault.vault', { what: 'Cannot write a snapshot' })
  }
  const failing = makeBackup({ ...bare.site, vault: { ...bare.site.vault, snapshot } })
  await assert.rejects(failing, { code: 'fault.vault' })
  const { rows } = await sql`
    select from pg_stat_activity where datname = current_database() and state = 'idle in transaction'`.execute(
    bare.site.db,
  )
  assert.deepEqual(rows, [])
})

test('what a process that was killed while it wrote a backup left is removed before the site serves again', async () => {
  for (const step of ['taken', 'people', 'named'] as const) {
    const left = join(bare.root, 'left')
    const failing = makeBackup(bare.site, {
      onStep: async (at) => {
        if (at !== step) return
        for (const name of ['safe', 'backups'])
          await cp(join(bare.root, name), join(left, name), { recursive: true })
        throw new Error('killed')
      },
    })
    await assert.rejects(failing)
    for (const name of ['safe', 'backups']) {
      await rm(join(bare.root, name), { recursive: true })
      await cp(join(left, name), join(bare.root, name), { recursive: true })
    }
    await rm(left, { recursive: true })
    const site = await bare.reopen()
    assert.deepEqual(await site.backups.list(), [], step)
    assert.deepEqual(await readdir(join(bare.root, 'backups')), [], step)
    const inSafe = await readdir(join(bare.root, 'safe', 'backups'))
    assert.deepEqual(inSafe, [], step)
  }
})

test('a backup shows nothing of what is in it, is readable by its owner alone, and says when it ends', async () => {
  const entry = await makeBackup(bare.site)
  const find = plainMarkerSearch([MARKER, 'federation'])
  const directory = join(bare.root, 'backups', entry.backup)
  assert.deepEqual(
    (await filesOf(directory)).flatMap((bytes) => find(bytes)),
    [],
  )
  for (const file of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const { mode } = await stat(join(file.parentPath, file.name))
    assert.equal(mode & 0o077, 0, file.name)
  }
  const names = await readdir(join(directory, 'site', 'keys'))
  assert.ok(names.includes('master.key.sealed'))
  assert.ok(!names.some((name) => name.startsWith('backup.key')), 'its own key is not in it')
  assert.equal(entry.expiresAt - entry.begunAt, 30 * 86_400_000)
  const receipts = await bare.site.log.list({ after: -1, limit: 10, kind: 'backup' })
  assert.equal(receipts.length, 1)
  const stateNow = async () => (await backupView(entry, bare.site.clock.now())).state
  assert.equal(await stateNow(), 'whole')
  await rename(directory, `${directory}.moved`)
  assert.equal(await stateNow(), 'away')
  await rename(`${directory}.moved`, directory)
  await bare.site.backups.destroy(entry.backup)
  assert.deepEqual(await bare.site.backups.list(), [])
  await assert.rejects(readdir(directory), { code: 'ENOENT' })
})

test('while a backup is made people are imported, granted, withdrawn and erased, and it is of one moment', async () => {
  const batch = (name: string) => ({
    dataSet: 'athletes',
    people: testPeople(300, (_, index) => ({ id: `${name}-${index}` })),
    batch: name,
  })
  const during: Promise<unknown>[] = []
  const entry = await makeBackup(bare.site, {
    onStep: (step) => {
      if (step === 'begun') during.push(bare.fill(batch('one')))
      if (step === 'vault') during.push(bare.fill(batch('two')), eraseByKey(bare, 'p-5'))
      if (step === 'record') during.push(withdraw('p-6'), eraseByKey(bare, 'p-7'))
      if (step === 'people') during.push(eraseByKey(bare, 'p-8'))
      if (step === 'verified') during.push(eraseByKey(bare, 'p-9'))
    },
  })
  await Promise.all(during)
  await bare.site.log.publish()
  await bare.site.archiver.follow()
  await using place = await testRestore(bare, entry)
  const restored = await place.restore()
  assert.ok(restored.erasures <= 4 && restored.erasures >= 3)
  const site = await place.open()
  for (const person of ['p-5', 'p-7', 'p-8', 'p-9']) assert.equal(await bare.numberOf(person), -1)
  // What the record says was imported is in the vault, and nothing else is.
  const { rows: batches } = await sql<{ batch: string; rows: bigint }>`
    select batch, rows from import_batch where state = 'done' order by batch`.execute(site.db)
  let imported = 0
  for (const { batch: name, rows } of batches) {
    assert.equal(await site.vault.findBatch({ dataSet: athletes, batch: name }), Number(rows))
    imported += Number(rows)
  }
  assert.equal(restored.rows['athletes'], imported - 4)
  const counted = await site.vault.people(athletes)
  const { rows: keys } = await sql<{ person: number }>`select person from person_key order by person`.execute(
    site.db,
  )
  const withKeys = new Set(keys.map(({ person }) => person))
  for (const person of counted) assert.ok(withKeys.has(person), 'everybody with rows has a key')
  const { rows: live } = await sql<{ count: bigint }>`
    select count(*) as count from consent_grant g
    where g.person = ${await bare.numberOf('p-6')} and not exists (
      select from consent_revocation r where r.grant_sequence = g.sequence)`.execute(site.db)
  assert.equal(live[0]?.count, 0n)
})

test('a backup that is made after an erasure holds nobody of it, and one before holds its grade back', async () => {
  await makeBackup(bare.site)
  const erased = await eraseByKey(bare, 'p-20')
  const held = await bare.site.backups.heldUntil(erased.deletedAt ?? bare.site.clock.now())
  assert.ok(held !== undefined)
  for (const { backup } of await bare.site.backups.list()) await bare.site.backups.destroy(backup)
  const entry = await makeBackup(bare.site)
  const deletedAt = (await findErasure(bare.site.db, erased.erasure))?.deletedAt
  assert.ok(deletedAt !== undefined && entry.takenAt !== undefined && deletedAt <= entry.takenAt)
  assert.equal(await bare.site.backups.heldUntil(deletedAt), undefined)
})

test('whoever is erased between the moment of a backup and its keys has no key beside it', async () => {
  const person = await bare.numberOf('p-40')
  const entry = await makeBackup(bare.site, {
    onStep: async (at) => {
      if (at === 'vault') await eraseByKey(bare, 'p-40')
    },
  })
  const kept: PersonInBackup[] = []
  for await (const some of readPeople(peoplePath(bare.site.backups.safe, entry.backup))) kept.push(...some)
  const found = kept.filter((one) => one.person === person)
  assert.deepEqual(
    found.map((one) => 'erasure' in one),
    [true],
  )
  await bare.site.backups.destroy(entry.backup)
})

test('a withdrawal is not acknowledged when the safe cannot be written, and is noted by the next one', async () => {
  await giveGrants(bare.site.consent, [grantRequestSchema.parse(testGrant('athletes', 'p-30'))], {
    by: 'issuer:federation',
  })
  const broken = { ...bare.site.consent, keepApart: () => Promise.reject(new Error('the safe is away')) }
  const requests = [{ dataSet: athletes, person: 'p-30' }]
  const facts = { by: 'issuer:federation', idempotencyKey: 'once' }
  await assert.rejects(revokeGrants(broken, requests, facts), /away/)
  const lines = async () =>
    (await readFile(join(bare.root, 'safe', 'taken-back.ndjson'), 'utf8')).split('\n').length
  const before = await lines()
  const again = await revokeGrants(bare.site.consent, requests, facts)
  assert.equal(again.changed, 1, 'the answer that stands')
  assert.equal(await lines(), before + 1)
})

async function withdraw(person: string): Promise<unknown> {
  return revokeGrants(bare.site.consent, [{ dataSet: athletes, person }], { by: 'issuer:federation' })
}

async function listing(): Promise<readonly string[]> {
  const there = async (name: string): Promise<readonly string[]> => {
    const names = await readdir(join(bare.root, name), { recursive: true }).catch((): string[] => [])
    return names.toSorted()
  }
  const vault = (await there('vault')).filter((name) => !name.endsWith('.wal'))
  return [...(await there('backups')), ...(await there('safe/backups')), ...vault]
}
