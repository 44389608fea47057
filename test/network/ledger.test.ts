import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { sql } from 'kysely'
import { silentLog } from '../../src/kernel/log.ts'
import { money } from '../../src/kernel/money.ts'
import type { Database } from '../../src/kernel/postgres/database.ts'
import { connect } from '../../src/kernel/postgres/open-postgres.ts'
import { Secret } from '../../src/kernel/secret.ts'
import { bookTransfer } from '../../src/network/ledger/book-transfer.ts'
import { shareHold } from '../../src/network/routing/share-hold.ts'
import { capturePostings } from '../../src/network/clearing/capture-postings.ts'
import { NETWORK_API } from '../../src/protocol/http/network-endpoints.ts'
import { SPLIT_PARTIES } from '../../src/protocol/money/split.ts'
import { testDecision } from '../../src/testing/test-decision.ts'
import { testAsk } from '../../src/testing/test-network.ts'
import { assertBalanced, openWorld, withFreshAcquirer } from './world.ts'
import type { World } from './world.ts'

describe('shareHold()', () => {
  const range = fc
    .tuple(fc.nat(1000), fc.nat(5000))
    .map(([least, room]) => ({ leastMinor: BigInt(least), mostMinor: BigInt(least + room) }))

  test('gives shares that add up, each between minimum fee and cap', () => {
    fc.assert(
      fc.property(
        fc.array(range, { minLength: 1, maxLength: 8 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (ranges, part) => {
          const least = ranges.reduce((sum, { leastMinor }) => sum + leastMinor, 0n)
          const most = ranges.reduce((sum, { mostMinor }) => sum + mostMinor, 0n)
          const hold = least + BigInt(Math.floor(Number(most - least) * part))
          const shares = shareHold(ranges, hold)
          assert.equal(
            shares.reduce((sum, share) => sum + share, 0n),
            hold,
          )
          for (const [index, share] of shares.entries()) {
            const own = ranges[index]
            assert.ok(own && share >= own.leastMinor && share <= own.mostMinor)
          }
        },
      ),
    )
  })
})

describe('capturePostings()', () => {
  test('add up to the price, whatever the splits', () => {
    const cuts = fc.array(fc.nat(10_000), { minLength: 4, maxLength: 4 }).map((points) => {
      const sorted = [0, ...points.toSorted((a, b) => a - b), 10_000]
      return sorted.slice(1).map((point, index) => point - (sorted[index] ?? 0))
    })
    fc.assert(
      fc.property(cuts, fc.bigInt({ min: 0n, max: 10n ** 12n }), (shares, priceMinor) => {
        const [issuer = 0, issuerProcessor = 0, custodian = 0, network = 0, subjects = 0] = shares
        const postings = capturePostings({
          ask: 'ask',
          site: 'galway',
          acquirer: 'northcare',
          issuer: 'federation',
          issuerProcessor: 'processor',
          custodian: 'edgeworks',
          priceMinor,
          currency: 'EUR',
          splits: { issuer, issuerProcessor, custodian, network, subjects },
        })
        assert.equal(
          postings.reduce((sum, { amountMinor }) => sum + amountMinor, 0n),
          priceMinor,
        )
        assert.ok(postings.every(({ amountMinor }) => amountMinor >= 0n))
        assert.ok(
          (postings.find(({ party }) => party === 'rounding')?.amountMinor ?? 0n) <
            BigInt(SPLIT_PARTIES.length),
        )
      }),
    )
  })
})

/** What can happen to money, in a random order. */
type Step =
  | { readonly kind: 'deposit'; readonly amount: number }
  | { readonly kind: 'withdraw'; readonly amount: number }
  | { readonly kind: 'ask'; readonly maxPrice: number; readonly isBoth: boolean }
  | {
      readonly kind: 'answer'
      readonly which: number
      readonly price: number
      readonly isDeclined: boolean
      readonly isUncleared: boolean
    }
  | { readonly kind: 'again'; readonly which: number }
  | { readonly kind: 'expire' }
  | { readonly kind: 'settle' }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('deposit' as const), amount: fc.integer({ min: 1, max: 3000 }) }),
  fc.record({ kind: fc.constant('withdraw' as const), amount: fc.integer({ min: 1, max: 2000 }) }),
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('ask' as const),
      maxPrice: fc.integer({ min: 50, max: 2500 }),
      isBoth: fc.boolean(),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('answer' as const),
      which: fc.nat(30),
      price: fc.integer({ min: 0, max: 700 }),
      isDeclined: fc.boolean(),
      isUncleared: fc.boolean(),
    }),
  },
  fc.record({ kind: fc.constant('again' as const), which: fc.nat(30) }),
  fc.record({ kind: fc.constant('expire' as const) }),
  fc.record({ kind: fc.constant('settle' as const) }),
)

