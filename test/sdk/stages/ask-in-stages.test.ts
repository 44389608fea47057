import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { CompiledQuery } from 'kysely'
import { Fault } from '../../../src/kernel/faults.ts'
import { money } from '../../../src/kernel/money.ts'
import type { Postgres } from '../../../src/kernel/postgres/open-postgres.ts'
import { NETWORK_API } from '../../../src/protocol/http/network-endpoints.ts'
import { askInStages } from '../../../src/sdk/stages/ask-in-stages.ts'
import type { StagedParts, StagedRequest, StagedResult } from '../../../src/sdk/stages/ask-in-stages.ts'
import { planStages } from '../../../src/sdk/stages/plan-stages.ts'
import { testGrant, testPeople } from '../../../src/testing/test-population.ts'
import type { TestPerson } from '../../../src/testing/test-population.ts'
import { testPostgres } from '../../../src/testing/test-postgres.ts'
import { testTrade } from '../../../src/testing/test-trade.ts'
import type { TestAcquirer, TestTrade } from '../../../src/testing/test-trade.ts'

/* A whole network and two sites: texts with sub-queries over other people, by the client library, as an analyst sends them. */

/** People of a site with grants, and as many again who gave none and would show in any mean. */
function populationOf(shift: number): {
  readonly granted: readonly TestPerson[]
  readonly others: readonly TestPerson[]
} {
  const granted = testPeople(150, (_, index) => ({
    id: `g-${index}`,
    country: index < 5 ? 'IS' : (['IE', 'FR', 'DE'][index % 3] ?? 'IE'),
    // Sums of sixteenths are exact, in whatever order.
    height: 1.5 + shift + ((index * 7) % 9) / 16 + (index % 3 === 1 ? 1 / 16 : 0),
    score: (index * 13) % 100,
  }))
  const others = testPeople(60, (_, index) => ({ id: `n-${index}`, country: 'IE', height: 2.4, score: 99 }))
  return { granted, others }
}

