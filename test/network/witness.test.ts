import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import { formatInstant, instant, systemClock } from '../../src/kernel/clock.ts'
import { generateKeyPair } from '../../src/kernel/crypto/keys.ts'
import type { KeyPair } from '../../src/kernel/crypto/keys.ts'
import { byPresentKey } from '../../src/network/witness/sign-by-present-key.ts'
import { logOrigin, signCheckpoint } from '../../src/protocol/proof/checkpoint.ts'
import {
  cosign,
  cosignaturesOf,
  parseWitness,
  withCosignature,
} from '../../src/protocol/proof/cosignature.ts'
import type { Witness } from '../../src/protocol/proof/cosignature.ts'
import { signKeyRotation } from '../../src/protocol/proof/key-chain.ts'
import { leafHash, proveConsistency, rootOf } from '../../src/protocol/proof/merkle.ts'
import { NETWORK_API } from '../../src/protocol/http/network-endpoints.ts'
import { recordingLog } from '../../src/testing/recording-log.ts'
import { publicKeys, testNetwork, testParty } from '../../src/testing/test-network.ts'
import type { TestNetwork, TestParty } from '../../src/testing/test-network.ts'

const operatorLog = recordingLog()
let network: TestNetwork
let custodian: TestParty
let witness: Witness
let sites = 0
before(async () => {
  network = await testNetwork({ clock: systemClock, log: operatorLog })
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
    `${['ash', 'bay', 'crag', 'dell', 'esk', 'fen', 'glen', 'holm', 'isle', 'kyle', 'lea', 'moor', 'ness'][sites] ?? ''}-site`,
    { custodian, country: 'IE' },
  )
}

async function show(body: string): Promise<{ status: number; type: string | null; said: string }> {
  const response = await fetch(`${network.url}/witness/add-checkpoint`, { method: 'POST', body })
  return { status: response.status, type: response.headers.get('content-type'), said: await response.text() }
}

/** What the witness says to several that are shown in one request. */
async function showTogether(
  bodies: readonly string[],
): Promise<{ lines: readonly string[]; stopped: { status: number; size?: number } | undefined }> {
  const response = await fetch(`${network.url}/witness/add-checkpoints`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ shown: bodies }),
  })
  assert.equal(response.status, 200)
  const { lines, stopped } = (await response.json()) as {
    lines: readonly string[]
    stopped?: { status: number; size?: number }
  }
  return { lines, stopped }
}

/** The same of one, at the address for one. */
async function showAlone(body: string): Promise<{ lines: readonly string[] }> {
  const { status, said } = await show(body)
  return { lines: status === 200 ? [said] : [] }
}

/** Bodies that lead from one size to the next. */
async function bodiesOver(log: Log, sizes: readonly number[]): Promise<readonly string[]> {
  return Promise.all(sizes.slice(1).map((size, index) => log.body(sizes[index] ?? 0, size)))
}

const leaves = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => `receipt ${from + index}`)

