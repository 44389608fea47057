import { strict as assert } from 'node:assert'
import { after, before, test } from 'node:test'
import { sql } from 'kysely'
import { silentLog } from '../../../src/kernel/log.ts'
import { connect } from '../../../src/kernel/postgres/open-postgres.ts'
import { Secret } from '../../../src/kernel/secret.ts'
import type { AskResult } from '../../../src/sdk/acquirer.ts'
import type { AskRequest } from '../../../src/sdk/build-ask.ts'
import type { WireManifest } from '../../../src/sdk/issuer.ts'
import { testGrant } from '../../../src/testing/test-population.ts'
import type { TestPerson } from '../../../src/testing/test-population.ts'
import { testTrade } from '../../../src/testing/test-trade.ts'
import type { TestTrade } from '../../../src/testing/test-trade.ts'

/** 600 people in three countries; the last hundred gave no grant. */
const PEOPLE: readonly TestPerson[] = Array.from({ length: 600 }, (_, index) => ({
  id: `p${index}`,
  name: `Person ${index}`,
  country: ['IE', 'FR', 'DE'][index % 3] ?? 'IE',
  birthDate: '1990-01-01',
  height: 1.5 + (index % 50) / 100,
  score: index < 500 ? index % 100 : 0,
  note: '',
}))

const COLUMNS: WireManifest['columns'] = [
  { name: 'id', type: 'text', sensitivity: 'direct_identifier', isRequired: true },
  { name: 'name', type: 'text', sensitivity: 'direct_identifier' },
  { name: 'country', type: 'text', values: ['IE', 'FR', 'DE', 'CH'], isRequired: true },
  { name: 'birth_date', type: 'date', minimumBin: 'year' },
  { name: 'height', type: 'number', unit: 'm', bounds: [1, 2.5] },
  { name: 'score', type: 'integer', bounds: [0, 100] },
  { name: 'note', type: 'text', sensitivity: 'free_text' },
]

let trade: TestTrade
before(async () => {
  trade = await testTrade()
  const grants = PEOPLE.slice(0, 500).map(({ id }) =>
    testGrant('athletes', id, { modes: ['private', 'aggregate'] }),
  )
  await trade.fill(trade.site(), {
    dataSet: 'athletes',
    people: PEOPLE,
    grants,
    manifest: { modes: ['aggregate', 'private'], columns: COLUMNS },
  })
})
after(() => trade[Symbol.asyncDispose]())

const noisy = (privacy: AskRequest['privacy'], more: Partial<AskRequest> = {}): Partial<AskRequest> => ({
  mode: 'private',
  privacy,
  ...more,
})

function only(result: AskResult) {
  const [site] = result.sites
  assert.ok(site, `no site answered: ${result.reason} ${result.detail}`)
  assert.deepEqual(site.problems, [])
  return site
}

async function spent(acquirer: string): Promise<readonly { epsilon: number; people: number }[]> {
  await using postgres = await connect(new Secret(trade.site().databaseUrl), {
    name: 'test',
    log: silentLog,
    stop: () => Promise.resolve(),
  })
  const { rows } = await sql<{ epsilon: number; people: number }>`
    select epsilon_micro::float8 / 1e6 as epsilon, octet_length(people) as people from privacy_spend where acquirer = ${acquirer} order by id`.execute(
    postgres.db,
  )
  return rows
}