describe('the ledger', () => {
  test('conserves money over any history, whatever is repeated or refused', async () => {
    await using shared = await openWorld()
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
        const w = await withFreshAcquirer(shared)
        const history = new History(w)
        for (const each of steps) {
          await history.take(each)
          await history.assertInvariants()
        }
      }),
      { numRuns: 15 },
    )
  })

  test('never changes or forgets a transfer, a decision or a clearing record', async () => {
    await using w = await openWorld()
    const { id } = await w.network.ask(w.northcare, testAsk(w.network, w.northcare))
    const body = testDecision(w.network, w.galway, { ask: id, acquirer: 'northcare', issuer: 'federation' })
    await w.network.call(w.galway, NETWORK_API.decide, { params: { id: 'galway' }, body })
    await using postgres = await connect(new Secret(w.databaseUrl), {
      name: 'test',
      log: silentLog,
      stop: () => Promise.resolve(),
    })
    for (const table of [
      'transfer',
      'decision',
      'clearing',
      'settlement',
      'settlement_position',
      'party_key',
    ]) {
      const name = sql.id(table)
      for (const statement of [sql`delete from ${name}`, sql`truncate ${name} cascade`]) {
        await assert.rejects(statement.execute(postgres.db), /append-only/, table)
      }
    }
    await assert.rejects(sql`update transfer set amount_minor = 1`.execute(postgres.db), /append-only/)
    // One account that is not what the journal says, though all of them together are.
    await sql`update account set debits_minor = debits_minor + 1, credits_minor = credits_minor + 1 where owner = 'northcare'`.execute(
      postgres.db,
    )
    const astray = await w.network.call(w.network.operator, NETWORK_API.trialBalance)
    assert.deepEqual([astray.isBalanced, astray.items[0]?.differenceMinor], [false, 0])
    await assert.rejects(
      sql`update account set debits_minor = credits_minor + 1 where kind = 'funds'`.execute(postgres.db),
      /account_not_overdrawn/,
    )
  })

  test('books a movement once for each key', async () => {
    await using w = await openWorld()
    await using postgres = await connect(new Secret(w.databaseUrl), {
      name: 'test',
      log: silentLog,
      stop: () => Promise.resolve(),
    })
    const parts: { db: Database; clock: World['clock'] } = { db: postgres.db, clock: w.clock }
    const deposit = {
      kind: 'deposit' as const,
      member: 'northcare',
      amount: money(500, 'EUR'),
      idempotencyKey: 'movement-1',
    }
    const booked = await Promise.all([
      bookTransfer(parts, deposit),
      bookTransfer(parts, deposit),
      bookTransfer(parts, deposit),
    ])
    assert.equal(new Set(booked.map(({ id }) => id)).size, 1)
    const others = [
      { amount: money(501, 'EUR') },
      { amount: money(500, 'CHF') },
      { member: 'federation' },
      { kind: 'withdrawal' as const },
      { reference: 'another' },
    ]
    for (const other of others)
      await assert.rejects(bookTransfer(parts, { ...deposit, ...other }), {
        code: 'fault.idempotency_conflict',
      })
    const withdrawal = {
      ...deposit,
      kind: 'withdrawal' as const,
      amount: money(10_501, 'EUR'),
      idempotencyKey: 'movement-2',
    }
    await assert.rejects(bookTransfer(parts, withdrawal), { code: 'fault.conflict' })
    await bookTransfer(parts, { ...withdrawal, amount: money(10_500, 'EUR') })
    // As much as a number can tell, of which 10,500 came in before; and no more.
    const most = { ...deposit, amount: money(Number.MAX_SAFE_INTEGER - 10_500, 'EUR') }
    await bookTransfer(parts, { ...most, idempotencyKey: 'movement-3' })
    await assert.rejects(
      bookTransfer(parts, { ...deposit, amount: money(1, 'EUR'), idempotencyKey: 'movement-4' }),
      { code: 'fault.conflict', message: /more than accounts can hold/ },
    )
    const { items } = await w.network.call(w.northcare, NETWORK_API.balances)
    assert.equal(items[0]?.creditsMinor, Number.MAX_SAFE_INTEGER)
    const nothing = { kind: 'deposit', member: 'northcare', amount: { amount: 0, currency: 'EUR' } }
    const headers = { 'idempotency-key': 'movement-5' }
    const refused = await w.network.refusal(w.network.operator, NETWORK_API.transfer, {
      body: nothing,
      headers,
    })
    assert.deepEqual([refused.status, refused.errors?.[0]?.expected], [400, 'expected more than nothing'])
  })
})

