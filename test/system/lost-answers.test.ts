import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PeerRefusal } from '../../src/kernel/http/call-json.ts'
import { httpClient } from '../../src/sdk/http-client.ts'
import type { HttpClient } from '../../src/sdk/http-client.ts'
import { openSiteAdministration } from '../../src/sdk/issuer.ts'
import { openPersonRecords } from '../../src/sdk/person.ts'
import { openRightsDesk } from '../../src/sdk/rights.ts'
import { losingLine } from '../../src/testing/losing-line.ts'
import type { LosingLine } from '../../src/testing/losing-line.ts'
import { testGrant, testManifest, testPeople } from '../../src/testing/test-population.ts'
import { testNoticeBox } from '../../src/testing/test-notice-box.ts'
import { testTrade } from '../../src/testing/test-trade.ts'
import type { TestAcquirer, TestSite, TestTrade } from '../../src/testing/test-trade.ts'
import {
  QUICK,
  allCleared,
  giveKnownLimit,
  limitsAt,
  locally,
  moneyOf,
  until,
} from '../site/floor/local-world.ts'

const people = testPeople(60)
const COUNT = 'select count(*) as n from athletes'

test('a trade goes on over a line that loses every other answer, and nothing is done or paid twice', async () => {
  await using lines = new AsyncDisposableStack()
  let lost: LosingLine['lost'] = new Map()
  await using trade = await testTrade({
    sites: [{ name: 'galway', settings: QUICK }],
    networkUrl: async (network) => {
      const line = lines.use(await losingLine(network.url))
      lost = line.lost
      return line.url
    },
  })
  const site = trade.site()
  await trade.fill(site, { dataSet: 'athletes', people })
  const acquirer = await trade.addAcquirer('northcare')

  let paid = 0
  for (const sql of [COUNT, 'select country, count(*) as n from athletes group by country']) {
    const [answered] = (await acquirer.ask(sql)).sites
    assert.equal(answered?.reason, 'approved')
    assert.deepEqual(answered.problems, [])
    paid += Number(answered.captured?.amountMinor)
  }
  const [rows] = (await acquirer.ask('select id, height from athletes', { mode: 'rows' })).sites
  assert.equal(rows?.reason, 'approved')
  paid += Number(rows.captured?.amountMinor)
  assert.deepEqual(await moneyOf(trade.network, 'northcare'), { available: 100_000 - paid, held: 0, paid })

  const { erasure } = await site.rights('issuer').erase({ person: 'p-7' }, { reason: 'request' })
  await noticeIsTaken(trade, { acquirer, erasure })
  await boughtLocally(trade)

  const doors = [...lost.keys()]
  for (const door of ['decisions', 'work', 'notices', 'floor-limits', 'local-answers'])
    assert.ok(
      doors.some((path) => path.includes(`/v1/sites/galway/${door}`)),
      `no answer of "${door}" was lost: ${doors.join(' ')}`,
    )
})

/** A notice goes out, is taken, and its acknowledgement comes back. */
async function noticeIsTaken(
  trade: TestTrade,
  { acquirer, erasure }: { acquirer: TestAcquirer; erasure: string },
): Promise<void> {
  const box = testNoticeBox(trade, acquirer)
  await until('the notice comes', async () => (await box.list()).length > 0)
  const [received] = await box.list()
  assert.ok(received)
  await box.acknowledge(received, { outcome: 'done' })
  const desk = trade.site().rights('issuer')
  await until('it is acknowledged', async () =>
    (await desk.erasure(erasure)).recipients.every(({ state }) => state === 'acknowledged'),
  )
  const receipts = await trade.site().operator.receipts({ kind: 'acknowledgement', limit: 10 })
  assert.equal(receipts.length, 1)
}

async function boughtLocally(trade: TestTrade): Promise<void> {
  const acquirer = await trade.addAcquirer('alder-care')
  await giveKnownLimit(trade, { acquirer, amountMinor: 2_000 })
  const local = locally(acquirer, { site: trade.site(), network: trade.network })
  const [answered] = (await local.ask(acquirer.request(COUNT))).sites
  assert.equal(answered?.reason, 'approved')
  const paid = Number(answered.captured?.amountMinor)
  await allCleared(trade.site())
  assert.equal((await limitsAt(trade.site())).at(-1)?.toClear, 0)
  assert.deepEqual(await moneyOf(trade.network, 'alder-care'), {
    available: 98_000,
    held: 2_000 - paid,
    paid,
  })
}

