import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '../../src/kernel/log.ts'
import { systemRandom } from '../../src/kernel/random.ts'
import { SITE_API } from '../../src/protocol/http/site-api.ts'
import { openPersonRecords } from '../../src/sdk/person.ts'
import type { WireManifest } from '../../src/sdk/issuer.ts'
import { answerAsk } from '../../src/site/asks/answer-ask.ts'
import { findAnswer } from '../../src/site/asks/answer-store.ts'
import { decisionMessageOf } from '../../src/site/asks/decision-message.ts'
import { siteSettingsSchema } from '../../src/site/config.ts'
import { pulledAsks } from '../../src/site/line/serve-line.ts'
import { openSite } from '../../src/site/open-site.ts'
import type { SiteContext } from '../../src/site/site-context.ts'
import { around } from '../../src/testing/around.ts'
import { filesOf } from '../../src/testing/files-of.ts'
import { plainMarkerSearch } from '../../src/testing/find-markers.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { testManifest, testPeople } from '../../src/testing/test-population.ts'
import type { TestPerson } from '../../src/testing/test-population.ts'
import { testTrade } from '../../src/testing/test-trade.ts'
import type { TestSite, TestTrade } from '../../src/testing/test-trade.ts'
import { testLine } from '../../src/testing/test-line.ts'

/** Two seconds before rows of 28, 29, 30 and 31 January end, whose period is a month. */
const EVENING = Date.parse('2026-02-27T23:59:58Z')
const DAY_MS = 86_400_000
const MARKER = 'zqrowended5'
const COUNT = 60
const ALL = 'select sum(score) as score from athletes'

/** Rows that end a month after the day that stands in them. */
const byDay: Partial<WireManifest> = {
  person: { key: 'id', ageAtLeast: 18, rowsMax: 20 },
  columns: testManifest('athletes').columns.map((column) =>
    column.name === 'birth_date' ? { ...column, isRequired: true } : column,
  ),
  retention: { period: 'P10Y', from: '2026-01-01', rows: { column: 'birth_date', period: 'P1M' } },
}

/** One row for everybody that stays, and rows of a day for some. */
function visits(...ending: readonly { readonly day: string; readonly of: number }[]): readonly TestPerson[] {
  const people = testPeople(COUNT, (_, index) => ({
    birthDate: '2026-02-20',
    country: 'IE',
    score: 40 + (index % 20),
  }))
  const more = ending.flatMap(({ day, of }) =>
    people.slice(0, of).map((one) => ({ ...one, birthDate: day, country: `${MARKER}-land`, score: 50 })),
  )
  return [...people, ...more]
}

function scoreOf(rows: readonly TestPerson[]): number {
  return rows.reduce((sum, { score }) => sum + score, 0)
}

test('a row is in no answer, no export and under no correction from the moment at which its own date ends it', async () => {
  const clock = new ManualClock(EVENING)
  await using trade = await testTrade({ clock })
  const site = trade.site()
  const rows = visits({ day: '2026-01-28', of: 30 }, { day: '2026-02-01', of: 30 })
  await trade.fill(site, { dataSet: 'athletes', people: rows, manifest: byDay, grants: grantsOf(rows) })
  const northcare = await trade.addAcquirer('northcare')
  const released = async () =>
    (await northcare.ask('select birth_date, score from athletes', { mode: 'rows' })).sites[0]?.release?.rows
  assert.equal((await released())?.length, 120)
  assert.equal((await exported(trade, site, 'p-3')).length, 3)

  clock.advance(1_999)
  assert.equal((await released())?.length, 120)
  clock.advance(1)
  assert.equal((await released())?.length, 90, 'those of 28 January are gone')
  assert.deepEqual((await exported(trade, site, 'p-3')).map(dayOf).toSorted(), ['2026-02-01', '2026-02-20'])
  const toCorrect = {
    dataSet: 'athletes',
    set: { birth_date: '2026-02-27' },
    where: { birth_date: '2026-01-28' },
  }
  await assert.rejects(site.rights('issuer').correct({ person: 'p-3' }, toCorrect), { status: 404 })
  const clocks = (await retention(site)).clocks.find(({ scope }) => scope === 'row')
  assert.deepEqual(clocks, {
    dataSet: 'athletes',
    scope: 'row',
    name: 'birth_date',
    // 29, 30 and 31 January have ended too: February has no such days.
    keptFrom: '2026-02-01',
    endsAt: Date.parse('2026-03-01T00:00:00Z'),
    state: 'ended',
  })
})

