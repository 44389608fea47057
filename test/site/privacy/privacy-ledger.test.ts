import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import fc from 'fast-check'
import { sql } from 'kysely'
import { Bitset } from '../../../src/kernel/bitset.ts'
import { instant, monotonicMs } from '../../../src/kernel/clock.ts'
import type { Instant } from '../../../src/kernel/clock.ts'
import type { Database } from '../../../src/kernel/postgres/database.ts'
import { migrate } from '../../../src/kernel/postgres/migrate.ts'
import { PeopleLosses } from '../../../src/site/privacy/people-losses.ts'
import { openPrivacyLedger } from '../../../src/site/privacy/privacy-ledger.ts'
import type { PrivacyLedger } from '../../../src/site/privacy/privacy-ledger.ts'
import { pureLoss } from '../../../src/site/privacy/privacy-loss.ts'
import { up } from '../../../src/site/record/migrations/0050-create-privacy-budgets.ts'
import { up as createColluding } from '../../../src/site/record/migrations/0055-create-colluding-members.ts'
import { testPostgres } from '../../../src/testing/test-postgres.ts'
import { range } from '../guard/released-history.ts'

const one = { epsilon: 1, delta: 1e-6 }
const SPRING = instant(Date.UTC(2026, 3, 1))

async function openLedger(
  db: Database,
  budgets = { personAndAcquirer: one, person: { ...one, epsilon: 2 } },
) {
  await migrate(db, {
    '0050-create-privacy-budgets': { up },
    '0055-create-colluding-members': { up: createColluding },
  })
  return openPrivacyLedger({ db, budgets })
}

interface TestAsk {
  readonly id: string
  readonly acquirer?: string
  readonly dataSet?: string
  readonly people?: Bitset
  readonly epsilonMicro?: number
  readonly budget?: typeof one
  readonly now?: Instant
  readonly fails?: boolean
}

/** One answer, from setting aside to its commit: who was in it, or nobody when it was declined. */
async function answer(ledger: PrivacyLedger, db: Database, ask: TestAsk): Promise<Bitset | undefined> {
  const outcome = await ledger.setAside({
    acquirer: ask.acquirer ?? 'insurer',
    dataSets: [{ dataSet: ask.dataSet ?? 'athletes', budget: ask.budget ?? { epsilon: 8, delta: 1e-6 } }],
    people: ask.people ?? range(0, 400),
    loss: pureLoss(ask.epsilonMicro ?? 100_000),
    minimumGroup: 20,
    now: ask.now ?? SPRING,
  })
  if (!outcome.ok) {
    assert.equal(outcome.error.code, 'declined.privacy_budget')
    return undefined
  }
  using aside = outcome.value
  if (ask.fails === true) return undefined
  try {
    await db.transaction().execute((tx) => aside.commit(tx, ask.id))
  } catch {
    return undefined
  }
  return aside.people
}

test('asks at once cannot spend more than there is, by any budget', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  const ledger = await openLedger(db)
  const many = (acquirer: string) =>
    Array.from({ length: 15 }, (_, index) => answer(ledger, db, { id: `${acquirer}-${index}`, acquirer }))
  const answered = (results: readonly (Bitset | undefined)[]) =>
    results.filter((people) => people !== undefined).length
  assert.equal(answered(await Promise.all(many('insurer'))), 10)
  // Of the person's 2 over all, 1 went to the insurer; the third finds nothing left.
  assert.equal(answered(await Promise.all(many('bank'))), 10)
  assert.equal(answered(await Promise.all(many('broker'))), 0)
  const { rows } = await sql<{
    spent: bigint
  }>`select sum(epsilon_micro)::bigint as spent from privacy_spend`.execute(db)
  assert.equal(rows[0]?.spent, 2_000_000n)
})

test('the acquirer’s budget for a data set stops it, in the record itself', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  // Two processes that know nothing of each other: the record alone keeps them within the budget.
  const ledgers = [
    await openLedger(db),
    openPrivacyLedger({
      db,
      budgets: { personAndAcquirer: { ...one, epsilon: 8 }, person: { ...one, epsilon: 8 } },
    }),
  ]
  const budget = { epsilon: 0.5, delta: 1e-6 }
  const results = await Promise.all(
    Array.from({ length: 12 }, (_, index) => {
      const ledger = ledgers[index % 2]
      assert.ok(ledger)
      return answer(ledger, db, { id: `a${index}`, budget })
    }),
  )
  assert.equal(results.filter((people) => people !== undefined).length, 5)
  const { rows } = await sql<{ epsilon_micro: bigint }>`select epsilon_micro from privacy_account`.execute(db)
  assert.equal(rows[0]?.epsilon_micro, 500_000n)
})

