import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '../../src/kernel/log.ts'
import { systemRandom } from '../../src/kernel/random.ts'
import { declined } from '../../src/protocol/reason.ts'
import { answerAsk } from '../../src/site/asks/answer-ask.ts'
import { siteSettingsSchema } from '../../src/site/config.ts'
import { pulledAsks } from '../../src/site/line/serve-line.ts'
import { openSite } from '../../src/site/open-site.ts'
import { testGrant, testPeople } from '../../src/testing/test-population.ts'
import { testTrade } from '../../src/testing/test-trade.ts'
import { testLine } from '../../src/testing/test-line.ts'

/*
 * Questions of mode `private` whose run comes to nothing: too many groups, too long. That follows from the rows, so each tells
 * something that no noise is added to. Measure of success: it is told again and again, for nothing.
 */

test('a run with noise that comes to nothing is paid for from the budget, as an answer is', async () => {
  await using trade = await testTrade()
  const site = trade.site()
  const people = testPeople(60)
  await trade.fill(site, {
    dataSet: 'walkers',
    people,
    grants: people.map(({ id }) => testGrant('walkers', id, { modes: ['private'] })),
    manifest: { modes: ['private'] },
  })
  await site.stop()
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
  // What an engine says of a question with too many groups, whichever it is.
  const vault = new Proxy(parts.vault, {
    get(target, name) {
      if (name === 'run') return () => Promise.resolve(declined('declined.too_large'))
      const found: unknown = Reflect.get(target, name)
      return typeof found === 'function'
        ? (...given: readonly unknown[]): unknown => Reflect.apply(found, target, given)
        : found
    },
  })
  const line = testLine(trade, parts)
  const asker = await trade.addAcquirer('looker', { depositMinor: 10_000_000 })
  const reasons: string[] = []
  for (const score of [1, 2, 3]) {
    const request = asker.request(`select count(*) from walkers where score > ${score}`, {
      offer: 'walkers',
      mode: 'private',
      privacy: { epsilon: 0.5 },
    })
    const { jws } = await asker.acquirer.prepare(request)
    await asker.acquirer.send(jws)
    const [pulled] = pulledAsks(await line.pullWork({ waitMs: 5_000, isResuming: false }))
    assert.ok(pulled)
    const answer = await answerAsk(pulled, { parts: { ...parts, vault }, events: parts.events })
    reasons.push((answer.decision as { reason: string }).reason)
  }
  assert.deepEqual(reasons, ['declined.too_large', 'declined.too_large', 'declined.privacy_budget'])
})
