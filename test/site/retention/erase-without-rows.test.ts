import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { sql } from 'kysely'
import { Bitset } from '../../../src/kernel/bitset.ts'
import { systemClock } from '../../../src/kernel/clock.ts'
import { digestOf } from '../../../src/kernel/digest.ts'
import { grantRequestSchema } from '../../../src/protocol/consent/grant.ts'
import { dataSetIdSchema, memberIdSchema } from '../../../src/protocol/wire.ts'
import { giveGrants } from '../../../src/site/consent/give-grants.ts'
import { objectTo } from '../../../src/site/consent/change-objections.ts'
import { revokeGrants } from '../../../src/site/consent/revoke-grants.ts'
import { endGuardianship } from '../../../src/site/principals/end-guardianship.ts'
import { establishGuardianship } from '../../../src/site/principals/establish-guardianship.ts'
import { importTurn } from '../../../src/site/datasets/import-batch.ts'
import { sweepRetention } from '../../../src/site/retention/sweep-retention.ts'
import { completeErasures } from '../../../src/site/rights/complete-erasures.ts'
import { erasuresIn, findErasure } from '../../../src/site/rights/erasure-store.ts'
import { handleRequest, makeRequests } from '../../../src/site/rights/request-desk.ts'
import { liftRestriction, restrictPerson } from '../../../src/site/rights/restrict-person.ts'
import { filesOf, postgresDirectory } from '../../../src/testing/files-of.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { csvOf, testGrant, testPeople } from '../../../src/testing/test-population.ts'
import { bareSite } from '../../../src/testing/test-site.ts'
import type { BareSite } from '../../../src/testing/test-site.ts'

const DAY_MS = 86_400_000
const START = Date.parse('2026-02-10T12:00:00Z')
const athletes = dataSetIdSchema.parse('athletes')
const study = dataSetIdSchema.parse('study')
const federation = memberIdSchema.parse('federation')
const people = testPeople(40)
/** Days pass when told; a wait for a transaction of the record that is older, of a vacuum say, ends by itself. */
const clock = new (class extends ManualClock {
  override sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    return systemClock.sleep(durationMs, signal)
  }
})(START)
let bare: BareSite

/** Rows of all of them end after thirty days; one of them has a row in a data set that goes on. */
before(async () => {
  bare = await bareSite(clock)
  const manifest = { retention: { period: 'P30D', from: '2026-02-10' } }
  await bare.fill({ dataSet: 'athletes', people, manifest })
  const goesOn = { retention: { period: 'P10Y', from: '2026-02-10' } }
  await bare.fill({ dataSet: 'study', people: people.slice(39), manifest: goesOn, hasGrants: false })
})
after(() => bare[Symbol.asyncDispose]())

const known = async (key: string) => {
  const number = await bare.numberOf(key)
  return { key, number, issuer: federation }
}
const isKnown = async (key: string) => (await bare.numberOf(key)) >= 0
const keyCount = async () => {
  const { rows } = await sql<{ count: bigint }>`select count(*) as count from person_key`.execute(
    bare.site.db,
  )
  return Number(rows[0]?.count)
}

