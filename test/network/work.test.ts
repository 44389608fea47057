import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { sql } from 'kysely'
import { canonicalJson } from '../../src/kernel/canonical-json.ts'
import { formatInstant } from '../../src/kernel/clock.ts'
import { signJws } from '../../src/kernel/crypto/jws.ts'
import { digestOf } from '../../src/kernel/digest.ts'
import { LIMITS } from '../../src/kernel/limits.ts'
import { silentLog } from '../../src/kernel/log.ts'
import { connect } from '../../src/kernel/postgres/open-postgres.ts'
import { Secret } from '../../src/kernel/secret.ts'
import { NETWORK_API } from '../../src/protocol/http/network-endpoints.ts'
import { signKeyRotation } from '../../src/protocol/proof/key-chain.ts'
import { TYP } from '../../src/protocol/proof/message-types.ts'
import { testDecision } from '../../src/testing/test-decision.ts'
import { publicKeys, testAsk, testOffer, testParty } from '../../src/testing/test-network.ts'
import type { TestParty } from '../../src/testing/test-network.ts'
import { openWorld } from './world.ts'
import type { World } from './world.ts'

let w: World
before(async () => {
  w = await openWorld()
})
after(() => w[Symbol.asyncDispose]())

function pull(query: Record<string, string | number> = {}) {
  return w.network.call(w.galway, NETWORK_API.work, { params: { id: 'galway' }, query })
}

async function answer(ask: string): Promise<void> {
  const body = testDecision(w.network, w.galway, {
    ask,
    acquirer: 'northcare',
    issuer: 'federation',
    reason: 'declined.purpose',
  })
  await w.network.call(w.galway, NETWORK_API.decide, { params: { id: 'galway' }, body })
}

