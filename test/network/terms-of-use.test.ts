import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { sql } from 'kysely'
import { formatInstant, later } from '../../src/kernel/clock.ts'
import type { Instant } from '../../src/kernel/clock.ts'
import { silentLog } from '../../src/kernel/log.ts'
import { digestOf } from '../../src/kernel/digest.ts'
import { connect } from '../../src/kernel/postgres/open-postgres.ts'
import { Secret } from '../../src/kernel/secret.ts'
import { TermsOfUse } from '../../src/network/membership/terms-of-use.ts'
import { NETWORK_API } from '../../src/protocol/http/network-endpoints.ts'
import { signAcceptance } from '../../src/protocol/terms-of-use.ts'
import { memberIdSchema } from '../../src/protocol/wire.ts'
import { testAsk } from '../../src/testing/test-network.ts'
import type { TestParty } from '../../src/testing/test-network.ts'
import { openWorld } from './world.ts'
import type { World } from './world.ts'

const DAY_MS = 86_400_000
let w: World
before(async () => {
  w = await openWorld()
})
after(() => w[Symbol.asyncDispose]())

const reasonOf = async (more: Parameters<typeof testAsk>[2] = {}) => {
  const { reason, detail } = await w.network.ask(w.northcare, testAsk(w.network, w.northcare, more))
  return [reason, detail]
}
const publish = (text: string, from?: string) =>
  w.network.call(w.network.operator, NETWORK_API.publishTerms, {
    body: { text, ...(from === undefined ? {} : { from }) },
  })
const statementOf = (text: string, member: TestParty, more: object = {}) =>
  signAcceptance(
    {
      member: memberIdSchema.parse(member.name),
      network: w.network.name,
      terms: digestOf(text),
      time: formatInstant(w.clock.now()),
      ...more,
    },
    member.signing,
  )
const accept = (text: string, member: TestParty = w.northcare) =>
  w.network.call(member, NETWORK_API.acceptTerms, {
    params: { id: member.name },
    body: { statement: statementOf(text, member) },
  })

const detailOf = (version: number, from: Instant) =>
  `Version ${version} of the terms of use counts since ${formatInstant(from)}; read it with "hedgerow terms show", and accept it with "hedgerow terms accept"`

test('a network without terms answers without; from the first text on it is accepted before the first ask', async () => {
  assert.deepEqual((await w.network.call(undefined, NETWORK_API.terms)).items, [])
  assert.deepEqual(await reasonOf(), [undefined, undefined])
  const first = await publish('Be kind.')
  assert.deepEqual([first.version, first.state], [1, 'in_force'])
  assert.equal((await publish('Be kind.')).version, 1, 'the same text again is no new version')
  const detail = detailOf(1, w.clock.now())
  assert.deepEqual(await reasonOf(), ['declined.terms', detail])
  assert.deepEqual(await reasonOf({ dryRun: true }), ['declined.terms', detail])

  const accepted = await accept('Be kind.')
  assert.deepEqual(
    [accepted.member, accepted.version, accepted.terms],
    ['northcare', 1, digestOf('Be kind.')],
  )
  assert.deepEqual(await reasonOf(), [undefined, undefined])
  assert.deepEqual(await accept('Be kind.'), accepted, 'accepting again changes nothing')
})

test('a new version asks again from its moment on, and may be accepted ahead of it', async () => {
  const from = later(w.clock.now(), 10 * DAY_MS)
  const second = await publish('Be kind, and brief.', formatInstant(from))
  assert.deepEqual([second.version, second.state], [2, 'coming'])
  assert.deepEqual(await reasonOf(), [undefined, undefined], 'not yet')
  w.clock.advance(10 * DAY_MS - 1)
  assert.deepEqual(await reasonOf(), [undefined, undefined])
  w.clock.advance(1)
  assert.deepEqual(await reasonOf(), ['declined.terms', detailOf(2, from)])
  await accept('Be kind, and brief.')
  assert.deepEqual(await reasonOf(), [undefined, undefined])

  const third = await publish('Be brief.', formatInstant(later(w.clock.now(), DAY_MS)))
  assert.equal(third.state, 'coming')
  await accept('Be brief.')
  w.clock.advance(DAY_MS)
  assert.deepEqual(await reasonOf(), [undefined, undefined], 'accepted ahead of its time')
  assert.deepEqual(
    (await w.network.call(undefined, NETWORK_API.terms)).items.map(({ version, state }) => [version, state]),
    [
      [3, 'in_force'],
      [2, 'replaced'],
      [1, 'replaced'],
    ],
  )
})