test('whoever has no row left is erased with a certificate, but not whom something of theirs still keeps', async () => {
  const { site } = bare
  await restrictPerson(site, {
    person: await bare.numberOf('p-1'),
    issuer: federation,
    reason: 'accuracy_contested',
    requestedBy: 'issuer:federation',
  })
  await makeRequests(site, { people: [await known('p-2')], kind: 'access', by: 'person' })
  await giveGrants(site.consent, [grantRequestSchema.parse(testGrant('study', 'p-3'))], { by: 'person' })
  const objecting = { people: [await bare.numberOf('p-4')], purpose: 'dpv:Marketing', dataSet: study }
  await objectTo(site.consent, objecting, { by: 'person' })
  const establishing = {
    guardian: 'p-5',
    authority: 'sole',
    document: digestOf('court'),
    by: 'issuer:federation',
  } as const
  const ended = await establishGuardianship(site, {
    child: await known('p-39'),
    facts: { ...establishing, guardian: 'p-8' },
  })
  await endGuardianship(site, { guardianship: ended.guardianship, by: 'issuer:federation' })
  await establishGuardianship(site, { child: await known('p-39'), facts: establishing })

  // One of them was the guardian of somebody who stays.
  const marks = await marksOf(['p-6', 'p-38', 'p-8'])
  assert.ok((await foundIn(marks)) >= marks.length, 'the search finds what is there')
  const gone = await Promise.all(['p-6', 'p-38'].map((key) => bare.numberOf(key)))

  clock.advance(30 * DAY_MS)
  const swept = await sweepRetention(site)
  assert.equal(swept.rows, 40)
  assert.equal(swept.people, 34)
  for (const key of ['p-1', 'p-2', 'p-3', 'p-4', 'p-5', 'p-39']) assert.ok(await isKnown(key), key)
  for (const key of ['p-0', 'p-6', 'p-38']) assert.equal(await isKnown(key), false, key)
  assert.equal(await keyCount(), 6)
  const { rows: live } = await sql<{ person: number }>`
    select person from consent_grant g where not exists (select from consent_revocation r where r.grant_sequence = g.sequence)
      and person = any(${gone}::integer[])`.execute(site.db)
  assert.deepEqual(live, [], 'nothing that they granted stands')
  const granting = new Bitset()
  for (const { id } of site.mirror.termsOf(athletes))
    site.mirror.collect(id, { into: granting, now: clock.now() })
  assert.ok(!gone.some((number) => granting.has(number)))

  const [erasure] = await erasuresIn(site.db, 'deleted')
  assert.equal(erasure?.many?.count, 34)
  assert.ok(erasure.many.people.isEmpty, 'who they were is not kept')
  assert.deepEqual([erasure.reason, erasure.requestedBy, erasure.issuer], ['retention', 'site', 'federation'])
  assert.equal(erasure.receipts.length, 2)
  assert.equal(await completeErasures(site), 1)
  const done = await findErasure(site.db, erasure.erasure)
  assert.deepEqual([done?.state, done?.receipts.length], ['permanent', 3])
  assert.equal(await foundIn(marks), 0, 'neither what they were found by nor their keys are in any file')
})

test('they follow once that is over, and whoever is brought again meanwhile stays', async () => {
  const { site } = bare
  assert.equal((await sweepRetention(site)).people, 0, 'nothing has changed')
  await liftRestriction(site, { person: await bare.numberOf('p-1'), by: 'issuer:federation' })
  const [open] = (await sql<{ id: string }>`select id from person_request`.execute(site.db)).rows
  await handleRequest(site, { id: open?.id ?? '', act: { event: 'fulfil', by: 'issuer:federation' } })
  await revokeGrants(site.consent, [{ dataSet: study, person: 'p-3' }], { by: 'person' })
  const more = { retention: { period: 'P10Y', from: '2026-02-10' } }
  await bare.fill({ dataSet: 'more', people: people.slice(2, 3), manifest: more, hasGrants: false })
  clock.advance(4 * DAY_MS)
  assert.equal((await sweepRetention(site)).people, 2)
  assert.deepEqual(await Promise.all(['p-1', 'p-2', 'p-3', 'p-4', 'p-5'].map(isKnown)), [
    false,
    true,
    false,
    true,
    true,
  ])
})

test('whoever is brought again later is somebody new: what the earlier one granted lets nobody in', async () => {
  const before = await bare.numberOf('p-7')
  assert.equal(before, -1)
  const more = { retention: { period: 'P10Y', from: '2026-02-10' } }
  await bare.fill({
    dataSet: 'more',
    people: people.slice(7, 8),
    manifest: more,
    batch: 'second',
    hasGrants: false,
  })
  const now = await bare.numberOf('p-7')
  assert.ok(now >= people.length, 'a number that nobody had')
  const { rows } = await sql`select 1 from consent_grant where person = ${now}`.execute(bare.site.db)
  assert.deepEqual(rows, [])
})

