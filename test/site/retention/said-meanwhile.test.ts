import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { sql } from 'kysely'
import type { KyselyPlugin } from 'kysely'
import { Bitset } from '../../../src/kernel/bitset.ts'
import { systemClock } from '../../../src/kernel/clock.ts'
import { grantRequestSchema } from '../../../src/protocol/consent/grant.ts'
import { memberIdSchema } from '../../../src/protocol/wire.ts'
import { slicesOf } from '../../../src/site/asks/rows-given.ts'
import { giveGrants } from '../../../src/site/consent/give-grants.ts'
import { sweepRetention } from '../../../src/site/retention/sweep-retention.ts'
import { findErasureOf } from '../../../src/site/rights/erasure-store.ts'
import { makeRequests } from '../../../src/site/rights/request-desk.ts'
import { restrictPerson } from '../../../src/site/rights/restrict-person.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { testGrant, testPeople } from '../../../src/testing/test-population.ts'
import { bareSite } from '../../../src/testing/test-site.ts'
import type { BareSite } from '../../../src/testing/test-site.ts'

// Whoever has no row left is looked at, and then erased: what is said of them in between counts.

const DAY_MS = 86_400_000
const START = Date.parse('2026-02-10T12:00:00Z')
const federation = memberIdSchema.parse('federation')
const people = testPeople(20)
const clock = new ManualClock(START)
let bare: BareSite

/** One data set that goes on, and some that end one day after the other, each with two people of its own. */
before(async () => {
  bare = await bareSite(clock)
  const goesOn = { retention: { period: 'P10Y', from: '2026-02-10' } }
  await bare.fill({ dataSet: 'study', people: people.slice(-1), manifest: goesOn, hasGrants: false })
  for (const day of [1, 2, 3, 4, 5]) {
    const manifest = { retention: { period: `P${day}D`, from: '2026-02-10' } }
    const theirs = people.slice(2 * day - 2, 2 * day)
    await bare.fill({ dataSet: `days_${day}`, people: theirs, manifest, hasGrants: false })
  }
})
after(() => bare[Symbol.asyncDispose]())

const granting = (key: string) =>
  giveGrants(bare.site.consent, [grantRequestSchema.parse(testGrant('study', key))], { by: 'person' })

test('a grant that is given after it was looked who stays keeps its person', async () => {
  clock.advance(DAY_MS)
  const swept = await sweepRetention(afterLooking(() => granting('p-0')))
  assert.deepEqual([swept.people, ...(await known('p-0', 'p-1'))], [1, true, false])
  assert.equal(await liveGrants('p-0'), 1)
})

test('so it does where whoever has rows of theirs is to be told, and each is erased alone', async () => {
  const numbers = await Promise.all(['p-2', 'p-3'].map((key) => bare.numberOf(key)))
  await giveOut(numbers)
  clock.advance(DAY_MS)
  const swept = await sweepRetention(afterLooking(() => granting('p-2')))
  assert.deepEqual([swept.people, ...(await known('p-2', 'p-3'))], [1, true, false])
  assert.equal(await liveGrants('p-2'), 1)
  const { site } = bare
  assert.ok(!site.hidden.at(clock.now()).has(numbers[0] ?? -1), 'nobody is hidden who stays')
  const gone = await findErasureOf(site.db, { person: numbers[1] ?? -1, requestKey: undefined })
  assert.deepEqual([gone?.reason, gone?.state], ['retention', 'deleted'])
})

test('a request that is being made when the sweep looks keeps its person', async () => {
  clock.advance(DAY_MS)
  const people = [{ key: 'p-4', number: await bare.numberOf('p-4'), issuer: federation }]
  const swept = await sweepBeside((site) => makeRequests(site, { people, kind: 'access', by: 'person' }))
  assert.deepEqual([swept.people, ...(await known('p-4', 'p-5'))], [1, true, false])
})