/** Plays steps against the door and keeps an independent book of what must be. */
class History {
  readonly #w: World
  readonly #open: {
    readonly ask: string
    readonly site: 'galway' | 'zurich'
    readonly limit: number
    answer?: object
  }[] = []
  #funds = 10_000
  #held = 0

  constructor(w: World) {
    this.#w = w
  }

  async take(each: Step): Promise<void> {
    switch (each.kind) {
      case 'deposit':
        await this.#w.network.deposit(this.#w.northcare, each.amount)
        this.#funds += each.amount
        return
      case 'withdraw':
        return this.#withdraw(each.amount)
      case 'ask':
        return this.#ask(each)
      case 'answer':
        return this.#answer(each)
      case 'again':
        return this.#again(each.which)
      case 'expire':
        return this.#expire()
      case 'settle': {
        const { network } = this.#w
        await network.call(network.operator, NETWORK_API.settle, {
          body: {},
          headers: { 'idempotency-key': network.ids.next('stl') },
        })
        return
      }
    }
  }

  async assertInvariants(): Promise<void> {
    const { network, northcare } = this.#w
    await assertBalanced({ network })
    const { items } = await network.call(network.operator, NETWORK_API.balances)
    assert.equal(
      items.reduce((sum, { creditsMinor, debitsMinor }) => sum + creditsMinor - debitsMinor, 0),
      0,
    )
    for (const { kind, availableMinor } of items) assert.ok(kind === 'bank' || availableMinor >= 0)
    const own = items.find(({ owner, kind }) => owner === northcare.name && kind === 'funds')
    assert.deepEqual([own?.availableMinor, own?.heldMinor], [this.#funds - this.#held, this.#held])
  }

  async #withdraw(amount: number): Promise<void> {
    const { network, northcare } = this.#w
    const body = { kind: 'withdrawal', member: northcare.name, amount: { amount, currency: 'EUR' } }
    const input = { body, headers: { 'idempotency-key': network.ids.next('wdr') } }
    if (amount > this.#funds - this.#held) {
      assert.equal((await network.refusal(network.operator, NETWORK_API.transfer, input)).status, 409)
    } else {
      await network.call(network.operator, NETWORK_API.transfer, input)
      this.#funds -= amount
    }
  }

  async #ask({ maxPrice, isBoth }: { maxPrice: number; isBoth: boolean }): Promise<void> {
    const { network, northcare } = this.#w
    const sites = isBoth ? (['galway', 'zurich'] as const) : (['galway'] as const)
    const ask = testAsk(network, northcare, { sites, maxPrice: { amount: maxPrice, currency: 'EUR' } })
    const [state, again] = [await network.ask(northcare, ask), await network.ask(northcare, ask)]
    assert.deepEqual(again, state)
    const hold = Math.min(maxPrice, sites.length * 1000)
    const expected =
      maxPrice < sites.length * 100
        ? 'declined.limit'
        : hold > this.#funds - this.#held
          ? 'declined.funds'
          : undefined
    assert.equal(state.reason, expected)
    if (expected !== undefined) return
    this.#held += hold
    for (const { site, priceLimit } of state.sites) {
      this.#open.push({
        ask: state.id,
        site: site === 'galway' ? 'galway' : 'zurich',
        limit: Number(priceLimit.amountMinor),
      })
    }
  }

  async #answer({ which, price, isDeclined, isUncleared }: Extract<Step, { kind: 'answer' }>): Promise<void> {
    const { network, northcare, federation } = this.#w
    const leg = this.#open
      .filter(({ answer }) => answer === undefined)
      .at(which % Math.max(1, this.#open.length))
    if (!leg) return
    const facts = {
      ask: leg.ask,
      acquirer: northcare.name,
      issuer: federation.name,
      priceMinor: price,
      isUncleared,
    }
    const body = testDecision(network, this.#w[leg.site], {
      ...facts,
      ...(isDeclined ? { reason: 'declined.purpose' } : {}),
    })
    const input = { params: { id: leg.site }, body }
    const isTooDear = !isDeclined && !isUncleared && price > Math.min(leg.limit, 600)
    if (isTooDear) {
      assert.equal((await network.refusal(this.#w[leg.site], NETWORK_API.decide, input)).status, 409)
      return
    }
    await network.call(this.#w[leg.site], NETWORK_API.decide, input)
    leg.answer = body
    if (isDeclined) this.#held -= leg.limit
    else if (!isUncleared) {
      this.#held -= leg.limit
      this.#funds -= price
    }
  }

  async #again(which: number): Promise<void> {
    const answered = this.#open.filter(({ answer }) => answer !== undefined)
    const leg = answered[which % Math.max(1, answered.length)]
    if (!leg) return
    await this.#w.network.call(this.#w[leg.site], NETWORK_API.decide, {
      params: { id: leg.site },
      body: leg.answer,
    })
  }

  async #expire(): Promise<void> {
    this.#w.clock.advance(60_000)
    await this.#w.network.serving.sweep()
    for (const leg of this.#open) {
      if (leg.answer !== undefined) continue
      this.#held -= leg.limit
    }
    const answered = this.#open.filter(({ answer }) => answer !== undefined)
    this.#open.splice(0, this.#open.length, ...answered)
  }
}
