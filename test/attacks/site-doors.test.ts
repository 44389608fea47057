import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { generateKeyPair } from '../../src/kernel/crypto/keys.ts'
import { digestOf } from '../../src/kernel/digest.ts'
import { SITE_API } from '../../src/protocol/http/site-api.ts'
import { openDecisionPoint } from '../../src/sdk/enforcement-point.ts'
import { openGuardianDesk } from '../../src/sdk/guardians.ts'
import { openOfficer } from '../../src/sdk/officer.ts'
import { publicKeys, testParty, tokenOf } from '../../src/testing/test-network.ts'
import type { TestParty } from '../../src/testing/test-network.ts'
import { testPeople } from '../../src/testing/test-population.ts'
import { testProvider } from '../../src/testing/test-provider.ts'
import type { TestProvider } from '../../src/testing/test-provider.ts'
import { testTrade } from '../../src/testing/test-trade.ts'
import type { TestSite, TestTrade } from '../../src/testing/test-trade.ts'
import { requireEveryRoute, send } from './every-route.ts'
import { wronglyAnswered } from './odd-values.ts'
import { siteCalls } from './site-calls.ts'

/*
 * Every route of a site, by everybody, about what is somebody else's: the person `p-1` of the issuer `federation`. Measure of success: an
 * answer other than 401 to nobody and to somebody unknown, and other than 403 or 404 to whoever it is no business of, but for what is named
 * here; a word about that person, or that issuer’s data, in an answer; and a route that nobody thought of here.
 */

let provider: TestProvider
let trade: TestTrade
let site: TestSite
let parties: Readonly<Record<'rival' | 'officer' | 'regulator' | 'acquirer' | 'point', TestParty>>

before(async () => {
  provider = await testProvider()
  trade = await testTrade({
    sites: [
      {
        name: 'galway',
        settings: { oidc: provider.settings, requestRates: { address: { burst: 100_000 } } },
      },
    ],
  })
  site = trade.site()
  const people = testPeople(30, (_, index) => (index === 1 ? { birthDate: CHILD } : {}))
  await trade.fill(site, { dataSet: 'athletes', people })
  const rival = await trade.network.addMember('rival', ['issuer'])
  await site.operator.registerIssuer({ member: rival.name, keys: publicKeys(rival) })
  const { party: acquirer } = await trade.addAcquirer('northcare')
  const [officer, regulator, point] = [testParty('orla'), testParty('dpc'), testParty('gate')]
  const as = (party: TestParty) => site.client({ issuer: party.name, key: party.signing })
  await openOfficer(as(rival)).nameOfficer(officer.name, publicKeys(officer))
  const operator = openOfficer(site.client({ issuer: 'operator', key: site.operatorKey }))
  await operator.registerRegulator({ member: regulator.name, keys: publicKeys(regulator) })
  await openDecisionPoint(as(rival)).namePoint(point.name, publicKeys(point))
  const guardians = openGuardianDesk(as(trade.federation))
  const { guardianship } = await guardians.establish('p-1', {
    guardian: 'former-guardian',
    authority: 'sole',
    document: digestOf('birth register'),
  })
  await guardians.end(guardianship)
  parties = { rival, officer, regulator, acquirer, point }
})
after(async () => {
  await trade[Symbol.asyncDispose]()
  await provider[Symbol.asyncDispose]()
})

const CHILD = '2019-05-06'

/** Open to everybody, with or without a token; what comes of it is looked at elsewhere. */
const OPEN = [
  'site',
  'token',
  'checkpoint',
  'tile',
  'personExportSchema',
  'setUpAgent',
  'agent',
  'exerciseRight',
  'exerciseStatus',
  'revokeExercise',
  'localOffers',
  'accessConfiguration',
]

const methodOf = (name: string) => SITE_API[name as keyof typeof SITE_API].method

const tokenFor = (party: Pick<TestParty, 'name' | 'signing'>) =>
  tokenOf(party as TestParty, {
    audience: site.name,
    now: trade.clock.now(),
    jti: trade.network.ids.next('jti'),
  })

test('every route of a site is thought of here', () => {
  requireEveryRoute(SITE_API, { calls: siteCalls(), others: OPEN })
})

/** What is no signed ask is told so to any member. */
const refused = (name: string): readonly number[] => (name === 'localAsk' ? [400, 403] : [403, 404])

