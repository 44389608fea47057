import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../../src/kernel/clock.ts'
import { peekJws } from '../../src/kernel/crypto/jws.ts'
import { silentLog } from '../../src/kernel/log.ts'
import { systemRandom } from '../../src/kernel/random.ts'
import { answerAsk } from '../../src/site/asks/answer-ask.ts'
import { findAnswer } from '../../src/site/asks/answer-store.ts'
import { decisionMessageOf } from '../../src/site/asks/decision-message.ts'
import { siteSettingsSchema } from '../../src/site/config.ts'
import { revokeGrants } from '../../src/site/consent/revoke-grants.ts'
import { pulledAsks } from '../../src/site/line/serve-line.ts'
import { openSite } from '../../src/site/open-site.ts'
import type { SiteContext } from '../../src/site/site-context.ts'
import { siteDecisionSchema } from '../../src/protocol/decision.ts'
import { dataSetIdSchema } from '../../src/protocol/wire.ts'
import { around } from '../../src/testing/around.ts'
import { testPeople } from '../../src/testing/test-population.ts'
import { testTrade } from '../../src/testing/test-trade.ts'
import type { TestSite, TestTrade } from '../../src/testing/test-trade.ts'
import { testLine } from '../../src/testing/test-line.ts'

const COUNT = 70
const people = testPeople(COUNT, (_, index) => ({ height: 1.2 + index / 100 }))

/** Where in the life of an ask a revocation begins. */
const GATES = ['people', 'withEligible', 'run', 'afterRun', 'hold', 'issue'] as const
type Gate = (typeof GATES)[number]

interface Race {
  readonly mode: 'rows' | 'aggregate'
  readonly gate: Gate
  /** How often the gate is passed before. */
  readonly skip: number
  /** How many begin at once. */
  readonly revocations: number
  readonly dataSet: 'athletes' | 'visits'
}

/** What was asked, and how the heights in an answer are found. */
const QUESTIONS = {
  athletes: {
    rows: 'select height from athletes',
    aggregate: 'select count(*) as people, sum(height) as height from athletes',
  },
  // Who is in the answer must have granted both data sets.
  visits: {
    rows: 'select a.height from athletes a join visits v using (id)',
    aggregate: 'select count(*) as people, sum(a.height) as height from athletes a join visits v using (id)',
  },
} as const

test('a revocation that was acknowledged before a release was decided is in force for it, at every step', async (context) => {
  await using trade = await testTrade()
  const site = trade.site()
  await trade.fill(site, { dataSet: 'athletes', people })
  await trade.fill(site, { dataSet: 'visits', people })
  await site.stop()
  await using opened = new AsyncDisposableStack()
  const parts = await openParts(trade, { site, opened })
  const races = GATES.flatMap((gate): Race[] => [
    { mode: 'rows', gate, skip: 0, revocations: 1, dataSet: 'athletes' },
    { mode: 'rows', gate, skip: 0, revocations: 2, dataSet: 'visits' },
    { mode: 'aggregate', gate, skip: 0, revocations: 3, dataSet: 'athletes' },
    { mode: 'aggregate', gate, skip: 1, revocations: 1, dataSet: 'visits' },
  ])
  const withdrawn = { athletes: 0, visits: 0 }
  let inForce = 0
  for (const [index, race] of races.entries()) {
    const { mode, gate, dataSet, revocations, skip } = race
    await context.test(`${mode} over ${dataSet}, ${revocations} at "${gate}" ${skip + 1}`, async () => {
      // From one end of the people for one data set, from the other for the other.
      const begin = dataSet === 'athletes' ? withdrawn.athletes : COUNT - withdrawn.visits - revocations
      const revoked = people.slice(begin, begin + revocations).map(({ id }) => id)
      const before = COUNT - withdrawn.athletes - (dataSet === 'visits' ? withdrawn.visits : 0)
      const after = before - revocations
      withdrawn[dataSet] += revocations
      const name = `${'abcdefghjkmnpqrstuvwxyz'.charAt(index % 23)}-${index < 23 ? 'north' : 'south'}`
      const seen = await run(trade, { parts, race, revoked, name })
      const allowed = seen.wasAcknowledged ? [after] : [before, after]
      assert.ok(
        allowed.includes(seen.people),
        `${seen.people} people were released, ${after} still granted it, acknowledged: ${seen.wasAcknowledged}`,
      )
      if (seen.wasAcknowledged) inForce += 1
    })
  }
  assert.ok(inForce >= 16, `in ${inForce} races only was the revocation acknowledged before the decision`)
})