test('people whose budget is spent are left out, the others answer on', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  const ledger = await openLedger(db)
  for (let index = 0; index < 10; index += 1)
    assert.ok(await answer(ledger, db, { id: `a${index}`, people: range(0, 100) }))
  const people = await answer(ledger, db, { id: 'b', people: range(50, 300) })
  assert.ok(people)
  assert.deepEqual([people.count(), people.has(99), people.has(100)], [200, false, true])
  assert.equal(await answer(ledger, db, { id: 'c', people: range(0, 119) }), undefined, 'too few are left')
})

test('what was spent is spent after a restart; what was set aside and not committed is not', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  const ledger = await openLedger(db)
  for (let index = 0; index < 9; index += 1) assert.ok(await answer(ledger, db, { id: `a${index}` }))
  assert.equal(await answer(ledger, db, { id: 'lost', fails: true }), undefined)
  const again = await openLedger(db)
  assert.ok(await answer(again, db, { id: 'last' }))
  assert.equal(await answer(again, db, { id: 'past' }), undefined)
  // A transaction that was rolled back by the end of its process leaves nothing.
  const other = await openLedger(db)
  assert.equal(await answer(other, db, { id: 'past', acquirer: 'insurer' }), undefined)
})

test('a rolled-back commit leaves no debit in the record', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  const ledger = await openLedger(db)
  const outcome = await ledger.setAside({
    acquirer: 'insurer',
    dataSets: [{ dataSet: 'athletes', budget: one }],
    people: range(0, 50),
    loss: pureLoss(1_000_000),
    minimumGroup: 20,
    now: SPRING,
  })
  assert.ok(outcome.ok)
  await assert.rejects(
    db.transaction().execute(async (tx) => {
      await outcome.value.commit(tx, 'a')
      throw new Error('killed')
    }),
    /killed/,
  )
  outcome.value[Symbol.dispose]()
  assert.equal(
    await answer(ledger, db, { id: 'b', people: range(0, 50) }),
    undefined,
    'it counts here, to be safe',
  )
  assert.ok(
    await answer(await openLedger(db), db, { id: 'b', people: range(0, 50), epsilonMicro: 1_000_000 }),
  )
})

test('a new year begins anew, and no sooner', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  const ledger = await openLedger(db)
  assert.ok(
    await answer(ledger, db, {
      id: 'a',
      epsilonMicro: 1_000_000,
      now: instant(Date.UTC(2026, 0, 1)),
    }),
  )
  assert.equal(
    await answer(ledger, db, { id: 'b', now: instant(Date.UTC(2026, 11, 31, 23, 59, 59)) }),
    undefined,
  )
  assert.ok(await answer(ledger, db, { id: 'c', now: instant(Date.UTC(2027, 0, 1)) }))
})

test('losses read back from many answers are the sums of what was spent', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  const wide = { personAndAcquirer: { epsilon: 8, delta: 1e-6 }, person: { epsilon: 8, delta: 1e-6 } }
  let ledger = await openLedger(db, wide)
  const spent = new Map<number, number>()
  for (let index = 0; index < 150; index += 1) {
    const people = range((index * 37) % 300, ((index * 37) % 300) + 25 + (index % 90))
    const taken = await answer(ledger, db, { id: `a${index}`, people, epsilonMicro: 50_000 })
    for (const person of taken ?? []) spent.set(person, (spent.get(person) ?? 0) + 50_000)
    // A restart now and then: from the record, and from snapshots of it.
    if (index % 50 === 49) ledger = await openLedger(db, wide)
  }
  const { rows } = await sql`select 1 from privacy_snapshot`.execute(db)
  assert.ok(rows.length > 0)
  for (const [person, epsilonMicro] of spent) {
    assert.ok(epsilonMicro <= 8_000_000)
    const left = 8_000_000 - epsilonMicro
    const alone = Bitset.of([
      person,
      ...Array.from({ length: 30 }, (_, index) => 5_000 + person * 40 + index),
    ])
    if (left > 1_000_000) continue
    const people = await answer(ledger, db, { id: `p${person}`, people: alone, epsilonMicro: left + 1 })
    assert.ok(people && !people.has(person), `person ${person} has ${left} left`)
  }
})

