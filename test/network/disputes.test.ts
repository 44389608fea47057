import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { sql } from 'kysely'
import { silentLog } from '../../src/kernel/log.ts'
import { connect } from '../../src/kernel/postgres/open-postgres.ts'
import { Secret } from '../../src/kernel/secret.ts'
import { NETWORK_API } from '../../src/protocol/http/network-endpoints.ts'
import type { DisputeRequest } from '../../src/protocol/money/dispute.ts'
import { testDecision } from '../../src/testing/test-decision.ts'
import { testAsk, testOffer } from '../../src/testing/test-network.ts'
import type { TestParty } from '../../src/testing/test-network.ts'
import { assertBalanced, openWorld } from './world.ts'
import type { World } from './world.ts'

const DAY_MS = 86_400_000
const statement = 'The release does not open'
const eur = (amount: number) => ({ amount, currency: 'EUR' as const })

describe('/v1/disputes', () => {
  let w: World
  before(async () => {
    w = await openWorld()
  })
  after(() => w[Symbol.asyncDispose]())

  /** An ask that was answered and captured. */
  async function trade(priceMinor: number): Promise<string> {
    const { id } = await w.network.ask(w.northcare, testAsk(w.network, w.northcare))
    const facts = { ask: id, acquirer: 'northcare', issuer: 'federation', priceMinor }
    const body = testDecision(w.network, w.galway, facts)
    await w.network.call(w.galway, NETWORK_API.decide, { params: { id: 'galway' }, body })
    return id
  }
  type Raised = Partial<Omit<DisputeRequest, 'ask' | 'claim'>> & { claim?: ReturnType<typeof eur> }
  const raise = (by: TestParty, ask: string, more: Raised = {}) =>
    w.network.call(by, NETWORK_API.raiseDispute, {
      body: { ask, site: 'galway', reason: 'not_delivered', statement, ...more },
    })
  const answer = (by: TestParty, id: string, said: 'accepted' | 'contested', text = 'We looked') =>
    w.network.call(by, NETWORK_API.answerDispute, { params: { id }, body: { answer: said, text } })
  const answerBoth = async (id: string, said: 'accepted' | 'contested') => {
    await answer(w.federation, id, said)
    return answer(w.edgeworks, id, said)
  }
  const find = (id: string) => w.network.call(w.northcare, NETWORK_API.dispute, { params: { id } })
  const decide = (id: string, more: { credit?: ReturnType<typeof eur>; deletion?: boolean } = {}) =>
    w.network.call(w.network.operator, NETWORK_API.decideDispute, {
      params: { id },
      body: { outcome: 'upheld', ground: 'It is so', ...more },
    })
  const reject = (id: string) =>
    w.network.call(w.network.operator, NETWORK_API.decideDispute, {
      params: { id },
      body: { outcome: 'rejected', ground: 'It is not so' },
    })
  async function available(): Promise<Record<string, number>> {
    const { items } = await w.network.call(w.network.operator, NETWORK_API.balances)
    return Object.fromEntries(items.map((one) => [`${one.owner} ${one.kind}`, one.availableMinor]))
  }
  const releasesOf = async (ask: string) =>
    (await w.network.call(w.northcare, NETWORK_API.releases, { params: { id: ask } })).releases.length
  const settle = async (key: string) => {
    const headers = { 'idempotency-key': key }
    const answer = await w.network.call(w.network.operator, NETWORK_API.settle, { body: {}, headers })
    assert.ok('id' in answer, JSON.stringify(answer))
    return answer
  }

  test('what is upheld goes back from whoever shared in the price, but the people; the books stay balanced', async () => {
    const start = await available()
    const ask = await trade(333)
    const raised = await raise(w.northcare, ask, { claim: eur(200) })
    assert.equal(raised.state, 'open')
    assert.deepEqual(raised.waitsFor, ['federation', 'edgeworks'])
    assert.equal((await answer(w.edgeworks, raised.dispute, 'accepted')).state, 'open')
    const early = decide(raised.dispute)
    await assert.rejects(early, /409.*\\"federation\\" may still answer/, 'who would pay is heard')
    const contested = await answer(w.federation, raised.dispute, 'contested')
    assert.deepEqual([contested.state, contested.waitsFor], ['contested', ['operator']])
    assert.deepEqual(
      contested.answers.map((one) => [one.by, one.answer]),
      [
        ['edgeworks', 'accepted'],
        ['federation', 'contested'],
      ],
    )
    const decided = await decide(raised.dispute, { credit: eur(150) })
    assert.deepEqual([decided.state, decided.waitsFor], ['upheld', []])
    assert.deepEqual(decided.outcome?.credit, { amountMinor: 150n, currency: 'EUR' })
    await assert.rejects(decide(raised.dispute), /Refused with 409/, 'it is decided once')
    const end = await available()
    assert.equal((end['northcare funds'] ?? 0) - (start['northcare funds'] ?? 0), -333 + 150)
    assert.equal(end['subjects/federation/galway earned'], 66)
    const parts = ['federation', 'edgeworks', 'network'].map((owner) => end[`${owner} earned`] ?? 0)
    assert.equal(
      parts.reduce((sum, part) => sum + part, 0),
      166 + 83 + 16 - 150,
    )
    await assertBalanced(w)
    // Settlement and invoice tell it, and still add up.
    const settlement = await settle('settlement-with-credit')
    assert.equal(
      settlement.positions.reduce((sum, { netMinor }) => sum + netMinor, 0),
      0,
    )
    assert.equal(settlement.positions.find(({ account }) => account === 'northcare')?.netMinor, -183)
    const invoice = await w.network.call(w.northcare, NETWORK_API.invoice, {
      params: { id: settlement.id },
      query: {},
    })
    assert.deepEqual(
      invoice.credits.map(({ party, amountMinor }) => [party, amountMinor]),
      [['refund', 150]],
    )
    assert.equal(invoice.totals[0]?.netMinor, -183)
  })

  test('no more comes back than was captured, however often it is disputed', async () => {
    const ask = await trade(100)
    await assert.rejects(raise(w.northcare, ask, { claim: eur(101) }), /Refused with 400/)
    await assert.rejects(
      raise(w.northcare, ask, { claim: { amount: 10, currency: 'CHF' as 'EUR' } }),
      /Refused with 400/,
    )
    const first = await raise(w.northcare, ask, { claim: eur(60) })
    await assert.rejects(raise(w.northcare, ask), /Refused with 409/, 'one at a time')
    await answerBoth(first.dispute, 'accepted')
    await assert.rejects(decide(first.dispute, { credit: eur(61) }), /Refused with 400/)
    await decide(first.dispute)
    await assert.rejects(raise(w.northcare, ask, { claim: eur(41) }), /Refused with 400/)
    const second = await raise(w.northcare, ask)
    assert.deepEqual(second.claim, { amountMinor: 40n, currency: 'EUR' })
    await answerBoth(second.dispute, 'accepted')
    await Promise.allSettled([decide(second.dispute), decide(second.dispute), decide(second.dispute)])
    const { items } = await w.network.call(w.network.operator, NETWORK_API.listTransfers, {
      query: { owner: 'northcare' },
    })
    const back = items.filter((one) => one.kind === 'credit' && one.ask === ask)
    assert.equal(
      back.reduce((sum, { amount }) => sum + Number(amount.amountMinor), 0),
      100,
    )
    await assert.rejects(raise(w.northcare, ask), /Refused with 400/, 'nothing is left to claim')
    await assertBalanced(w)
  })

  test('who has too little gives nothing back, and then nothing is decided', async () => {
    await settle('settlement-before')
    const ask = await trade(90)
    const { dispute } = await raise(w.northcare, ask)
    await answerBoth(dispute, 'accepted')
    await settle('settlement-after')
    const held = await available()
    for (const owner of ['federation', 'edgeworks'])
      await w.network.call(w.network.operator, NETWORK_API.transfer, {
        body: { kind: 'withdrawal', member: owner, amount: eur(held[`${owner} funds`] ?? 0) },
        headers: { 'idempotency-key': `all of ${owner}` },
      })
    await assert.rejects(
      decide(dispute),
      /Refused with 409.*\\"federation\\", \\"edgeworks\\" has too little/,
    )
    assert.equal((await find(dispute)).state, 'accepted')
    for (const owner of ['federation', 'edgeworks'])
      await w.network.call(w.network.operator, NETWORK_API.transfer, {
        body: { kind: 'deposit', member: owner, amount: eur(100) },
        headers: { 'idempotency-key': `back to ${owner}` },
      })
    assert.equal((await decide(dispute)).state, 'upheld')
  })

  test('a provider’s dispute deletes what was released, here at once and at the acquirer by its word', async () => {
    const ask = await trade(50)
    await assert.rejects(raise(w.federation, ask), /Refused with 403/, 'a reason of the other side')
    await assert.rejects(
      raise(w.federation, ask, { reason: 'passed_on', claim: eur(10) }),
      /Refused with 400/,
    )
    const { dispute, claim } = await raise(w.edgeworks, ask, { reason: 'passed_on' })
    assert.equal(claim, undefined)
    await assert.rejects(answer(w.federation, dispute, 'accepted'), /Refused with 403/)
    await assert.rejects(
      w.network.call(w.federation, NETWORK_API.withdrawDispute, { params: { id: dispute } }),
      /Refused with 403/,
    )
    // Nobody answers; from the day on it is decided without.
    w.clock.advance(14 * DAY_MS - 1)
    await assert.rejects(decide(dispute, { deletion: true }), /Refused with 409/)
    assert.deepEqual((await find(dispute)).waitsFor, ['northcare'])
    w.clock.advance(1)
    assert.deepEqual((await find(dispute)).waitsFor, ['operator'])
    await assert.rejects(answer(w.northcare, dispute, 'contested'), /Refused with 409/)
    assert.equal(await releasesOf(ask), 1)
    const decided = await decide(dispute, { deletion: true })
    assert.deepEqual([decided.outcome?.deletion, decided.waitsFor], ['due', ['northcare']])
    await assert.rejects(releasesOf(ask), /Refused with 410/)
    const confirm = (by: TestParty) =>
      w.network.call(by, NETWORK_API.confirmDeletion, { params: { id: dispute } })
    await assert.rejects(confirm(w.federation), /Refused with 403/)
    assert.equal((await confirm(w.northcare)).outcome?.deletion, 'done')
    assert.equal((await confirm(w.northcare)).outcome?.deletion, 'done')
  })

  test('an acquirer that shared in the price keeps its own part, which counts as given back', async () => {
    const club = await w.network.addMember('club', ['issuer', 'acquirer'])
    await w.network.publish(w.galway, [
      testOffer(w.galway, { issuer: w.federation, country: 'IE' }),
      testOffer(w.galway, { issuer: club, country: 'IE', dataSet: 'club_runs' }),
    ])
    await w.network.deposit(club, 5_000)
    const { id: ask } = await w.network.ask(club, testAsk(w.network, club, { offer: 'club_runs' }))
    const facts = {
      ask,
      acquirer: 'club',
      issuer: 'club',
      priceMinor: 400,
      clearing: { dataSet: 'club_runs' },
    }
    await w.network.call(w.galway, NETWORK_API.decide, {
      params: { id: 'galway' },
      body: testDecision(w.network, w.galway, facts),
    })
    const uphold = async (claim: number) => {
      const { dispute } = await raise(club, ask, { claim: eur(claim) })
      await answer(w.edgeworks, dispute, 'accepted')
      return decide(dispute)
    }
    await uphold(100)
    await settle('settlement-of-a-club')
    const start = await available()
    assert.deepEqual((await uphold(200)).outcome?.credit, { amountMinor: 200n, currency: 'EUR' })
    const end = await available()
    const gained = (account: string) => (end[account] ?? 0) - (start[account] ?? 0)
    // Of 400: 200 to the club, 100 to the custodian, 20 to the network; what rounding leaves comes from the first.
    assert.deepEqual(
      ['club funds', 'club earned', 'edgeworks funds', 'network funds'].map(gained),
      [74, 0, -62, -12],
    )
    await assert.rejects(raise(club, ask, { claim: eur(101) }), /Refused with 400/, 'the cap holds')
    // Also with nothing left to it, since it gives nothing away.
    await w.network.call(w.network.operator, NETWORK_API.transfer, {
      body: { kind: 'withdrawal', member: 'club', amount: eur(end['club funds'] ?? 0) },
      headers: { 'idempotency-key': 'all of club' },
    })
    assert.equal((await uphold(100)).state, 'upheld')
    await assert.rejects(raise(club, ask), /Refused with 400/, 'nothing is left to claim')
    await assertBalanced(w)
  })

  test('who only looks on answers for nobody', async () => {
    const regulator = await w.network.addMember('watchers', ['regulator'])
    const { dispute } = await raise(w.northcare, await trade(70))
    await assert.rejects(answer(regulator, dispute, 'accepted'), /Refused with 403/)
    await assert.rejects(answer(w.network.operator, dispute, 'accepted'), /Refused with 403/)
    const seen = await w.network.call(regulator, NETWORK_API.dispute, { params: { id: dispute } })
    assert.deepEqual([seen.state, seen.answers], ['open', []])
  })

  test('a step that comes again gives what is there, and another one in its place is refused', async () => {
    const ask = await trade(60)
    const first = await raise(w.northcare, ask, { claim: eur(30) })
    assert.deepEqual(await raise(w.northcare, ask, { claim: eur(30) }), first)
    for (const other of [{ claim: eur(29) }, { claim: eur(30), statement: 'It is late' }])
      await assert.rejects(raise(w.northcare, ask, other), /Refused with 409/)
    const answered = await answerBoth(first.dispute, 'contested')
    assert.deepEqual(await answer(w.edgeworks, first.dispute, 'contested'), answered)
    await assert.rejects(answer(w.edgeworks, first.dispute, 'accepted'), /409.*\\"edgeworks\\" has answered/)
    await assert.rejects(answer(w.edgeworks, first.dispute, 'contested', 'We looked again'), /409/)
    const start = await available()
    const decided = await decide(first.dispute)
    for (const again of [decide(first.dispute), answer(w.edgeworks, first.dispute, 'contested')])
      assert.deepEqual(await again, decided)
    for (const other of [{ credit: eur(1) }, { deletion: true }])
      await assert.rejects(decide(first.dispute, other), /Refused with 409/)
    await assert.rejects(reject(first.dispute), /Refused with 409/)
    const end = await available()
    assert.equal((end['northcare funds'] ?? 0) - (start['northcare funds'] ?? 0), 30, 'once')
    const second = await raise(w.northcare, ask)
    assert.notEqual(second.dispute, first.dispute)
    const withdraw = () =>
      w.network.call(w.northcare, NETWORK_API.withdrawDispute, { params: { id: second.dispute } })
    assert.deepEqual(await withdraw(), await withdraw())
    const third = await raise(w.northcare, ask)
    await answerBoth(third.dispute, 'contested')
    assert.deepEqual(await reject(third.dispute), await reject(third.dispute))
  })

  test('the processor of an issuer pays back, so it reads, and is heard', async () => {
    const bureau = await w.network.addMember('bureau', ['issuer-processor'])
    const plain = testOffer(w.galway, { issuer: w.federation, country: 'IE' })
    const tended = testOffer(w.galway, {
      issuer: w.federation,
      country: 'IE',
      dataSet: 'tended',
      issuerProcessor: bureau.name,
    })
    await w.network.publish(w.galway, [plain, tended])
    const { id: ask } = await w.network.ask(w.northcare, testAsk(w.network, w.northcare, { offer: 'tended' }))
    const clearing = { dataSet: 'tended', issuerProcessor: bureau.name }
    await w.network.call(w.galway, NETWORK_API.decide, {
      params: { id: 'galway' },
      body: testDecision(w.network, w.galway, {
        ask,
        acquirer: 'northcare',
        issuer: 'federation',
        priceMinor: 100,
        clearing,
      }),
    })
    const { dispute, waitsFor, issuerProcessor } = await raise(w.northcare, ask)
    assert.deepEqual([waitsFor, issuerProcessor], [['federation', 'bureau', 'edgeworks'], 'bureau'])
    await answerBoth(dispute, 'accepted')
    const { items } = await w.network.call(bureau, NETWORK_API.listDisputes)
    assert.deepEqual(
      items.map((one) => [one.dispute, one.state, one.waitsFor]),
      [[dispute, 'open', ['bureau']]],
    )
    await assert.rejects(decide(dispute), /409.*\\"bureau\\" may still answer/)
    assert.equal((await answer(bureau, dispute, 'contested')).state, 'contested')
  })

  test('what somebody writes names no way to reach a person, is removed at a word, and after a year', async () => {
    const ask = await trade(40)
    for (const text of ['Ask ann@northcare.example', 'Call 030/123 45 67'])
      await assert.rejects(
        raise(w.northcare, ask, { statement: text }),
        /400.*without an? (e-mail address|telephone number): a network keeps nothing about people/,
      )
    const kept = 'It names Marker Markerson'
    const key = { headers: { 'idempotency-key': 'a-marked-one' } }
    const { dispute } = await w.network.call(w.northcare, NETWORK_API.raiseDispute, {
      body: { ask, site: 'galway', reason: 'not_delivered', statement: kept },
      ...key,
    })
    await answer(w.edgeworks, dispute, 'contested')
    await using look = await connect(new Secret(w.databaseUrl), {
      name: 'look',
      log: silentLog,
      stop: () => Promise.resolve(),
    })
    const rowsWith = async (text: string) => {
      const { rows: tables } = await sql<{ name: string }>`
        select c.oid::regclass::text as name from pg_class c
        where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace`.execute(look.db)
      const found = await Promise.all(
        tables.map(async ({ name }) => {
          const { rows } =
            await sql`select 1 from ${sql.table(name)} as t where t::text like ${`%${text}%`}`.execute(
              look.db,
            )
          return rows.length > 0 ? [name] : []
        }),
      )
      return found.flat().toSorted()
    }
    assert.deepEqual(await rowsWith('Markerson'), ['dispute_text', 'idempotent_answer'])
    for (const change of [sql`update dispute set reason = 'x'`, sql`delete from dispute_step`])
      await assert.rejects(change.execute(look.db), /append-only/)
    const remove = (by: TestParty) =>
      w.network.call(by, NETWORK_API.removeDisputeTexts, { params: { id: dispute } })
    await assert.rejects(remove(w.northcare), /Refused with 403/)
    const removed = await remove(w.network.operator)
    assert.deepEqual([removed.statement, removed.answers[0]?.text], [undefined, undefined])
    assert.deepEqual([removed.state, removed.answers[0]?.answer], ['open', 'contested'])
    assert.deepEqual(await rowsWith('Markerson'), [])
    assert.deepEqual(await remove(w.network.operator), removed)
    await answer(w.federation, dispute, 'contested')
    w.clock.advance(365 * DAY_MS)
    await w.network.serving.sweep()
    assert.equal((await find(dispute)).answers[1]?.text, 'We looked', 'a year after the last step')
    w.clock.advance(60_001)
    await w.network.serving.sweep()
    assert.deepEqual(await rowsWith('We looked'), [])
    assert.equal((await find(dispute)).answers[1]?.answer, 'contested')
  })

  test('within the window, by those who took part; withdrawn or rejected moves nothing', async () => {
    const ask = await trade(80)
    const rival = await w.network.addMember('rival', ['acquirer'])
    await assert.rejects(raise(rival, ask), /Refused with 404/)
    const { dispute } = await raise(w.northcare, ask)
    for (const by of [rival])
      await assert.rejects(
        w.network.call(by, NETWORK_API.dispute, { params: { id: dispute } }),
        /Refused with 404/,
      )
    assert.deepEqual((await w.network.call(rival, NETWORK_API.listDisputes)).items, [])
    await assert.rejects(
      w.network.call(w.northcare, NETWORK_API.decideDispute, {
        params: { id: dispute },
        body: { outcome: 'upheld', ground: 'mine' },
      }),
      /Refused with 403/,
    )
    await assert.rejects(answer(w.northcare, dispute, 'accepted'), /Refused with 403/)
    const start = await available()
    const taken = await w.network.call(w.northcare, NETWORK_API.withdrawDispute, { params: { id: dispute } })
    assert.equal(taken.state, 'withdrawn')
    await assert.rejects(decide(dispute), /Refused with 409/)
    const again = await raise(w.northcare, ask)
    await answerBoth(again.dispute, 'contested')
    assert.equal((await reject(again.dispute)).state, 'rejected')
    assert.deepEqual(await available(), start)
    assert.ok((await w.network.call(w.edgeworks, NETWORK_API.listDisputes)).items.length >= 2)
    w.clock.advance(30 * DAY_MS)
    await assert.rejects(raise(w.northcare, ask), /Refused with 409/, 'the window is over')
  })
})
