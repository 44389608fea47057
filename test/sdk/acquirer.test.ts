import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { later, systemClock } from '../../src/kernel/clock.ts'
import { generateKeyPair } from '../../src/kernel/crypto/keys.ts'
import { Fault } from '../../src/kernel/faults.ts'
import { money } from '../../src/kernel/money.ts'
import { systemRandom } from '../../src/kernel/random.ts'
import type { AskState } from '../../src/protocol/http/network-api.ts'
import { openAcquirer } from '../../src/sdk/acquirer.ts'
import type { Acquirer } from '../../src/sdk/acquirer.ts'
import type { AskRequest } from '../../src/sdk/build-ask.ts'
import { httpClient } from '../../src/sdk/http-client.ts'
import { openOperator } from '../../src/sdk/operator.ts'
import { NO_PINNED_KEYS, pinSite } from '../../src/sdk/pinned-keys.ts'
import type { PinnedKeys } from '../../src/sdk/pinned-keys.ts'
import { publicKeys, testNetwork, testOffer, testParty } from '../../src/testing/test-network.ts'
import type { TestNetwork, TestParty } from '../../src/testing/test-network.ts'
import { answerNextAsk } from './played-site.ts'

const SQL = 'select count(*) as n from athletes'

/** Pins in memory, beginning with these. */
function pinsIn(memory: { pinned: PinnedKeys }) {
  return {
    read: () => Promise.resolve(memory.pinned),
    write: (pinned: PinnedKeys) => {
      memory.pinned = pinned
      return Promise.resolve()
    },
  }
}

suite('an acquirer at a real network', () => {
  let network: TestNetwork
  let parties: Record<'northcare' | 'poor' | 'issuer' | 'galway', TestParty>

  before(async () => {
    network = await testNetwork({ clock: systemClock })
    const custodian = await network.addMember('edgeworks', ['custodian'])
    const issuer = await network.addMember('federation', ['issuer'])
    const northcare = await network.addMember('northcare', ['acquirer'])
    const poor = await network.addMember('poor', ['acquirer'])
    const galway = await network.addSite('galway', { custodian, country: 'IE' })
    await network.publish(galway, [testOffer(galway, { issuer, country: 'IE' })])
    await network.deposit(northcare, 10_000)
    parties = { northcare, poor, issuer, galway }
  })
  after(() => network[Symbol.asyncDispose]())

  function client(party: TestParty) {
    const server = { url: network.url, name: network.name }
    return httpClient({
      server,
      caller: { issuer: party.name, key: party.signing },
      clock: systemClock,
      ids: network.ids,
    })
  }

  function acquirer(memory = { pinned: NO_PINNED_KEYS }, party: TestParty = parties.northcare): Acquirer {
    const { name: member, signing, sealing } = party
    const parts = { member, signing, sealing, clock: systemClock, ids: network.ids, random: systemRandom }
    return openAcquirer({
      ...parts,
      client: client(member === 'poor' ? parties.poor : parties.northcare),
      pins: pinsIn(memory),
    })
  }

  function request(changes: Partial<AskRequest> = {}): Omit<AskRequest, 'acquirer'> {
    return {
      purpose: 'dpv:AcademicResearch',
      legalBasis: 'eu-gdpr:A6-1-a',
      mode: 'aggregate',
      offer: 'athletes',
      releaseTo: { jurisdiction: 'IE' },
      question: { sql: SQL, parameters: [] },
      maxPrice: money(1_000, 'EUR'),
      expires: later(systemClock.now(), 20_000),
      ...changes,
    }
  }

  async function answered(memory = { pinned: NO_PINNED_KEYS }) {
    const { northcare, issuer, galway } = parties
    const [result, sql] = await Promise.all([
      acquirer(memory).ask(request()),
      answerNextAsk(network, { site: galway, acquirer: northcare, issuer }),
    ])
    return { result, sql }
  }

  test('ask() seals, sends, waits, opens and verifies; the site reads the question, and what was held is captured or freed', async () => {
    const { result, sql } = await answered()
    assert.equal(sql, SQL)
    assert.equal(result.status, 'answered')
    const [site] = result.sites
    assert.ok(site)
    assert.deepEqual(site.problems, [])
    assert.deepEqual(site.release?.rows, [[41]])
    assert.deepEqual(site.captured, money(110, 'EUR'))
    assert.ok(site.receipts.every(({ isVerified }) => isVerified))
    const balances = await openOperator(client(parties.northcare)).balances()
    assert.equal(balances.find(({ kind }) => kind === 'funds')?.heldMinor, 0)
  })

  test('ask() gives a decline of the network as an answer with its reason', async () => {
    const forged = await acquirer(undefined, {
      ...parties.northcare,
      signing: generateKeyPair('Ed25519'),
    }).ask(request())
    assert.deepEqual([forged.status, forged.reason], ['declined', 'declined.signature'])
    const broke = await acquirer({ pinned: NO_PINNED_KEYS }, parties.poor).ask(request())
    assert.deepEqual([broke.status, broke.reason], ['declined', 'declined.funds'])
    const nowhere = await acquirer().ask(request({ offer: 'players' }))
    assert.equal(nowhere.reason, 'declined.no_route')
  })

  test('ask() will not seal to a site whose keys changed without a rotation by the site', async () => {
    const impostor = publicKeys(testParty('galway'))
    const pinned = pinSite(NO_PINNED_KEYS, {
      id: 'galway',
      keys: impostor,
      firstKeys: impostor,
      rotations: [],
    })
    assert.ok(pinned.ok)
    await assert.rejects(acquirer({ pinned: pinned.value }).ask(request()), (thrown: unknown) => {
      assert.ok(thrown instanceof Fault)
      assert.match(thrown.message, /Cannot seal to site "galway": its keys are not the ones seen before/)
      return true
    })
  })

  test('open() says of everything that was changed on the way what does not hold', async () => {
    const memory = { pinned: NO_PINNED_KEYS }
    const { result } = await answered(memory)
    const state = await acquirer(memory).find(result.id)
    const [answer] = state.sites
    assert.ok(answer?.decision)
    const changedDecision = answer.decision.replace(/\.([^.]+)\./, (_, payload: string) => {
      const text = Buffer.from(payload, 'base64url').toString().replace('"amount":110', '"amount":100')
      return `.${Buffer.from(text).toString('base64url')}.`
    })
    const other = (await answered(memory)).result
    const cases: readonly [string, Partial<AskState['sites'][number]>, RegExp][] = [
      ['a lower price in the decision', { decision: changedDecision }, /decision is not signed by the site/],
      [
        'receipts of another ask',
        { receipts: [...(other.sites[0]?.bundles ?? [])] },
        /no receipt names this ask/,
      ],
      ['no receipts', { receipts: [] }, /no receipt names this ask/],
    ]
    for (const [what, changes, problem] of cases) {
      const opened = await acquirer(memory).open({ ...state, sites: [{ ...answer, ...changes }] })
      assert.match(opened.sites[0]?.problems.join('; ') ?? '', problem, what)
    }
    const good = await acquirer(memory).open(state)
    assert.deepEqual(good.sites[0]?.problems, [])
  })

  test('send() of the same signed ask again gives the same answer and holds nothing more', async () => {
    const one = acquirer()
    const { jws } = await one.prepare(request({ expires: later(systemClock.now(), 60_000) }))
    const [first, again] = [await one.send(jws), await one.send(jws)]
    assert.equal(again.id, first.id)
    const { heldMinor } =
      (await openOperator(client(parties.northcare)).balances()).find(({ kind }) => kind === 'funds') ?? {}
    assert.equal(heldMinor, 1_000)
  })
})
