import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import { sql } from 'kysely'
import { formatInstant, instant } from '../../src/kernel/clock.ts'
import { silentLog } from '../../src/kernel/log.ts'
import { connect } from '../../src/kernel/postgres/open-postgres.ts'
import type { Postgres } from '../../src/kernel/postgres/open-postgres.ts'
import { Secret } from '../../src/kernel/secret.ts'
import { NETWORK_API } from '../../src/protocol/http/network-endpoints.ts'
import { signAsk, testAsk } from '../../src/testing/test-network.ts'
import { fundsOf, openWorld, withFreshAcquirer } from './world.ts'
import type { World } from './world.ts'

let shared: World
let postgres: Postgres
before(async () => {
  shared = await openWorld()
  postgres = await connect(new Secret(shared.databaseUrl), {
    name: 'test',
    log: silentLog,
    stop: () => Promise.resolve(),
  })
})
after(async () => {
  await postgres[Symbol.asyncDispose]()
  await shared[Symbol.asyncDispose]()
})

/** An ask of a sequence: a new one, or one that has to do with an earlier one. */
type Sent =
  | {
      readonly kind: 'new'
      readonly maxPrice: number
      readonly sites: readonly string[]
      readonly more: Readonly<Record<string, unknown>>
    }
  | { readonly kind: 'again' | 'other body' | 'other id'; readonly which: number }

const sent: fc.Arbitrary<Sent> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('new' as const),
      maxPrice: fc.oneof({ weight: 3, arbitrary: fc.constant(1500) }, fc.integer({ min: 50, max: 2500 })),
      sites: fc.constantFrom(['galway'], ['zurich'], ['galway', 'zurich']),
      more: fc.oneof(
        { weight: 6, arbitrary: fc.constant({}) },
        fc.constantFrom<Record<string, unknown>>(
          { dryRun: true },
          { mode: 'rows' },
          { within: ['EEA'] },
          { expires: formatInstant(instant(0)) },
        ),
      ),
    }),
  },
  fc.record({
    kind: fc.constantFrom('again' as const, 'other body' as const, 'other id' as const),
    which: fc.nat(20),
  }),
)

function asksOf({ network, northcare }: World, sequence: readonly Sent[]) {
  const asks: ReturnType<typeof testAsk>[] = []
  for (const each of sequence) {
    const earlier = each.kind === 'new' ? undefined : asks[each.which % Math.max(1, asks.length)]
    if (each.kind === 'new') {
      const { maxPrice, sites, more } = each
      asks.push(
        testAsk(network, northcare, { sites, maxPrice: { amount: maxPrice, currency: 'EUR' }, ...more }),
      )
    } else if (!earlier) asks.push(testAsk(network, northcare))
    else if (each.kind === 'again') asks.push(earlier)
    else if (each.kind === 'other body') asks.push({ ...earlier, purpose: 'dpv:Marketing' })
    else asks.push({ ...earlier, id: network.ids.next('ask') })
  }
  return asks
}

/** What an acquirer's asks left behind: what was decided, the sites' work in its order, the account. */
async function traceOf(w: World, asks: readonly { readonly id: string }[]) {
  const places = new Map(asks.map(({ id }, index) => [id, index]))
  const { rows: legs } = await sql<{ ask: string; site: string; limit: bigint; hold: bigint; open: boolean }>`
    select s.ask, s.site, s.limit_minor as limit, s.hold_minor as hold, s.is_hold_open as open
    from ask_site s join ask a on a.id = s.ask where a.acquirer = ${w.northcare.name} order by s.sequence`.execute(
    postgres.db,
  )
  const { rows: kept } = await sql<{ id: string; status: string; reason: string | null; hold: bigint }>`
    select id, status, reason, hold_minor as hold from ask where acquirer = ${w.northcare.name}`.execute(
    postgres.db,
  )
  const { rows: accounts } = await sql<object>`
    select kind, currency, debits_minor, credits_minor, held_minor, day_held_minor from account
    where owner = ${w.northcare.name} order by kind, currency`.execute(postgres.db)
  return {
    legs: legs.map((leg) => ({ ...leg, ask: places.get(leg.ask) })),
    kept: kept
      .map((ask) => ({ ...ask, id: places.get(ask.id) }))
      .toSorted((a, b) => (a.id ?? 0) - (b.id ?? 0)),
    accounts,
    funds: await fundsOf(w),
  }
}

type Answer = Awaited<ReturnType<World['network']['ask']>>

