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
const CLAIM_MINOR = 100
/** 10,000 by the world, and by the test. */
const DEPOSITED_MINOR = 100_010_000

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
  readonly disputed: Set<string>
}

interface Parties {
  readonly northcare: TestParty
  readonly federation: TestParty
  readonly edgeworks: TestParty
  readonly galway: TestParty
}

/** Disputes a trade and goes all the way to money back, from wherever it stands: each step may have been taken before. */
async function dispute(network: NetworkCaller, ask: string, parties: Parties): Promise<void> {
  const { northcare, federation, edgeworks } = parties
  const { items } = await network.call(northcare, NETWORK_API.listDisputes, { query: { limit: 500 } })
  const claim = { amount: CLAIM_MINOR, currency: 'EUR' as const }
  const request = { ask, site: 'galway', reason: 'not_delivered' as const, statement: 'It is torn', claim }
  const raised =
    items.find((one) => one.ask === ask) ??
    (await network.call(northcare, NETWORK_API.raiseDispute, { body: request }))
  const params = { id: raised.dispute }
  for (const by of [federation, edgeworks])
    await network.call(by, NETWORK_API.answerDispute, {
      params,
      body: { answer: 'accepted', text: 'So it is' },
    })
  const body = { outcome: 'upheld' as const, ground: 'All say so' }
  const { state } = await network.call(network.operator, NETWORK_API.decideDispute, { params, body })
  assert.equal(state, 'upheld')
}

/** Asks and answers as fast as they go until the network is gone. */
async function stream(network: NetworkCaller, traffic: Traffic, parties: Parties): Promise<void> {
  const { northcare, galway } = parties
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
        if (traffic.decided.size % 3 !== 0) continue
        traffic.disputed.add(ask)
        await dispute(network, ask, parties)
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
  const traffic: Traffic = {
    sent: new Map(),
    taken: new Set(),
    decisions: new Map(),
    decided: new Set(),
    disputed: new Set(),
  }

  for (let round = 0; round < ROUNDS; round += 1) {
    const streaming = stream(child.network, traffic, parties)
    await systemClock.sleep(400 + 300 * round)
    // On a slow machine it goes on until enough was acknowledged to be lost.
    while (traffic.taken.size <= 4 * (round + 1) || traffic.decided.size <= 2 * (round + 1))
      await systemClock.sleep(20)
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
  assert.ok(traffic.disputed.size > 1, 'too little was disputed to tell')
  for (const id of traffic.disputed) await dispute(network, id, parties)
  const { items } = await network.call(network.operator, NETWORK_API.balances, {
    query: { owner: 'northcare' },
  })
  const waiting = traffic.sent.size - traffic.decisions.size
  assert.deepEqual(
    items.map(({ debitsMinor, heldMinor, creditsMinor }) => [debitsMinor, heldMinor, creditsMinor]),
    [
      [
        traffic.decisions.size * PRICE_MINOR,
        waiting * 500,
        DEPOSITED_MINOR + traffic.disputed.size * CLAIM_MINOR,
      ],
    ],
  )
  const trial = await network.call(network.operator, NETWORK_API.trialBalance)
  assert.ok(trial.isBalanced, JSON.stringify(trial))
})
