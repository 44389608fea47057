import assert from 'node:assert/strict'
import { cp, mkdir, readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { sql } from 'kysely'
import { formatInstant, later } from '../../../src/kernel/clock.ts'
import { insertBasis, insertBasisPeople, readBases } from '../../../src/site/consent/basis-store.ts'
import { endBasis, uncoverPeople } from '../../../src/site/consent/change-bases.ts'
import { changeGrants } from '../../../src/site/consent/change-grants.ts'
import { endGuardianship } from '../../../src/site/principals/end-guardianship.ts'
import { findGuardianship, insertGuardianship } from '../../../src/site/principals/guardianship-store.ts'
import { Secret } from '../../../src/kernel/secret.ts'
import { digestOf } from '../../../src/kernel/digest.ts'
import { dataSetIdSchema, memberIdSchema } from '../../../src/protocol/wire.ts'
import { backupDirectory } from '../../../src/site/backup/backups.ts'
import { makeBackup } from '../../../src/site/backup/make-backup.ts'
import type { RestoreStep } from '../../../src/site/backup/restore-backup.ts'
import { peoplePath } from '../../../src/site/backup/safe.ts'
import type { BackupEntry } from '../../../src/site/backup/safe.ts'
import { objectTo } from '../../../src/site/consent/change-objections.ts'
import { giveGrants } from '../../../src/site/consent/give-grants.ts'
import { revokeGrants } from '../../../src/site/consent/revoke-grants.ts'
import { completeErasures, settleErasures } from '../../../src/site/rights/complete-erasures.ts'
import { findErasure } from '../../../src/site/rights/erasure-store.ts'
import type { ErasureRecord } from '../../../src/site/rights/erasure-store.ts'
import { erasureView } from '../../../src/site/rights/erasure-view.ts'
import { restrictPerson } from '../../../src/site/rights/restrict-person.ts'
import type { SiteContext } from '../../../src/site/site-context.ts'
import { lookupDigest } from '../../../src/site/vault/lookup-digest.ts'
import { filesOf } from '../../../src/testing/files-of.ts'
import { plainMarkerSearch } from '../../../src/testing/find-markers.ts'
import { ShiftedClock, eraseByKey, testRestore } from '../../../src/testing/test-backup.ts'
import { testDatabaseUrl } from '../../../src/testing/test-postgres.ts'
import { testGrant, testPeople } from '../../../src/testing/test-population.ts'
import { bareSite } from '../../../src/testing/test-site.ts'
import type { BareSite } from '../../../src/testing/test-site.ts'
import { grantRequestSchema } from '../../../src/protocol/consent/grant.ts'

const athletes = dataSetIdSchema.parse('athletes')
const federation = memberIdSchema.parse('federation')
const MARKER = 'zqbackup7gone'
const DAY_MS = 86_400_000

const people = testPeople(40, (_, index) =>
  index === 7
    ? { id: `${MARKER}-key`, name: `${MARKER} name`, country: `${MARKER}-plain`, note: `${MARKER} note` }
    : {},
)

// One backup for all tests of this file; what happened at the site after it is the same for all.
const clock = new ShiftedClock()
let bare: BareSite
let entry: BackupEntry
let erased: ErasureRecord

before(async () => {
  bare = await bareSite(clock)
  await bare.fill({ dataSet: 'athletes', people })
  await beginBases()
  entry = await makeBackup(bare.site)
  await cp(peoplePath(bare.site.backups.safe, entry.backup), join(bare.root, 'people-before'))
  erased = await eraseByKey(bare, `${MARKER}-key`)
  await revokeGrants(bare.site.consent, [{ dataSet: athletes, person: 'p-2' }], { by: 'issuer:federation' })
  await objectTo(
    bare.site.consent,
    { people: [await bare.numberOf('p-3')], purpose: 'dpv:AcademicResearch' },
    { by: 'person' },
  )
  await restrictPerson(bare.site, {
    person: await bare.numberOf('p-4'),
    issuer: federation,
    reason: 'accuracy_contested',
    requestedBy: 'person',
  })
  await bare.fill({
    dataSet: 'athletes',
    people: testPeople(3, (_, index) => ({ id: `late-${index}` })),
    batch: 'late',
  })
  await endBasis(
    bare.site.consent,
    { basis: 'basis_ended', reason: 'the contract has ended' },
    { by: 'operator' },
  )
  await uncoverPeople(
    bare.site.consent,
    { basis: 'basis_listed', people: [await bare.numberOf('p-10')] },
    { by: 'operator' },
  )
  await endGuardianship(bare.site, { guardianship: 'guardianship_one', by: 'operator' })
  await bare.site.log.publish()
  await bare.site.archiver.follow()
})
after(() => bare[Symbol.asyncDispose]())

test('a restored site has what the backup had, and nobody who was erased since in any byte of any file', async () => {
  await using place = await testRestore(bare, entry)
  const find = plainMarkerSearch([MARKER])
  const restored = await place.restore({
    onStep: async (step) => {
      if (step !== 'vault') return
      const files = await filesOf(join(place.into, '..'))
      assert.ok(
        files.some((bytes) => find(bytes).length > 0),
        'the backup did hold the person',
      )
    },
  })
  assert.equal(restored.erasures, 1)
  assert.deepEqual(restored.rows, { athletes: 39 })
  assert.equal(restored.people, 39)
  assert.equal(restored.logMissing, 0)
  assert.equal(
    restored.checkpoints.length,
    2,
    'the checkpoint of the backup and the newest one are of one tree',
  )
  assert.deepEqual(
    (await filesOf(place.into)).flatMap((bytes) => find(bytes)),
    [],
  )
  const site = await place.open()
  assert.equal((await site.vault.people(athletes)).count(), 39)
  const lookup = lookupDigest(site.keys.lookup, { issuer: federation, personKey: `${MARKER}-key` })
  assert.deepEqual([...(await site.vault.findPeople([lookup]))], [-1])
  assert.deepEqual(await rowsOf(site, "select count(*) from ds_athletes where country like 'zq%'"), [[0n]])
  assert.equal(await site.personKeys.keyOf(site.db, erased.person), undefined)
})

test('the certificate of an erasure is the same one after a restore, and says what backups hold', async () => {
  await using place = await testRestore(bare, entry)
  await place.restore()
  const site = await place.open()
  const again = await findErasure(site.db, erased.erasure)
  assert.ok(again?.deletedAt)
  assert.equal(again.keyDigest, erased.keyDigest)
  assert.equal(again.subjectOf, erased.subjectOf)
  assert.equal(again.requestedAt, erased.requestedAt)
  assert.equal(again.state, 'deleted', 'not permanent while the backup can be read')
  const heldUntil = await site.backups.heldUntil(again.deletedAt)
  assert.equal(heldUntil, entry.expiresAt)
  const view = erasureView(again, {
    site: site.site,
    heldUntil,
    now: clock.now(),
    notices: [],
    withdrawals: [],
  })
  assert.equal(view.grade, 'inaccessible')
  assert.deepEqual(
    view.stores.filter(({ grade }) => grade !== 'permanent').map(({ store }) => store),
    ['backups'],
  )
})

test('what was withdrawn, objected to and restricted after the backup holds again; what was given after is not there', async () => {
  await using place = await testRestore(bare, entry)
  const restored = await place.restore()
  assert.deepEqual([restored.withdrawals, restored.objections, restored.restrictions], [1, 1, 1])
  assert.deepEqual(restored.receiptsAfter['grant'], 3)
  assert.deepEqual(restored.receiptsAfter['ingest'], 1)
  const site = await place.open()
  const { rows: live } = await sql<{ person: number }>`
    select g.person from consent_grant g
    where not exists (select from consent_revocation r where r.grant_sequence = g.sequence) order by 1`.execute(
    site.db,
  )
  const [second, third, fourth] = [
    await bare.numberOf('p-2'),
    await bare.numberOf('p-3'),
    await bare.numberOf('p-4'),
  ]
  assert.equal(live.length, 38)
  assert.ok(!live.some(({ person }) => person === second))
  assert.ok(site.mirror.objectors(athletes, 'dpv:AcademicResearch').has(third))
  assert.ok(site.hidden.at(clock.now()).has(fourth))
  const late = lookupDigest(site.keys.lookup, { issuer: federation, personKey: 'late-1' })
  assert.deepEqual([...(await site.vault.findPeople([late]))], [-1])
})

test('a basis and a guardianship that ended after the backup have ended, and who is covered no longer is not', async () => {
  await using place = await testRestore(bare, entry)
  assert.equal((await place.restore()).endings, 3)
  const site = await place.open()
  const ids = ['basis_ended', 'basis_listed']
  const [ended, listed] = await readBases(site.db, { ids })
  assert.ok(ended?.id === 'basis_ended' ? ended.end : listed?.end)
  const { rows } = await sql<{ person: number; is_covered: boolean }>`
    select distinct on (person) person, is_covered from legal_basis_person
    where basis = 'basis_listed' order by person, sequence desc`.execute(site.db)
  assert.equal(rows.length, 2)
  assert.deepEqual(
    rows.filter((row) => row.is_covered).map(({ person }) => person),
    [await bare.numberOf('p-11')],
  )
  assert.ok((await findGuardianship(site.db, 'guardianship_one'))?.endedAt)
})

test('no number of a person and none of a grant that the lost site gave is given again', async () => {
  await using place = await testRestore(bare, entry)
  await place.restore()
  const site = await place.open()
  const highest = await bare.numberOf('late-2')
  const [next = -1] = await site.vault.numberPeople([
    lookupDigest(site.keys.lookup, { issuer: federation, personKey: 'new' }),
  ])
  assert.ok(next > highest)
  const { rows } = await sql<{ last: bigint }>`select last from consent_sequence`.execute(bare.site.db)
  await giveGrants(site.consent, [grantRequestSchema.parse(testGrant('athletes', 'p-2'))], {
    by: 'issuer:federation',
  })
  const { rows: given } = await sql<{
    sequence: bigint
  }>`select max(sequence) as sequence from consent_grant`.execute(site.db)
  assert.ok(Number(given[0]?.sequence) > Number(rows[0]?.last) - 4, 'after what the safe knows of')
})

test('the restored log is the log: every receipt of the lost one is in it, and its receipt says what it was made from', async () => {
  await using place = await testRestore(bare, entry)
  const restored = await place.restore()
  const site = await place.open()
  const { rows: here } = await sql<{ jws: string }>`select jws from receipt order by sequence`.execute(
    site.db,
  )
  const { rows: there } = await sql<{ jws: string }>`select jws from receipt order by sequence`.execute(
    bare.site.db,
  )
  assert.deepEqual(here.slice(0, there.length), there)
  assert.equal(restored.logKnown, there.length)
  const [said] = await site.log.list({ after: there.length - 1, limit: 1, kind: 'restore' })
  const own = await site.log.list({ after: restored.logKnown - 1, limit: 50, kind: 'restore' })
  assert.equal(own.length, 1)
  const payload = JSON.parse(
    Buffer.from((said?.jws ?? '').split('.')[1] ?? '', 'base64url').toString(),
  ) as object
  assert.partialDeepStrictEqual(payload, { backup: entry.backup, logSize: entry.logSize, logMissing: 0 })
})

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

test('somebody is erased again by the list alone, where the keys in the safe are those of before the erasure', async () => {
  await using place = await testRestore(bare, entry)
  const safe = await copyOfSafe('unstruck')
  await cp(join(bare.root, 'people-before'), join(safe, 'backups', `${entry.backup}.people`))
  assert.equal((await place.restore({ safe })).erasures, 1)
  const site = await place.open()
  assert.equal((await site.vault.people(athletes)).has(erased.person), false)
  assert.equal((await findErasure(site.db, erased.erasure))?.keyDigest, erased.keyDigest)
})

test('a list from before keys had marks finds whom it names', async () => {
  await using place = await testRestore(bare, entry)
  const safe = await copyOfSafe('old-list')
  await cp(join(bare.root, 'people-before'), peoplePath({ directory: safe }, entry.backup))
  const people = await readFile(join(bare.root, 'people-before'))
  const at = Array.from({ length: 40 }, (_, index) => index * 64).find(
    (start) => people.readUInt32BE(start) === erased.person,
  )
  assert.ok(at !== undefined)
  const list = join(safe, 'forgotten.ndjson')
  const text = await readFile(list, 'utf8')
  assert.ok(text.includes(erased.keyDigest ?? ''))
  await writeFile(list, text.replaceAll(erased.keyDigest ?? '', digestOf(people.subarray(at + 4, at + 64))))
  assert.equal((await place.restore({ safe })).erasures, 1)
  const site = await place.open()
  assert.equal((await site.vault.people(athletes)).has(erased.person), false)
})

test('the key of whoever was erased is in the safe no more, so that no copy of the backup gives what it sealed', async () => {
  const path = peoplePath(bare.site.backups.safe, entry.backup)
  const [then, now] = [await readFile(join(bare.root, 'people-before')), await readFile(path)]
  assert.equal(then.length, 40 * 64)
  assert.equal(now.length, then.length)
  const changed = Array.from({ length: 40 }, (_, index) => index).filter(
    (index) => !then.subarray(index * 64, index * 64 + 64).equals(now.subarray(index * 64, index * 64 + 64)),
  )
  assert.equal(changed.length, 1)
  const at = (changed[0] ?? 0) * 64
  assert.equal(now.includes(then.subarray(at + 4, at + 36)), false)
  assert.ok(now.subarray(at).includes(erased.erasure))
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

// Last, because it puts the clock ahead and ends the backup.
test('past its window a backup is refused, its key is destroyed, and the erasure becomes permanent', async () => {
  await using place = await testRestore(bare, entry)
  assert.equal(await completeErasures(bare.site), 1)
  const waiting = await findErasure(bare.site.db, erased.erasure)
  assert.equal(waiting?.state, 'deleted')
  assert.equal(await completeErasures(bare.site), 0, 'compacted once')
  const old = await copyOfSafe('kept')
  clock.advance(29 * DAY_MS)
  assert.equal(await bare.site.backups.expire(), 0)
  clock.advance(DAY_MS)
  await assert.rejects(place.restore(), { code: 'fault.backup_expired' }, 'by time alone, before any sweep')
  assert.equal(await bare.site.backups.expire(), 1)
  assert.deepEqual(await bare.site.backups.list(), [])
  await assert.rejects(readdir(backupDirectory(entry)), { code: 'ENOENT' })
  await assert.rejects(readFile(join(bare.root, 'safe', 'backups', `${entry.backup}.key`)), {
    code: 'ENOENT',
  })
  await assert.rejects(place.restore({ safe: old }), 'nor with an old copy of the safe')
  assert.equal(await settleErasures(bare.site), 1)
  const permanent = await findErasure(bare.site.db, erased.erasure)
  assert.equal(permanent?.state, 'permanent')
  assert.equal(permanent.receipts.length, 2)
})

/** Two records of a basis, one with people listed, and somebody's guardian, as the stores have them. */
async function beginBases(): Promise<void> {
  const { consent } = bare.site
  const now = clock.now()
  const facts = {
    kind: 'contract',
    dataSets: ['athletes'],
    purposes: ['dpv:AcademicResearch'],
    reference: 'c-1',
    validFrom: formatInstant(now),
    validUntil: formatInstant(later(now, DAY_MS)),
    people: 'listed',
  }
  const people = [await bare.numberOf('p-10'), await bare.numberOf('p-11')]
  await changeGrants(consent, {
    body: {},
    facts: { by: 'operator' },
    act: async (tx, { last }) => {
      for (const [index, id] of ['basis_ended', 'basis_listed'].entries()) {
        const sequence = last + 1 + index
        await insertBasis(tx, { id, sequence, facts, now, by: 'operator' })
        await insertBasisPeople(tx, { basis: id, sequence, people, isCovered: true, now, by: 'operator' })
      }
      return { change: { sequence: last + 2, newTerms: [], given: [], revoked: [] }, unchanged: 0 }
    },
  })
  await bare.site.db.transaction().execute((tx) =>
    insertGuardianship(tx, {
      guardianship: 'guardianship_one',
      person: people[0] ?? 0,
      issuer: federation,
      personName: Buffer.from('sealed'),
      authority: 'sole',
      document: digestOf('a document'),
      from: now,
      establishedAt: now,
      establishedBy: 'issuer:federation',
    }),
  )
}

async function copyOfSafe(name: string): Promise<string> {
  const target = join(bare.root, `safe-${name}`)
  await cp(bare.site.backups.safe.directory, target, { recursive: true })
  return target
}

async function rowsOf(site: SiteContext, text: string): Promise<unknown> {
  const found = await site.vault.run({ sql: text }, { timeoutMs: 10_000, rowsMax: 10 })
  return found.ok ? found.value.rows() : found.error
}
