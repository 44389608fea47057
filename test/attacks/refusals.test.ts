import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { sql } from 'kysely'
import type { Database } from '../../src/kernel/postgres/database.ts'
import { openPostgres } from '../../src/kernel/postgres/open-postgres.ts'
import { silentLog } from '../../src/kernel/log.ts'
import { Secret } from '../../src/kernel/secret.ts'
import { testPeople } from '../../src/testing/test-population.ts'
import { testTrade } from '../../src/testing/test-trade.ts'
import type { TestAcquirer } from '../../src/testing/test-trade.ts'

/*
 * A refusal is an answer of one bit, and so is an answer that leaves people out: "everybody but those of this height
 * with that score" is not answered whole where there are a few of them. There are so many of these bits and no more, and
 * an equal ask never costs or tells another one.
 */

const MOST = 4
const trade = await testTrade({ sites: [{ name: 'galway', settings: { refusals: { most: MOST } } }] })
after(() => trade[Symbol.asyncDispose]())
/** Every score is that of three people, and three live in Iceland. */
const people = testPeople(300, (_, index) => (index < 3 ? { country: 'IS' } : {}))
await trade.fill(trade.site(), { dataSet: 'athletes', people })

async function told(asker: TestAcquirer, text: string) {
  const result = await asker.ask(text)
  const [site] = result.sites
  const { reason, captured, release, decision } = site ?? {}
  return { reason, captured, rows: release?.rows, remainder: release?.remainder, people: decision?.people }
}

/** Leaves out three people, or nobody when there is no such score. */
const probe = (score: number) => `select avg(height) from athletes where score <> ${score}`

/** Of these 18 people half lie in one cell and half in another after `HALVES`, so that neither part is large enough. */
const HALVES = 'select avg(height) from athletes where score < 45'
const STRADDLING = 'select avg(height) from athletes where score >= 42 and score < 48'

test('so many probes are told by who is left out, and then nothing new is answered, whether or not there is somebody', async () => {
  const asker = await trade.addAcquirer('prober', { depositMinor: 10_000_000 })
  assert.equal((await told(asker, 'select avg(height) from athletes')).reason, 'approved')
  const reasons: unknown[] = []
  for (let score = 0; score < MOST; score += 1) reasons.push((await told(asker, probe(score))).reason)
  assert.deepEqual(new Set(reasons), new Set(['partial.differencing']))
  // Nobody has a score of 1,000: with refusals left it is an answer over everybody.
  const fresh = await trade.addAcquirer('fresh', { depositMinor: 10_000_000 })
  assert.equal((await told(fresh, probe(1_000))).reason, 'approved')
  assert.equal((await told(asker, probe(1_000))).reason, 'declined.differencing')
  assert.equal((await told(asker, 'select count(*) from athletes')).reason, 'declined.differencing')
  assert.equal((await told(asker, 'select avg(height) from athletes')).reason, 'approved')
})

test('the same refused again tells nothing and takes nothing; leaving people out takes as much as a refusal', async () => {
  const asker = await trade.addAcquirer('patient', { depositMinor: 10_000_000 })
  assert.equal((await told(asker, 'select avg(height) from athletes')).reason, 'approved')
  assert.equal((await told(asker, HALVES)).reason, 'approved')
  for (let time = 0; time < 3 * MOST; time += 1)
    assert.equal((await told(asker, STRADDLING)).reason, 'declined.differencing')
  assert.equal(await spentOf('patient'), 1)
  // The three of Iceland are in no row, and with them so many others that what is left of everybody is not theirs.
  const text = 'select country, count(*) from athletes group by country'
  const narrowed = await told(asker, text)
  assert.equal(narrowed.reason, 'partial.differencing')
  const shown = (narrowed.rows ?? []).reduce((sum, [, count]) => sum + Number(count), 0)
  assert.ok(shown <= people.length - 10, `${shown} are shown`)
  const spent = await spentOf('patient')
  assert.ok(spent >= 2, `${spent} were noted`)
  for (let time = 0; time < 3; time += 1) assert.deepEqual(await told(asker, text), narrowed)
  assert.equal(await spentOf('patient'), spent)
})

test('what is refused because too few refusals are left is not given when it is asked again', async () => {
  const asker = await trade.addAcquirer('insistent', { depositMinor: 10_000_000 })
  for (const below of [1_000, 30, 60])
    assert.equal(
      (await told(asker, `select avg(height) from athletes where score < ${below}`)).reason,
      'approved',
    )
  for (const score of [5, 35]) assert.equal((await told(asker, probe(score))).reason, 'partial.differencing')
  assert.equal(await spentOf('insistent'), 2)
  // A few are missing of three cells, and two refusals are left.
  const dear = 'select avg(height) from athletes where score not in (10, 40, 80)'
  for (let time = 0; time < 3; time += 1)
    assert.equal((await told(asker, dear)).reason, 'declined.differencing')
  assert.equal(await spentOf('insistent'), 3)
})

