import assert from 'node:assert/strict'
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { sql } from 'kysely'
import { digestOf } from '../../../src/kernel/digest.ts'
import { instant, later } from '../../../src/kernel/clock.ts'
import { peekJws } from '../../../src/kernel/crypto/jws.ts'
import type { Money } from '../../../src/kernel/money.ts'
import type { FloorLimit } from '../../../src/protocol/floor-limit.ts'
import { receiptSchema } from '../../../src/protocol/proof/receipt.ts'
import { dataSetIdSchema, memberIdSchema } from '../../../src/protocol/wire.ts'
import { appendDone, readDone } from '../../../src/site/backup/done-since.ts'
import { readArchive } from '../../../src/site/backup/receipt-archive.ts'
import { makeBackup } from '../../../src/site/backup/make-backup.ts'
import type { BackupEntry } from '../../../src/site/backup/safe.ts'
import type { Restored } from '../../../src/site/restore-site.ts'
import { FloorDesk } from '../../../src/site/floor/floor-desk.ts'
import { bookOnLimit, readFloorLimits } from '../../../src/site/floor/floor-store.ts'
import { correctPerson } from '../../../src/site/rights/correct-person.ts'
import type { SiteContext } from '../../../src/site/site-context.ts'
import { csvOf, testPeople } from '../../../src/testing/test-population.ts'
import { filesOf } from '../../../src/testing/files-of.ts'
import { plainMarkerSearch } from '../../../src/testing/find-markers.ts'
import { ShiftedClock, eraseByKey, testRestore } from '../../../src/testing/test-backup.ts'
import type { TestRestore } from '../../../src/testing/test-backup.ts'
import { bareSite } from '../../../src/testing/test-site.ts'
import type { BareSite } from '../../../src/testing/test-site.ts'

const athletes = dataSetIdSchema.parse('athletes')
const federation = memberIdSchema.parse('federation')
const MARKER = 'zqcorrected9name'
const LATE = testPeople(3, (_, index) => ({ id: `late-${index}` }))
const clock = new ShiftedClock()

let bare: BareSite
/** From before the first correction, which the safe has for it; the other one is restored. */
let older: BackupEntry
let entry: BackupEntry
let place: TestRestore
let restored: Restored
let site: SiteContext
const made: { readonly correction: string; readonly person: string }[] = []

const correct = async (person: string, set: Record<string, string | number>) => {
  const { correction } = await correctPerson(bare.site, {
    person: await bare.numberOf(person),
    issuer: federation,
    requestedBy: 'issuer:federation',
    dataSet: athletes,
    set,
    where: {},
  })
  made.push({ correction, person })
}

before(async () => {
  bare = await bareSite(clock)
  await bare.fill({ dataSet: 'athletes', people: testPeople(20) })
  await bare.site.floor.take(limitOf('flr_before'), 'statement')
  older = await makeBackup(bare.site)
  await correct('p-1', { score: 11 })
  clock.advance(1_000)
  entry = await makeBackup(bare.site)
  await correct('p-2', { score: 22 })
  await correct('p-2', { score: 23, name: MARKER })
  await correct('p-4', { name: `${MARKER} too` })
  await bare.fill({ dataSet: 'athletes', people: LATE, batch: 'late', hasGrants: false })
  await correct('late-1', { score: 33 })
  await eraseByKey(bare, 'p-4')
  clock.advance(1_000)
  await bare.site.floor.take(limitOf('flr_between'), 'statement')
  await bare.site.log.publish()
  await bare.site.archiver.follow()
  clock.advance(5_000)
  place = await testRestore(bare, entry)
  restored = await place.restore()
  site = await place.open()
})
after(async () => {
  await place[Symbol.asyncDispose]()
  await bare[Symbol.asyncDispose]()
})

function limitOf(id: string): FloorLimit {
  const amount: Money = { amountMinor: 1_000n, currency: 'EUR' }
  const now = clock.now()
  return {
    id,
    site: 'galway',
    network: 'hedgerow',
    acquirer: memberIdSchema.parse('lab'),
    amount,
    validFrom: now,
    validUntil: later(now, 86_400_000),
    clearUntil: later(now, 2 * 86_400_000),
  } as unknown as FloorLimit
}

test('corrections after the backup are made again in their order, under their ids; what cannot be is named', async () => {
  assert.equal(restored.corrections, 2)
  const late = made.find(({ person }) => person === 'late-1')
  assert.deepEqual(restored.toCorrect, [{ correction: late?.correction, dataSet: 'athletes' }])
  const [second, first] = await Promise.all(['p-2', 'p-1'].map((key) => scoreOf(site, key)))
  assert.deepEqual([first, second], [11n, 23n])
  const { rows } = await sql<{ correction: string }>`
    select correction from correction where state = 'done' and rows > 0 order by id`.execute(site.db)
  assert.deepEqual(
    rows.map(({ correction }) => correction),
    made.slice(0, 3).map(({ correction }) => correction),
  )
})