describe('the network as a witness', () => {
  test('lets nobody lead a log on by a key that was replaced, though the leaves are there for all to read', async () => {
    const site = await freshSite()
    const log = new Log(site, leaves(5))
    assert.equal((await show(await log.body(0))).status, 200)
    const next = testParty(site.name)
    const rotation = signKeyRotation({
      member: site.name,
      next: publicKeys(next),
      time: formatInstant(systemClock.now()),
      key: site.signing,
    })
    await network.call(site, NETWORK_API.rotateSiteKeys, { params: { id: site.name }, body: { rotation } })
    const thief = new Log(site, [...leaves(5), 'a receipt that the site never issued'])
    assert.equal((await show(await thief.body(5))).status, 403)
    // What was seen before the key was replaced is still witnessed, and the site goes on with its new key.
    assert.equal((await show(await log.body(5))).status, 200)
    const after = new Log({ ...next, name: site.name }, leaves(9))
    assert.equal((await show(await after.body(5))).status, 200)
  })

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

  test('whoever shows what is no log of its sites writes nothing into its log, and is told there once', async () => {
    const key = generateKeyPair('Ed25519')
    const site = await freshSite()
    const told = (why: string) =>
      operatorLog.lines.filter((line) => line.includes('witness.not_cosigned') && line.includes(`"${why}"`))
    const names = ['ann-doe', 'bob-doe', 'cay-doe', 'ann-doe']
    for (const name of names) {
      const { status } = await show(await new Log({ name, signing: key }, leaves(1)).body(0))
      assert.equal(status, 404)
    }
    for (const count of [1, 2, 3]) {
      const { status } = await show(await new Log({ name: site.name, signing: key }, leaves(count)).body(0))
      assert.equal(status, 403)
    }
    for (const name of names) await network.refusal({ ...custodian, name }, NETWORK_API.listMembers)
    assert.equal(told('unknown-log').length, 1)
    assert.equal(told('not-signed').filter((line) => line.includes(site.name)).length, 1)
    assert.equal(operatorLog.lines.filter((line) => /unknown-key.*request\.refused/.test(line)).length, 1)
    assert.doesNotMatch(operatorLog.lines.join('\n'), /-doe/)
    const text = await (await fetch(`${network.url}/metrics`)).text()
    assert.match(text, /witness_not_cosigned_total\{why="unknown-log"\} [4-9]/)
  })

  test('cosigns several that are shown together as it would one after another', async () => {
    const site = await freshSite()
    const log = new Log(site, leaves(12))
    const { lines, stopped } = await showTogether(await bodiesOver(log, [0, 3, 5, 9, 12]))
    assert.deepEqual([lines.length, stopped], [4, undefined])
    for (const [index, size] of [3, 5, 9, 12].entries())
      assert.equal(
        cosignaturesOf(withCosignature(log.note(size), lines[index] ?? ''), [witness])?.length,
        1,
        `at ${size}`,
      )
    const seen = await (await fetch(`${network.url}/witness/${site.name}/checkpoint`)).text()
    assert.equal(seen, withCosignature(log.note(), lines[3] ?? ''))
    // From where it stands now, the last one again gets the line that it got; from before, it says where it stands.
    const again = await showTogether([await log.body(12)])
    assert.deepEqual(again, { lines: [lines[3]], stopped: undefined })
    assert.deepEqual(await showTogether(await bodiesOver(log, [3, 5, 9])), {
      lines: [],
      stopped: { status: 409, size: 12 },
    })
  })

  test('of several it cosigns those before the first that does not follow, and none after it', async () => {
    const site = await freshSite()
    const log = new Log(site, leaves(9))
    const fork = new Log(site, [...leaves(5), 'another receipt', ...leaves(3, 6)])
    const forked = await showTogether([
      await log.body(0, 3),
      await log.body(3, 6),
      await fork.body(6, 8),
      await log.body(6, 9),
    ])
    assert.deepEqual([forked.lines.length, forked.stopped], [2, { status: 422 }])
    const stranger = new Log({ name: site.name, signing: generateKeyPair('Ed25519') }, leaves(9))
    const unsigned = await showTogether([
      await log.body(6, 7),
      await stranger.body(7, 8),
      await log.body(7, 9),
    ])
    assert.deepEqual([unsigned.lines.length, unsigned.stopped], [1, { status: 403 }])
    const other = new Log(await freshSite(), leaves(9))
    const mixed = await showTogether([await log.body(7, 8), await other.body(0, 9)])
    assert.deepEqual([mixed.lines.length, mixed.stopped], [1, { status: 400 }])
    const twice = await showTogether([await log.body(8, 9), await log.body(9, 9), await log.body(9, 9)])
    assert.deepEqual([twice.lines.length, twice.stopped], [1, { status: 400 }])
    const seen = await (await fetch(`${network.url}/witness/${site.name}/checkpoint`)).text()
    assert.equal(seen, withCosignature(log.note(), twice.lines[0] ?? ''))
  })

  test('of two logs that are shown together at the same moment it cosigns one', async () => {
    const site = await freshSite()
    const logs = [new Log(site, leaves(6)), new Log(site, [...leaves(1), 'fork', ...leaves(4, 2)])]
    const shown = await Promise.all(
      logs.map(async (log) => showTogether(await bodiesOver(log, [0, 2, 4, 6]))),
    )
    assert.deepEqual(
      shown.map(({ lines }) => lines.length).toSorted((a, b) => a - b),
      [0, 3],
    )
  })

  test('more at once than it takes is refused', async () => {
    const body = await new Log(await freshSite(), leaves(2)).body(0)
    const response = await fetch(`${network.url}/witness/add-checkpoints`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ shown: Array.from({ length: 17 }, () => body) }),
    })
    assert.equal(response.status, 400)
  })

  test('whatever is shown in whatever order, all that it cosigned is one log', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            isFork: fc.boolean(),
            at: fc.integer({ min: 1, max: 12 }),
            from: fc.integer({ min: 0, max: 12 }),
            more: fc.array(fc.record({ isFork: fc.boolean(), by: fc.integer({ min: 0, max: 4 }) }), {
              maxLength: 3,
            }),
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
          for (const { isFork, at, from: guess, more } of shows) {
            // Mostly from what was seen last, as whoever means to get through would.
            const from = guess > 9 ? guess : last
            if (from > at) continue
            // Some alone, some together with others that may be of the other log.
            const steps = [{ isFork, from, at }]
            for (const next of more) {
              const before = steps.at(-1)?.at ?? at
              steps.push({ isFork: next.isFork, from: before, at: Math.min(12, before + next.by) })
            }
            const bodies = await Promise.all(
              steps.flatMap((step) => logs[step.isFork ? 1 : 0]?.body(step.from, step.at) ?? []),
            )
            const { lines } =
              more.length === 0 ? await showAlone(bodies[0] ?? '') : await showTogether(bodies)
            for (const step of steps.slice(0, lines.length)) {
              signed[step.isFork ? 1 : 0]?.add(step.at)
              last = step.at
            }
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

test('byPresentKey() signs anew, with its time, what a former key of the witness has signed, and nothing else', () => {
  const [former, present, stranger] = [1, 2, 3].map(() => generateKeyPair('Ed25519'))
  assert.ok(former && present && stranger)
  const name = 'hedgerow/network/witness'
  const keys = { name, key: present, formerKeys: [former.publicJwk] }
  const [text, other] = ['hedgerow/galway\n5\nroot\n', 'hedgerow/galway\n6\nroot\n']
  const time = instant(1_795_000_000_000)
  const line = (key: KeyPair) => cosign(text, { name, key, time })
  const renewed = byPresentKey(line(former), text, keys)
  const note = `${text}\n${renewed}`
  assert.deepEqual(cosignaturesOf(note, [{ name, key: present.publicJwk }]), [{ name, time }])
  for (const key of [present, stranger]) assert.equal(byPresentKey(line(key), text, keys), line(key))
  assert.equal(byPresentKey(line(former), other, keys), line(former))
})
