import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { sql } from 'kysely'
import { silentLog } from '../../src/kernel/log.ts'
import { connect } from '../../src/kernel/postgres/open-postgres.ts'
import { Secret } from '../../src/kernel/secret.ts'
import { NETWORK_API } from '../../src/protocol/http/network-endpoints.ts'
import { signKeyRotation } from '../../src/protocol/proof/key-chain.ts'
import { formatInstant } from '../../src/kernel/clock.ts'
import { publicKeys, testParty } from '../../src/testing/test-network.ts'
import { testPeople } from '../../src/testing/test-population.ts'
import { testTrade } from '../../src/testing/test-trade.ts'

/** A point of small order: a key that was taken before such were refused. */
const WEAK = 'AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'

const trade = await testTrade()
after(() => trade[Symbol.asyncDispose]())
await trade.fill(trade.site(), { dataSet: 'athletes', people: testPeople(40) })

/** Has the network hold a weak key of a member, as one that was upgraded may. */
async function weaken(member: string, of: 'signing' | 'sealing'): Promise<void> {
  await using postgres = await connect(new Secret(trade.network.databaseUrl), {
    name: 'before',
    log: silentLog,
    stop: () => Promise.resolve(),
  })
  await postgres.db.transaction().execute(async (tx) => {
    await sql`set local session_replication_role = replica`.execute(tx)
    await sql`update party_key set keys = jsonb_set(keys, ${[of, 'x']}, ${JSON.stringify(WEAK)}::jsonb) where party = ${member}`.execute(
      tx,
    )
  })
  const read = { params: { id: member }, body: { status: 'active' } }
  await trade.network.call(trade.network.operator, NETWORK_API.setMemberStatus, read)
}

test('a key that is kept from before weak ones were refused makes nobody else’s asks unreadable', async () => {
  const older = await trade.addAcquirer('older')
  const northcare = await trade.addAcquirer('northcare')
  await weaken('older', 'sealing')
  const [theirs, others] = await Promise.all([
    older.ask('select count(*) from athletes'),
    northcare.ask('select count(*) from athletes'),
  ])
  const reasons = [theirs, others].map(({ sites: [answer] }) => answer?.decision?.reason)
  assert.deepEqual(reasons, ['declined.signature', 'approved'])
})

test('nobody is somebody whose key is weak, and nobody changes to such a key', async () => {
  const hollow = await trade.network.addMember('hollow', ['acquirer'])
  const next = publicKeys(testParty('hollow'))
  for (const weak of [
    { ...next, sealing: { ...next.sealing, x: WEAK } },
    { ...next, signing: { ...next.signing, x: WEAK } },
  ]) {
    const facts = {
      member: 'hollow',
      next: weak,
      time: formatInstant(trade.clock.now()),
      key: hollow.signing,
    }
    const rotating = { params: { id: 'hollow' }, body: { rotation: signKeyRotation(facts) } }
    assert.equal((await trade.network.refusal(hollow, NETWORK_API.rotateMemberKeys, rotating)).status, 400)
  }
  await weaken('hollow', 'signing')
  const asking = { params: { id: 'hollow' }, body: { processors: [] } }
  assert.equal((await trade.network.refusal(hollow, NETWORK_API.setProcessors, asking)).status, 401)
})