test('a remainder row that has people enough and a measure about a few of them is held back like any row', async () => {
  const asker = await trade.addAcquirer('sweeper', { depositMinor: 10_000_000 })
  /** The ninety with a score below 30 are too few of each score; in their row would stand how many are that small. */
  const sweep = (height: number) =>
    `select case when score < 30 then score else 100 end, count(*) filter (where score >= 30 or height < ${height}) from athletes group by 1`
  const nobody = await told(asker, sweep(1.2))
  assert.deepEqual([nobody.rows, nobody.remainder], [[[100, 210]], [null, 0]])
  assert.equal(await spentOf('sweeper'), 0)
  // Two of them are: that the row is missing says that somebody is.
  for (let asked = 1; asked <= MOST; asked += 1) {
    const few = await told(asker, sweep(1.502 + asked / 1_000))
    assert.deepEqual([few.reason, few.rows, few.remainder], ['approved', [[100, 210]], undefined])
    assert.equal(await spentOf('sweeper'), asked)
  }
  assert.equal((await told(asker, sweep(1.3))).reason, 'declined.differencing')
})

test('a row that has people enough, and is the only one, is held back when it is refused for a measure about a few', async () => {
  const asker = await trade.addAcquirer('single', { depositMinor: 10_000_000 })
  const count = (height: number) =>
    `select count(*) filter (where height < ${height}) from athletes where score < 30`
  assert.deepEqual((await told(asker, count(1.2))).rows, [[0]])
  assert.equal((await told(asker, count(1.502))).reason, 'declined.group_too_small')
  assert.equal(await spentOf('single'), 1)
  // Nobody at all is no refusal about somebody.
  const nobody = await told(asker, 'select count(*) from athletes where score > 1000')
  assert.equal(nobody.reason, 'declined.group_too_small')
  assert.equal(await spentOf('single'), 1)
})

async function inRecord<T>(look: (db: Database) => Promise<T>): Promise<T> {
  const { root, databaseUrl } = trade.site()
  const url = new Secret(databaseUrl)
  await using postgres = await openPostgres({ directory: root, url, name: 'site', log: silentLog })
  return await look(postgres.db)
}

async function spentOf(group: string): Promise<number> {
  const { rows } = await inRecord((db) =>
    sql<{ spent: number }>`
      select coalesce(sum(withheld), 0)::integer as spent from guard_refusal where acquirer_group = ${group}`.execute(
      db,
    ),
  )
  return rows[0]?.spent ?? 0
}

test('asks at once do not get more refusals than there are', async () => {
  const asker = await trade.addAcquirer('crowd', { depositMinor: 10_000_000 })
  assert.equal((await told(asker, 'select avg(height) from athletes')).reason, 'approved')
  await Promise.all(Array.from({ length: 12 }, (_, score) => told(asker, probe(score))))
  assert.equal(await spentOf('crowd'), MOST)
})

test('an equal ask gets the stored answer at the same price, however it is written, after other cuts and until the set moves', async () => {
  const asker = await trade.addAcquirer('again', { depositMinor: 10_000_000 })
  const text =
    'select country, avg(height) as h from athletes where score >= 20 group by country order by country'
  const first = await told(asker, text)
  assert.equal(first.reason, 'approved')
  assert.equal((await told(asker, 'select avg(height) from athletes where score >= 50')).reason, 'approved')
  const same = await told(
    asker,
    'SELECT a.country, avg(a.height) AS h FROM athletes a WHERE a.score >= 20 GROUP BY 1 ORDER BY 1',
  )
  const second = await told(asker, text)
  assert.deepEqual(second, first)
  assert.deepEqual(same, first)
  const stored = await inRecord((db) =>
    sql<{ sealed: string }>`select sealed from stored_release where acquirer_group = 'again'`.execute(db),
  )
  assert.equal(stored.rows.length, 2)
  for (const { sealed } of stored.rows) assert.match(sealed, /^[\w-]+\.[\w-]*\.[\w-]+\.[\w-]+\.[\w-]+$/)
  // Five people take their grants back: another epoch, so it would be computed, and tell about those five.
  const left = people.slice(100, 105).map(({ id }) => ({ dataSet: 'athletes', person: id }))
  assert.equal((await trade.site().issuer.revokeGrants(left)).changed, 5)
  assert.equal((await told(asker, text)).reason, 'declined.differencing')
})
