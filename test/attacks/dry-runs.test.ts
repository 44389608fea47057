import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { money } from '../../src/kernel/money.ts'
import type { SiteDecision } from '../../src/protocol/decision.ts'
import type { AskRequest } from '../../src/sdk/build-ask.ts'
import { testTrade } from '../../src/testing/test-trade.ts'
import type { TestAcquirer } from '../../src/testing/test-trade.ts'
import { testGrant, testPeople } from '../../src/testing/test-population.ts'

/*
 * Dry runs and limits of price as oracles: both cost nothing, and both say something about the people who would stand
 * in an answer. Measure of success: learning from them what asks would not tell: more than their steps, or whether a
 * set of people is large enough, for sets that no asker is let to have beside each other.
 */

const trade = await testTrade()
after(() => trade[Symbol.asyncDispose]())
const COUNT = 200
/** The target alone is from Malta. */
await trade.fill(trade.site(), {
  dataSet: 'athletes',
  people: testPeople(COUNT, (_, index) =>
    index === 7 ? { country: 'MT', score: 100 } : { score: 10 + (index % 80) },
  ),
})

let askers = 0
async function newAsker(): Promise<TestAcquirer> {
  askers += 1
  return trade.addAcquirer(`dry-runner-${askers}`)
}

async function decisionOf(
  asker: TestAcquirer,
  sql: string,
  more: Partial<AskRequest> = {},
): Promise<Partial<SiteDecision>> {
  const [site] = (await asker.ask(sql, more)).sites
  assert.deepEqual(site?.problems, [])
  assert.ok(site?.decision)
  return site.decision
}

const dryRun = { dryRun: true } as const
const MINIMUM_GROUP = 10
const COUNTED = 'select count(*) from athletes'
const EVERYBODY = 'select sum(score) from athletes'
const BUT_ONE = "select sum(score) from athletes where country <> 'MT'"

const QUESTIONS = [
  EVERYBODY,
  'select country, count(*), avg(height) from athletes group by country',
  "select count(*) from athletes where country = 'MT'",
  'select birth_date, count(*) from athletes group by birth_date',
  'select max(score) from athletes',
  'select sum(score) from athletes where name = 1',
  'select sum(score from athletes',
]

for (const sql of QUESTIONS) {
  test(`a dry run tells what the ask then tells, and no more: ${sql}`, async () => {
    const asker = await newAsker()
    const dry = await decisionOf(asker, sql, dryRun)
    const real = await decisionOf(asker, sql)
    const told = { ...real, ask: dry.ask, decidedAt: dry.decidedAt }
    delete told.releaseDigest
    assert.deepEqual(dry, told)
  })
}

test('a decline says where in the text the trouble is', async () => {
  const asker = await newAsker()
  const decision = await decisionOf(asker, 'select max(score) from athletes', dryRun)
  assert.equal(decision.reason, 'declined.sql_function')
  assert.equal(decision.position, 8)
})

test('a dry run releases nothing and costs nothing', async () => {
  const asker = await newAsker()
  const answer = await asker.ask(EVERYBODY, dryRun)
  assert.equal(answer.hold, undefined)
  assert.deepEqual([answer.sites[0]?.release, answer.sites[0]?.captured], [undefined, undefined])
  assert.equal(answer.sites[0]?.decision?.people, 200)
})

test('dry runs are no oracle: each is held against the others, and asks against them', async () => {
  const asker = await newAsker()
  assert.equal((await decisionOf(asker, EVERYBODY, dryRun)).reason, 'approved')
  // Without the one, and without as many others as make a minimum group.
  assert.equal((await decisionOf(asker, BUT_ONE, dryRun)).reason, 'partial.differencing')
  assert.equal((await decisionOf(asker, BUT_ONE)).reason, 'partial.differencing')
  assert.equal((await decisionOf(asker, EVERYBODY)).reason, 'approved')
  const [everybody] = (await asker.ask(COUNTED)).sites
  const [rest] = (await asker.ask(`${COUNTED} where country <> 'MT'`)).sites
  assert.deepEqual([everybody?.release?.rows, rest?.release?.rows], [[[COUNT]], [[COUNT - MINIMUM_GROUP]]])
})