test('many go in several turns under one certificate; where a turn fails, whoever was noted before is forgotten', async () => {
  const { site } = bare
  const crowd = testPeople(300).map((person, index) => ({ ...person, id: `c-${index}` }))
  await bare.fill({
    dataSet: 'crowd',
    people: crowd,
    manifest: { retention: { period: 'P30D', from: '2026-03-20' } },
  })
  clock.advance(40 * DAY_MS)
  const keysBefore = await keyCount()
  let turns = 0
  const log: typeof site.log = {
    ...site.log,
    issue: (tx, drafts) => {
      const isTurn = drafts.some((draft) => 'grade' in draft && draft.grade === 'inaccessible')
      if (isTurn) turns += 1
      return isTurn && turns === 2
        ? Promise.reject(new Error('the second turn fails'))
        : site.log.issue(tx, drafts)
    },
  }
  await assert.rejects(sweepRetention({ ...site, log }), { message: 'Cannot change grants' })
  const gone = keysBefore - (await keyCount())
  assert.ok(gone > 0 && gone < 300, `${gone} were noted in the first turn`)
  const known = await Promise.all(crowd.map(({ id }) => isKnown(id)))
  assert.equal(known.filter((one) => !one).length, gone)
  assert.deepEqual(await erasuresIn(site.db, 'begun'), [])

  assert.equal((await sweepRetention(site)).people, 300 - gone)
  const [rest, first] = (await erasuresIn(site.db, 'deleted')).toReversed()
  assert.deepEqual([first?.many?.count, rest?.many?.count], [gone, 300 - gone])
  assert.ok((rest?.receipts.length ?? 0) > 2, 'a receipt for each turn, and one at the end')
})

test('whoever a turn noted is forgotten although it is told to have failed after that, and none is left half known', async () => {
  const { site } = bare
  const crowd = testPeople(200).map((person, index) => ({ ...person, id: `d-${index}` }))
  const from = new Date(clock.now()).toISOString().slice(0, 10)
  await bare.fill({
    dataSet: 'later_crowd',
    people: crowd,
    manifest: { retention: { period: 'P30D', from } },
  })
  clock.advance(40 * DAY_MS)
  const keysBefore = await keyCount()
  let turns = 0
  const keepApart = () =>
    (turns += 1) === 2 ? Promise.reject(new Error('no disk')) : site.consent.keepApart()
  await assert.rejects(sweepRetention({ ...site, consent: { ...site.consent, keepApart } }), {
    message: 'no disk',
  })
  const gone = keysBefore - (await keyCount())
  assert.ok(gone > 128, `${gone} were noted, the second turn's too`)
  const known = await Promise.all(crowd.map(({ id }) => isKnown(id)))
  assert.equal(known.filter((one) => !one).length, gone)
  const newest = (await erasuresIn(site.db, 'deleted')).at(-1)
  assert.deepEqual([newest?.many?.count, newest?.receipts.length], [gone, 3])
  assert.equal((await sweepRetention(site)).people, 200 - gone)
})

test('where that fails as well, it is told what went wrong first, and they are forgotten by the next turn', async () => {
  const { site } = bare
  const from = new Date(clock.now()).toISOString().slice(0, 10)
  await bare.fill({
    dataSet: 'last_crowd',
    people: testPeople(30).map((person, index) => ({ ...person, id: `e-${index}` })),
    manifest: { retention: { period: 'P30D', from } },
  })
  clock.advance(40 * DAY_MS)
  const keepApart = () => Promise.reject(new Error('no disk'))
  const log: typeof site.log = {
    ...site.log,
    issue: (tx, drafts) =>
      drafts.some((draft) => 'grade' in draft && draft.grade === 'deleted')
        ? Promise.reject(new Error('no disk either'))
        : site.log.issue(tx, drafts),
  }
  const failing = { ...site, log, consent: { ...site.consent, keepApart } }
  await assert.rejects(sweepRetention(failing), { message: 'no disk' })
  assert.equal((await erasuresIn(site.db, 'begun')).length, 1)
  await sweepRetention(site)
  assert.deepEqual(await erasuresIn(site.db, 'begun'), [])
  assert.equal(await isKnown('e-0'), false)
})