suite('asks in stages', () => {
  let trade: TestTrade
  let oracle: Postgres
  const galway = populationOf(0)
  const cork = populationOf(0.25)

  before(async () => {
    oracle = await testPostgres()
    await fillOracle(oracle, galway.granted)
    trade = await testTrade({ sites: [{ name: 'galway' }, { name: 'cork' }] })
    for (const [name, { granted, others }] of Object.entries({ galway, cork }))
      await trade.fill(trade.site(name), {
        dataSet: 'athletes',
        people: [...granted, ...others],
        manifest: { dimensionsMax: 2, modes: ['aggregate', 'private', 'rows'] },
        grants: granted.map(({ id }) =>
          testGrant('athletes', id, { modes: ['aggregate', 'private', 'rows'] }),
        ),
      })
  })
  after(async () => {
    await trade[Symbol.asyncDispose]()
    await oracle[Symbol.asyncDispose]()
  })

  /** Asks galway unless told otherwise. */
  async function staged(
    asker: TestAcquirer,
    sql: string,
    more: Partial<StagedRequest & Pick<StagedParts, 'onAnswer' | 'acquirer'>> = {},
  ) {
    const offers = await asker.acquirer.offers()
    const plan = await planStages(sql, offers)
    if (!plan.ok) assert.fail(plan.error.why)
    const { purpose, legalBasis, mode, offer, releaseTo } = asker.request(sql)
    const { onAnswer, acquirer = asker.acquirer, ...changes } = more
    return askInStages(
      { purpose, legalBasis, mode, offer, releaseTo, sites: ['galway'], answerWithinMs: 60_000, ...changes },
      {
        plan: plan.value,
        acquirer,
        offers,
        clock: trade.clock,
        ...(onAnswer ? { onAnswer } : {}),
      },
    )
  }

  async function answered(...args: Parameters<typeof staged>): Promise<StagedResult> {
    const result = await staged(...args)
    return result.ok ? result.value : assert.fail(result.error)
  }

  async function spent(asker: TestAcquirer): Promise<bigint> {
    const { items } = await asker.client.call(NETWORK_API.balances)
    return 100_000n - BigInt(items.find(({ currency }) => currency === 'EUR')?.availableMinor ?? 0)
  }

  const TEXTS = [
    'select count(*) from athletes where height > (select avg(height) from athletes)',
    "select country, count(*) from athletes where country <> 'IS' and height > (select avg(height) from athletes where country <> 'IS') group by country",
    'select count(*), avg(score) from athletes where country in (select country from athletes group by country having count(*) > 48)',
    'with by_country as (select country, avg(height) as h from athletes group by country) select a.country, count(*) from athletes a join by_country b on a.country = b.country where a.height > b.h group by a.country',
    'select country, count(*) from athletes a where height > (select avg(b.height) from athletes b where b.country = a.country) group by country',
    'select count(*) from athletes a, (select avg(height) as h, stddev_samp(height) as s from athletes) m where a.height > m.h - m.s',
  ]
  for (const [index, sql] of TEXTS.entries())
    test(`are what the text asks where the others never were: ${sql}`, async () => {
      const asker = await trade.addAcquirer(`oracle-${index}`)
      const { sites } = await answered(asker, sql)
      const [site] = sites
      assert.equal(site?.stopped, undefined)
      const last = site?.asks.at(-1)?.result?.sites[0]
      assert.deepEqual(last?.problems, [])
      const expected = await rowsOf(oracle, sql)
      const shown = expected.filter(([first]) => first !== 'IS')
      assert.deepEqual(sorted(last.release?.rows ?? []), sorted(shown))
      assert.ok(expected.length > 0)
    })

  test('give each ask the parameters that its text names, and take none that the question does not name', async () => {
    const asker = await trade.addAcquirer('parameters')
    const sql =
      "select country, count(*) from athletes where country <> $1 and 'ß' <> country and height > (select avg(height) from athletes where country <> $2) group by country"
    const { sites } = await answered(asker, sql, { parameters: ['IS', 'IS'] })
    const [stage, whole] = sites[0]?.asks ?? []
    assert.equal(stage?.text, 'select avg(height) from athletes where country <> $1')
    assert.deepEqual(whole?.result?.sites[0]?.problems, [])
    const expected = await rowsOf(oracle, sql.replaceAll(/\$[12]/g, "'IS'"))
    assert.deepEqual(sorted(whole.result.sites[0].release?.rows ?? []), sorted(expected))
    const surplus = await staged(asker, sql, { parameters: ['IS', 'IS', 'SECRET'] })
    assert.deepEqual(surplus, {
      ok: false,
      error: 'There is a parameter for $3, which the question does not name',
    })
  })

  test('who is above a mean that a few of a group went into is not told by group', async () => {
    const asker = await trade.addAcquirer('unalike')
    const sql =
      'select country, count(*) from athletes where height > (select avg(height) from athletes) group by country'
    const { sites } = await answered(asker, sql)
    const reasons = sites[0]?.asks.map(({ result }) => result?.sites[0]?.decision?.reason)
    assert.deepEqual(reasons, ['approved', 'declined.differencing'])
  })

  test('are ordinary asks: each with its receipt, its hold and its price', async () => {
    const asker = await trade.addAcquirer('payer')
    const seen: string[] = []
    const { sites, paid, highest } = await answered(asker, TEXTS[3] ?? '', {
      maxPrice: money(1_900, 'EUR'),
      onAnswer: async ({ id }) => {
        seen.push(id)
        return Promise.resolve()
      },
    })
    const asks = sites[0]?.asks ?? []
    assert.deepEqual(
      asks.map(({ stage, result }) => [stage, result?.sites[0]?.decision?.decision]),
      [
        [1, 'approved'],
        [undefined, 'approved'],
      ],
    )
    assert.deepEqual(
      asks.map(({ result }) => result?.id),
      seen,
    )
    for (const { result } of asks) assert.ok(result?.sites[0]?.receipts.every(({ isVerified }) => isVerified))
    const captured = asks.map(({ result }) => result?.sites[0]?.captured?.amountMinor ?? 0n)
    assert.ok(captured.every((amount) => amount > 0n))
    assert.equal(
      paid.amountMinor,
      captured.reduce((sum, amount) => sum + amount, 0n),
    )
    assert.equal(await spent(asker), paid.amountMinor)
    assert.equal(highest.amountMinor, 2_000n)
    assert.deepEqual(asks[0]?.notes, ['what is asked next knows the groups shown here, and no others'])
    // The person of a stage stands in the later text as a constant, so it is a question about people again.
    assert.match(asks[1]?.text ?? '', /values \('(DE|FR|IE)'::text, '1\.\d+'::float8\)/)
  })

  test('that are declined later leave what was answered before answered and paid', async () => {
    const asker = await trade.addAcquirer('later')
    const { sites, paid } = await answered(
      asker,
      'select count(*) from athletes where height > (select avg(height) + 1 from athletes)',
    )
    const [first, last] = sites[0]?.asks ?? []
    assert.equal(first?.result?.sites[0]?.decision?.decision, 'approved')
    assert.equal(last?.result?.sites[0]?.reason, 'declined.group_too_small')
    assert.equal(paid.amountMinor, first?.result?.sites[0]?.captured?.amountMinor)
    assert.equal(await spent(asker), paid.amountMinor)
  })

  test('stop where a stage is declined, and nothing after it is asked', async () => {
    const asker = await trade.addAcquirer('early')
    const { sites, paid } = await answered(
      asker,
      "select count(*) from athletes where height > (select avg(height) from athletes where country = 'IS')",
    )
    assert.equal(sites[0]?.asks.length, 1)
    assert.match(sites[0]?.stopped ?? '', /^stage 1 was declined: /)
    assert.deepEqual([paid.amountMinor, await spent(asker)], [0n, 0n])
  })

  test('tell what the same asks tell one by one, and are held against each other as these are', async () => {
    const [inStages, oneByOne] = [await trade.addAcquirer('differ'), await trade.addAcquirer('plain')]
    const about = (who: string) =>
      `select count(*) from athletes where height > (select avg(height) from athletes where ${who})`
    const means: unknown[] = []
    const notes: string[] = []
    for (const who of ['score >= 0', "country <> 'IS'", "country <> 'IS' and score <> 13", 'score < 99']) {
      const { sites } = await answered(inStages, about(who))
      for (const { text, result } of sites[0]?.asks ?? []) {
        const [one, other] = [result?.sites[0], (await oneByOne.ask(text, { sites: ['galway'] })).sites[0]]
        assert.equal(other?.reason, one?.reason, text)
        assert.deepEqual(other?.release?.rows, one?.release?.rows, text)
      }
      means.push(sites[0]?.asks[0]?.result?.sites[0]?.release?.rows[0]?.[0])
      notes.push(...(sites[0]?.asks[0]?.notes ?? []))
    }
    // All but five: from it and the mean of all, theirs would follow. The guard lets it be about others, too few or none.
    const [[exact]] = [
      ...(await rowsOf(oracle, "select avg(height) from athletes where country <> 'IS'")),
      [],
    ]
    assert.ok(typeof exact === 'number' && typeof means[0] === 'number')
    assert.ok(means[1] === undefined || Math.abs(Number(means[1]) - exact) > 1e-6)
    assert.match(notes.join(), /about fewer people than asked/)
  })

  test('that cannot be paid to the end are not begun, and stop when the highest price is reached', async () => {
    const asker = await trade.addAcquirer('frugal')
    const text = TEXTS[0] ?? ''
    const none = await staged(asker, text, { maxPrice: money(199, 'EUR') })
    assert.ok(!none.ok)
    assert.match(none.error, /least price of 2 asks at 1 site is 2\.00 EUR.*1\.99 EUR/)
    assert.equal(await spent(asker), 0n)
    const some = await answered(asker, text, { maxPrice: money(200, 'EUR') })
    const [first, second] = some.sites[0]?.asks ?? []
    assert.ok((first?.result?.sites[0]?.captured?.amountMinor ?? 0n) > 100n)
    assert.ok(
      second === undefined || second.result?.reason === 'declined.limit',
      JSON.stringify(second?.result?.reason),
    )
    assert.ok(some.paid.amountMinor <= 200n)
    assert.equal(await spent(asker), some.paid.amountMinor)
  })

  test('keep what was answered when a later one fails, and fail as one ask does when the first does', async () => {
    const asker = await trade.addAcquirer('cut-off')
    const failing = (after: number): StagedParts['acquirer'] => {
      let asks = 0
      return {
        ask: (...given) =>
          (asks += 1) > after
            ? Promise.reject(new Fault('fault.peer_unreachable', { what: 'The line is down' }))
            : asker.acquirer.ask(...given),
      }
    }
    const { sites, paid } = await answered(asker, TEXTS[0] ?? '', { acquirer: failing(1) })
    assert.equal(sites[0]?.asks.length, 1)
    assert.match(sites[0]?.stopped ?? '', /an ask failed: .*The line is down/)
    const captured = sites[0]?.asks[0]?.result?.sites[0]?.captured?.amountMinor ?? 0n
    // The one that failed counts with the most that it can have cost: whether it was taken is not known.
    assert.deepEqual([captured > 0n, paid.amountMinor], [true, captured + 1_000n])
    await assert.rejects(staged(asker, TEXTS[0] ?? '', { acquirer: failing(0) }), Fault)
  })

  test('of a dry run hold nothing, and show what waits for an answer', async () => {
    const asker = await trade.addAcquirer('looking')
    const { sites, paid, highest } = await answered(asker, TEXTS[0] ?? '', { dryRun: true })
    const [first, last] = sites[0]?.asks ?? []
    assert.equal(first?.result?.sites[0]?.decision?.decision, 'approved')
    assert.ok(first.result?.sites[0]?.decision?.price)
    assert.equal(first.result?.sites[0]?.release, undefined)
    assert.equal(last?.result, undefined)
    assert.equal(last?.text, 'select count(*) from athletes where height > (‹answer of stage 1›)')
    assert.deepEqual(
      [sites[0]?.highestEach.amountMinor, highest.amountMinor, paid.amountMinor],
      [1_000n, 2_000n, 0n],
    )
    assert.equal(await spent(asker), 0n)
  })

  test('give each site its own answers, and no other site’s', async () => {
    const asker = await trade.addAcquirer('wide')
    const { sites, highest } = await answered(asker, TEXTS[0] ?? '', { sites: undefined })
    assert.deepEqual(sites.map(({ site }) => site).toSorted(), ['cork', 'galway'])
    const means = sites.map(({ asks }) => asks[0]?.result?.sites[0]?.release?.rows[0]?.[0])
    assert.notEqual(means[0], means[1])
    for (const [index, { asks, site }] of sites.entries()) {
      assert.ok(asks[1]?.text.includes(`'${means[index]}'::float8`))
      assert.deepEqual(
        asks.flatMap(({ result }) => result?.sites.map((one) => one.site) ?? []),
        [site, site],
      )
    }
    assert.equal(highest.amountMinor, 4_000n)
  })

  test('of private mode divide epsilon among themselves', async () => {
    const asker = await trade.addAcquirer('noisy')
    const text = 'select count(*) from athletes where height > (select avg(height) from athletes)'
    const { sites } = await answered(asker, text, { mode: 'private', privacy: { epsilon: 0.5 } })
    const told = sites[0]?.asks.map(({ result }) => result?.sites[0]?.release?.privacy?.epsilon)
    assert.deepEqual(told, [0.25, 0.25])
    assert.match(sites[0]?.asks[0]?.notes.join() ?? '', /noisy/)
    const little = await staged(asker, text, { mode: 'private', privacy: { epsilon: 0.015 } })
    assert.ok(!little.ok && little.error.includes('give 0.02 or more'))
  })

  test('of mode rows there are none', async () => {
    const asker = await trade.addAcquirer('rowwise')
    const none = await staged(
      asker,
      'select id from athletes where height > (select avg(height) from athletes)',
      { mode: 'rows' },
    )
    assert.ok(!none.ok && none.error.includes('not rows'))
  })
})

function sorted(rows: readonly (readonly unknown[])[]): readonly string[] {
  return rows
    .map((row) => JSON.stringify(row.map((cell) => (typeof cell === 'number' ? cell.toPrecision(9) : cell))))
    .toSorted()
}

async function fillOracle({ db }: Postgres, people: readonly TestPerson[]): Promise<void> {
  const run = (text: string) => db.executeQuery(CompiledQuery.raw(text))
  await run('create table athletes (id text, country text, height float8, score int8)')
  const rows = people.map(({ id, country, height, score }) => `('${id}', '${country}', ${height}, ${score})`)
  await run(`insert into athletes values ${rows.join(', ')}`)
}

async function rowsOf({ db }: Postgres, text: string): Promise<readonly (readonly unknown[])[]> {
  const { rows } = await db.executeQuery<Record<string, unknown>>(CompiledQuery.raw(text))
  return rows.map((row) =>
    Object.values(row).map((cell) => (/^\d+(\.\d+)?$/.test(String(cell)) ? Number(cell) : cell)),
  )
}