test('what a dry run tells of fewer people the ask then gives, once and again, though less could be given anew', async () => {
  const people = testPeople(28, (_, index) => ({ country: index % 2 === 0 ? 'IE' : 'FR', score: 50 }))
  await trade.fill(trade.site(), { dataSet: 'leavers', people })
  const asker = await newAsker()
  const inLeavers = { offer: 'leavers' } as const
  const byCountry = 'select country, count(*), avg(score) from leavers group by country'
  assert.equal((await decisionOf(asker, byCountry, inLeavers)).reason, 'approved')
  await trade.site().issuer.revokeGrants([{ dataSet: 'leavers', person: 'p-1' }])
  const counted = 'select count(*) from leavers'
  const { reason, people: told, price } = await decisionOf(asker, counted, { ...inLeavers, ...dryRun })
  assert.equal(reason, 'partial.differencing')
  for (const again of [dryRun, {}, dryRun, {}]) {
    const decision = await decisionOf(asker, counted, { ...inLeavers, ...again })
    assert.deepEqual([decision.reason, decision.people, decision.price], [reason, told, price])
  }
})

test('a limit of price is no oracle: who is over it is held against what is asked next', async () => {
  const asker = await newAsker()
  const cheap = { maxPrice: money(120n, 'EUR') }
  const declined = await decisionOf(asker, EVERYBODY, cheap)
  assert.equal(declined.reason, 'declined.limit')
  assert.equal((await decisionOf(asker, BUT_ONE)).reason, 'partial.differencing')
})

test('rows that a limit of price kept from leaving are not known: what is left of a sum would be theirs', async () => {
  const asker = await newAsker()
  const given = await decisionOf(asker, "select id, country, score from athletes where country <> 'MT'", {
    mode: 'rows',
  })
  assert.equal(given.reason, 'approved')
  const cheap = { mode: 'rows', maxPrice: money(120n, 'EUR') } as const
  const kept = await decisionOf(asker, 'select id, country, score from athletes', cheap)
  assert.equal(kept.reason, 'declined.limit')
  assert.equal((await decisionOf(asker, EVERYBODY)).reason, 'declined.differencing')
  // What would have been shown, had the price been paid, tells nothing; what chose the rows may have been found out.
  const [poor, curious] = [await newAsker(), await newAsker()]
  await decisionOf(poor, 'select id, score from athletes', cheap)
  await decisionOf(curious, 'select id from athletes where score >= 0', cheap)
  assert.equal((await decisionOf(poor, EVERYBODY)).reason, 'approved')
  assert.equal((await decisionOf(curious, EVERYBODY)).reason, 'declined.differencing')
})

test('a limit of price does not draw noise for nothing: what it tells is paid from the budget', async () => {
  const people = testPeople(COUNT)
  await trade.fill(trade.site(), {
    dataSet: 'walkers',
    people,
    grants: people.map(({ id }) => testGrant('walkers', id, { modes: ['private'] })),
    manifest: { modes: ['private'] },
  })
  const asker = await newAsker()
  const noisily = { offer: 'walkers', mode: 'private', privacy: { epsilon: 0.5 } } as const
  const cheap = { ...noisily, maxPrice: money(120n, 'EUR') }
  const reasons: unknown[] = []
  for (const score of [1, 2, 3])
    reasons.push(
      (await decisionOf(asker, `select count(*) from walkers where score > ${score}`, cheap)).reason,
    )
  assert.deepEqual(reasons, ['declined.limit', 'declined.limit', 'declined.privacy_budget'])
  const again = await decisionOf(asker, 'select count(*) from walkers where score > 1', noisily)
  assert.equal(again.reason, 'approved')
})
