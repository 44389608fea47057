import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { WireManifest } from '../../src/sdk/issuer.ts'
import { openPersonRecords } from '../../src/sdk/person.ts'
import { SITE_API } from '../../src/protocol/http/site-api.ts'
import { filesOf } from '../../src/testing/files-of.ts'
import { plainMarkerSearch } from '../../src/testing/find-markers.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { csvOf, testManifest, testPeople } from '../../src/testing/test-population.ts'
import { fileBody, testTrade } from '../../src/testing/test-trade.ts'
import type { TestSite, TestTrade } from '../../src/testing/test-trade.ts'

const MARKER = 'zqretained7'
const RESEARCH = 'dpv:ResearchAndDevelopment'
const people = testPeople(60, (_, index) => ({
  country: index === 7 ? `${MARKER}-land` : 'IE',
  note: `${MARKER} note ${index}`,
}))
/** Two seconds before midnight: no interval of a server passes in between. */
const EVENING = Date.parse('2026-02-27T23:59:58Z')

/** Height ends first, then research, then all. */
const asEnding = (days: { category: number; purpose: number; all: number }): Partial<WireManifest> => ({
  columns: testManifest('athletes').columns.map((column) =>
    column.name === 'height' ? { ...column, category: 'dpv-pd:Height' } : column,
  ),
  purposes: [RESEARCH, 'dpv:Marketing'],
  retention: {
    period: `P${days.all}D`,
    from: '2026-01-31',
    categories: [{ category: 'dpv-pd:Height', period: `P${days.category}D` }],
    purposes: [{ purpose: RESEARCH, period: `P${days.purpose}D` }],
  },
})

test('at the moment at which it ends a column is in no answer and no export, though nothing was swept', async () => {
  const clock = new ManualClock(EVENING)
  await using trade = await testTrade({ clock })
  const site = trade.site()
  // 31 January and 28 days is 28 February: in two seconds.
  await trade.fill(site, {
    dataSet: 'athletes',
    people,
    manifest: asEnding({ category: 28, purpose: 400, all: 400 }),
  })
  const northcare = await trade.addAcquirer('northcare')
  const ask = (sql: string) => northcare.ask(sql, { mode: 'rows' })
  assert.equal((await ask('select height, score from athletes')).sites[0]?.reason, 'approved')
  assert.equal((await exported(trade, site, 'p-8')).values?.['height'], people[8]?.height)

  clock.advance(1_999)
  assert.equal((await ask('select height, score from athletes')).sites[0]?.reason, 'approved')
  clock.advance(1)
  const narrowed = (await ask('select height, score from athletes')).sites[0]
  assert.equal(narrowed?.reason, 'partial.columns')
  assert.deepEqual(
    narrowed.release?.columns.map(({ name }) => name),
    ['score'],
  )
  assert.deepEqual(narrowed.decision?.narrowed?.columns, ['height'])
  for (const sql of ['select height from athletes', 'select score from athletes where height > 1'])
    assert.equal((await ask(sql)).sites[0]?.reason, 'declined.retention', sql)
  const average = await northcare.ask('select avg(height) from athletes')
  assert.equal(average.sites[0]?.reason, 'declined.retention')
  assert.equal((await exported(trade, site, 'p-8')).values?.['height'], null)
  assert.equal((await exported(trade, site, 'p-8')).values?.['score'], people[8]?.score)
  await assert.rejects(
    site.rights('issuer').correct({ person: 'p-8' }, { dataSet: 'athletes', set: { height: 2 } }),
    { status: 400 },
  )
  const clocks = await retention(site)
  assert.deepEqual(
    clocks.clocks.map(({ scope, state }) => [scope, state]),
    [
      ['category', 'ended'],
      ['all', 'in_force'],
      ['purpose', 'in_force'],
    ],
  )
  assert.equal(clocks.sweeps.length, 0)
})

test('a purpose ends for itself alone, and the data set for everybody', async () => {
  const clock = new ManualClock(EVENING)
  await using trade = await testTrade({ clock })
  const site = trade.site()
  await trade.fill(site, {
    dataSet: 'athletes',
    people,
    manifest: asEnding({ category: 28, purpose: 28, all: 29 }),
    grants: people.map(({ id }) => ({
      dataSet: 'athletes',
      person: id,
      grantee: { anyone: true },
      purposes: [RESEARCH, 'dpv:Marketing'],
      modes: ['aggregate', 'rows'],
    })),
  })
  const northcare = await trade.addAcquirer('northcare')
  const reason = async (purpose: string) =>
    (await northcare.ask('select score from athletes', { mode: 'rows', purpose })).sites[0]?.reason
  assert.equal(await reason(RESEARCH), 'approved')
  clock.advance(2_000)
  assert.equal(await reason(RESEARCH), 'declined.retention')
  assert.equal(await reason('dpv:AcademicResearch'), 'declined.retention', 'nor for a narrower one')
  assert.equal(await reason('dpv:Marketing'), 'approved')

  clock.advance(86_400_000 - 1)
  assert.equal(await reason('dpv:Marketing'), 'approved')
  clock.advance(1)
  assert.equal(await reason('dpv:Marketing'), 'declined.retention')
  assert.equal((await exported(trade, site, 'p-8')).values, undefined)
  assert.equal((await site.operator.dataSets())[0]?.people, 0)
  await assert.rejects(
    site.rights('issuer').correct({ person: 'p-8' }, { dataSet: 'athletes', set: { score: 2 } }),
    { status: 400 },
  )
  const more = { dataSet: 'athletes', batch: 'late', format: 'csv', body: fileBody(csvOf(people)) } as const
  await assert.rejects(site.issuer.importFile(more), { status: 409 })
})