test('who accepted what is seen by the operator and by oneself, and by nobody else', async () => {
  const versions = (items: readonly { member: string; version: number }[]) =>
    items.map(({ member, version }) => [member, version])
  const all = await w.network.call(w.network.operator, NETWORK_API.acceptances)
  assert.deepEqual(versions(all.items), [
    ['northcare', 3],
    ['northcare', 2],
    ['northcare', 1],
  ])
  const rival = await w.network.addMember('rival', ['acquirer'])
  assert.deepEqual((await w.network.call(rival, NETWORK_API.acceptances)).items, [])
  const others = { query: { member: 'northcare' } }
  assert.equal((await w.network.refusal(rival, NETWORK_API.acceptances, others)).status, 403)
})

test('nothing is accepted by a statement of somebody else, for another network, of another text, or under another key', async () => {
  const rival = await w.network.addMember('rivals', ['acquirer'])
  const refused = [
    statementOf('Be brief.', w.northcare),
    statementOf('Be brief.', rival, { network: 'elsewhere' }),
    statementOf('Be what you like.', rival),
    statementOf('Be brief.', { ...rival, signing: w.northcare.signing }),
    statementOf('Be brief.', { ...w.northcare, signing: rival.signing }),
  ]
  for (const statement of refused) {
    const input = { params: { id: rival.name }, body: { statement } }
    assert.equal((await w.network.refusal(rival, NETWORK_API.acceptTerms, input)).status, 400)
  }
  const input = { params: { id: rival.name }, body: { statement: statementOf('Be brief.', rival) } }
  assert.equal((await w.network.refusal(w.northcare, NETWORK_API.acceptTerms, input)).status, 403)
  assert.equal(
    (await w.network.refusal(rival, NETWORK_API.publishTerms, { body: { text: 'Mine.' } })).status,
    403,
  )
  const early = { body: { text: 'Backdated.', from: formatInstant(later(w.clock.now(), -1)) } }
  assert.equal((await w.network.refusal(w.network.operator, NETWORK_API.publishTerms, early)).status, 400)
  await w.network.deposit(rival, 10_000)
  const asked = await w.network.ask(rival, testAsk(w.network, rival))
  assert.equal(asked.reason, 'declined.terms')
  const floor = {
    params: { id: 'galway' },
    body: {
      acquirer: rival.name,
      amount: { amount: 100, currency: 'EUR' },
      validUntil: formatInstant(later(w.clock.now(), DAY_MS)),
    },
    headers: { 'idempotency-key': 'floor-of-a-rival' },
  }
  assert.equal((await w.network.refusal(w.network.operator, NETWORK_API.giveFloorLimit, floor)).status, 409)
})

test('what was published and accepted is there after a restart, and cannot be changed', async () => {
  await using postgres = await connect(new Secret(w.databaseUrl), {
    name: 'look',
    log: silentLog,
    stop: () => Promise.resolve(),
  })
  const again = await TermsOfUse.open(postgres.db)
  assert.equal(again.lacking('northcare', w.clock.now()), undefined)
  assert.equal(again.lacking('rival', w.clock.now())?.version, 3)
  for (const change of [sql`update terms_of_use set body = 'x'`, sql`delete from terms_acceptance`])
    await assert.rejects(change.execute(postgres.db), /append-only/)
})