test('so does a restriction that is being made', async () => {
  clock.advance(DAY_MS)
  const person = await bare.numberOf('p-6')
  const request = { person, issuer: federation, reason: 'accuracy_contested', requestedBy: 'person' } as const
  const swept = await sweepBeside((site) => restrictPerson(site, request))
  assert.deepEqual([swept.people, ...(await known('p-6', 'p-7'))], [1, true, false])
})

test('an erasure that fails half-way is finished by the next sweep, and whoever is gone is given nothing', async () => {
  const numbers = await Promise.all(['p-8', 'p-9'].map((key) => bare.numberOf(key)))
  await giveOut(numbers)
  clock.advance(DAY_MS)
  const { site } = bare
  const vault: typeof site.vault = {
    ...site.vault,
    forget: async (person) => {
      await site.vault.forget(person)
      if (person === numbers[0]) throw new Error('the disk is gone')
    },
  }
  await assert.rejects(sweepRetention({ ...site, vault }))
  const states = () =>
    Promise.all(
      numbers.map(async (person) => (await findErasureOf(site.db, { person, requestKey: undefined }))?.state),
    )
  assert.deepEqual(await states(), ['begun', 'deleted'], 'the other one was not left under way')
  await sweepRetention(site)
  assert.deepEqual(
    [...(await states()), ...(await known('p-8', 'p-9'))],
    ['deleted', 'deleted', false, false],
  )
  const people = [{ key: 'p-8', number: numbers[0] ?? -1, issuer: federation }]
  await assert.rejects(makeRequests(site, { people, kind: 'access', by: 'person' }), {
    code: 'fault.not_found',
  })
})

const known = (...keys: readonly string[]) =>
  Promise.all(keys.map(async (key) => (await bare.numberOf(key)) >= 0))

async function liveGrants(key: string): Promise<number> {
  const { rows } = await sql`
    select 1 from consent_grant g where person = ${await bare.numberOf(key)}
      and not exists (select from consent_revocation r where r.grant_sequence = g.sequence)`.execute(
    bare.site.db,
  )
  return rows.length
}

/** Notes that rows of people were given out. */
async function giveOut(numbers: readonly number[]): Promise<void> {
  const slices = JSON.stringify(slicesOf(Bitset.of(numbers)))
  await sql`
    insert into rows_given (slice, ask_id, places)
    select key::integer, 'ask_1', value::smallint[] from jsonb_each_text(${slices}::jsonb)
    on conflict (slice, ask_id) do update set places = rows_given.places || excluded.places`.execute(
    bare.site.db,
  )
}

/** The site, where `act` comes after a sweep has looked who stays, and before anybody is erased. */
function afterLooking(act: () => Promise<unknown>): BareSite['site'] {
  const lookedUp = new WeakSet<object>()
  const plugin: KyselyPlugin = {
    transformQuery: ({ node, queryId }) => {
      if (JSON.stringify(node).includes('rows_given')) lookedUp.add(queryId)
      return node
    },
    transformResult: async ({ result, queryId }) => {
      if (lookedUp.has(queryId)) await act()
      return result
    },
  }
  return { ...bare.site, db: bare.site.db.withPlugin(plugin) }
}

/**
 * Sweeps while something is being made that has all but its receipt, and goes on as soon as the sweep waits for it, or is over. Rows go
 * before, with a receipt of their own.
 */
async function sweepBeside(
  make: (site: BareSite['site']) => Promise<unknown>,
): Promise<{ readonly people: number }> {
  const { site } = bare
  const entered = Promise.withResolvers<void>()
  const open = Promise.withResolvers<void>()
  const log: typeof site.log = {
    ...site.log,
    issue: async (tx, drafts) => {
      entered.resolve()
      await open.promise
      return site.log.issue(tx, drafts)
    },
  }
  const making = make({ ...site, log })
  await entered.promise
  let isOver = false
  const sweeping = sweepRetention(site).finally(() => {
    isOver = true
  })
  while (!isOver && !(await isSomebodyWaiting())) await systemClock.sleep(1)
  open.resolve()
  await making
  return sweeping
}

async function isSomebodyWaiting(): Promise<boolean> {
  const { rows } = await sql`
    select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`.execute(
    bare.site.db,
  )
  return rows.length > 0
}