/** What a person is found by and the wrapped key, as the bytes that stand in files. */
async function marksOf(keys: readonly string[]): Promise<readonly Buffer[]> {
  const { site } = bare
  const marks: Buffer[] = []
  for (const key of keys) {
    const number = await bare.numberOf(key)
    const lookup = await site.vault.lookupOf(number)
    const { rows } = await sql<{ wrapped: Buffer }>`
      select wrapped from person_key where person = ${number}`.execute(site.db)
    marks.push(Buffer.from(lookup ?? []), Buffer.from(rows[0]?.wrapped ?? []))
  }
  assert.ok(marks.every(({ length }) => length >= 32))
  return marks
}

async function foundIn(marks: readonly Buffer[]): Promise<number> {
  const files = [...(await filesOf(bare.root)), ...(await filesOf(await postgresDirectory()))]
  return marks.filter((mark) => files.some((bytes) => bytes.includes(mark))).length
}

test('an import gets its turn between some and the next, and whom it brings stays', async (t) => {
  const { site } = bare
  const crowd = testPeople(700).map((person, index) => ({ ...person, id: `e-${index}` }))
  const from = new Date(clock.now()).toISOString().slice(0, 10)
  const manifest = { retention: { period: 'P30D', from } }
  await bare.fill({ dataSet: 'latest_crowd', people: crowd, manifest, hasGrants: false })
  clock.advance(40 * DAY_MS)
  const lastBefore = await bare.numberOf('e-699')
  const file = { stream: new Blob([csvOf([...crowd.slice(0, 1), ...crowd.slice(699)])]).stream() }
  const forgetAll = site.vault.forgetAll.bind(site.vault)
  let brought: Promise<void> | undefined
  let slicesAtImport = 0
  const slices: number[] = []
  const turn = importTurn(site.vault)
  const run = turn.run.bind(turn)
  const { promise: isAskedFor, resolve: askedFor } = Promise.withResolvers<void>()
  t.mock.method(turn, 'run', (act: () => Promise<unknown>) => {
    if (slices.length > 0) askedFor()
    return run(act)
  })
  t.mock.method(site.vault, 'forgetAll', async (gone: readonly number[]) => {
    slices.push(gone.length)
    brought ??= bare.bring({ dataSet: 'more', batch: 'between', file }).then(() => {
      slicesAtImport = slices.length
    })
    // It waits for the turn from now on, and the first of them are noted.
    await isAskedFor
    return forgetAll(gone)
  })
  // Two at once: what one has begun the other does not end under it.
  const swept = await Promise.all([sweepRetention(site), sweepRetention(site)])
  assert.deepEqual(
    swept.map(({ people }) => people).toSorted((one, other) => one - other),
    [0, 699],
  )
  await brought
  assert.ok(slicesAtImport < slices.length, `${slicesAtImport} of ${slices.join()}`)
  assert.ok((await bare.numberOf('e-0')) > lastBefore, 'somebody new')
  assert.equal(await bare.numberOf('e-699'), lastBefore, 'who has rows again was not erased')
  const more = dataSetIdSchema.parse('more')
  for (const key of ['e-0', 'e-699'])
    assert.equal((await site.vault.listRows(more, await bare.numberOf(key))).rowCount, 1)
  const erasure = (await erasuresIn(site.db, 'deleted')).at(-1)
  assert.deepEqual([erasure?.many?.count, erasure?.many?.people.isEmpty], [699, true])
  assert.deepEqual(await erasuresIn(site.db, 'begun'), [])
})
