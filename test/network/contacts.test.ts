import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { NETWORK_API } from '../../src/protocol/http/network-endpoints.ts'
import { ROLE_MAILBOXES, roleAddressSchema } from '../../src/protocol/member-contact.ts'
import type { TestParty } from '../../src/testing/test-network.ts'
import { openWorld } from './world.ts'
import type { World } from './world.ts'

let w: World
before(async () => {
  w = await openWorld()
})
after(() => w[Symbol.asyncDispose]())

const set = (party: TestParty, member: string, address: string) =>
  w.network.call(party, NETWORK_API.setContact, { params: { id: member }, body: { address } })
const list = async (party: TestParty, query: Record<string, string> = {}) =>
  (await w.network.call(party, NETWORK_API.listContacts, { query })).items.map((one) => [
    one.member,
    one.address,
  ])

test('a member says where it is written to, and the operator for another', async () => {
  assert.deepEqual(await list(w.network.operator), [])
  const { since } = await set(w.northcare, 'northcare', 'privacy@northcare.example')
  await set(w.network.operator, 'federation', 'legal@federation.example')
  w.clock.advance(1_000)
  assert.equal((await set(w.northcare, 'northcare', 'privacy@northcare.example')).since, since, 'said again')
  assert.notEqual((await set(w.northcare, 'northcare', 'security@northcare.example')).since, since)
  const all = [
    ['federation', 'legal@federation.example'],
    ['northcare', 'security@northcare.example'],
  ]
  for (const reader of [w.network.operator, w.galway]) assert.deepEqual(await list(reader), all)
  assert.deepEqual(await list(w.galway, { member: 'northcare' }), all.slice(1))
  assert.deepEqual(await list(w.northcare), all.slice(1))
  assert.deepEqual(await list(w.federation, { member: 'federation' }), all.slice(0, 1))
})

test('nobody says it of another, reads that of another, or says it of nobody', async () => {
  const refused = async (party: TestParty, id: string) => {
    const said = { params: { id }, body: { address: 'info@elsewhere.example' } }
    return (await w.network.refusal(party, NETWORK_API.setContact, said)).status
  }
  assert.equal(await refused(w.federation, 'northcare'), 403)
  assert.equal(await refused(w.galway, 'northcare'), 403)
  assert.equal(await refused(w.galway, 'galway'), 404, 'a site is its custodian’s')
  assert.equal(await refused(w.network.operator, 'nobody'), 404)
  const read = { query: { member: 'northcare' } }
  assert.equal((await w.network.refusal(w.federation, NETWORK_API.listContacts, read)).status, 403)
})

test('it is the mailbox of a role and no person’s', async () => {
  for (const mailbox of ROLE_MAILBOXES)
    assert.ok(roleAddressSchema.safeParse(`${mailbox}@northcare.example`).success, mailbox)
  for (const address of [
    'anna.meier@northcare.example',
    'anna@northcare.example',
    'privacy+anna@northcare.example',
    'Privacy@northcare.example',
    'privacy@anna@northcare.example',
    'privacy@northcare',
    'privacy@-northcare.example',
    'privacy@northcare.example\nbcc: all@northcare.example',
    ' privacy@northcare.example',
    `privacy@${'a.'.repeat(130)}example`,
    '',
  ]) {
    const said = { params: { id: 'northcare' }, body: { address } }
    const { status, errors } = await w.network.refusal(w.northcare, NETWORK_API.setContact, said)
    assert.deepEqual([status, errors?.[0]?.field], [400, 'address'], address)
  }
})
