import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { NETWORK_API } from '../../src/protocol/http/network-endpoints.ts'
import { testNetwork, testOffer } from '../../src/testing/test-network.ts'
import { testDatabaseUrl } from '../../src/testing/test-postgres.ts'
import type { NetworkCaller, TestNetwork, TestParty } from '../../src/testing/test-network.ts'

/** 2026-11-24T10:00:00Z. */
const START = Date.UTC(2026, 10, 24, 10)

/** A network with two sites that offer the same data set, and an acquirer with 100.00 EUR. */
export interface World extends AsyncDisposable {
  readonly network: TestNetwork
  readonly databaseUrl: string
  readonly clock: ManualClock
  readonly northcare: TestParty
  readonly federation: TestParty
  readonly edgeworks: TestParty
  readonly galway: TestParty
  readonly zurich: TestParty
}

/** Opens a world; `more` goes to `testNetwork`. */
export async function openWorld(more: Partial<Parameters<typeof testNetwork>[0]> = {}): Promise<World> {
  const clock = new ManualClock(START)
  await using opening = new AsyncDisposableStack()
  const databaseUrl = more.databaseUrl ?? (await testDatabaseUrl('network')).reveal()
  const network = opening.use(await testNetwork({ clock, ...more, databaseUrl }))
  const parties = await setUpParties(network)
  const open = opening.move()
  const close = () => open.disposeAsync()
  return { network, databaseUrl, clock, ...parties, [Symbol.asyncDispose]: close }
}

/** A world that the tests of a file share, whose books agree when they are done; it is there once they run. */
export function shareBalancedWorld(): () => World {
  let shared: World | undefined
  before(async () => {
    shared = await openWorld()
  })
  after(async () => {
    await using done = shared
    if (done) await assertBalanced(done)
  })
  return () => {
    assert.ok(shared, 'The world is not open yet')
    return shared
  }
}

/** Every account of the network, added up: debits are credits, and what is held is what holds say. */
export async function assertBalanced({ network }: Pick<World, 'network'>): Promise<void> {
  const trial = await network.call(network.operator, NETWORK_API.trialBalance)
  assert.ok(trial.isBalanced, JSON.stringify(trial))
}

/** Registers everybody of a world at a network, with offers and money. */
export async function setUpParties(network: NetworkCaller) {
  const edgeworks = await network.addMember('edgeworks', ['custodian'])
  const federation = await network.addMember('federation', ['issuer'])
  const northcare = await network.addMember('northcare', ['acquirer'])
  const galway = await network.addSite('galway', { custodian: edgeworks, country: 'IE' })
  const zurich = await network.addSite('zurich', { custodian: edgeworks, country: 'CH' })
  await network.publish(galway, [testOffer(galway, { issuer: federation, country: 'IE' })])
  await network.publish(zurich, [testOffer(zurich, { issuer: federation, country: 'CH' })])
  await network.deposit(northcare, 10_000)
  return { northcare, federation, edgeworks, galway, zurich }
}

let acquirers = 0
/** Letters that are not mistaken for one another, in any sequence. */
const LETTERS = 'aefghkpqxy'

/** The same world with another acquirer, who has 100.00 EUR and has asked nothing: for tests that share a network. */
export async function withFreshAcquirer(world: World): Promise<World> {
  acquirers += 1
  const name = String(acquirers)
    .split('')
    .map((digit) => LETTERS.charAt(Number(digit)))
    .join('')
  const northcare = await world.network.addMember(`acquirer-${name}`, ['acquirer'])
  await world.network.deposit(northcare, 10_000)
  return { ...world, northcare }
}

/** What the acquirer has and what is held of it. */
export async function fundsOf({ network, northcare }: World) {
  const { items } = await network.call(northcare, NETWORK_API.balances)
  const funds = items.find(({ kind }) => kind === 'funds')
  return { available: funds?.availableMinor, held: funds?.heldMinor }
}
