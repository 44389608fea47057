import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { sql } from 'kysely'
import { silentLog } from '../../src/kernel/log.ts'
import { connect } from '../../src/kernel/postgres/open-postgres.ts'
import type { Postgres } from '../../src/kernel/postgres/open-postgres.ts'
import { Secret } from '../../src/kernel/secret.ts'
import { passedAsk } from '../../src/network/authorisation/decided-ask.ts'
import { Catalogue } from '../../src/network/catalogue/catalogue.ts'
import { Directory } from '../../src/network/membership/directory.ts'
import { WorkDesk } from '../../src/network/routing/pull-work.ts'
import { routeAsk } from '../../src/network/routing/route-ask.ts'
import { askSchema } from '../../src/protocol/ask.ts'
import { signAsk, testAsk } from '../../src/testing/test-network.ts'
import { openWorld } from './world.ts'
import type { World } from './world.ts'

suite('work that a site pulls just as it is booked', () => {
  let w: World
  let postgres: Postgres
  before(async () => {
    w = await openWorld()
    const name = { name: 'test', log: silentLog, stop: () => Promise.resolve() }
    postgres = await connect(new Secret(w.databaseUrl), name)
  })
  after(async () => {
    await postgres[Symbol.asyncDispose]()
    await w[Symbol.asyncDispose]()
  })

  /** Books an ask at the network and gives it as a desk is told of it. */
  async function booked() {
    const { db } = postgres
    const wire = testAsk(w.network, w.northcare)
    const { id } = await w.network.ask(w.northcare, wire)
    const ask = askSchema.parse(wire)
    const sent = {
      ask,
      bodyDigest: '',
      jws: signAsk(wire, w.northcare),
      batch: undefined,
      sender: 'northcare',
      isClaimed: true,
      isSigned: () => true,
    }
    const now = w.clock.now()
    const offers = (await Catalogue.open(db)).of(ask.offer)
    const passed = passedAsk(sent, routeAsk(ask, { offers, isOpen: () => true, now }))
    const { rows } = await sql<{ sequence: bigint }>`select sequence from ask_site where ask = ${id}`.execute(
      db,
    )
    return { id, booking: { ask: passed, at: now, places: rows.map(({ sequence }) => sequence) } }
  }

  test('is given once, though it was read from the record before the desk heard of it', async () => {
    const { db } = postgres
    const desk = new WorkDesk({
      db,
      clock: w.clock,
      directory: await Directory.open(db, { epoch: 'here', changed: () => undefined }),
    })
    const pull = async () => {
      const { items } = await desk.pull('galway', { limit: 10, isResuming: false })
      return items.map(({ ask }) => ask)
    }
    const galway = new Set(['galway'])
    const first = await booked()
    assert.deepEqual(await pull(), [first.id])
    desk.came(galway, first.booking)
    assert.deepEqual(await pull(), [], 'it is lent')
    desk.answered('galway', first.id)
    assert.deepEqual(await pull(), [])

    const [second, third] = [await booked(), await booked()]
    desk.came(galway, second.booking)
    assert.deepEqual(await pull(), [second.id], 'what is new is given without the record being read')
    desk.answered('galway', second.id)
    desk.came(galway, third.booking)
    assert.deepEqual(await pull(), [third.id])
  })
})