test('imports after the backup are named by the digest of their file', () => {
  assert.deepEqual(restored.toImport, [
    { dataSet: 'athletes', batch: 'late', file: digestOf(csvOf(LATE)), rows: 3 },
  ])
})

test('no corrected value is in the safe in clear, and none of somebody who was erased is in the restored site', async () => {
  const find = plainMarkerSearch([MARKER])
  const inSafe = (await filesOf(bare.site.backups.safe.directory)).flatMap((bytes) => find(bytes))
  assert.deepEqual(inSafe, [])
  const there = await readFile(join(bare.site.backups.safe.directory, 'done-since.ndjson'), 'utf8')
  assert.equal(there.match(/"correction":/g)?.length, 5)
  assert.deepEqual(
    (await filesOf(place.into)).flatMap((bytes) => find(bytes)),
    [],
  )
})

test('a floor limit that was in force before the restore buys nothing, whether the backup knew it or not; a later one does', async () => {
  const desk = await FloorDesk.open(site.db)
  // The network tells of both again.
  for (const id of ['flr_before', 'flr_between'])
    await desk.take({ ...limitOf(id), validFrom: instant(entry.begunAt) }, 'statement')
  const price: Money = { amountMinor: 1n, currency: 'EUR' }
  assert.equal(desk.hasLimit('lab', 'EUR', clock.now()), false)
  assert.equal(desk.hold('lab', price, clock.now()), undefined)
  const kept = await readFloorLimits(site.db)
  assert.deepEqual(
    kept.map(({ id, isWithheld }) => [id, isWithheld]),
    [
      ['flr_before', true],
      ['flr_between', true],
    ],
  )
  for (const { id: limit } of kept)
    assert.equal(
      await site.db.transaction().execute((tx) => bookOnLimit(tx, { limit, priceMinor: 1n })),
      false,
    )
  clock.advance(120_000)
  await desk.take(limitOf('flr_after'), 'statement')
  assert.equal(desk.hold('lab', price, clock.now())?.limit, 'flr_after')
  const booked = await site.db
    .transaction()
    .execute((tx) => bookOnLimit(tx, { limit: 'flr_after', priceMinor: 1n }))
  assert.equal(booked, true)
})

test('what every backup holds is not kept any longer, and a torn line was never acknowledged', async () => {
  const { safe } = bare.site.backups
  const archived = async () =>
    (await readdir(safe.directory)).filter((name) => /^receipts-|^checkpoint$/.test(name)).toSorted()
  const since = (...backups: readonly BackupEntry[]) =>
    backups.map(({ logSize = 0 }) => `receipts-${logSize}.jws`)
  assert.equal((await readDone(safe)).length, 6)
  assert.deepEqual(await archived(), ['checkpoint', ...since(older, entry)])
  await bare.site.backups.destroy(older.backup)
  assert.equal((await readDone(safe)).length, 5)
  assert.deepEqual(await archived(), ['checkpoint', ...since(entry)])
  const second = await makeBackup(bare.site)
  assert.deepEqual(await archived(), ['checkpoint', ...since(entry, second)])
  await correct('p-3', { score: 44 })
  await bare.site.backups.destroy(entry.backup)
  assert.deepEqual(
    (await readDone(safe)).map((one) => 'correction' in one && one.correction),
    [made.at(-1)?.correction],
  )
  const [last] = await readDone(safe)
  assert.ok(last)
  await appendDone(safe, last)
  assert.equal((await readDone(safe)).length, 1)
  assert.deepEqual(await archived(), ['checkpoint', ...since(second)])
  // As a backup does that fails just after: the next one begins at the same receipt.
  await bare.site.archiver.rotate(second.logSize ?? 0)
  const sequences: (number | undefined)[] = []
  for await (const jws of readArchive(safe, second.logSize ?? 0))
    sequences.push(receiptSchema.parse(JSON.parse(peekJws(jws)?.payload ?? '')).sequence)
  assert.ok(sequences.length > 1)
  assert.deepEqual(
    sequences,
    sequences.map((_, index) => (second.logSize ?? 0) + index),
    'each receipt stands once',
  )
  await bare.site.backups.destroy(second.backup)
  assert.deepEqual(await readDone(safe), [])
  assert.deepEqual(await archived(), [], 'nobody’s receipts are kept where nothing could be restored')
  await correct('p-3', { score: 45 })
  assert.deepEqual(await readDone(safe), [], 'without a backup nothing could be restored')
})

async function scoreOf({ vault }: SiteContext, person: string): Promise<unknown> {
  const number = await bare.numberOf(person)
  const found = await vault.run(
    { sql: `select score from ds_athletes where _p = ${number}` },
    { timeoutMs: 10_000, rowsMax: 10 },
  )
  return found.ok ? found.value.rows()[0]?.[0] : undefined
}