test('a sweep leaves no byte but those of people who are held, is logged once, and survives a stop', async () => {
  const clock = new ManualClock(EVENING)
  await using trade = await testTrade({ clock })
  const site = trade.site()
  await trade.fill(site, {
    dataSet: 'athletes',
    people,
    manifest: asEnding({ category: 20, purpose: 20, all: 28 }),
  })
  await site.rights('issuer').restrict({ person: 'p-9' }, 'legal_claims')
  await site.rights('issuer').restrict({ person: 'p-7' }, 'accuracy_contested')
  const search = plainMarkerSearch([`${MARKER}-land`])
  const found = async () => (await filesOf(site.root)).flatMap((file) => search(file)).length
  assert.ok((await found()) > 0, 'the search finds what is there')
  clock.advance(2_000)
  assert.equal((await exported(trade, site, 'p-7')).values, undefined, 'a contested value is no claim')
  assert.notEqual((await exported(trade, site, 'p-9')).values, undefined, 'who is held sees it on')
  assert.equal((await exported(trade, site, 'p-9')).values?.['height'], people[9]?.height)

  await site.client({ issuer: 'operator', key: site.operatorKey }).call(SITE_API.sweepRetention)
  assert.equal(await found(), 0)
  assert.notEqual((await exported(trade, site, 'p-9')).values, undefined)
  const after = await retention(site)
  assert.equal(after.held, 1)
  const whole = after.sweeps.find(({ category }) => category === undefined)
  assert.equal(whole?.rows, 59)
  assert.deepEqual(
    after.erasures.map(({ people: count, issuer, state }) => [count, issuer, state]),
    [[58, 'federation', 'deleted']],
    'whoever is held or restricted stays known',
  )
  assert.ok(whole.permanentAt !== undefined && whole.receipt !== undefined)
  const receipts = await site.operator.receipts({ kind: 'retention', limit: 10 })
  assert.equal(receipts.length, after.sweeps.length + 2 * after.erasures.length)
  assert.doesNotMatch(JSON.stringify(receipts), /zqretained/)

  await site.stop()
  await site.start()
  assert.equal((await retention(site)).sweeps.length, after.sweeps.length, 'and not again')
  // When the hold ends its rows go too.
  await site.rights('issuer').liftRestriction({ person: 'p-9' })
  clock.advance(72 * 3_600_000)
  assert.equal((await exported(trade, site, 'p-9')).values, undefined, 'at once, before the sweep')
  await site.client({ issuer: 'operator', key: site.operatorKey }).call(SITE_API.sweepRetention)
  assert.ok(
    (await retention(site)).clocks.every(({ scope, state }) => scope === 'purpose' || state === 'swept'),
  )
})

test('on either side of any moment, what is answered is what has not ended', async () => {
  const clock = new ManualClock(EVENING)
  await using trade = await testTrade({ clock })
  const site = trade.site()
  const northcare = await trade.addAcquirer('northcare', { depositMinor: 10_000_000 })
  let made = 0
  const days = fc.record({
    category: fc.integer({ min: 26, max: 30 }),
    purpose: fc.integer({ min: 26, max: 30 }),
    all: fc.integer({ min: 30, max: 31 }),
  })
  const endOf = (count: number) => Date.parse('2026-01-31T00:00:00Z') + count * 86_400_000
  await fc.assert(
    fc.asyncProperty(days, async (ends) => {
      const dataSet = `set_${(made += 1)}`
      await trade.fill(site, { dataSet, people: people.slice(0, 12), manifest: asEnding(ends) })
      const now = clock.now()
      const answer = await northcare.ask(`select height, score from ${dataSet}`, {
        mode: 'rows',
        offer: dataSet,
        purpose: RESEARCH,
      })
      const { reason, release } = answer.sites[0] ?? {}
      const isOver = Math.min(endOf(ends.purpose), endOf(ends.all)) <= now
      const isPartial = endOf(ends.category) <= now
      assert.equal(reason, isOver ? 'declined.retention' : isPartial ? 'partial.columns' : 'approved')
      if (release)
        assert.equal(
          release.columns.some(({ name }) => name === 'height'),
          !isPartial,
        )
      const { values } = await exported(trade, site, 'p-3', dataSet)
      assert.equal(values?.['height'] ?? null, isPartial ? null : people[3]?.height)
    }),
    { numRuns: 12 },
  )
})

/** One row of a person's export, if there is one. */
async function exported(trade: TestTrade, site: TestSite, ref: string, dataSet = 'athletes') {
  const { federation } = trade
  const client = site.client({ issuer: federation.name, key: federation.signing })
  const records = openPersonRecords(client, { ref, reason: 'she asked by telephone' })
  const text = await new Response(await records.export({ format: 'jsonl' })).text()
  const lines = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { kind: string; dataSet?: string; values?: Record<string, unknown> })
  return { values: lines.find((line) => line.kind === 'row' && line.dataSet === dataSet)?.values }
}

function retention(site: TestSite) {
  return site.client({ issuer: 'operator', key: site.operatorKey }).call(SITE_API.retention)
}
