import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { formatInstant, later } from '../../src/kernel/clock.ts'
import { NETWORK_API } from '../../src/protocol/http/network-endpoints.ts'
import { generateKeyPair } from '../../src/kernel/crypto/keys.ts'
import { testClearing, testDecision } from '../../src/testing/test-decision.ts'
import { publicKeys, testAsk, tokenOf } from '../../src/testing/test-network.ts'
import type { TestParty } from '../../src/testing/test-network.ts'
import { openWorld } from '../network/world.ts'
import type { World } from '../network/world.ts'
import { requireEveryRoute, send } from './every-route.ts'
import { wronglyAnswered } from './odd-values.ts'
import type { Call, Calls } from './every-route.ts'

/*
 * Every route of the network, by everybody, about what is somebody else's. Measure of success: an answer other than 401 to nobody and
 * to somebody unknown, and other than 403 or 404 to whoever it is no business of; and a route that nobody thought of here. Each role is let
 * through where it may, and nowhere else.
 */

let w: World
let ask = ''
before(async () => {
  w = await openWorld()
  ask = (await w.network.ask(w.northcare, testAsk(w.network, w.northcare))).id
  await w.network.call(w.galway, NETWORK_API.decide, {
    params: { id: 'galway' },
    body: testDecision(w.network, w.galway, { ask, acquirer: 'northcare', issuer: 'federation' }),
  })
})
after(() => w[Symbol.asyncDispose]())

/** Open to everybody, with or without a token; what comes of it is looked at elsewhere. */
const OPEN = [
  'network',
  'token',
  'siteOffers',
  'listOffers',
  'checkpoint',
  'tile',
  'addCheckpoint',
  'addCheckpoints',
  'witnessed',
  'logKeys',
  'terms',
]
/** For every member and site: who there is, and their keys. */
const OF_ALL = ['listMembers', 'member', 'listSites', 'site']
/** A list of the caller's own, which is empty for a stranger. */
const OF_ONESELF = [
  'balances',
  'listTransfers',
  'listSettlements',
  'listAsks',
  'listNotices',
  'acceptances',
  'listDisputes',
  'listContacts',
  'listLimits',
]

const money = { amount: 100, currency: 'EUR' }
const KEY = { 'idempotency-key': 'a-key-of-a-stranger' }

/** What calls are about; there is no such thing unless it was made. */
const NOTHING = {
  floor: 'flr_00000000000000000000000000',
  notice: 'notice_00000000000000000000000000',
  dispute: 'dispute_none',
  settlement: 'stl_none',
}

/** A call of each route that is right in all but who sends it. */
function calls({ floor, notice, dispute, settlement } = NOTHING): Calls {
  const { network, galway } = w
  const facts = { ask, acquirer: 'northcare', issuer: 'federation' }
  const decision = testDecision(network, galway, facts)
  const clearing = testClearing(network, galway, facts)
  const keys = publicKeys({
    signing: generateKeyPair('Ed25519'),
    sealing: generateKeyPair('X25519'),
  } as TestParty)
  const inADay = formatInstant(later(w.clock.now(), 86_400_000))
  return {
    addMember: {
      path: '/v1/members',
      body: { id: 'planted', name: 'Planted', country: 'IE', roles: ['issuer'], keys },
    },
    rotateMemberKeys: { path: '/v1/members/northcare/keys', body: { rotation: 'a.b.c' } },
    setMemberStatus: { path: '/v1/members/northcare/status', body: { status: 'suspended' } },
    setProcessors: { path: '/v1/members/northcare/processors', body: { processors: [] } },
    declareCollusion: { path: '/v1/members/northcare/collusion', body: { with: ['rival'] } },
    publishTerms: { path: '/v1/terms', body: { text: 'Planted' } },
    acceptTerms: { path: '/v1/members/northcare/terms', body: { statement: 'a.b.c' } },
    setContact: { path: '/v1/members/northcare/contact', body: { address: 'privacy@planted.example' } },
    removeContact: { path: '/v1/members/northcare/contact' },
    setLimits: { path: '/v1/members/northcare/limits', body: { daily: [money] } },
    addSite: { path: '/v1/sites', body: { id: 'planted', custodian: 'edgeworks', country: 'IE', keys } },
    rotateSiteKeys: { path: '/v1/sites/galway/keys', body: { rotation: 'a.b.c' } },
    setSiteStatus: { path: '/v1/sites/galway/status', body: { status: 'suspended' } },
    publishOffers: { path: '/v1/sites/galway/offers', body: { offers: 'a.b.c' } },
    askState: { path: `/v1/asks/${ask}` },
    releases: { path: `/v1/asks/${ask}/releases` },
    work: { path: '/v1/sites/galway/work' },
    decide: { path: '/v1/sites/galway/decisions', body: decision },
    clear: { path: '/v1/sites/galway/clearings', body: { clearing } },
    sendNotice: {
      path: `/v1/sites/galway/notices/${notice}`,
      body: { acquirer: 'northcare', sealed: 'a.b.c.d.e' },
    },
    noticeNews: { path: '/v1/sites/galway/notices' },
    confirmNews: { path: '/v1/sites/galway/notices/confirmation', body: { items: [] } },
    acknowledgeNotice: { path: `/v1/notices/${notice}/acknowledgement`, body: { acknowledgement: 'a.b.c' } },
    withdrawReleases: { path: '/v1/sites/galway/withdrawals', body: { order: 'a.b.c', isAtOnce: false } },
    giveFloorLimit: {
      path: '/v1/sites/galway/floor-limits',
      body: { acquirer: 'northcare', amount: money, validUntil: inADay },
      headers: KEY,
    },
    listFloorLimits: { path: '/v1/sites/galway/floor-limits' },
    closeFloorLimit: { path: `/v1/sites/galway/floor-limits/${floor}/closing` },
    clearLocal: {
      path: '/v1/sites/galway/local-answers',
      body: { ...decision, clearing, ask: 'a.b.c', floorLimit: floor },
    },
    trialBalance: { path: '/v1/balances/trial' },
    transfer: {
      path: '/v1/transfers',
      body: { kind: 'deposit', member: 'northcare', amount: money },
      headers: KEY,
    },
    settle: { path: '/v1/settlements', body: {}, headers: KEY },
    settlement: { path: `/v1/settlements/${settlement}` },
    raiseDispute: {
      path: '/v1/disputes',
      body: { ask, site: 'galway', reason: 'not_delivered', statement: 'Planted' },
    },
    dispute: { path: `/v1/disputes/${dispute}` },
    answerDispute: {
      path: `/v1/disputes/${dispute}/answer`,
      body: { answer: 'accepted', text: 'Planted' },
    },
    withdrawDispute: { path: `/v1/disputes/${dispute}/withdrawal` },
    decideDispute: {
      path: `/v1/disputes/${dispute}/outcome`,
      body: { outcome: 'rejected', ground: 'Planted' },
    },
    confirmDeletion: { path: `/v1/disputes/${dispute}/deletion` },
    removeDisputeTexts: { path: `/v1/disputes/${dispute}/texts` },
    invoice: { path: `/v1/settlements/${settlement}/invoice?member=northcare` },
  }
}

