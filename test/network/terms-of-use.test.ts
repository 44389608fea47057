import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { sql } from 'kysely'
import { formatInstant, later } from '../../src/kernel/clock.ts'
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

test('a network without terms answers without; from the first text on it is accepted before the first ask', async () => {
  assert.deepEqual((await w.network.call(undefined, NETWORK_API.terms)).items, [])
  assert.deepEqual(await reasonOf(), [undefined, undefined])
  const first = await publish('Be kind.')
  assert.deepEqual([first.version, first.state], [1, 'in_force'])
  assert.equal((await publish('Be kind.')).version, 1, 'the same text again is no new version')
  const detail = `Version 1 counts since ${formatInstant(w.clock.now())}`
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
  assert.deepEqual(await reasonOf(), ['declined.terms', `Version 2 counts since ${formatInstant(from)}`])
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

test('whoever accepted a version lacks nothing at exactly those moments at which no newer one counts', () => {
  const versions = fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(versions, fc.nat(6), fc.integer({ min: -1, max: 51 }), (days, accepted, at) => {
      const froms = days.toSorted((left, right) => left - right)
      const lacks = TermsOfUse.lackingOf(
        froms.map((from, index) => ({ version: index + 1, from: later(w.clock.now(), from) })),
        { accepted, now: later(w.clock.now(), at) },
      )
      const counting = froms.filter((from) => from <= at).length
      assert.equal(lacks?.version, counting > accepted ? counting : undefined)
    }),
    { numRuns: 200 },
  )
})