describe('GET /v1/sites/{id}/work', () => {
  test('gives the ask as it was signed, with its acquirer and price limit, until it is answered', async () => {
    const { id } = await w.network.ask(w.northcare, testAsk(w.network, w.northcare))
    const { items, members, batches } = await pull()
    assert.deepEqual(
      items.map(({ ask, priceLimit, dataSet }) => [ask, priceLimit.amountMinor, dataSet]),
      [[id, 1000n, 'athletes']],
    )
    assert.ok(items[0]?.jws)
    assert.deepEqual(
      members.map((member) => member.id),
      ['northcare'],
    )
    assert.deepEqual(batches, {})
    assert.deepEqual((await pull()).items, [])
    assert.deepEqual(
      (await pull({ resume: 'true' })).items.map(({ ask }) => ask),
      [id],
    )
    w.clock.advance(LIMITS.longPollMs)
    assert.deepEqual(
      (await pull()).items.map(({ ask }) => ask),
      [id],
    )
    await answer(id)
    w.clock.advance(LIMITS.longPollMs)
    assert.deepEqual((await pull({ resume: 'true' })).items, [])
  })

  test('gives a signed batch once with the places of its asks', async () => {
    const asks = [
      testAsk(w.network, w.northcare),
      testAsk(w.network, w.northcare, { mode: 'rows' }),
      testAsk(w.network, w.northcare),
    ]
    const states = await w.network.askBatch(w.northcare, asks)
    const { items, batches } = await pull({ limit: 10 })
    assert.deepEqual(
      items.map(({ ask, batch }) => [ask, batch?.index]),
      [
        [states[0]?.id, 0],
        [states[2]?.id, 2],
      ],
    )
    const [[digest, jws] = ['', '']] = Object.entries(batches)
    assert.equal(digestOf(jws), digest)
    assert.deepEqual(new Set(items.map(({ batch }) => batch?.digest)), new Set([digest]))
    for (const { ask } of items) await answer(ask)
  })

  test('waits, and wakes when there is something to do', async () => {
    const waiting = pull({ wait: 20_000 })
    const { id } = await w.network.ask(w.northcare, testAsk(w.network, w.northcare))
    assert.deepEqual(
      (await waiting).items.map(({ ask }) => ask),
      [id],
    )
    await answer(id)
  })

  test('finds what was booked without anybody hearing of it after a long poll', async () => {
    const { id } = await w.network.ask(w.northcare, testAsk(w.network, w.northcare))
    assert.equal((await pull()).items.length, 1)
    await answer(id)
    assert.deepEqual((await pull()).items, [])
    const unheard = testAsk(w.network, w.northcare)
    await using postgres = await connect(new Secret(w.databaseUrl), {
      name: 'test',
      log: silentLog,
      stop: () => Promise.resolve(),
    })
    await sql`
      insert into ask (id, acquirer, idempotency_key, body_digest, sender, status, data_set, purpose, mode, currency, hold_minor,
        is_dry_run, received_at, expires_at, jws)
      select ${unheard.id}, acquirer, ${unheard.id}, body_digest, sender, 'waiting', data_set, purpose, mode, currency, 0,
        true, received_at, expires_at + interval '1 hour', jws from ask where id = ${id}`.execute(postgres.db)
    await sql`
      insert into ask_site (ask, site, offer, limit_minor, hold_minor, is_hold_open)
      select ${unheard.id}, site, offer, limit_minor, 0, false from ask_site where ask = ${id}`.execute(
      postgres.db,
    )
    const found = pull({ wait: LIMITS.longPollMs })
    const ticking = setInterval(() => w.clock.advance(1_000), 5)
    assert.deepEqual(
      (await found.finally(() => clearInterval(ticking))).items.map(({ ask }) => ask),
      [unheard.id],
    )
    await answer(unheard.id)
  })

  test('gives many in the order in which they came, a page at a time', async () => {
    const asks = Array.from({ length: 7 }, () => testAsk(w.network, w.northcare))
    for (const ask of asks) await w.network.ask(w.northcare, ask)
    const pages = [await pull({ limit: 3 }), await pull({ limit: 3 }), await pull({ limit: 3 })]
    assert.deepEqual(
      pages.flatMap(({ items }) => items.map(({ ask }) => String(ask))),
      asks.map(({ id }) => id),
    )
    for (const { id } of asks) await answer(id)
  })

  test(
    'answers a site that asks for it as soon as members are not what they were',
    { timeout: 20_000 },
    async () => {
      assert.equal((await pull()).directory, undefined, 'who does not ask may not know the field')
      const { directory: first = '' } = await pull({ directory: '', wait: 25_000 })
      const waiting = pull({ directory: first, wait: 25_000 })
      await w.network.call(w.network.operator, NETWORK_API.setMemberStatus, {
        params: { id: 'northcare' },
        body: { status: 'active' },
      })
      const { directory: then = '', items } = await waiting
      assert.deepEqual(items, [])
      assert.notEqual(then, first)
      const again = pull({ directory: then, wait: 25_000 })
      const { id } = await w.network.ask(w.northcare, testAsk(w.network, w.northcare))
      const work = await again
      assert.deepEqual([work.directory, work.items.map(({ ask }) => String(ask))], [then, [id]])
      await answer(id)
    },
  )

  test('is for the site alone', async () => {
    const params = { id: 'galway' }
    assert.equal((await w.network.refusal(w.zurich, NETWORK_API.work, { params })).status, 403)
    assert.equal((await w.network.refusal(w.northcare, NETWORK_API.work, { params })).status, 403)
    assert.equal((await w.network.refusal(w.network.operator, NETWORK_API.work, { params })).status, 403)
  })

  test('is what was asked of the site and of no other', async () => {
    const { id } = await w.network.ask(w.northcare, testAsk(w.network, w.northcare, { sites: ['zurich'] }))
    const resumed = async (site: TestParty) => {
      const query = { resume: 'true' }
      const work = await w.network.call(site, NETWORK_API.work, { params: { id: site.name }, query })
      return work.items.map(({ ask }) => String(ask))
    }
    assert.ok((await resumed(w.zurich)).includes(id))
    assert.ok(!(await resumed(w.galway)).includes(id))
  })

  test('gives nothing to a site that is suspended, and routes nothing to it', async () => {
    const setStatus = (status: string) =>
      w.network.call(w.network.operator, NETWORK_API.setSiteStatus, {
        params: { id: 'galway' },
        body: { status },
      })
    await setStatus('suspended')
    assert.equal(
      (await w.network.refusal(w.galway, NETWORK_API.work, { params: { id: 'galway' } })).status,
      401,
    )
    assert.equal(
      (await w.network.ask(w.northcare, testAsk(w.network, w.northcare))).reason,
      'declined.no_route',
    )
    await setStatus('active')
    assert.deepEqual((await pull()).items, [])
  })
})

test('what a site signed before it changed its keys is taken, and what it offers is signed by the present ones', async () => {
  const before = await w.network.addSite('sligo', { custodian: w.edgeworks, country: 'IE' })
  await w.network.publish(before, [testOffer(before, { issuer: w.federation, country: 'IE' })])
  const { id: ask } = await w.network.ask(w.northcare, testAsk(w.network, w.northcare, { sites: ['sligo'] }))
  const body = testDecision(w.network, before, { ask, acquirer: 'northcare', issuer: 'federation' })
  const present = testParty('sligo')
  const time = formatInstant(w.clock.now())
  const rotation = signKeyRotation({ member: 'sligo', next: publicKeys(present), time, key: before.signing })
  const params = { id: 'sligo' }
  await w.network.call(before, NETWORK_API.rotateSiteKeys, { params, body: { rotation } })
  assert.equal((await w.network.refusal(before, NETWORK_API.decide, { params, body })).status, 401)
  const taken = await w.network.call(present, NETWORK_API.decide, { params, body })
  assert.equal(taken.captured?.amountMinor, 300n)
  const offer = testOffer(present, { issuer: w.federation, country: 'IE' })
  const list = canonicalJson({ site: 'sligo', offers: [offer], time })
  const published = (key: TestParty) => ({
    params,
    body: { offers: signJws(list, { typ: TYP.offer, key: key.signing }) },
  })
  assert.equal((await w.network.refusal(present, NETWORK_API.publishOffers, published(before))).status, 400)
  await w.network.call(present, NETWORK_API.publishOffers, published(present))
})