/** An answer without what differs because it is another acquirer's ask. */
function plain({ status, reason, detail, hold, sites }: Answer) {
  return {
    status,
    reason,
    detail,
    hold,
    sites: sites.map((site) => [site.site, site.status, site.priceLimit.amountMinor]),
  }
}

describe('asks in one batch', () => {
  test('are decided, held and routed as if they had come one by one', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(sent, { minLength: 1, maxLength: 14 }),
        fc.option(fc.integer({ min: 500, max: 9000 }), { nil: undefined }),
        async (sequence, daily) => {
          const [alone, together] = [await withFreshAcquirer(shared), await withFreshAcquirer(shared)]
          if (daily !== undefined) for (const w of [alone, together]) await limitDay(w, daily)
          const [own, others] = [asksOf(alone, sequence), asksOf(together, sequence)]
          const answers: Answer[] = []
          for (const ask of own) answers.push(await alone.network.ask(alone.northcare, ask))
          const batched = await together.network.askBatch(together.northcare, others)
          assert.deepEqual(batched.map(plain), answers.map(plain))
          assert.deepEqual(await traceOf(together, others), await traceOf(alone, own))
          const trial = await shared.network.call(shared.network.operator, NETWORK_API.trialBalance)
          assert.ok(trial.isBalanced, JSON.stringify(trial))
        },
      ),
      { numRuns: 40 },
    )
  })
})

describe('asks that come at once, each alone', () => {
  test('hold what the balance covers and no more, and each has its own answer', async () => {
    const rich = await withFreshAcquirer(shared)
    const poor = await withFreshAcquirer(shared)
    await shared.network.deposit(rich.northcare, 40_000)
    const repeated = testAsk(rich.network, rich.northcare)
    const of = (w: World, count: number) =>
      Array.from({ length: count }, () => testAsk(w.network, w.northcare)).map((ask) => ({ w, ask }))
    const all = [
      ...of(rich, 20),
      ...of(poor, 20),
      { w: rich, ask: repeated },
      { w: rich, ask: repeated },
      { w: rich, ask: { ...repeated, purpose: 'dpv:Marketing' } },
    ]
    const answers = await Promise.all(
      all.map(async ({ w, ask }) => ({ w, state: await w.network.ask(w.northcare, ask) })),
    )
    const count = (w: World, outcome: string) =>
      answers.filter((each) => each.w === w && (each.state.reason ?? each.state.status) === outcome).length
    assert.deepEqual([count(poor, 'waiting'), count(poor, 'declined.funds')], [10, 10])
    // Of three with one id, the first decides which body is the ask.
    assert.equal(count(rich, 'waiting') + count(rich, 'declined.replayed'), 23)
    assert.ok(count(rich, 'declined.replayed') >= 1)
    assert.deepEqual(await fundsOf(poor), { available: 0, held: 10_000 })
    assert.deepEqual(await fundsOf(rich), { available: 50_000 - 21_000, held: 21_000 })
  })
})

describe('forged asks among others that come at once', () => {
  test('are declined, hold nothing and leave their ids free', async () => {
    const w = await withFreshAcquirer(shared)
    const asks = Array.from({ length: 10 }, () => testAsk(w.network, w.northcare))
    const signed = asks.map((ask) => signAsk(ask, w.northcare))
    const signature = (jws = '') => jws.slice(jws.lastIndexOf('.'))
    const isForged = (index: number) => index % 3 === 2
    const answers = await Promise.all(
      signed.map((jws, index) => {
        const text = isForged(index) ? jws.slice(0, jws.lastIndexOf('.')) + signature(signed[0]) : jws
        return w.network.call(w.northcare, NETWORK_API.ask, { body: { ask: text } })
      }),
    )
    assert.deepEqual(
      answers.map((answer) => ('answers' in answer ? '' : (answer.reason ?? answer.status))),
      asks.map((_, index) => (isForged(index) ? 'declined.signature' : 'waiting')),
    )
    assert.deepEqual(await fundsOf(w), { available: 3000, held: 7000 })
    for (const ask of asks.filter((_, index) => isForged(index))) {
      assert.equal((await w.network.ask(w.northcare, ask)).status, 'waiting')
    }
    assert.deepEqual(await fundsOf(w), { available: 0, held: 10_000 })
  })
})

async function limitDay({ network, northcare }: World, amount: number): Promise<void> {
  const params = { id: northcare.name }
  const body = { daily: [{ amount, currency: 'EUR' }] }
  await network.call(network.operator, NETWORK_API.setLimits, { params, body })
}