test('a version that comes gives way to one published after it, so that a slip of the pen closes nothing', async () => {
  const states = async () =>
    (await w.network.call(undefined, NETWORK_API.terms)).items
      .slice(0, 3)
      .map(({ version, state }) => [version, state])
  const slip = formatInstant(later(w.clock.now(), 36_500 * DAY_MS))
  assert.equal((await publish('Be fair.', slip)).version, 4)
  assert.equal((await publish('Be fair.', slip)).version, 4, 'as it was said before')
  const from = formatInstant(later(w.clock.now(), 30 * DAY_MS))
  const meant = await publish('Be fair.', from)
  assert.deepEqual([meant.version, meant.state, formatInstant(meant.from)], [5, 'coming', from])
  assert.deepEqual(await states(), [
    [5, 'coming'],
    [4, 'overtaken'],
    [3, 'in_force'],
  ])
  assert.equal((await publish('Be fair.', from)).version, 5, 'a retry')
  const atOnce = await publish('Be fair.')
  assert.deepEqual([atOnce.version, atOnce.state], [6, 'in_force'], 'without a time: at once')
  assert.equal((await publish('Be fair.')).version, 6)
  const again = { body: { text: 'Be fair.', from } }
  assert.equal((await w.network.refusal(w.network.operator, NETWORK_API.publishTerms, again)).status, 400)
  assert.equal((await reasonOf())[0], 'declined.terms')
  await accept('Be fair.')
  assert.deepEqual(await reasonOf(), [undefined, undefined])
  w.clock.advance(30 * DAY_MS)
  assert.deepEqual(await reasonOf(), [undefined, undefined], 'the overtaken one never counts')
  assert.deepEqual(await states(), [
    [6, 'in_force'],
    [5, 'overtaken'],
    [4, 'overtaken'],
  ])
})

test('a version whose answer was lost on its way from the database counts all the same', async () => {
  await using postgres = await connect(new Secret(w.databaseUrl), {
    name: 'lost',
    log: silentLog,
    stop: () => Promise.resolve(),
  })
  /** How many answers are lost from that to the insert on. */
  const line = { loses: 0, losing: 0 }
  const terms = await TermsOfUse.open(
    postgres.db.withPlugin({
      transformQuery: ({ node }) => {
        if (JSON.stringify(node).includes('insert into terms_of_use')) line.losing = line.loses
        return node
      },
      transformResult: ({ result }) => {
        line.losing -= 1
        return line.losing < 0 ? Promise.resolve(result) : Promise.reject(new Error('Connection terminated'))
      },
    }),
  )
  const now = w.clock.now()
  const newest = terms.list(now)[0]?.version ?? 0
  const publishing = (text: string) => terms.publish({ text, from: undefined, now })
  line.loses = 1
  await assert.rejects(publishing('Be lost.'), /terminated/)
  assert.equal(terms.lacking('northcare', now)?.version, newest + 1)
  line.loses = 2
  await assert.rejects(publishing('Be lost, with what comes after.'), /terminated/)
  assert.equal(await publishing('Be lost, with what comes after.'), newest + 2)
  assert.equal(terms.lacking('northcare', now)?.version, newest + 2)
  // By a clock that was put back the next one is known before that one: what counts already counts on.
  line.loses = 0
  await terms.publish({ text: 'Be punctual.', from: later(now, 1), now: later(now, -1) })
  assert.equal(terms.lacking('northcare', now)?.version, newest + 2)
  w.clock.advance(1)
})

test('a version that comes is put off by publishing it again for later, and then comes once', async () => {
  const [first, second] = [10, 20].map((days) => formatInstant(later(w.clock.now(), days * DAY_MS)))
  const states = async () =>
    (await w.network.call(undefined, NETWORK_API.terms)).items.slice(0, 3).map(({ state }) => state)
  await publish('Be patient.', first)
  await publish('Be patient.', second)
  assert.deepEqual(await states(), ['coming', 'overtaken', 'in_force'])
  w.clock.advance(20 * DAY_MS - 1)
  assert.deepEqual(await states(), ['coming', 'overtaken', 'in_force'], 'nothing came in between')
  w.clock.advance(1)
  assert.deepEqual(await states(), ['in_force', 'overtaken', 'replaced'])
  await accept('Be patient.')
  assert.deepEqual(await reasonOf(), [undefined, undefined])
})

