import assert from 'node:assert/strict'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { rotateKeyFiles } from '../../src/cli/site/rotate-key-files.ts'
import { silentLog } from '../../src/kernel/log.ts'
import { ensureDatabase } from '../../src/kernel/postgres/open-postgres.ts'
import { systemRandom } from '../../src/kernel/random.ts'
import { Secret } from '../../src/kernel/secret.ts'
import { NETWORK_API } from '../../src/protocol/http/network-endpoints.ts'
import { serveSite } from '../../src/site/assemble-site.ts'
import type { ServingSite } from '../../src/site/assemble-site.ts'
import { siteDirectory, siteSettingsSchema } from '../../src/site/config.ts'
import { siteIdSchema } from '../../src/protocol/wire.ts'
import { noteRotation } from '../../src/site/site-keys.ts'
import { testParty } from '../../src/testing/test-network.ts'
import { testPeople } from '../../src/testing/test-population.ts'
import { testTrade } from '../../src/testing/test-trade.ts'
import type { TestSite, TestTrade } from '../../src/testing/test-trade.ts'
import { until } from '../site/floor/local-world.ts'

/*
 * A whole site, keys and all, as it was some time ago: put back in its place, or started beside the one that went on. Nothing in it is
 * damaged. Measure of success: an answer by what it knows, to which somebody has said no since, and two charges for one ask.
 */

const people = testPeople(60)
const COUNT = 'select count(*) as people from athletes'

/** Copies a site that is stopped, with its database. */
async function copyOf(
  site: TestSite,
  stack: AsyncDisposableStack,
): Promise<{ root: string; databaseUrl: string }> {
  const root = join(await mkdtemp(join(tmpdir(), 'hedgerow-older-')), basename(site.root))
  stack.defer(() => rm(join(root, '..'), { recursive: true, force: true }))
  await cp(site.root, root, { recursive: true })
  const [, name = ''] = /\/(\w+)\?/.exec(site.databaseUrl) ?? []
  const at = (database: string) => site.databaseUrl.replace(`/${name}?`, `/${database}?`)
  await ensureDatabase(new Secret(at('postgres')), `${name}_copy`, name)
  return { root, databaseUrl: at(`${name}_copy`) }
}

async function serveCopy(
  trade: TestTrade,
  { root, databaseUrl }: { root: string; databaseUrl: string },
  stack: AsyncDisposableStack,
): Promise<ServingSite> {
  const settings = siteSettingsSchema.parse({
    site: 'galway',
    custodian: 'edgeworks',
    territory: 'IE',
    network: { url: trade.network.url },
    databaseUrl,
    port: 0,
    vault: { memoryMb: 256, threads: 1 },
  })
  const { clock } = trade
  return stack.use(await serveSite({ root, settings, log: silentLog, clock, random: systemRandom }))
}

/** A trade with a site, as it was when sixty people had granted all; `older` is the site as it was then, stopped. */
async function olderCopy(stack: AsyncDisposableStack) {
  const trade = stack.use(await testTrade())
  const site = trade.site()
  await trade.fill(site, { dataSet: 'athletes', people })
  const acquirer = await trade.addAcquirer('northcare')
  const seen = await seenBy(trade, people.length)
  await site.stop()
  const older = await copyOf(site, stack)
  return { trade, site, acquirer, seen, older }
}

/** How many receipts of the site the witness has seen. */
async function witnessed(trade: TestTrade): Promise<number> {
  const response = await fetch(`${trade.network.url}/witness/galway/checkpoint`)
  return response.ok ? Number((await response.text()).split('\n')[1]) : 0
}

/** Waits until the witness has seen so many, and gives how many it has. */
async function seenBy(trade: TestTrade, size: number): Promise<number> {
  await until(`the witness has seen ${size}`, async () => (await witnessed(trade)) >= size)
  return witnessed(trade)
}

test('an older copy of a site that is put back answers nobody, and says why', async () => {
  await using stack = new AsyncDisposableStack()
  const { trade, site, acquirer, seen, older } = await olderCopy(stack)
  await site.start()
  // All but one withdraw: by the older copy they would be counted still.
  await site.issuer.revokeGrants(people.slice(1).map(({ id }) => ({ dataSet: 'athletes', person: id })))
  await seenBy(trade, seen + people.length - 1)
  await site.stop()

  const copy = await serveCopy(trade, older, stack)
  const { ask, jws } = await acquirer.acquirer.prepare(acquirer.request(COUNT))
  await acquirer.acquirer.send(jws)
  const fault = await copy.ended
  assert.equal(fault.code, 'fault.log_behind')
  assert.match(fault.message, /^The witness has seen \d+ receipts/)
  await copy[Symbol.asyncDispose]()
  assert.equal((await acquirer.acquirer.find(ask.id)).status, 'waiting')
  // The one that is the newest answers it, by what it knows.
  await site.start()
  const { sites } = await acquirer.acquirer.open(await acquirer.acquirer.wait(ask.id, ask.expires))
  assert.equal(sites[0]?.reason, 'declined.nobody_eligible')

  // Once its keys are rotated the copy knows none of what was signed since; the rotation it knows, by its own key.
  await site.stop()
  await rotateKeys(trade, site)
  await site.start()
  await site.issuer.revokeGrants([{ dataSet: 'athletes', person: 'p-0' }])
  await seenBy(trade, (await witnessed(trade)) + 1)
  await site.stop()
  const again = await serveCopy(trade, older, stack)
  const end = await again.ended
  assert.equal(end.code, 'fault.log_behind')
  assert.match(end.message, /^The keys of this site were replaced/)
  await again[Symbol.asyncDispose]()
})

async function rotateKeys(trade: TestTrade, { name, root }: TestSite): Promise<void> {
  const directory = siteDirectory(root).keys
  await rotateKeyFiles({
    directory,
    name,
    now: trade.clock.now(),
    note: (rotation) => noteRotation(directory, { site: siteIdSchema.parse(name), rotation }),
    submit: async (rotation, key) => {
      const request = { params: { id: name }, body: { rotation } }
      await trade.network.call({ ...testParty(name), signing: key }, NETWORK_API.rotateSiteKeys, request)
    },
  })
}

test('of two that are started from one copy one ends, and nobody pays twice', async () => {
  await using stack = new AsyncDisposableStack()
  const { trade, site, acquirer, seen, older } = await olderCopy(stack)
  await site.start()
  const copy = await serveCopy(trade, older, stack)
  // Each goes on with the log in its own way: whoever pulls an ask answers it, and a grant is withdrawn at one.
  await site.issuer.revokeGrants([{ dataSet: 'athletes', person: 'p-1' }])
  await seenBy(trade, seen + 1)
  const answers = await Promise.all(
    Array.from({ length: 6 }, (_, index) =>
      acquirer.ask(`select count(*) as people from athletes where score > ${-1 - index}`),
    ),
  )
  const fault = await copy.ended
  assert.equal(fault.code, 'fault.log_behind')
  await copy[Symbol.asyncDispose]()
  const after = await acquirer.ask(COUNT)
  assert.equal(after.sites[0]?.reason, 'approved', 'the other goes on')
  const prices = [...answers, after].map(({ sites }) => Number(sites[0]?.captured?.amountMinor ?? 0n))
  const { items } = await trade.network.call(acquirer.party, NETWORK_API.balances)
  assert.equal(
    items.reduce((sum, { availableMinor }) => sum + availableMinor, 0),
    100_000 - prices.reduce((sum, price) => sum + price, 0),
  )
  const { isBalanced } = await trade.network.call(trade.network.operator, NETWORK_API.trialBalance)
  assert.ok(isBalanced)
})
