import { existsSync } from 'node:fs'
import { ensureKeyFile } from '../../src/kernel/crypto/key-file.ts'
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { sql } from 'kysely'
import { systemClock } from '../../src/kernel/clock.ts'
import { generateKeyPair } from '../../src/kernel/crypto/keys.ts'
import { peekJws, signJws } from '../../src/kernel/crypto/jws.ts'
import type { Database } from '../../src/kernel/postgres/database.ts'
import { openPostgres } from '../../src/kernel/postgres/open-postgres.ts'
import { silentLog } from '../../src/kernel/log.ts'
import { Secret } from '../../src/kernel/secret.ts'
import { signLimitsAgain } from '../../src/network/floor/sign-limits-again.ts'
import { networkDirectory } from '../../src/network/config.ts'
import { openNetworkKeys, rotateNetworkKeys } from '../../src/network/network-keys.ts'
import { EMPTY_ROOT } from '../../src/protocol/proof/merkle.ts'
import { NETWORK_API } from '../../src/protocol/http/network-endpoints.ts'
import { TYP } from '../../src/protocol/proof/message-types.ts'
import { openFloorLimit } from '../../src/site/floor/pinned-network.ts'
import { testNetwork } from '../../src/testing/test-network.ts'
import { testDatabaseUrl } from '../../src/testing/test-postgres.ts'
import { testTrade } from '../../src/testing/test-trade.ts'
import type { TestTrade } from '../../src/testing/test-trade.ts'
import { giveLimit } from '../site/floor/local-world.ts'

let trade: TestTrade
before(async () => {
  trade = await testTrade()
})
after(() => trade[Symbol.asyncDispose]())

test('open limits that a former key signed are signed again, as they were; what it did not sign, or is closed, stays as it is', async () => {
  const { root } = trade.network
  await trade.addAcquirer('alder-care')
  const give = () => giveLimit(trade.network, { site: 'galway', acquirer: 'alder-care', amountMinor: 1_000 })
  const [open, forged, closed] = [await give(), await give(), await give()]
  const { signing: former } = await openNetworkKeys({
    directory: networkDirectory(root).keys,
    network: 'network',
  })
  const stranger = generateKeyPair('Ed25519')
  const { payload = '' } = peekJws(forged.statement) ?? {}
  const lie = signJws(payload.replace('1000', '1000000'), { typ: TYP.floorLimit, key: stranger })

  await using postgres = await openPostgres({
    directory: root,
    url: new Secret(trade.networkDatabaseUrl),
    name: 'network',
    log: silentLog,
  })
  const { db } = postgres
  await sql`update floor_limit set statement = ${lie} where id = ${forged.id}`.execute(db)
  await sql`update floor_limit set is_open = false where id = ${closed.id}`.execute(db)
  const present = generateKeyPair('Ed25519')
  await signLimitsAgain(db, { signing: present, formerSigning: [] })
  assert.equal(await statementOf(db, open.id), open.statement)
  await signLimitsAgain(db, {
    signing: present,
    formerSigning: [generateKeyPair('Ed25519').publicJwk, former.publicJwk],
  })

  const opened = (statement: string, key = present) =>
    openFloorLimit(statement, { key: key.publicJwk, network: 'network', site: 'galway' })
  const again = await statementOf(db, open.id)
  assert.deepEqual([opened(open.statement), opened(again, former)], [undefined, undefined])
  assert.ok(opened(again))
  assert.deepEqual(opened(again), opened(open.statement, former))
  assert.equal(await statementOf(db, forged.id), lie)
  assert.equal(await statementOf(db, closed.id), closed.statement)
})

async function statementOf(db: Database, id: string): Promise<string> {
  const { rows } = await sql<{
    statement: string
  }>`select statement from floor_limit where id = ${id}`.execute(db)
  return rows[0]?.statement ?? assert.fail()
}

test('a network starts with its keys and with no others; with those that they were rotated to it signs its open limits by them before anybody is served', async () => {
  const root = await mkdtemp(join(tmpdir(), 'hedgerow-network-'))
  const databaseUrl = (await testDatabaseUrl('network')).reveal()
  const start = () => testNetwork({ clock: systemClock, root, databaseUrl })
  const place = { directory: networkDirectory(root).keys, network: 'network' }
  try {
    const given = await (async () => {
      await using network = await start()
      const custodian = await network.addMember('edgeworks', ['custodian'])
      await network.addSite('galway', { custodian, country: 'IE' })
      await network.addMember('alder-care', ['acquirer'])
      await network.deposit({ ...custodian, name: 'alder-care' }, 10_000)
      return await giveLimit(network, { site: 'galway', acquirer: 'alder-care', amountMinor: 1_000 })
    })()
    // A move to another machine without its keys makes no new network.
    const other = join(root, 'other')
    const refused = {
      code: 'fault.key_malformed',
      message: /it is that of a network with other keys; put those in their place/,
    }
    await assert.rejects(testNetwork({ clock: systemClock, root: other, databaseUrl }), refused)
    const { keys: otherKeys } = networkDirectory(other)
    assert.equal(existsSync(join(otherKeys, 'signing.jwk')), false, 'no keys are made for it')
    await ensureKeyFile(join(otherKeys, 'signing.jwk'), 'Ed25519')
    await assert.rejects(testNetwork({ clock: systemClock, root: other, databaseUrl }), refused)
    const { signing } = await rotateNetworkKeys(place, () =>
      Promise.resolve({ log: { size: 0, root: EMPTY_ROOT.toBase64() }, at: systemClock.now() }),
    )
    await using network = await start()
    const { items } = await network.call(network.operator, NETWORK_API.listFloorLimits, {
      params: { id: 'galway' },
    })
    assert.deepEqual(
      items.map(({ id }) => id),
      [given.id],
    )
    const facts = { key: signing.publicJwk, network: 'network', site: 'galway' }
    assert.equal(openFloorLimit(given.statement, facts), undefined)
    assert.equal(openFloorLimit(items[0]?.statement ?? '', facts)?.id, given.id)
  } finally {
    await rm(root, { recursive: true, force: true })
  }
})
