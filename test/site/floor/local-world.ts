import assert from 'node:assert/strict'
import { formatInstant, later, monotonicMs, systemClock } from '../../../src/kernel/clock.ts'
import { systemRandom } from '../../../src/kernel/random.ts'
import type { FloorLimitView } from '../../../src/protocol/floor-limit.ts'
import { NETWORK_API } from '../../../src/protocol/http/network-endpoints.ts'
import { SITE_API } from '../../../src/protocol/http/site-api.ts'
import { openLocalAcquirer } from '../../../src/sdk/local-acquirer.ts'
import type { LocalAcquirer } from '../../../src/sdk/local-acquirer.ts'
import { pinsInMemory } from '../../../src/testing/pins-in-memory.ts'
import type { NetworkCaller } from '../../../src/testing/test-network.ts'
import type { TestAcquirer, TestSite, TestTrade } from '../../../src/testing/test-trade.ts'

/** Settings of a site that hears of floor limits soon. */
export const QUICK = { floorLimits: { refreshSeconds: 0.1 } }

/** Longest that a site may take to hear of a limit or to clear. */
const PATIENCE_MS = 20_000

/** Waits until something holds. */
export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = monotonicMs() + PATIENCE_MS
  while (!(await holds())) {
    if (monotonicMs() > deadline) throw new Error(`It does not come about that ${what}`)
    await systemClock.sleep(10)
  }
}

/** The same acquirer at the door of a site. */
export function locally(
  { party }: TestAcquirer,
  { site, network }: { site: Pick<TestSite, 'client'>; network: NetworkCaller },
): LocalAcquirer {
  return openLocalAcquirer({
    client: site.client({ issuer: party.name, key: party.signing }),
    member: party.name,
    signing: party.signing,
    sealing: party.sealing,
    pins: pinsInMemory(),
    clock: network.clock,
    ids: network.ids,
    random: systemRandom,
  })
}

/** Gives a floor limit; `days` from now. */
export function giveLimit(
  network: NetworkCaller,
  facts: {
    site: string
    acquirer: string
    amountMinor: number
    days?: number
    validForMs?: number
    key?: string
  },
): Promise<FloorLimitView> {
  const validForMs = facts.validForMs ?? (facts.days ?? 1) * 86_400_000
  return network.call(network.operator, NETWORK_API.giveFloorLimit, {
    params: { id: facts.site },
    body: {
      acquirer: facts.acquirer,
      amount: { amount: facts.amountMinor, currency: 'EUR' },
      validUntil: formatInstant(later(network.clock.now(), validForMs)),
    },
    headers: { 'idempotency-key': facts.key ?? network.ids.next('key') },
  })
}

/** Gives a floor limit and waits until the site knows of it. */
export async function giveKnownLimit(
  trade: TestTrade,
  {
    amountMinor,
    acquirer,
    site = trade.site(),
  }: { amountMinor: number; acquirer: TestAcquirer; site?: TestSite },
): Promise<FloorLimitView> {
  const given = await giveLimit(trade.network, {
    site: site.name,
    acquirer: acquirer.party.name,
    amountMinor,
  })
  await until('the site knows of its floor limit', async () =>
    (await limitsAt(site)).some(({ id }) => id === given.id),
  )
  return given
}

/** Floor limits as the site's operator sees them. */
export async function limitsAt(site: TestSite) {
  const client = site.client({ issuer: 'operator', key: site.operatorKey })
  return (await client.call(SITE_API.siteFloorLimits, { query: { limit: 100 } })).items
}

/** Waits until a site has cleared all that it booked. */
export async function allCleared(site: TestSite): Promise<void> {
  await until('all is cleared', async () => (await limitsAt(site)).every(({ toClear }) => toClear === 0))
}

/** Available and held of an acquirer, and what it paid, in minor units. The trial balance must agree. */
export async function moneyOf(network: NetworkCaller, member: string) {
  const trial = await network.call(network.operator, NETWORK_API.trialBalance)
  assert.ok(trial.isBalanced, JSON.stringify(trial))
  const { items } = await network.call(network.operator, NETWORK_API.balances, { query: { owner: member } })
  const funds = items.find(({ kind }) => kind === 'funds')
  return { available: funds?.availableMinor ?? 0, held: funds?.heldMinor ?? 0, paid: funds?.debitsMinor ?? 0 }
}