test('a noisy answer is near the truth, says how near, and counts nobody without a grant', async () => {
  const asker = await trade.addAcquirer('statistics')
  const site = only(
    await asker.ask(
      'select country, count(*) as people, avg(height) as height, median(score) as middle from athletes group by country order by country',
      noisy({ epsilon: 0.6 }),
    ),
  )
  assert.equal(site.reason, 'approved')
  const { release, decision } = site
  assert.ok(release?.privacy && decision?.privacy)
  assert.deepEqual(
    release.rows.map(([country]) => country),
    ['CH', 'DE', 'FR', 'IE'],
    'public groups are all shown, the empty one too',
  )
  assert.deepEqual(
    release.columns.map(({ unit }) => unit),
    [undefined, undefined, 'm', undefined],
  )
  const { figures } = release.privacy
  const countWidth = figures.find(({ measure }) => measure === 'count')?.halfWidth95 ?? 0
  const truth: Record<string, number> = { CH: 0, DE: 166, FR: 167, IE: 167 }
  for (const [country, people, height, middle] of release.rows) {
    assert.ok(
      Math.abs(Number(people) - (truth[String(country)] ?? 0)) < 4 * countWidth,
      `${country}: ${people}`,
    )
    if (country === 'CH') continue
    assert.ok(Math.abs(Number(height) - 1.745) < 0.4)
    assert.ok(Number.isInteger(Number(middle)) && Math.abs(Number(middle) - 49) <= 51, String(middle))
  }
  assert.equal(decision.coveragePct, undefined, 'a share would have an exact whole')
  assert.equal(release.privacy.epsilon, 0.6)
  assert.equal(release.privacy.delta, 0, 'public groups and Laplace noise need none')
  assert.deepEqual(await spent('statistics'), [
    { epsilon: 0.6, people: (await spent('statistics'))[0]?.people },
  ])
})

test('an equal question has the answer that it had, and costs no budget', async () => {
  const asker = await trade.addAcquirer('repeater')
  const question = 'select country, count(*) from athletes where score > 50 group by country'
  const first = only(await asker.ask(question, noisy({ epsilon: 0.2 })))
  const again = only(
    await asker.ask(
      'select  country,\n count(*) from athletes where (score > 50) group by 1',
      noisy({ epsilon: 0.2 }),
    ),
  )
  assert.deepEqual(again.release?.rows, first.release?.rows)
  assert.equal(again.release?.privacy?.sameAs, first.release?.ask)
  const finer = only(await asker.ask(question, noisy({ epsilon: 0.1 })))
  assert.notDeepEqual(finer.release?.rows, first.release?.rows)
  assert.deepEqual(
    (await spent('repeater')).map(({ epsilon }) => epsilon),
    [0.2, 0.1],
  )
})

test('when the budget is spent, every further ask is declined and nothing of it leaves', async () => {
  const asker = await trade.addAcquirer('spender')
  for (const score of [10, 20, 30])
    assert.equal(
      only(await asker.ask(`select count(*) from athletes where score > ${score}`, noisy({ epsilon: 0.3 })))
        .reason,
      'approved',
    )
  const dry = only(
    await asker.ask('select count(*) from athletes', noisy({ epsilon: 0.3 }, { dryRun: true })),
  )
  assert.equal(dry.reason, 'declined.privacy_budget', 'a dry run says what would happen')
  const past = only(await asker.ask('select count(*) from athletes', noisy({ epsilon: 0.3 })))
  assert.equal(past.reason, 'declined.privacy_budget')
  assert.equal(past.release, undefined)
  assert.equal(
    only(await asker.ask('select count(*) from athletes', noisy({ epsilon: 0.1 }))).reason,
    'approved',
  )
  assert.equal((await spent('spender')).length, 4)
})

test('asks at once cannot spend more than there is', async () => {
  const asker = await trade.addAcquirer('crowd')
  const results = await Promise.all(
    Array.from({ length: 8 }, (_, index) =>
      asker.ask(`select avg(height) from athletes where score < ${20 + index}`, noisy({ epsilon: 0.25 })),
    ),
  )
  const reasons = results.map((result) => only(result).reason)
  assert.equal(reasons.filter((reason) => reason === 'approved').length, 4, reasons.join())
  assert.equal(reasons.filter((reason) => reason === 'declined.privacy_budget').length, 4)
  assert.equal(
    (await spent('crowd')).reduce((sum, { epsilon }) => sum + epsilon, 0),
    1,
  )
})

