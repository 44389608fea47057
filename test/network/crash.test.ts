import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { formatInstant, later, systemClock } from '../../src/kernel/clock.ts'
import { NETWORK_API } from '../../src/protocol/http/network-endpoints.ts'
import { testDecision } from '../../src/testing/test-decision.ts'
import { networkCaller, testAsk } from '../../src/testing/test-network.ts'
import type { NetworkCaller, TestParty } from '../../src/testing/test-network.ts'
import { setUpParties } from './world.ts'

const ROUNDS = 3
const PRICE_MINOR = 300

interface Child {
  readonly process: ChildProcess
  readonly network: NetworkCaller
}

/** A network with its own PostgreSQL in a process of its own. */
async function start(root: string): Promise<Child> {
  const file = fileURLToPath(new URL('../../src/testing/network-child.ts', import.meta.url))
  const child = spawn(process.execPath, [file, root, '', 'error'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [url] = (await once(createInterface(child.stdout), 'line')) as [string]
  return { process: child, network: await networkCaller({ url, name: 'network', root, clock: systemClock }) }
}

async function kill({ process: child }: Child, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  const gone = once(child, 'exit')
  child.kill(signal)
  await gone
}

/** What was sent, and what was acknowledged before the network died. */
interface Traffic {
  readonly sent: Map<string, object>
  readonly taken: Set<string>
  readonly decisions: Map<string, object>
  readonly decided: Set<string>
}

interface Parties {
  readonly northcare: TestParty
  readonly galway: TestParty
}

/** Asks and answers as fast as they go until the network is gone. */
async function stream(
  network: NetworkCaller,
  traffic: Traffic,
  { northcare, galway }: Parties,
): Promise<void> {
  const asking = async () => {
    for (;;) {
      const expires = formatInstant(later(systemClock.now(), 3_600_000))
      const ask = testAsk(network, northcare, { expires, maxPrice: { amount: 500, currency: 'EUR' } })
      traffic.sent.set(ask.id, ask)
      const state = await network.ask(northcare, ask)
      assert.equal(state.status, 'waiting')
      traffic.taken.add(ask.id)
    }
  }
  const answering = async () => {
    for (;;) {
      const { items } = await network.call(galway, NETWORK_API.work, {
        params: { id: 'galway' },
        query: { wait: 1000, limit: 5 },
      })
      for (const { ask } of items) {
        const facts = { ask, acquirer: 'northcare', issuer: 'federation', priceMinor: PRICE_MINOR }
        const message = traffic.decisions.get(ask) ?? testDecision(network, galway, facts)
        traffic.decisions.set(ask, message)
        await network.call(galway, NETWORK_API.decide, { params: { id: 'galway' }, body: message })
        traffic.decided.add(ask)
      }
    }
  }
  await Promise.allSettled([asking(), asking(), asking(), answering(), answering()])
}

test('a network that is killed loses nothing it acknowledged and does nothing twice', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'hedgerow-crash-'))
  let child = await start(root)
  t.after(async () => {
    await kill(child, 'SIGTERM')
    await rm(root, { recursive: true, force: true })
  })
  const parties = await setUpParties(child.network)
  await child.network.deposit(parties.northcare, 100_000_000)
  const traffic: Traffic = { sent: new Map(), taken: new Set(), decisions: new Map(), decided: new Set() }

  for (let round = 0; round < ROUNDS; round += 1) {
    const streaming = stream(child.network, traffic, parties)
    await systemClock.sleep(400 + 300 * round)
    await kill(child, 'SIGKILL')
    await streaming
    child = await start(root)
    const trial = await child.network.call(child.network.operator, NETWORK_API.trialBalance)
    assert.ok(trial.isBalanced, JSON.stringify(trial))
  }

  const { network } = child
  assert.ok(traffic.taken.size > 10 && traffic.decided.size > 5, 'the stream was too thin to tell')
  for (const id of traffic.taken) {
    const { status } = await network.call(parties.northcare, NETWORK_API.askState, { params: { id } })
    assert.equal(status, traffic.decided.has(id) ? 'answered' : status)
  }
  for (const [id, ask] of traffic.sent) assert.equal((await network.ask(parties.northcare, ask)).id, id)
  for (const [id, message] of traffic.decisions) {
    const answer = await network.call(parties.galway, NETWORK_API.decide, {
      params: { id: 'galway' },
      body: message,
    })
    assert.equal(answer.captured?.amountMinor, BigInt(PRICE_MINOR), id)
  }
  const { items } = await network.call(network.operator, NETWORK_API.balances, {
    query: { owner: 'northcare' },
  })
  const waiting = traffic.sent.size - traffic.decisions.size
  assert.deepEqual(
    items.map(({ debitsMinor, heldMinor }) => [debitsMinor, heldMinor]),
    [[traffic.decisions.size * PRICE_MINOR, waiting * 500]],
  )
  const trial = await network.call(network.operator, NETWORK_API.trialBalance)
  assert.ok(trial.isBalanced, JSON.stringify(trial))
})
