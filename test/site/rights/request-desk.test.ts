import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { instant, systemClock } from '../../../src/kernel/clock.ts'
import { idSource } from '../../../src/kernel/id.ts'
import { systemRandom } from '../../../src/kernel/random.ts'
import type { RequestEvent } from '../../../src/protocol/http/request-api.ts'
import { httpClient } from '../../../src/sdk/http-client.ts'
import { openPersonRecords } from '../../../src/sdk/person.ts'
import { openRequestDesk } from '../../../src/sdk/requests.ts'
import { mayHappen, standingOf } from '../../../src/site/rights/request-state.ts'
import { testPeople } from '../../../src/testing/test-population.ts'
import { testProvider } from '../../../src/testing/test-provider.ts'
import type { TestProvider } from '../../../src/testing/test-provider.ts'
import { testTrade } from '../../../src/testing/test-trade.ts'
import type { TestSite, TestTrade } from '../../../src/testing/test-trade.ts'
import { temporaryHome } from '../../cli/run-cli.ts'
import { typedHere } from '../../cli/typed-here.ts'

const at = (text: string) => instant(Date.parse(text))

/** A clock of the desk: events by day, looked at on a day. */
function clockOf(events: readonly (readonly [RequestEvent, string])[], now: string, received = '2025-01-31') {
  return {
    receivedAt: at(`${received}T10:00:00Z`),
    events: events.map(([event, day]) => ({ event, at: at(`${day}T12:00:00Z`) })),
    country: 'IE',
    now: at(`${now}T18:00:00Z`),
  }
}

const STANDINGS: readonly (readonly [what: string, clock: ReturnType<typeof clockOf>, standing: object])[] = [
  [
    'on its last day',
    clockOf([], '2025-02-28'),
    { state: 'open', dueOn: '2025-02-28', daysLeft: 0, isOverdue: false },
  ],
  ['a day later', clockOf([], '2025-03-01'), { daysLeft: -1, isOverdue: true }],
  [
    'extended in time',
    clockOf([['extend', '2025-02-28']], '2025-03-10'),
    { dueOn: '2025-04-30', isOverdue: false },
  ],
  [
    'while it waits for identity, however long',
    clockOf([['doubt_identity', '2025-02-10']], '2025-06-10'),
    { state: 'waiting_for_identity', isOverdue: false },
  ],
  [
    'after ten days of doubt',
    clockOf(
      [
        ['doubt_identity', '2025-02-10'],
        ['confirm_identity', '2025-02-20'],
      ],
      '2025-03-01',
    ),
    { state: 'open', dueOn: '2025-03-10' },
  ],
  [
    'answered in time, looked at later',
    clockOf([['fulfil', '2025-02-27']], '2026-01-01'),
    { state: 'fulfilled', isOverdue: false, daysLeft: 1 },
  ],
  [
    'refused too late',
    clockOf([['refuse', '2025-03-03']], '2026-01-01'),
    { state: 'refused', isOverdue: true, daysLeft: -3 },
  ],
]

for (const [what, clock, expected] of STANDINGS) {
  test(`standingOf() tells where a request stands: ${what}`, () => {
    const standing = standingOf(clock)
    assert.deepEqual({ ...standing, ...expected }, standing)
  })
}

const ALLOWED: readonly (readonly [
  what: string,
  event: RequestEvent,
  clock: ReturnType<typeof clockOf>,
  allowed: boolean,
])[] = [
  ['an extension on the last day', 'extend', clockOf([], '2025-02-28'), true],
  ['an extension a day too late', 'extend', clockOf([], '2025-03-01'), false],
  ['a second extension', 'extend', clockOf([['extend', '2025-02-03']], '2025-02-04'), false],
  ['a doubt in time', 'doubt_identity', clockOf([], '2025-02-28'), true],
  ['a doubt when time is over', 'doubt_identity', clockOf([], '2025-03-01'), false],
  ['confirming nothing', 'confirm_identity', clockOf([], '2025-02-02'), false],
  [
    'fulfilling for nobody knows whom',
    'fulfil',
    clockOf([['doubt_identity', '2025-02-02']], '2025-02-03'),
    false,
  ],
  ['refusing for want of proof', 'refuse', clockOf([['doubt_identity', '2025-02-02']], '2025-02-03'), true],
  ['fulfilling late', 'fulfil', clockOf([], '2025-06-01'), true],
  ['anything after the end', 'begin', clockOf([['refuse', '2025-02-02']], '2025-02-03'), false],
]

for (const [what, event, clock, allowed] of ALLOWED) {
  test(`mayHappen() knows what the clock and the state allow: ${what}`, () => {
    assert.equal(mayHappen(event, clock).ok, allowed)
  })
}

const opened = new AsyncDisposableStack()
const clock = systemClock
let provider: TestProvider
let trade: TestTrade
let site: TestSite
before(async () => {
  provider = opened.use(await testProvider())
  trade = opened.use(await testTrade({ sites: [{ name: 'galway', settings: { oidc: provider.settings } }] }))
  site = trade.site()
  await trade.fill(site, { dataSet: 'athletes', people: testPeople(12) })
})
after(() => opened.disposeAsync())

