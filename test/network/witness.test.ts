import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import { systemClock } from '../../src/kernel/clock.ts'
import { generateKeyPair } from '../../src/kernel/crypto/keys.ts'
import type { KeyPair } from '../../src/kernel/crypto/keys.ts'
import { logOrigin, signCheckpoint } from '../../src/protocol/proof/checkpoint.ts'
import { cosignaturesOf, parseWitness, withCosignature } from '../../src/protocol/proof/cosignature.ts'
import type { Witness } from '../../src/protocol/proof/cosignature.ts'
import { leafHash, proveConsistency, rootOf } from '../../src/protocol/proof/merkle.ts'
import { NETWORK_API } from '../../src/protocol/http/network-endpoints.ts'
import { testNetwork } from '../../src/testing/test-network.ts'
import type { TestNetwork, TestParty } from '../../src/testing/test-network.ts'

let network: TestNetwork
let custodian: TestParty
let witness: Witness
let sites = 0
before(async () => {
  network = await testNetwork({ clock: systemClock })
  custodian = await network.addMember('edgeworks', ['custodian'])
  const info = await network.call(undefined, NETWORK_API.network)
  const parsed = parseWitness(info.witness ?? '')
  assert.ok(parsed)
  witness = parsed
})
after(() => network[Symbol.asyncDispose]())

/** A log of a site: leaves by their texts. */
class Log {
  readonly origin: string
  readonly #key: KeyPair
  readonly #leaves: Uint8Array[] = []

  constructor(site: Pick<TestParty, 'name' | 'signing'>, leaves: readonly string[] = []) {
    this.origin = logOrigin(site.name)
    this.#key = site.signing
    this.grow(leaves)
  }

  grow(texts: readonly string[]): this {
    this.#leaves.push(...texts.map((text) => leafHash(new TextEncoder().encode(text))))
    return this
  }