/** Any issuer’s own lists, which are empty here, and what it may do beside those of others. */
const OF_ANY_ISSUER = [
  'listDataSets',
  'listGrants',
  'listReceipts',
  'listRequests',
  'register',
  'listAssessments',
  'transfers',
  'listIncidents',
  'listOfficers',
  'nameOfficer',
  'listBases',
  'listContracts',
  'listSubProcessors',
  'listAuthorityRequests',
  'dataRightsDirectory',
  'retention',
  'listErasures',
  'listSentNotices',
  'evaluateAccess',
  'evaluateAccesses',
  'searchResources',
  'searchActions',
  'listEnforcementPoints',
  'nameEnforcementPoint',
]
const OF_ANY_OFFICER = [
  'listReceipts',
  'listRequests',
  'register',
  'listAssessments',
  'transfers',
  'listIncidents',
  'listOfficers',
  'listBases',
  'listContracts',
  'listSubProcessors',
  'listAuthorityRequests',
  'dataRightsDirectory',
]
/** The register with all that proves it, and no person. */
const OF_AUTHORITY = [
  ...OF_ANY_OFFICER.filter((name) => name !== 'listRequests'),
  'evidence',
  'receipt',
  'notice',
]
const OF_ANY_POINT = ['evaluateAccess', 'evaluateAccesses', 'searchResources', 'searchActions']
/** What a grant would say, the notice of a data set, and whom one is the guardian of: nobody. */
const OF_ANY_PERSON = ['previewGrant', 'notice', 'listWards']

test('nobody without a good token gets through to any route that is not open', async () => {
  const forged = { signing: generateKeyPair('Ed25519') }
  const [first = ''] = (await provider.token({ sub: 'p-1' })).split('.')
  const bearers = [
    undefined,
    'A'.repeat(43),
    ...['operator', 'federation', 'rival', 'orla', 'dpc', 'gate', 'northcare'].map((name) =>
      tokenFor({ ...forged, name }),
    ),
    `${(await provider.token({ sub: 'p-1' })).slice(0, -6)}AAAAAA`,
    await provider.token({ sub: 'p-1' }, { audience: 'another' }),
    `${first}.${Buffer.from(JSON.stringify({ iss: provider.url, sub: 'p-1' })).toString('base64url')}.`,
  ]
  const wrong: unknown[] = []
  for (const [name, call] of Object.entries(siteCalls()))
    for (const [index, bearer] of bearers.entries()) {
      const { status } = await send(site.url, { method: methodOf(name), call }, bearer)
      if (status !== 401) wrong.push([name, index, status])
    }
  assert.deepEqual(wrong, [])
})

/** A word about the person; that they were the guardian of somebody, and are no more, is the guardian’s own to read. */
function isToldOf(text: string): boolean {
  return /\bp-1\b/.test(text) && !/"state":"ended"/.test(text)
}

test('whoever has no business with it is told no more than that', async () => {
  const wrong: unknown[] = []
  const tried = async (who: string, mayCall: readonly string[], bearer: () => string | Promise<string>) => {
    for (const [name, call] of Object.entries(siteCalls())) {
      const { status, text } = await send(site.url, { method: methodOf(name), call }, await bearer())
      const isRight = mayCall.includes(name) ? status === 200 : refused(name).includes(status)
      if (!isRight || isToldOf(text)) wrong.push([who, name, status])
    }
  }
  const { rival, officer, regulator, point } = parties
  await tried('rival', OF_ANY_ISSUER, () => tokenFor(rival))
  await tried('officer of the rival', OF_ANY_OFFICER, () => tokenFor(officer))
  await tried('authority', OF_AUTHORITY, () => tokenFor(regulator))
  await tried('enforcement point of the rival', OF_ANY_POINT, () => tokenFor(point))
  for (const sub of ['p-2', 'former-guardian', 'stranger'])
    await tried(sub, OF_ANY_PERSON, () => provider.token({ sub }))
  assert.deepEqual(wrong, [])
})

test('an acquirer that has no floor limit here is nobody, and a site of the network is', async () => {
  const wrong: unknown[] = []
  const other = { name: site.name, signing: site.signing }
  for (const [name, call] of Object.entries(siteCalls()))
    for (const party of [parties.acquirer, other, trade.network.operator]) {
      const isOperator = party === trade.network.operator
      const { status } = await send(site.url, { method: methodOf(name), call }, tokenFor(party))
      if (status !== 401) wrong.push([name, isOperator ? 'operator of the network' : party.name, status])
    }
  assert.deepEqual(wrong, [])
})

test('lists of a rival hold nothing of another issuer', async () => {
  const own = siteCalls()
  for (const name of OF_ANY_ISSUER) {
    const call = own[name]
    // Receipts name data sets and nobody; terms of transfers are the site’s.
    if (call === undefined || ['listReceipts', 'evaluateAccess', 'evaluateAccesses'].includes(name)) continue
    const { text } = await send(site.url, { method: methodOf(name), call }, tokenFor(parties.rival))
    assert.doesNotMatch(text, /athletes|federation/, name)
  }
})

test(
  'what no field means is refused in plain words wherever it stands, and nothing fails of it',
  { timeout: 900_000 },
  async () => {
    const operator = { name: 'operator', signing: site.operatorKey }
    const wrong = await wronglyAnswered(site.url, {
      calls: siteCalls(),
      methodOf,
      bearers: [
        () => tokenFor(trade.federation),
        () => tokenFor(operator),
        () => provider.token({ sub: 'p-1' }),
      ],
    })
    assert.deepEqual(wrong, [])
  },
)