const methodOf = (name: string) => NETWORK_API[name as keyof typeof NETWORK_API].method

const statusOf = async (name: string, call: Call, bearer: string | undefined) =>
  (await send(w.network.url, { method: methodOf(name), call }, bearer)).status

const token = (party: Pick<TestParty, 'name' | 'signing'>) =>
  tokenOf(party as TestParty, {
    audience: w.network.name,
    now: w.clock.now(),
    jti: w.network.ids.next('jti'),
  })

test('every route of the network is thought of here', () => {
  requireEveryRoute(NETWORK_API, { calls: calls(), others: [...OPEN, ...OF_ALL, ...OF_ONESELF, 'ask'] })
})

test('nobody without a good token gets through to any route that is not open', async () => {
  const forged = { name: 'operator', signing: generateKeyPair('Ed25519') }
  const wrong: [string, number][] = []
  for (const [name, call] of Object.entries(calls())) {
    for (const bearer of [undefined, token(forged), token({ ...forged, name: 'northcare' })]) {
      const status = await statusOf(name, call, bearer)
      if (status !== 401) wrong.push([name, status])
    }
  }
  assert.deepEqual(wrong, [])
})

/** Who gets through where: each role at each route that is not open to everybody. */
const WHO = [
  'operator',
  'regulator',
  'northcare',
  'galway',
  'federation',
  'edgeworks',
  'rival',
  'zurich',
] as const
type Who = (typeof WHO)[number]
const OVERSEERS: readonly Who[] = ['operator', 'regulator']
const MEMBERS: readonly Who[] = ['regulator', 'northcare', 'federation', 'edgeworks', 'rival']
const OPERATOR: readonly Who[] = ['operator']
const ACQUIRER: readonly Who[] = ['northcare']
const SITE: readonly Who[] = ['galway']
const MAY: Readonly<Record<string, readonly Who[]>> = {
  addMember: OPERATOR,
  listMembers: WHO,
  member: WHO,
  rotateMemberKeys: ACQUIRER,
  setMemberStatus: OPERATOR,
  setProcessors: ACQUIRER,
  declareCollusion: OPERATOR,
  publishTerms: OPERATOR,
  acceptTerms: ACQUIRER,
  acceptances: WHO,
  setContact: ['operator', 'northcare'],
  removeContact: ['operator', 'northcare'],
  listContacts: WHO,
  setLimits: OPERATOR,
  listLimits: WHO,
  addSite: OPERATOR,
  listSites: WHO,
  site: WHO,
  rotateSiteKeys: SITE,
  setSiteStatus: OPERATOR,
  publishOffers: SITE,
  ask: ['northcare', 'rival'],
  listAsks: [...OVERSEERS, 'northcare', 'rival'],
  askState: [...OVERSEERS, 'northcare'],
  releases: ACQUIRER,
  work: SITE,
  decide: SITE,
  clear: SITE,
  sendNotice: SITE,
  noticeNews: SITE,
  confirmNews: SITE,
  listNotices: MEMBERS,
  acknowledgeNotice: ACQUIRER,
  withdrawReleases: SITE,
  giveFloorLimit: OPERATOR,
  listFloorLimits: ['operator', 'galway'],
  closeFloorLimit: SITE,
  clearLocal: SITE,
  balances: WHO,
  trialBalance: OVERSEERS,
  transfer: OPERATOR,
  listTransfers: WHO,
  settle: OPERATOR,
  listSettlements: WHO,
  settlement: WHO,
  invoice: [...OVERSEERS, 'northcare'],
  raiseDispute: ACQUIRER,
  listDisputes: WHO,
  dispute: [...OVERSEERS, 'northcare', 'federation', 'edgeworks'],
  answerDispute: ['federation', 'edgeworks'],
  withdrawDispute: ACQUIRER,
  decideDispute: OPERATOR,
  confirmDeletion: ACQUIRER,
  removeDisputeTexts: OPERATOR,
}