/** Texts as they were published: after so many days since the one before, to count after so many more. */
const somePublished = fc.array(fc.tuple(fc.nat(8), fc.nat(20)), { minLength: 1, maxLength: 6 })
function termsOf(published: readonly (readonly [number, number])[]) {
  let day = 0
  return published.map(([after, ahead], index) => {
    day += after
    const publishedAt = later(w.clock.now(), day)
    return { version: index + 1, publishedAt, from: later(publishedAt, ahead) }
  })
}

/** As it was lived through, day by day: which version counts on it; each that is published takes the place of one that comes. */
function countingOn(versions: ReturnType<typeof termsOf>, days: number): readonly number[] {
  let [inForce, coming] = [0, 0]
  return Array.from({ length: days }, (_, day) => {
    const now = later(w.clock.now(), day)
    const begin = () => {
      if ((versions[coming - 1]?.from ?? Infinity) <= now) inForce = coming
    }
    begin()
    for (const { version } of versions.filter(({ publishedAt }) => publishedAt === now)) {
      coming = version
      begin()
    }
    return inForce
  })
}
const LIVED_DAYS = 6 * 8 + 20 + 2

test('a statement is of the terms that were known when it was signed, and takes nothing back', async () => {
  const sent = (statement: string) => ({ params: { id: 'northcare' }, body: { statement } })
  const [one, two] = ['The first text', 'The second text']
  await publish(one)
  const early = later(w.clock.now(), 60_001)
  const ahead = sent(statementOf(one, w.northcare, { time: formatInstant(early) }))
  assert.equal((await w.network.refusal(w.northcare, NETWORK_API.acceptTerms, ahead)).status, 400)
  const ofOne = sent(statementOf(one, w.northcare))
  w.clock.advance(3_600_000)
  await publish(two)
  await accept(two)
  await w.network.call(w.northcare, NETWORK_API.acceptTerms, ofOne)
  assert.deepEqual(await reasonOf(), [undefined, undefined], 'the newer one stays accepted')
  w.clock.advance(3_600_000)
  const third = await publish(one)
  const old = await w.network.call(w.northcare, NETWORK_API.acceptTerms, ofOne)
  assert.equal(old.version, third.version - 2, 'of a text that came back it says nothing')
  assert.equal((await reasonOf())[0], 'declined.terms')
  await accept(one)
  assert.deepEqual(await reasonOf(), [undefined, undefined])
})

test('whoever accepted a version lacks nothing at exactly those moments at which no newer one counts', () => {
  fc.assert(
    fc.property(somePublished, fc.nat(6), fc.nat(22), (published, accepted, after) => {
      const versions = termsOf(published)
      const now = later(versions.at(-1)?.publishedAt ?? w.clock.now(), after)
      const lacks = TermsOfUse.lackingOf(versions, { accepted, now })
      const counting = countingOn(versions, LIVED_DAYS)[now - w.clock.now()] ?? 0
      assert.equal(lacks?.version, counting > accepted ? counting : undefined)
    }),
    { numRuns: 200 },
  )
})

test('a version comes when it will count, was replaced when it did, and is overtaken when it never counts', () => {
  fc.assert(
    fc.property(somePublished, fc.nat(22), (published, after) => {
      const versions = termsOf(published)
      const now = later(versions.at(-1)?.publishedAt ?? w.clock.now(), after)
      const today = now - w.clock.now()
      const counting = countingOn(versions, LIVED_DAYS)
      for (const one of versions) {
        const { version } = one
        const state = TermsOfUse.stateOf(one, versions, now)
        if (counting[today] === version) assert.equal(state, 'in_force')
        else if (counting.slice(today + 1).includes(version)) assert.equal(state, 'coming')
        else assert.equal(state, counting.slice(0, today).includes(version) ? 'replaced' : 'overtaken')
      }
    }),
    { numRuns: 200 },
  )
})