test('a sweep deletes rows that have ended to the last byte, but those of people who are held, and says so', async () => {
  const clock = new ManualClock(EVENING)
  await using trade = await testTrade({ clock })
  const site = trade.site()
  const rows = visits({ day: '2026-01-28', of: 30 })
  await trade.fill(site, { dataSet: 'athletes', people: rows, manifest: byDay, grants: grantsOf(rows) })
  await site.rights('issuer').restrict({ person: 'p-3' }, 'legal_claims')
  const search = plainMarkerSearch([`${MARKER}-land`])
  const found = async () => (await filesOf(site.root)).flatMap((file) => search(file)).length
  assert.ok((await found()) > 0, 'the search finds what is there')
  clock.advance(2_000)
  assert.equal((await exported(trade, site, 'p-3')).length, 2, 'who is held sees it on')
  assert.equal((await exported(trade, site, 'p-4')).length, 1)
  const operator = site.client({ issuer: 'operator', key: site.operatorKey })
  assert.equal((await operator.call(SITE_API.sweepRetention)).rows, 29)
  assert.equal((await exported(trade, site, 'p-3')).length, 2)
  const { sweeps } = await retention(site)
  assert.deepEqual(
    sweeps.map(({ rows: swept, keptFrom }) => [swept, keptFrom]),
    [[29, '2026-02-01']],
  )
  assert.ok(sweeps[0]?.permanentAt !== undefined)
  const [receipt] = await site.operator.receipts({ kind: 'retention', limit: 10 })
  const told = Buffer.from(receipt?.receipt.split('.')[1] ?? '', 'base64url').toString()
  assert.match(told, /"keptFrom":"2026-02-01"/)
  assert.doesNotMatch(told, /zqrow/)

  await site.rights('issuer').liftRestriction({ person: 'p-3' })
  clock.advance(3 * DAY_MS)
  assert.equal((await exported(trade, site, 'p-3')).length, 1, 'at once when the hold has ended')
  await site.client({ issuer: 'operator', key: site.operatorKey }).call(SITE_API.sweepRetention)
  assert.equal(await found(), 0)
  assert.equal((await site.operator.dataSets())[0]?.people, COUNT)
})

test('two answers do not tell the row of one person that ended between them', async () => {
  const clock = new ManualClock(EVENING)
  await using trade = await testTrade({ clock })
  const site = trade.site()
  const rows = visits({ day: '2026-01-28', of: 1 })
  await trade.fill(site, { dataSet: 'athletes', people: rows, manifest: byDay, grants: grantsOf(rows) })
  const northcare = await trade.addAcquirer('northcare')
  const ask = async (more = {}) => (await northcare.ask(ALL, more)).sites[0]
  assert.deepEqual((await ask())?.release?.rows, [[scoreOf(rows)]])
  clock.advance(2_000)
  assert.equal((await ask({ dryRun: true }))?.reason, 'declined.differencing')
  assert.equal((await ask())?.reason, 'declined.differencing')
  // Deleting it and starting anew changes nothing of what was told.
  await site.client({ issuer: 'operator', key: site.operatorKey }).call(SITE_API.sweepRetention)
  assert.equal((await ask())?.reason, 'declined.differencing')
  const southcare = await trade.addAcquirer('southcare')
  const [other] = (await southcare.ask(ALL)).sites
  assert.deepEqual(other?.release?.rows, [[scoreOf(visits())]], 'who had no answer before is told of today')
})

test('two answers do not tell the row of one person that is shown again under a longer period', async () => {
  const clock = new ManualClock(EVENING)
  await using trade = await testTrade({ clock })
  const site = trade.site()
  const rows = visits({ day: '2026-01-20', of: 1 })
  await trade.fill(site, { dataSet: 'athletes', people: rows, manifest: byDay, grants: grantsOf(rows) })
  const northcare = await trade.addAcquirer('northcare')
  assert.deepEqual((await northcare.ask(ALL)).sites[0]?.release?.rows, [[scoreOf(visits())]])
  const longer = {
    ...byDay.retention,
    period: 'P10Y',
    from: '2026-01-01',
    rows: { column: 'birth_date', period: 'P1Y' },
  }
  await site.issuer.describe(testManifest('athletes', { ...byDay, retention: longer }))
  await site.issuer.giveGrants(grantsOf(rows))
  assert.equal((await northcare.ask(ALL)).sites[0]?.reason, 'declined.differencing')
  const southcare = await trade.addAcquirer('southcare')
  assert.deepEqual((await southcare.ask(ALL)).sites[0]?.release?.rows, [[scoreOf(rows)]])
})

/** Where in the life of an ask a day passes and the guard is told of it. */
const GATES = ['look', 'afterLook', 'withEligible', 'run', 'afterRun', 'hold'] as const
type Gate = (typeof GATES)[number]