test('the same of a dry run: the people and the share that it tells are of those who granted it then', async () => {
  await using trade = await testTrade()
  const site = trade.site()
  await trade.fill(site, { dataSet: 'athletes', people })
  await site.stop()
  await using opened = new AsyncDisposableStack()
  const parts = await openParts(trade, { site, opened })
  const AT_ONCE = 4
  let told = 0
  for (const [index, skip] of [0, 1, 2, 3].entries()) {
    const asker = await trade.addAcquirer(`${'abcd'.charAt(index)}-dry`)
    const { jws } = await asker.acquirer.prepare(
      asker.request(QUESTIONS.athletes.aggregate, { dryRun: true }),
    )
    await asker.acquirer.send(jws)
    const [pulled] = pulledAsks(await testLine(trade, parts).pullWork({ waitMs: 5_000, isResuming: false }))
    assert.ok(pulled)
    const revoked = people.slice(index * AT_ONCE, (index + 1) * AT_ONCE)
    let passed = 0
    const begin = async () => {
      passed += 1
      if (passed !== skip + 1) return
      const requests = revoked.map(({ id }) => ({ dataSet: dataSetIdSchema.parse('athletes'), person: id }))
      await revokeGrants(parts.consent, requests, { by: 'issuer:federation' })
    }
    // The last look at the vault is the one for the share of its people: just before the answer waits for its time class.
    const vault = around(parts.vault, 'people', { after: begin })
    const answer = await answerAsk(pulled, { parts: { ...parts, vault }, events: parts.events })
    const decision = siteDecisionSchema.parse(JSON.parse(peekJws(answer.decisionJws)?.payload ?? ''))
    const left = COUNT - AT_ONCE * (passed > skip ? index + 1 : index)
    // What was looked at once may not be looked at again over a few fewer: then there is no answer.
    if (decision.reason === 'declined.differencing') continue
    assert.equal(decision.coveragePct, Math.floor((20 * left) / COUNT) * 5, `${skip} of ${passed}`)
    told += 1
  }
  assert.ok(told >= 2, 'answered')
})

/** Opens the inside of a site that serves no door, so that its parts can be held up. */
async function openParts(
  trade: TestTrade,
  { site, opened }: { site: TestSite; opened: AsyncDisposableStack },
): Promise<SiteContext> {
  const settings = siteSettingsSchema.parse({
    site: site.name,
    custodian: 'edgeworks',
    territory: 'IE',
    network: { url: trade.network.url },
    databaseUrl: site.databaseUrl,
    vault: { memoryMb: 256, threads: 1 },
  })
  const start = { root: site.root, settings, log: silentLog, clock: trade.clock, random: systemRandom }
  return openSite(start, opened, () => undefined)
}

/** Asks, starts the revocation at the gate, and gives how many people are in the release. */
async function run(
  trade: TestTrade,
  {
    parts,
    race,
    revoked,
    name,
  }: { parts: SiteContext; race: Race; revoked: readonly string[]; name: string },
): Promise<{ people: number; wasAcknowledged: boolean }> {
  const asker = await trade.addAcquirer(name)
  const { acquirer } = asker
  const { ask, jws } = await acquirer.prepare(
    asker.request(QUESTIONS[race.dataSet][race.mode], { mode: race.mode }),
  )
  await acquirer.send(jws)
  const line = testLine(trade, parts)
  const [pulled] = pulledAsks(await line.pullWork({ waitMs: 5_000, isResuming: false }))
  assert.ok(pulled)
  let isAcknowledged = false
  let wasAcknowledged = false
  let isDecided = false
  let revoking: Promise<void> | undefined
  const dataSet = dataSetIdSchema.parse(race.dataSet)
  const begin = async () => {
    if (revoking) return
    const requests = revoked.map((person) => ({ dataSet, person }))
    revoking = revokeGrants(parts.consent, requests, { by: 'issuer:federation' }).then(() => {
      isAcknowledged = true
    })
    // Within the reservation it cannot be acknowledged: it waits for the lock that the reservation holds.
    await Promise.race([revoking, systemClock.sleep(HELD_UP_MS)])
    wasAcknowledged = isAcknowledged && !isDecided
  }
  await answerAsk(pulled, { parts: heldUp(parts, race, begin), events: parts.events })
  isDecided = true
  // Where the step was not reached so often, it comes too late for this one.
  await begin()
  await revoking
  const answer = await findAnswer(parts.db, ask.id)
  assert.ok(answer)
  await line.pushDecision(await decisionMessageOf(answer, parts.log))
  const [opened] = (await acquirer.open(await acquirer.find(ask.id))).sites
  assert.deepEqual(opened?.problems, [])
  const rows = opened?.release?.rows ?? assert.fail(`declined: ${opened?.reason}`)
  return { people: race.mode === 'rows' ? rows.length : Number(rows[0]?.[0]), wasAcknowledged }
}

/** How long a step waits for the revocation that it began. */
const HELD_UP_MS = 600

/** The parts of a site with one of their acts held up, before or after it is done. */
function heldUp(parts: SiteContext, { gate, skip }: Race, begin: () => Promise<void>): SiteContext {
  let passed = 0
  const pass = async () => {
    if (passed === skip) await begin()
    passed += 1
  }
  switch (gate) {
    case 'people':
    case 'withEligible':
    case 'run':
      return { ...parts, vault: around(parts.vault, gate, { before: pass }) }
    case 'afterRun':
      return { ...parts, vault: around(parts.vault, 'run', { after: pass }) }
    case 'hold':
      return { ...parts, partitions: around(parts.partitions, 'hold', { after: pass }) }
    case 'issue':
      return { ...parts, log: around(parts.log, 'issue', { before: pass }) }
  }
}