test('PeopleLosses adds, takes back, keeps and leaves out as a plain map would', () => {
  const step = fc.record({
    people: fc.uniqueArray(fc.nat(200), { minLength: 1 }),
    epsilonMicro: fc.integer({ min: 10_000, max: 1_000_000 }),
    isTakenBack: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), fc.integer({ min: 1, max: 8 }), (steps, epsilon) => {
      let losses = new PeopleLosses()
      const plain = new Map<number, { epsilonMicro: number; rhoNano: number }>()
      for (const { people, epsilonMicro, isTakenBack } of steps) {
        const loss = pureLoss(epsilonMicro)
        losses.add(Bitset.of(people), loss)
        if (isTakenBack) losses.takeBack(Bitset.of(people), loss)
        else
          for (const person of people) {
            const before = plain.get(person) ?? { epsilonMicro: 0, rhoNano: 0 }
            plain.set(person, {
              epsilonMicro: before.epsilonMicro + loss.epsilonMicro,
              rhoNano: before.rhoNano + loss.rhoNano,
            })
          }
        losses = PeopleLosses.fromBytes(losses.toBytes())
      }
      const [loss, limit] = [pureLoss(300_000), { epsilonMicro: epsilon * 1_000_000, rhoNano: 50_000_000 }]
      const kept = losses.within(range(0, 220), { loss, limit })
      for (let person = 0; person < 220; person += 1) {
        const { epsilonMicro, rhoNano } = plain.get(person) ?? { epsilonMicro: 0, rhoNano: 0 }
        assert.deepEqual(losses.of(person), { epsilonMicro, rhoNano })
        const isAllowed =
          epsilonMicro + loss.epsilonMicro <= limit.epsilonMicro || rhoNano + loss.rhoNano <= limit.rhoNano
        assert.equal(kept.has(person), isAllowed)
      }
    }),
    { numRuns: 60 },
  )
})

test('a million people cost eight bytes and a few milliseconds an ask', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  const ledger = await openLedger(db)
  const people = range(0, 1_000_000)
  const times: number[] = []
  for (let index = 0; index < 12; index += 1) {
    const start = monotonicMs()
    await answer(ledger, db, { id: `a${index}`, people })
    times.push(monotonicMs() - start)
  }
  const middle = times.toSorted((a, b) => a - b)[6] ?? Infinity
  assert.ok(middle < 250, `${middle} ms; alone it takes about a tenth of that`)
})

function numbers(people: Bitset | undefined): readonly number[] {
  return [...(people ?? [])]
}

/** As a declaration does it: who belongs together, and the accounts, in one transaction. */
async function joined(ledger: PrivacyLedger, db: Database, into: string, ...from: string[]): Promise<void> {
  await ledger.join({ into, from }, (joinAccounts) =>
    db.transaction().execute(async (tx) => {
      await sql`
        insert into colluding_member (member, group_name, since_ms)
        select member, ${into}, 0 from unnest(${[into, ...from]}::text[]) as named (member)
        on conflict (member) do update set group_name = excluded.group_name`.execute(tx)
      await joinAccounts(tx)
    }),
  )
}

test('what colluding acquirers have spent apart is spent together, of the data set and of every person', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  const ledger = await openLedger(db, { personAndAcquirer: one, person: { ...one, epsilon: 20 } })
  const half = { epsilonMicro: 500_000, people: range(0, 100) }
  assert.equal((await answer(ledger, db, { ...half, id: 'a1', acquirer: 'atlas' }))?.count(), 100)
  assert.equal((await answer(ledger, db, { ...half, id: 'b1', acquirer: 'birch' }))?.count(), 100)
  await joined(ledger, db, 'atlas', 'birch')
  const tenth = { epsilonMicro: 100_000, people: range(0, 200) }
  for (const later of [
    ledger,
    await openLedger(db, { personAndAcquirer: one, person: { ...one, epsilon: 20 } }),
  ]) {
    // Nothing is left of the first hundred people, whichever name is used.
    const id = later === ledger ? 'a2' : 'a3'
    assert.deepEqual(
      numbers(await answer(later, db, { ...tenth, id, acquirer: 'atlas' })),
      numbers(range(100, 200)),
    )
  }
  const byBirch = await answer(ledger, db, { ...tenth, id: 'b2', acquirer: 'birch' })
  assert.deepEqual(numbers(byBirch), numbers(range(100, 200)))
  const small = { epsilon: 1.3, delta: 1e-6 }
  const again = { ...tenth, people: range(100, 200), budget: small }
  assert.equal(await answer(ledger, db, { ...again, id: 'a4', acquirer: 'atlas' }), undefined)
})

