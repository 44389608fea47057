import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { dataSetIdSchema } from '../../../src/protocol/wire.ts'
import { makeBackup } from '../../../src/site/backup/make-backup.ts'
import { listRetentionErasures } from '../../../src/site/rights/erasure-store.ts'
import { sweepRetention } from '../../../src/site/retention/sweep-retention.ts'
import { lookupDigest } from '../../../src/site/vault/keys/lookup-digest.ts'
import { filesOf } from '../../../src/testing/files-of.ts'
import { plainMarkerSearch } from '../../../src/testing/find-markers.ts'
import { ShiftedClock, testRestore } from '../../../src/testing/test-backup.ts'
import { testPeople } from '../../../src/testing/test-population.ts'
import { bareSite } from '../../../src/testing/test-site.ts'

const DAY_MS = 86_400_000
const MARKER = 'zqsweptbackup'
const clock = new ShiftedClock()
const bare = await bareSite(clock)
after(() => bare[Symbol.asyncDispose]())

test('a backup from before retention ended is restored without what has ended, and without whose it was', async () => {
  const people = testPeople(12, (_, index) => ({ country: `${MARKER}-${index}-` }))
  const today = new Date(clock.now()).toISOString().slice(0, 10)
  await bare.fill({ dataSet: 'athletes', people, manifest: { retention: { period: 'P3D', from: today } } })
  const entry = await makeBackup(bare.site)
  clock.advance(4 * DAY_MS)
  assert.deepEqual(await sweepRetention(bare.site), { rows: 12, people: 12 })
  await bare.site.archiver.follow()

  await using place = await testRestore(bare, entry)
  const restored = await place.restore()
  assert.deepEqual([restored.people, restored.rows], [0, { athletes: 0 }])
  const find = plainMarkerSearch([MARKER])
  const left = (await filesOf(join(place.into))).flatMap((bytes) => find(bytes))
  assert.deepEqual(left, [])
  const site = await place.open()
  const lookup = lookupDigest(site.keys.lookup, { issuer: 'federation', personKey: 'p-3' })
  assert.deepEqual([...(await site.vault.findPeople([lookup]))], [-1])
  assert.equal((await site.vault.people(dataSetIdSchema.parse('athletes'))).count(), 0)
  const [erasure] = await listRetentionErasures(site.db, { limit: 10, issuer: undefined })
  assert.equal(erasure?.many?.count, 12)
})