/** Calls about things that there are, of routes of everybody too. */
async function realCalls(): Promise<Calls> {
  const { network, galway, northcare } = w
  const settled = await network.call(network.operator, NETWORK_API.settle, { body: {}, headers: KEY })
  const raised = await network.call(northcare, NETWORK_API.raiseDispute, {
    body: { ask, site: 'galway', reason: 'not_delivered', statement: 'It did not open' },
  })
  const { notice, floor: none } = NOTHING
  const given = await send(
    network.url,
    { method: 'post', call: calls().giveFloorLimit ?? fail() },
    token(network.operator),
  )
  const floor = (JSON.parse(given.text) as { id?: string }).id ?? none
  await network.call(galway, NETWORK_API.sendNotice, {
    params: { id: 'galway', notice },
    body: { acquirer: 'northcare', sealed: 'a.b.c.d.e' },
  })
  const settlement = 'id' in settled ? settled.id : ''
  const lists = [
    'balances',
    'transfers',
    'settlements',
    'asks',
    'notices',
    'disputes',
    'contacts',
    'limits',
    'members',
    'sites',
  ]
  const named = Object.entries(NETWORK_API).filter(
    ([, { method, path }]) => method === 'get' && lists.includes(path.slice(4)),
  )
  return {
    ...calls({ floor, notice, settlement, dispute: raised.dispute }),
    ...Object.fromEntries(named.map(([name, { path }]) => [name, { path }])),
    acceptances: { path: NETWORK_API.acceptances.path },
    member: { path: '/v1/members/northcare' },
    site: { path: '/v1/sites/galway' },
    ask: { path: '/v1/asks', body: { ask: 'a.b.c' } },
    setMemberStatus: { path: '/v1/members/northcare/status', body: { status: 'active' } },
    setSiteStatus: { path: '/v1/sites/galway/status', body: { status: 'active' } },
  }
}

function fail(): never {
  throw new Error('There is no such call')
}

test('each role gets through where it may, and nowhere else', async () => {
  const regulator = await w.network.addMember('watchdog', ['regulator'])
  const rival = await w.network.addMember('competitor', ['acquirer', 'acquirer-processor'])
  const parties = { ...w, operator: w.network.operator, regulator, rival }
  const real = await realCalls()
  requireEveryRoute(NETWORK_API, { calls: real, others: OPEN })
  const exchange = async (who: Who) => {
    const body = {
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      assertion: token(parties[who]),
    } as const
    return [who, (await w.network.call(undefined, NETWORK_API.token, { body })).access_token] as const
  }
  const bearers = await Promise.all(WHO.map(exchange))
  for (const [name, call] of Object.entries(real)) {
    const statuses = await Promise.all(
      bearers.map(async ([who, bearer]) => ({ who, status: await statusOf(name, call, bearer) })),
    )
    // Whoever is refused is told 403, or 404 where nobody else is to know that there is something.
    const through = statuses.filter(({ status }) => ![403, 404].includes(status)).map(({ who }) => who)
    assert.deepEqual(through.toSorted(), [...(MAY[name] ?? [])].toSorted(), name)
  }
})

test('lists hold the caller’s own and nothing else, whatever owner is asked for', async () => {
  // The beginning of another's name is not its name.
  const other = await w.network.addMember('federa', ['acquirer', 'issuer'])
  for (const query of ['', '?owner=northcare', '?owner=subjects/federation/galway', '?owner=network']) {
    for (const list of ['balances', 'transfers', 'settlements', 'asks']) {
      const response = await fetch(`${w.network.url}/v1/${list}${query}`, {
        headers: { authorization: `Bearer ${token(other)}` },
      })
      const { items = [] } = (await response.json()) as {
        items?: readonly { positions?: readonly unknown[] }[]
      }
      assert.deepEqual(
        items.flatMap((item) => item.positions ?? [item]),
        [],
        `${list}${query}`,
      )
    }
  }
})

test(
  'what no field means is refused in plain words wherever it stands, and nothing fails of it',
  { timeout: 900_000 },
  async () => {
    const { northcare, galway, network } = w
    const wrong = await wronglyAnswered(network.url, {
      calls: calls(),
      methodOf,
      bearers: [northcare, galway, network.operator].map((party) => () => token(party)),
    })
    assert.deepEqual(wrong, [])
  },
)