const ids = idSource(systemClock, systemRandom)
const staff = (issuer: string, key = site.operatorKey) => openRequestDesk(site.client({ issuer, key }))
const desk = () => staff('federation', trade.federation.signing)
async function client(sub: string) {
  const server = { url: site.url, name: site.name }
  return httpClient({ server, bearer: await provider.token({ sub }), clock: systemClock, ids })
}

test('a person asks, the issuer answers, and a refusal names the authority of where they live and the courts', async () => {
  const mine = openRequestDesk(await client('p-1'))
  const [made] = await mine.make({ ref: 'me' }, { kind: 'erasure', said: 'please, all of it' })
  assert.ok(made)
  assert.deepEqual([made.state, made.issuer, made.events.length], ['open', 'federation', 1])
  assert.deepEqual(
    (await desk().list({ isOpen: true, limit: 10 })).map(({ id }) => id),
    [made.id],
  )
  assert.equal((await desk().handle(made.id, { event: 'begin' })).state, 'in_progress')
  await assert.rejects(desk().handle(made.id, { event: 'refuse', ground: 'excessive' }), { status: 400 })
  await assert.rejects(desk().handle(made.id, { event: 'refuse', said: 'no' }), { status: 400 })
  await desk().handle(made.id, { event: 'refuse', ground: 'legal_obligation', said: 'the law keeps it' })
  const refused = await mine.find(made.id)
  assert.equal(refused.state, 'refused')
  assert.match(refused.remedies?.authority.name ?? '', /CNIL/, 'p-1 lives in France')
  assert.match(refused.remedies?.court ?? '', /court/)
  assert.deepEqual(
    refused.events.map(({ event, said }) => [event, said]),
    [
      ['receive', 'please, all of it'],
      ['begin', undefined],
      ['refuse', 'the law keeps it'],
    ],
  )
  assert.equal((await desk().list({ isOpen: true, limit: 10 })).length, 0)
  await assert.rejects(desk().handle(made.id, { event: 'fulfil' }), { status: 409 })
})

test('nobody sees or touches somebody else’s request, and each only does what is theirs to do', async () => {
  const mine = openRequestDesk(await client('p-2'))
  const [made] = await mine.make({ ref: 'me' }, { kind: 'access' })
  assert.ok(made)
  const other = openRequestDesk(await client('p-3'))
  await assert.rejects(other.find(made.id), { status: 404 })
  await assert.rejects(other.handle(made.id, { event: 'withdraw' }), { status: 404 })
  await assert.rejects(other.ofPerson({ ref: 'p-2' }), { status: 404 })
  await assert.rejects(other.list({ isOpen: true, limit: 5 }), { status: 403 })
  await assert.rejects(mine.handle(made.id, { event: 'fulfil' }), { status: 403 })
  await assert.rejects(desk().handle(made.id, { event: 'withdraw', said: 'not needed' }), { status: 403 })
  await assert.rejects(desk().find(made.id), { status: 400 }, 'a reason is needed')
  assert.equal((await desk().find(made.id, 'to answer it')).id, made.id)
  assert.equal((await mine.handle(made.id, { event: 'withdraw' })).state, 'withdrawn')
  const accesses = await openPersonRecords(await client('p-2'), { ref: 'me' }).accesses(5)
  assert.ok(accesses.some(({ what, reason }) => what === 'request' && reason === 'to answer it'))
})

test('a letter counts from when it came; its clock runs out, and the command line says so by its code', async (context) => {
  const received = instant(clock.now() - 20 * 86_400_000)
  const scope = { ref: 'p-4', reason: 'a letter' }
  const future = new Date(clock.now() + 3_600_000).toISOString()
  await assert.rejects(desk().make(scope, { kind: 'access', receivedAt: future }), { status: 400 })
  const [made] = await desk().make(scope, {
    kind: 'access',
    receivedAt: new Date(received).toISOString(),
  })
  assert.ok(made && made.daysLeft < 15)
  const home = await temporaryHome(context)
  const door = ['--site', site.name, '--url', site.url]
  const environment = { HEDGEROW_PERSON_TOKEN: await provider.token({ sub: 'p-4' }) }
  const onTime = await typedHere(home, ['request', 'list', ...door], { environment })
  assert.deepEqual([onTime.code, onTime.out.includes(made.id)], [0, true], onTime.error)
  const [old] = await desk().make(scope, {
    kind: 'access',
    receivedAt: new Date(clock.now() - 60 * 86_400_000).toISOString(),
  })
  assert.ok(old?.isOverdue)
  await assert.rejects(desk().handle(old.id, { event: 'extend', said: 'much to do' }), { status: 409 })
  const overdue = await typedHere(home, ['request', 'list', ...door], { environment })
  assert.equal(overdue.code, 1)
  const shown = await typedHere(home, ['request', 'show', old.id, ...door], { environment })
  assert.match(shown.out, /was due on/)
})

test('requests stand in the export, with what was said', async () => {
  const mine = await client('p-5')
  await openRequestDesk(mine).make({ ref: 'me' }, { kind: 'portability', said: 'to my new watch' })
  const body = await openPersonRecords(mine, { ref: 'me' }).export({ format: 'jsonl' })
  const text = await new Response(body).text()
  assert.match(text, /"kind":"request".*"right":"portability".*to my new watch/)
})
