import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { PeerRefusal } from '../../../src/kernel/http/call-json.ts'
import { memberIdSchema } from '../../../src/protocol/wire.ts'
import { memberRecordSchema } from '../../../src/protocol/http/network-api.ts'
import { NETWORK_API } from '../../../src/protocol/http/network-endpoints.ts'
import { openDecisionPoint } from '../../../src/sdk/enforcement-point.ts'
import { KnownAcquirers } from '../../../src/site/access/known-acquirers.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { publicKeys, testParty } from '../../../src/testing/test-network.ts'
import { testPeople } from '../../../src/testing/test-population.ts'
import { testTrade } from '../../../src/testing/test-trade.ts'
import { until } from '../floor/local-world.ts'

const id = memberIdSchema.parse('northcare')
const keys = publicKeys(testParty('northcare'))
const described = (status: 'active' | 'suspended') =>
  memberRecordSchema.parse({
    id,
    name: 'North',
    country: 'IE',
    roles: ['acquirer'],
    keys,
    firstKeys: keys,
    status,
  })

function world() {
  const clock = new ManualClock(Date.UTC(2026, 10, 27))
  const network = { asked: 0, answer: () => Promise.resolve(described('active')) }
  const acquirers = new KnownAcquirers({
    clock,
    fromNetwork: () => {
      network.asked += 1
      return network.answer()
    },
    remembered: () => Promise.resolve(described('suspended')),
  })
  const status = async () => (await acquirers.find(id))?.status
  return { clock, network, acquirers, status }
}

test('a member is asked for once a minute, and anew as soon as members have changed', async () => {
  const { clock, network, acquirers, status } = world()
  assert.deepEqual([await status(), await status(), network.asked], ['active', 'active', 1])
  network.answer = () => Promise.resolve(described('suspended'))
  clock.advance(59_999)
  assert.deepEqual([await status(), network.asked], ['active', 1])
  clock.advance(1)
  assert.deepEqual([await status(), network.asked], ['suspended', 2])
  network.answer = () => Promise.resolve(described('active'))
  acquirers.forget()
  assert.deepEqual([await status(), network.asked], ['active', 3])
})

test('what was asked before a change and comes after it is not kept', async () => {
  const { network, acquirers, status } = world()
  const { promise, resolve } = Promise.withResolvers<ReturnType<typeof described>>()
  network.answer = () => promise
  const asking = status()
  acquirers.forget()
  resolve(described('active'))
  assert.equal(await asking, 'active')
  network.answer = () => Promise.resolve(described('suspended'))
  assert.equal(await status(), 'suspended')
})

test('while the network is away a member is what it was last described as, and a stranger stays one', async () => {
  const { network, status } = world()
  network.answer = () => Promise.reject(new Error('ECONNREFUSED'))
  assert.deepEqual([await status(), await status(), network.asked], ['suspended', 'suspended', 2])
  network.answer = () =>
    Promise.reject(new PeerRefusal({ what: 'x', status: 404, problemCode: 'fault.not_found' }))
  assert.deepEqual([await status(), await status(), network.asked], [undefined, undefined, 3])
})

const trade = await testTrade()
after(() => trade[Symbol.asyncDispose]())

test(
  'a member that is suspended is allowed nothing here, well before a minute is over',
  { timeout: 40_000 },
  async () => {
    const site = trade.site()
    await trade.fill(site, { dataSet: 'athletes', people: testPeople(30) })
    await trade.addAcquirer('northcare')
    const point = openDecisionPoint(site.client({ issuer: 'operator', key: site.operatorKey }))
    const decided = async () => {
      const { decision, context } = await point.evaluate({
        subject: { type: 'acquirer', id: 'northcare' },
        action: { name: 'process' },
        resource: { type: 'data_set', id: 'athletes' },
        context: { purpose: 'dpv:AcademicResearch' },
      })
      return decision ? 'allowed' : context?.reason
    }
    const set = (status: 'active' | 'suspended') =>
      trade.network.call(trade.network.operator, NETWORK_API.setMemberStatus, {
        params: { id },
        body: { status },
      })
    assert.equal(await decided(), 'allowed')
    await set('suspended')
    await until('it is denied', async () => (await decided()) === 'declined.member_unknown')
    await set('active')
    await until('it is allowed', async () => (await decided()) === 'allowed')
  },
)