test('a dry run tells the expected error and touches neither data nor budget', async () => {
  const asker = await trade.addAcquirer('planner')
  const question =
    'select country, count(*), sum(score), avg(height), var_pop(height), percentile_disc(0.9) within group (order by score) from athletes group by country'
  const widths: number[][] = []
  for (const epsilon of [0.05, 0.5]) {
    const { decision, release } = only(await asker.ask(question, noisy({ epsilon }, { dryRun: true })))
    assert.equal(release, undefined)
    assert.equal(decision?.decision, 'approved')
    const figures = decision?.privacy?.figures ?? []
    assert.deepEqual(
      figures.map(({ column, of }) => [column, of]),
      [
        [2, 'figure'],
        [3, 'figure'],
        [4, 'figure / rows'],
        [5, 'figure / rows'],
        [6, 'rank'],
      ],
    )
    widths.push(figures.map(({ halfWidth95 }) => halfWidth95))
  }
  for (const [index, width] of (widths[0] ?? []).entries())
    assert.ok(
      Math.abs(width / (widths[1]?.[index] ?? 0) - 10) < 0.2,
      'ten times the epsilon, a tenth of the error',
    )
  assert.deepEqual(await spent('planner'), [])
})

test('epsilon of 0, negative, not a number or huge is refused, naming the field', async () => {
  const asker = await trade.addAcquirer('careless')
  for (const epsilon of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1.01, 1e300, 0.001])
    await assert.rejects(
      asker.ask('select count(*) from athletes', noisy({ epsilon })),
      /privacy\.epsilon.*from 0\.01 to 1/,
    )
  await assert.rejects(
    asker.ask('select count(*) from athletes', { mode: 'aggregate', privacy: { epsilon: 0.1 } }),
    /privacy.*only in mode private/,
  )
})

test('groups that the data names are shown only from a noisy threshold on', async () => {
  const asker = await trade.addAcquirer('namer')
  const byBin = (bins: number) =>
    `select floor(height * ${bins}) as bin, count(*) from athletes group by 1 order by 1`
  const coarse = only(await asker.ask(byBin(10), noisy({ epsilon: 0.5 }))).release
  assert.ok(coarse?.privacy?.shownFrom !== undefined && coarse.privacy.shownFrom > 20)
  assert.equal(coarse.privacy.delta, 1e-9)
  assert.deepEqual(
    coarse.rows.map(([bin]) => bin),
    [15, 16, 17, 18, 19],
  )
  const fine = only(await asker.ask(byBin(100), noisy({ epsilon: 0.1 })))
  assert.equal(fine.reason, 'approved')
  assert.deepEqual(fine.release?.rows, [], 'each of these is ten people, who are never shown')
})

test('HAVING, ORDER BY, LIMIT and arithmetic see noisy values only', async () => {
  const asker = await trade.addAcquirer('sorter')
  const { release } = only(
    await asker.ask(
      'select country, count(*) as n, count(*) * 2 as twice from athletes group by country having count(*) > 80 order by n desc limit 2',
      noisy({ epsilon: 0.3 }),
    ),
  )
  assert.equal(release?.rows.length, 2)
  const counts = release.rows.map(([, n]) => Number(n))
  assert.deepEqual(
    counts,
    counts.toSorted((a, b) => b - a),
  )
  for (const [, n, twice] of release.rows) assert.equal(Number(twice), 2 * Number(n))
})

test('what people lost to all acquirers together stops one who never asked', async () => {
  const asker = await trade.addAcquirer('latecomer')
  const question = 'select count(*) from athletes where score > 77'
  assert.equal(only(await asker.ask(question, noisy({ epsilon: 0.5 }))).reason, 'declined.privacy_budget')
  assert.equal(only(await asker.ask(question, noisy({ epsilon: 0.1 }))).reason, 'approved')
})