/** What is done at a site's door and may be sent again. */
const ACTS: Readonly<Record<string, (client: HttpClient, person: string) => Promise<unknown>>> = {
  'a grant': (client, person) =>
    openSiteAdministration(client).giveGrants([
      testGrant('athletes', person, { grantee: { member: 'northcare' } }),
    ]),
  'two grants': async (client, person) => {
    const grants = ['beech', 'oak'].map((member) => testGrant('athletes', person, { grantee: { member } }))
    const { changed, unchanged } = await openSiteAdministration(client).giveGrants(grants)
    assert.deepEqual({ changed, unchanged }, { changed: 2, unchanged: 0 })
  },
  'a revocation': async (client, person) => {
    const revocations = [{ dataSet: 'athletes', person, grantee: { member: 'northcare' } }]
    const { changed, unchanged } = await openSiteAdministration(client).revokeGrants(revocations)
    assert.deepEqual({ changed, unchanged }, { changed: 1, unchanged: 0 })
  },
  rows: (client, person) =>
    openSiteAdministration(client).importRows({
      dataSet: 'athletes',
      batch: `of-${person}`,
      rows: [{ id: `new-${person}`, country: 'IE', birth_date: '1980-05-10', height: 1.75 }],
    }),
  'a description': (client) =>
    openSiteAdministration(client).describe(testManifest('athletes', { title: 'Once more' })),
  'a correction': (client, person) =>
    openRightsDesk(client).correct({ person }, { dataSet: 'athletes', set: { height: 1.93 } }),
  'an objection': (client, person) =>
    openPersonRecords(client, { ref: person, reason: 'a test' }).objectTo('dpv:AcademicResearch', 'athletes'),
  'an objection withdrawn': (client, person) =>
    openPersonRecords(client, { ref: person, reason: 'a test' }).withdrawObjection(
      'dpv:AcademicResearch',
      'athletes',
    ),
  'a restriction': (client, person) => openRightsDesk(client).restrict({ person }, 'accuracy_contested'),
  'its end': (client, person) => openRightsDesk(client).liftRestriction({ person }),
  'an erasure': (client, person) => openRightsDesk(client).erase({ person }, { reason: 'request' }),
}

test('what is sent again to a site because its answer was lost is done once', async () => {
  await using trade = await testTrade()
  const site = trade.site()
  await trade.fill(site, { dataSet: 'athletes', people })
  await using line = await losingLine(site.url)
  const [plain, losing] = [clientOf(trade, site.url), clientOf(trade, line.url)]
  await openSiteAdministration(losing).dataSets()
  for (const [what, act] of Object.entries(ACTS)) {
    const once = await receiptsOf(site, () => act(plain, 'p-11'))
    const lost = lostOf(line)
    const twice = await receiptsOf(site, () => act(losing, 'p-12'))
    assert.ok(lostOf(line) > lost, `the answer to ${what} was lost`)
    assert.equal(twice, once, `${what} leaves no more receipts`)
    assert.deepEqual(await shapeOf(plain, 'p-12'), await shapeOf(plain, 'p-11'), what)
  }
})

function lostOf({ lost }: LosingLine): number {
  return lost.values().reduce((sum, count) => sum + count, 0)
}

/** How many receipts an act leaves. */
async function receiptsOf(site: TestSite, act: () => Promise<unknown>): Promise<number> {
  const before = await newest(site)
  await act()
  return (await newest(site)) - before
}

async function newest(site: TestSite): Promise<number> {
  return (await site.operator.receipts({ limit: 1 }))[0]?.sequence ?? -1
}

/** All that is kept of a person, by its lines: of each kind of line how many there are. */
async function shapeOf(client: HttpClient, ref: string): Promise<unknown> {
  try {
    const body = await openPersonRecords(client, { ref, reason: 'a test' }).export({ format: 'jsonl' })
    const lines = (await new Response(body).text()).trim().split('\n')
    const kinds = Object.groupBy(lines, (line) => Object.keys(JSON.parse(line) as object).join(' '))
    return Object.entries(kinds).map(([kind, some = []]) => [kind, some.length])
  } catch (error) {
    if (error instanceof PeerRefusal) return error.status
    throw error
  }
}

function clientOf({ federation, clock, network }: TestTrade, url: string): HttpClient {
  const caller = { issuer: federation.name, key: federation.signing }
  return httpClient({ server: { url, name: 'galway' }, caller, clock, ids: network.ids, keepsToken: true })
}
