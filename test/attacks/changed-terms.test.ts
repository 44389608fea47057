import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { WireManifest } from '../../src/sdk/issuer.ts'
import { testManifest, testPeople } from '../../src/testing/test-population.ts'
import type { TestPerson } from '../../src/testing/test-population.ts'
import { testTrade } from '../../src/testing/test-trade.ts'
import type { TestAcquirer, TestTrade } from '../../src/testing/test-trade.ts'

/*
 * Terms that change between two equal questions. A sum keeps values to the bounds of the manifest and a person to so many
 * rows, so under other terms it is a sum of other numbers, of the few whose values lie beyond the narrower bounds or who
 * have more rows. Measure of success: two answers over the same people that differ by what fewer than a minimum group
 * of them have.
 */

const COUNT = 60
/** The minimum group of the data set. */
const K = 10
const SUM = 'select sum(score) as score from athletes'

/** Scores within 0 to 100, but of so many people 180. */
function scored(far: number): readonly TestPerson[] {
  return testPeople(COUNT, (_, index) => ({ score: index < far ? 180 : 20 + (index % 30) }))
}

function bounded(greatest: number, more: Partial<WireManifest> = {}): WireManifest {
  const manifest = testManifest('athletes', more)
  return {
    ...manifest,
    columns: manifest.columns.map((column) =>
      column.name === 'score' ? { ...column, bounds: [0, greatest] } : column,
    ),
  }
}

interface Asked {
  readonly trade: TestTrade
  readonly northcare: TestAcquirer
}

async function asked(people: readonly TestPerson[], manifest: Partial<WireManifest> = {}): Promise<Asked> {
  const trade = await testTrade()
  await trade.fill(trade.site(), { dataSet: 'athletes', people, manifest })
  return { trade, northcare: await trade.addAcquirer('northcare') }
}

async function sumOf({ northcare }: Asked, sql = SUM): Promise<unknown> {
  const [site] = (await northcare.ask(sql)).sites
  return site?.release ? site.release.rows[0]?.[0] : site?.reason
}

test('nothing of the one whose value lies beyond bounds that are widened, or narrowed again', async () => {
  const people = scored(1)
  const world = await asked(people)
  await using trade = world.trade
  const first = await sumOf(world)
  assert.equal(
    first,
    people.reduce((sum, { score }) => sum + Math.min(score, 100), 0),
  )
  await trade.site().issuer.describe(bounded(1_000))
  assert.equal(await sumOf(world), 'declined.differencing')
  for (const sql of ['select avg(score), count(*) from athletes', 'select sum(score * 2) from athletes'])
    assert.equal(await sumOf(world, sql), 'declined.differencing')
  await trade.site().issuer.describe(bounded(500))
  assert.equal(await sumOf(world), 'declined.differencing')
})

test('a minimum group beyond the bounds is a difference like any other, and nobody beyond them is none', async () => {
  const people = scored(K)
  const world = await asked(people)
  await using trade = world.trade
  const first = await sumOf(world)
  await trade.site().issuer.describe(bounded(500))
  assert.equal(await sumOf(world), Number(first) + K * 80)
  await trade.site().issuer.describe(bounded(900))
  assert.equal(await sumOf(world, 'select sum(score) as again from athletes'), Number(first) + K * 80)
})

test('nothing of the one who has more rows than a person could give before', async () => {
  const once = scored(0)
  const people = [...once, ...once.slice(0, 1), ...once.slice(0, 1)]
  const one = { person: { key: 'id', birthDate: 'birth_date', rowsMax: 1 } }
  const world = await asked(people, one)
  await using trade = world.trade
  assert.equal(
    await sumOf(world),
    once.reduce((sum, { score }) => sum + score, 0),
  )
  for (const rowsMax of [2, 3, 9]) {
    await trade.site().issuer.describe(bounded(100, { person: { ...one.person, rowsMax } }))
    assert.equal(await sumOf(world), 'declined.differencing', `${rowsMax} rows`)
  }
})

test('a column that is said to be in every row is, so that no question can leave out the rows without it', async () => {
  const people = scored(0)
  await using trade = await testTrade()
  const site = trade.site()
  await trade.fill(site, { dataSet: 'athletes', people })
  const described = bounded(100)
  const withMood = (isRequired: boolean): WireManifest => ({
    ...described,
    columns: [...described.columns, { name: 'mood', type: 'integer', bounds: [0, 9], isRequired }],
  })
  const refused = { status: 409, message: /columns\[7\]\.isRequired.*rows without a value/ }
  await assert.rejects(site.issuer.describe(withMood(true)), refused)
  await site.issuer.describe(withMood(false))
  await assert.rejects(site.issuer.describe(withMood(true)), refused)
  const full = described.columns.map((column) =>
    column.name === 'score' ? { ...column, isRequired: true } : column,
  )
  await site.issuer.describe({ ...withMood(false), columns: [...full, ...withMood(false).columns.slice(-1)] })
})
