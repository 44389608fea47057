import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { silentLog } from '../../../src/kernel/log.ts'
import { systemRandom } from '../../../src/kernel/random.ts'
import { answerAsk } from '../../../src/site/asks/answer-ask.ts'
import { findAnswer } from '../../../src/site/asks/answer-store.ts'
import { siteSettingsSchema } from '../../../src/site/config.ts'
import { endContract } from '../../../src/site/contracts/change-contracts.ts'
import { pulledAsks } from '../../../src/site/line/serve-line.ts'
import { openSite } from '../../../src/site/open-site.ts'
import type { SiteContext } from '../../../src/site/site-context.ts'
import { testPeople } from '../../../src/testing/test-population.ts'
import { testTrade } from '../../../src/testing/test-trade.ts'
import type { TestTrade } from '../../../src/testing/test-trade.ts'
import { testLine } from '../../../src/testing/test-line.ts'

test('a run that is under way when its contract ends is thrown away, and its ask is declined', async () => {
  await using trade = await testTrade()
  const site = trade.site()
  await trade.fill(site, {
    dataSet: 'athletes',
    people: testPeople(60),
  })
  await site.stop()
  // The inside of a site that serves no door, so that its runs can be held up.
  await using opened = new AsyncDisposableStack()
  const settings = siteSettingsSchema.parse({
    site: site.name,
    custodian: 'edgeworks',
    territory: 'IE',
    network: { url: trade.network.url },
    databaseUrl: site.databaseUrl,
    vault: { memoryMb: 256, threads: 1 },
  })
  const start = { root: site.root, settings, log: silentLog, clock: trade.clock, random: systemRandom }
  const parts = await openSite(start, opened, () => undefined)
  const [contract] = parts.contracts.standing()
  assert.ok(contract)
  const ending = () =>
    endContract(parts, { contract: contract.id, reason: 'notice was given' }, { by: 'operator' })
  const seen = await reasonOf(trade, { parts, whenRun: ending })
  assert.deepEqual(seen, { reason: 'declined.contract', runs: 1 })
  const later = await reasonOf(trade, { parts, whenRun: ending })
  assert.deepEqual(later, { reason: 'declined.contract', runs: 0 })
})

/** What an ask is answered, when something happens after its statement ran; and how often one ran. */
async function reasonOf(
  trade: TestTrade,
  { parts, whenRun }: { parts: SiteContext; whenRun: () => Promise<void> },
): Promise<{ reason: string | undefined; runs: number }> {
  askers += 1
  const asker = await trade.addAcquirer(`asker-${askers}`)
  const { ask, jws } = await asker.acquirer.prepare(asker.request('select count(*) as people from athletes'))
  await asker.acquirer.send(jws)
  const line = testLine(trade, parts)
  const [pulled] = pulledAsks(await line.pullWork({ waitMs: 5_000, isResuming: false }))
  assert.ok(pulled)
  let runs = 0
  const run: SiteContext['vault']['run'] = async (...statement) => {
    runs += 1
    const found = await parts.vault.run(...statement)
    await whenRun()
    return found
  }
  const vault = new Proxy(parts.vault, {
    get: (target, name) => (name === 'run' ? run : (Reflect.get(target, name) as unknown)),
  })
  await answerAsk(pulled, { parts: { ...parts, vault }, events: parts.events })
  const answer = await findAnswer(parts.db, ask.id)
  return { reason: z.object({ reason: z.string() }).parse(answer?.decision).reason, runs }
}
let askers = 0