test('what was lost to any of several counts after they are joined, also where one of them had a snapshot', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  const budgets = { personAndAcquirer: one, person: { ...one, epsilon: 20 } }
  const ledger = await openLedger(db, budgets)
  const people = range(0, 100)
  for (const acquirer of ['birch', 'cedar'])
    await answer(ledger, db, { id: acquirer, acquirer, people, epsilonMicro: 300_000 })
  for (let index = 0; index < 33; index += 1)
    await answer(ledger, db, { id: `a${index}`, acquirer: 'atlas', people, epsilonMicro: 5_000 })
  // Opened anew, more answers are read than are worth reading again.
  await answer(await openLedger(db, budgets), db, { id: 'b', acquirer: 'atlas', people, epsilonMicro: 5_000 })
  const { rows } = await sql`select acquirer from privacy_snapshot where acquirer = 'atlas'`.execute(db)
  assert.equal(rows.length, 1)
  await joined(ledger, db, 'atlas', 'birch', 'cedar')
  const later = { acquirer: 'atlas', people: range(0, 200), epsilonMicro: 300_000 }
  const asked = await answer(await openLedger(db, budgets), db, { ...later, id: 'c' })
  assert.deepEqual(numbers(asked), numbers(range(100, 200)))
  // 0.3 of each, 34 times 0.005, and 0.3 now: of the data set as well.
  const budget = { epsilon: 1.08, delta: 1e-9 }
  const left = (id: string, epsilonMicro: number) =>
    answer(ledger, db, { id, acquirer: 'cedar', people: range(200, 300), budget, epsilonMicro })
  assert.equal(await left('d', 11_000), undefined)
  assert.equal((await left('e', 9_000))?.count(), 100)
})

test('a join waits for what is set aside, and whoever comes meanwhile gets the joint account', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  const ledger = await openLedger(db, { personAndAcquirer: one, person: { ...one, epsilon: 20 } })
  const request = {
    dataSets: [{ dataSet: 'athletes', budget: { epsilon: 8, delta: 1e-6 } }],
    people: range(0, 100),
    loss: pureLoss(700_000),
    minimumGroup: 20,
    now: SPRING,
  }
  const first = await ledger.setAside({ ...request, acquirer: 'birch' })
  assert.ok(first.ok)
  const joining = joined(ledger, db, 'atlas', 'birch')
  const second = answer(ledger, db, {
    id: 'a1',
    acquirer: 'birch',
    epsilonMicro: 700_000,
    people: range(0, 100),
  })
  await db.transaction().execute((tx) => first.value.commit(tx, 'b1'))
  first.value[Symbol.dispose]()
  await joining
  assert.equal(await second, undefined, '0.7 and 0.7 are more than the one that a person may lose')
})

test('an answer that is more than the budget of an acquirer by itself is declined, also the first', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  const ledger = await openLedger(db)
  const budget = { epsilon: 0.1, delta: 1e-6 }
  const first = await answer(ledger, db, { id: 'a1', epsilonMicro: 500_000, budget })
  assert.equal(first, undefined)
  assert.equal((await answer(ledger, db, { id: 'a2', epsilonMicro: 100_000, budget }))?.count(), 400)
})

test('what is set aside counts while many others ask, and nobody has it forgotten', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  const ledger = await openLedger(db, { personAndAcquirer: one, person: { ...one, epsilon: 20 } })
  const most = {
    acquirer: 'atlas',
    dataSets: [{ dataSet: 'athletes', budget: { epsilon: 8, delta: 1e-6 } }],
    people: range(0, 100),
    loss: pureLoss(900_000),
    minimumGroup: 20,
    now: SPRING,
  }
  const aside = await ledger.setAside(most)
  assert.ok(aside.ok)
  for (let other = 0; other < 20; other += 1)
    await answer(ledger, db, { id: `o${other}`, acquirer: `other-${other}`, epsilonMicro: 10_000 })
  assert.equal((await ledger.setAside(most)).ok, false)
  aside.value[Symbol.dispose]()
})

test('a join counts what was spent apart before the losses of the group were last written down', async () => {
  await using postgres = await testPostgres()
  const { db } = postgres
  const budgets = { personAndAcquirer: one, person: { ...one, epsilon: 20 } }
  const people = range(0, 100)
  const first = await openLedger(db, budgets)
  await answer(first, db, { id: 'b1', acquirer: 'birch', epsilonMicro: 500_000, people })
  for (let ask = 0; ask < 34; ask += 1)
    await answer(first, db, { id: `a${ask}`, acquirer: 'atlas', epsilonMicro: 10_000, people })
  // Opened anew it reads so many answers that it writes down what they come to.
  const ledger = await openLedger(db, budgets)
  await answer(ledger, db, { id: 'a-last', acquirer: 'atlas', epsilonMicro: 10_000, people })
  const { rows } = await sql`select 1 from privacy_snapshot where acquirer = 'atlas'`.execute(db)
  assert.equal(rows.length, 1)
  await joined(ledger, db, 'atlas', 'birch')
  const more = { id: 'a-more', acquirer: 'atlas', epsilonMicro: 300_000, people }
  assert.equal(await answer(await openLedger(db, budgets), db, more), undefined)
})

test('losses past what a number holds stay at the most', () => {
  const losses = new PeopleLosses()
  const people = range(0, 3)
  for (const each of [3_000_000_000, 3_000_000_001]) losses.add(people, { epsilonMicro: each, rhoNano: each })
  assert.deepEqual(losses.of(1), { epsilonMicro: 2 ** 32 - 1, rhoNano: 2 ** 32 - 1 })
})
