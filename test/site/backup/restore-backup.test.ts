import assert from 'node:assert/strict'
import { cp, readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { sql } from 'kysely'
import { digestOf } from '../../../src/kernel/digest.ts'
import { grantRequestSchema } from '../../../src/protocol/consent/grant.ts'
import { later } from '../../../src/kernel/clock.ts'
import { findRestriction } from '../../../src/site/rights/restriction-store.ts'
import { backupDirectory, isExpired } from '../../../src/site/backup/backups.ts'
import { peoplePath } from '../../../src/site/backup/safe.ts'
import { readBases } from '../../../src/site/consent/basis-store.ts'
import { giveGrants } from '../../../src/site/consent/give-grants.ts'
import { readSubProcessors } from '../../../src/site/contracts/sub-processor-store.ts'
import { findGuardianship } from '../../../src/site/principals/guardianship-store.ts'
import { completeErasures, settleErasures } from '../../../src/site/rights/complete-erasures.ts'
import { findErasure } from '../../../src/site/rights/erasure-store.ts'
import { erasureView } from '../../../src/site/rights/erasure-view.ts'
import type { SiteContext } from '../../../src/site/site-context.ts'
import { lookupDigest } from '../../../src/site/vault/keys/lookup-digest.ts'
import { filesOf } from '../../../src/testing/files-of.ts'
import { plainMarkerSearch } from '../../../src/testing/find-markers.ts'
import { testRestore } from '../../../src/testing/test-backup.ts'
import { testGrant } from '../../../src/testing/test-population.ts'
import {
  athletes,
  federation,
  MARKER,
  DAY_MS,
  clock,
  bare,
  entry,
  erased,
  copyOfSafe,
} from './restore-fixture.ts'

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
  assert.equal(await site.personKeys.keyOf(site.db, erased.person ?? -1), undefined)
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
  // What was over before the backup stays over.
  assert.equal(site.mirror.objectors(athletes, 'dpv:Marketing').has(third), false)
  const restriction = await findRestriction(site.db, fourth)
  assert.equal(restriction?.reason, 'accuracy_contested')
  const late = lookupDigest(site.keys.lookup, { issuer: federation, personKey: 'late-1' })
  assert.deepEqual([...(await site.vault.findPeople([late]))], [-1])
})

test('what ended after the backup has ended: a basis, a guardianship, a contract; and whoever was refused is out', async () => {
  await using place = await testRestore(bare, entry)
  assert.equal((await place.restore()).endings, 5)
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
  assert.deepEqual(site.contracts.standing(), [])
  const [sub] = await readSubProcessors(site.db)
  assert.equal(sub?.answered?.answer, 'withdrawn')
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

test('somebody is erased again by the list alone, where the keys in the safe are those of before the erasure', async () => {
  await using place = await testRestore(bare, entry)
  const safe = await copyOfSafe('unstruck')
  await cp(join(bare.root, 'people-before'), join(safe, 'backups', `${entry.backup}.people`))
  assert.equal((await place.restore({ safe })).erasures, 1)
  const site = await place.open()
  assert.equal((await site.vault.people(athletes)).has(erased.person ?? -1), false)
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
  assert.equal((await site.vault.people(athletes)).has(erased.person ?? -1), false)
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

// Last, because it puts the clock ahead and ends the backup.
test('past its window a backup is refused, its key is destroyed, and the erasure becomes permanent', async () => {
  assert.deepEqual(
    [-1, 0].map((past) => isExpired(entry, later(entry.expiresAt, past))),
    [false, true],
  )
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

async function rowsOf(site: SiteContext, text: string): Promise<unknown> {
  const found = await site.vault.run({ sql: text }, { timeoutMs: 10_000, rowsMax: 10 })
  return found.ok ? found.value.rows() : found.error
}