  note(size = this.#leaves.length): string {
    return signCheckpoint({ origin: this.origin, size, root: rootOf(this.#leaves.slice(0, size)) }, this.#key)
  }

  async proof(from: number, size = this.#leaves.length): Promise<readonly string[]> {
    if (from === 0 || from === size) return []
    const read = ({ level, index }: { level: number; index: number }) =>
      Promise.resolve(rootOf(this.#leaves.slice(index * 2 ** level, (index + 1) * 2 ** level)))
    return (await proveConsistency({ size1: from, size2: size }, read)).map((hash) => hash.toBase64())
  }

  async body(from: number, size = this.#leaves.length): Promise<string> {
    return [`old ${from}`, ...(await this.proof(from, size)), '', this.note(size)].join('\n')
  }
}

async function freshSite(): Promise<TestParty> {
  sites += 1
  return network.addSite(
    `${['ash', 'bay', 'crag', 'dell', 'esk', 'fen', 'glen', 'holm'][sites] ?? ''}-site`,
    {
      custodian,
      country: 'IE',
    },
  )
}

async function show(body: string): Promise<{ status: number; type: string | null; said: string }> {
  const response = await fetch(`${network.url}/witness/add-checkpoint`, { method: 'POST', body })
  return { status: response.status, type: response.headers.get('content-type'), said: await response.text() }
}

const leaves = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => `receipt ${from + index}`)

describe('the network as a witness', () => {
  test('cosigns a log that grows, and says what it saw last', async () => {
    const site = await freshSite()
    const log = new Log(site, leaves(5))
    const first = await show(await log.body(0))
    assert.equal(first.status, 200)
    assert.equal(cosignaturesOf(withCosignature(log.note(), first.said), [witness])?.length, 1)
    assert.deepEqual(await show(await log.body(5)), first)
    log.grow(leaves(8, 5))
    const stale = await show(await log.body(4))
    assert.deepEqual([stale.status, stale.type, stale.said], [409, 'text/x.tlog.size', '5\n'])
    const second = await show(await log.body(5))
    assert.equal(second.status, 200)
    const seen = await (await fetch(`${network.url}/witness/${site.name}/checkpoint`)).text()
    assert.equal(seen, withCosignature(log.note(), second.said))
  })

  test('cosigns neither side of a fork but the one that it saw, however it is shown', async () => {
    const site = await freshSite()
    const log = new Log(site, leaves(6))
    assert.equal((await show(await log.body(0))).status, 200)
    const fork = new Log(site, [...leaves(5), 'another receipt', ...leaves(3, 6)])
    // By its own proof, by the proof of the true log, by none, and as if nothing had been seen before.
    const grown = new Log(site, leaves(9))
    assert.equal((await show(await fork.body(6))).status, 422)
    const borrowed = [`old 6`, ...(await grown.proof(6)), '', fork.note()].join('\n')
    assert.equal((await show(borrowed)).status, 422)
    assert.equal((await show([`old 6`, '', fork.note()].join('\n'))).status, 422)
    assert.equal((await show(await fork.body(0))).status, 409)
    // Another root at the very size that was seen, and a log that shrank.
    const sameSize = await show([`old 6`, '', fork.note(6)].join('\n'))
    assert.deepEqual([sameSize.status, sameSize.type], [409, 'text/plain; charset=utf-8'])
    assert.equal((await show([`old 6`, '', log.note(4)].join('\n'))).status, 400)
    assert.equal((await show([`old 4`, '', log.note(4)].join('\n'))).status, 409)
    assert.equal((await show(await grown.body(6))).status, 200)
  })

  test('of two logs that are shown at the same moment it cosigns one', async () => {
    const site = await freshSite()
    const [one, other] = [new Log(site, leaves(3)), new Log(site, ['x', 'y', 'z'])]
    const shown = await Promise.all([one, other, one, other].map(async (log) => show(await log.body(0))))
    const signed = shown.filter(({ status }) => status === 200).map(({ said }) => said)
    assert.equal(new Set(signed).size, 1)
    const isOf = (log: Log) =>
      cosignaturesOf(withCosignature(log.note(), signed[0] ?? ''), [witness])?.length === 1
    assert.notEqual(isOf(one), isOf(other))
  })

  test('of two of another length that are shown at the same moment it cosigns one', async () => {
    const site = await freshSite()
    const common = new Log(site, leaves(4))
    assert.equal((await show(await common.body(0))).status, 200)
    const short = new Log(site, [...leaves(4), 'one'])
    const long = new Log(site, [...leaves(4), 'other', 'another'])
    const bodies = await Promise.all([short.body(4), long.body(4), short.body(4), long.body(4)])
    const shown = await Promise.all(bodies.map(show))
    const signed = bodies.filter((_, index) => shown[index]?.status === 200)
    assert.equal(new Set(signed).size, 1)
  })

  test('refuses what is no checkpoint of a log of its sites', async () => {
    const site = await freshSite()
    const log = new Log(site, leaves(2))
    const stranger = new Log({ name: site.name, signing: generateKeyPair('Ed25519') }, leaves(2))
    assert.equal((await show(await stranger.body(0))).status, 403)
    assert.equal(
      (await show(await new Log({ name: 'nowhere', signing: site.signing }, leaves(2)).body(0))).status,
      404,
    )
    for (const wrong of [
      '',
      'old 0\n',
      `old x\n\n${log.note()}`,
      `old 0\nAAAA\n\n${log.note()}`,
      `old -1\n\n${log.note()}`,
    ])
      assert.equal((await show(wrong)).status, 400)
    assert.equal((await show(`old 0\n\n${'x'.repeat(40_000)}`)).status, 400)
    assert.equal((await fetch(`${network.url}/witness/${site.name}/checkpoint`)).status, 404)
  })

  test('whatever is shown in whatever order, all that it cosigned is one log', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            isFork: fc.boolean(),
            at: fc.integer({ min: 1, max: 12 }),
            from: fc.integer({ min: 0, max: 12 }),
          }),
          {
            minLength: 3,
            maxLength: 12,
          },
        ),
        async (shows) => {
          sites += 1
          const site = await network.addSite(`q${sites}-${network.ids.next('s').slice(-8).toLowerCase()}`, {
            custodian,
            country: 'IE',
          })
          const logs = [new Log(site, leaves(12)), new Log(site, [...leaves(4), 'fork', ...leaves(7, 5)])]
          const signed = [new Set<number>(), new Set<number>()]
          let last = 0
          for (const { isFork, at, from: guess } of shows) {
            const log = logs[isFork ? 1 : 0]
            // Mostly from what was seen last, as whoever means to get through would.
            const from = guess > 9 ? guess : last
            if (!log || from > at) continue
            const { status } = await show(await log.body(from, at))
            if (status !== 200) continue
            signed[isFork ? 1 : 0]?.add(at)
            last = at
          }
          // Up to the fork they are the same log.
          const [one, other] = signed.map((sizes) => [...sizes].filter((size) => size > 4))
          assert.ok(one?.length === 0 || other?.length === 0)
        },
      ),
      { numRuns: 25 },
    )
  })
})