test('whatever is decided after the guard was told of a day is without the rows of the day before, at every step', async (context) => {
  const clock = new ManualClock(EVENING - 20 * DAY_MS)
  await using trade = await testTrade({ clock })
  const site = trade.site()
  // Of each of the days that pass, rows of 30 people end.
  const days = Array.from({ length: 16 }, (_, index) => `2026-01-${String(8 + index).padStart(2, '0')}`)
  const rows = visits(...days.map((day) => ({ day, of: 30 })))
  await trade.fill(site, { dataSet: 'athletes', people: rows, manifest: byDay, grants: grantsOf(rows) })
  await site.stop()
  await using opened = new AsyncDisposableStack()
  const parts = await openSite(startOf(trade, site), opened, () => undefined)
  for (const [index, gate] of [...GATES, ...GATES].entries()) {
    const mode = index < GATES.length ? 'rows' : 'aggregate'
    await context.test(`${mode}, when it passes at "${gate}"`, async () => {
      const name = `${'abcdefghjkmn'.charAt(index)}-north`
      const told = await askAsDayPasses(trade, { parts, gate, clock, name, mode })
      const today = new Date(clock.now())
      const kept = rows.filter(({ birthDate }) => endOf(birthDate) > today.getTime()).length
      assert.equal(told, kept)
      clock.advance(DAY_MS - 2_000)
    })
  }
})

function endOf(day: string): number {
  return Temporal.PlainDate.from(day).add({ months: 1 }).toZonedDateTime('UTC').epochMilliseconds
}

/** How many rows an ask is told of, in the middle of which a day passes. */
async function askAsDayPasses(
  trade: TestTrade,
  {
    parts,
    gate,
    clock,
    name,
    mode,
  }: { parts: SiteContext; gate: Gate; clock: ManualClock; name: string; mode: 'rows' | 'aggregate' },
): Promise<number> {
  const { network } = trade
  const asker = await trade.addAcquirer(name)
  const sql = mode === 'rows' ? 'select score from athletes' : 'select count(*) as visits from athletes'
  const { ask, jws } = await asker.acquirer.prepare(asker.request(sql, { mode }))
  await asker.acquirer.send(jws)
  const line = testLine({ network, clock }, parts)
  const [pulled] = pulledAsks(await line.pullWork({ waitMs: 5_000, isResuming: false }))
  assert.ok(pulled)
  let hasPassed = false
  const pass = async () => {
    if (hasPassed) return
    hasPassed = true
    clock.advance(2_000)
    await parts.rowEnds.upTo(parts.manifests().values(), clock.now())
  }
  await answerAsk(pulled, { parts: heldUp(parts, gate, pass), events: parts.events })
  assert.ok(hasPassed, 'the step was reached')
  const answer = await findAnswer(parts.db, ask.id)
  assert.ok(answer)
  await line.pushDecision(await decisionMessageOf(answer, parts.log))
  const [seen] = (await asker.acquirer.open(await asker.acquirer.find(ask.id))).sites
  const released = seen?.release?.rows ?? assert.fail(`declined: ${seen?.reason}`)
  return mode === 'rows' ? released.length : Number(released[0]?.[0])
}

/** The parts of a site with one of their acts held up, before or after it is done. */
function heldUp(parts: SiteContext, gate: Gate, pass: () => Promise<void>): SiteContext {
  switch (gate) {
    case 'look':
      return { ...parts, partitions: around(parts.partitions, 'look', { before: pass }) }
    case 'afterLook':
      return { ...parts, partitions: around(parts.partitions, 'look', { after: pass }) }
    case 'withEligible':
    case 'run':
      return { ...parts, vault: around(parts.vault, gate, { before: pass }) }
    case 'afterRun':
      return { ...parts, vault: around(parts.vault, 'run', { after: pass }) }
    case 'hold':
      return { ...parts, partitions: around(parts.partitions, 'hold', { after: pass }) }
  }
}

function startOf(trade: TestTrade, site: TestSite) {
  const settings = siteSettingsSchema.parse({
    site: site.name,
    custodian: 'edgeworks',
    territory: 'IE',
    network: { url: trade.network.url },
    databaseUrl: site.databaseUrl,
    vault: { memoryMb: 256, threads: 1 },
  })
  return { root: site.root, settings, log: silentLog, clock: trade.clock, random: systemRandom }
}

function grantsOf(rows: readonly TestPerson[]) {
  return [...new Set(rows.map(({ id }) => id))].map((person) => ({
    dataSet: 'athletes',
    person,
    grantee: { anyone: true },
    purposes: ['dpv:ResearchAndDevelopment'],
    modes: ['aggregate' as const, 'rows' as const],
  })) satisfies Parameters<TestSite['issuer']['giveGrants']>[0]
}

type Row = Readonly<Record<string, unknown>>

function dayOf(row: Row): string {
  return String(row['birth_date'])
}

/** The rows in a person's export. */
async function exported(trade: TestTrade, site: TestSite, ref: string): Promise<readonly Row[]> {
  const { federation } = trade
  const client = site.client({ issuer: federation.name, key: federation.signing })
  const records = openPersonRecords(client, { ref, reason: 'she asked by telephone' })
  const text = await new Response(await records.export({ format: 'jsonl' })).text()
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { kind: string; values?: Row })
    .flatMap(({ kind, values }) => (kind === 'row' && values ? [values] : []))
}

function retention(site: TestSite) {
  return site.client({ issuer: 'operator', key: site.operatorKey }).call(SITE_API.retention)
}
