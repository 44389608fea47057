import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { formatInstant, later } from '../../../src/kernel/clock.ts'
import { generateKeyPair } from '../../../src/kernel/crypto/keys.ts'
import type { KeyPair } from '../../../src/kernel/crypto/keys.ts'
import { signBytes } from '../../../src/kernel/crypto/signature.ts'
import {
  EXERCISE_STATUSES,
  STATUS_REASONS,
  drpErrorSchema,
  exerciseStatusSchema,
  signedMessageSchema,
} from '../../../src/protocol/http/data-rights-protocol.ts'
import type { ExerciseStatus } from '../../../src/protocol/http/data-rights-protocol.ts'
import { openPersonRecords } from '../../../src/sdk/person.ts'
import { openRequestDesk } from '../../../src/sdk/requests.ts'
import { openMessage } from '../../../src/site/data-rights/open-message.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { testPeople } from '../../../src/testing/test-population.ts'
import { testTrade } from '../../../src/testing/test-trade.ts'
import { sharedDirectory } from '../../shared.ts'

const clock = new ManualClock(Date.parse('2026-01-31T09:00:00Z'))
const [agentKey, otherKey] = [generateKeyPair('Ed25519'), generateKeyPair('Ed25519')]
const base64Of = (key: KeyPair) => Buffer.from(key.publicJwk.x, 'base64url').toString('base64')
const dataRights = {
  agents: [
    {
      id: 'PERMISSION_SLIP',
      name: 'Permission Slip',
      verifyKey: base64Of(agentKey),
      callbackOrigins: ['https://agent.example'],
    },
    { id: 'OTHER_AGENT', name: 'Another', verifyKey: base64Of(otherKey) },
  ],
  businesses: [
    {
      id: 'FEDERATION',
      issuer: 'federation',
      personClaim: 'email',
      verificationUrl: 'https://federation.example/verify',
      regimes: ['gdpr'],
    },
  ],
}
const trade = await testTrade({ clock, sites: [{ name: 'galway', settings: { dataRights } }] })
after(() => trade[Symbol.asyncDispose]())
const site = trade.site()
await trade.fill(site, {
  dataSet: 'athletes',
  people: testPeople(12, (person) => ({ id: `${person.id}@example.org` })),
  grants: [],
})
const issuer = openRequestDesk(site.client({ issuer: 'federation', key: trade.federation.signing }))

/** Base64 of a signature and the JSON behind it, as libsodium's combined mode writes them. */
function signed(message: unknown, key = agentKey): string {
  const body = Buffer.from(JSON.stringify(message))
  return Buffer.concat([signBytes(body, key), body]).toString('base64')
}

let count = 0
function message(more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    'agent-id': 'PERMISSION_SLIP',
    'business-id': 'FEDERATION',
    'issued-at': formatInstant(clock.now()),
    'expires-at': formatInstant(later(clock.now(), 600_000)),
    'drp.version': '1.0',
    'agent-request-id': `ours-${(count += 1)}`,
    exercise: 'deletion',
    regime: 'gdpr',
    name: 'Name 1',
    email: 'p-1@example.org',
    email_verified: true,
    ...more,
  }
}

async function send(
  method: string,
  path: string,
  { text, token }: { text?: string; token?: string } = {},
): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${site.url}${path}`, {
    method,
    headers: {
      'content-type': 'text/plain',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(text === undefined ? {} : { body: text }),
  })
  const body = await response.text()
  return { status: response.status, body: body === '' ? undefined : JSON.parse(body) }
}

/** A token of an agent, by a message that it signs. */
async function tokenOf(agent = 'PERMISSION_SLIP', key = agentKey): Promise<string> {
  clock.advance(1)
  const setUp = message({ 'agent-id': agent })
  const { status, body } = await send('POST', `/v1/agent/${agent}`, { text: signed(setUp, key) })
  assert.equal(status, 200)
  const answered = body as { 'agent-id': string; token: string }
  assert.equal(answered['agent-id'], agent)
  return answered.token
}
const token = await tokenOf()
const exercise = (more: Record<string, unknown> = {}, by = token) =>
  send('POST', '/v1/data-rights-request', { text: signed(message(more)), token: by })
async function taken(more: Record<string, unknown> = {}): Promise<ExerciseStatus> {
  const { status, body } = await exercise(more)
  assert.equal(status, 200, JSON.stringify(body))
  return exerciseStatusSchema.parse(body)
}
const statusOf = async (id: string) =>
  exerciseStatusSchema.parse((await send('GET', `/v1/data-rights-request/${id}`, { token })).body)

test('the directory says who may ask and of whom; an issuer sees its own, nobody else any', async () => {
  const { agents, businesses } = await issuer.directory()
  assert.deepEqual(
    agents.map(({ id }) => id),
    ['PERMISSION_SLIP', 'OTHER_AGENT'],
  )
  assert.deepEqual(businesses[0]?.supported_verifications, ['email'])
  assert.equal(businesses[0]?.api_base, site.url)
  // The list of the protocol's schema of an entry (3.05.2), but `sale:opt-in`, which no agent may say.
  const listed = ['access', 'deletion', 'sale:opt-out', 'access:categories', 'access:specific']
  assert.deepEqual(businesses[0]?.supported_actions.toSorted(), listed.toSorted())
  assert.ok(businesses[0]?.extended_actions.includes('hedgerow:rectification'))
  assert.equal((await send('GET', '/v1/data-rights-directory')).status, 401)
})

test('a verified request is one of the desk, with its clock, and the agent follows it to its end', async () => {
  const made = await taken()
  assert.equal(made.status, 'open')
  // A month from 31 January, by Regulation 1182/71: 28 February 2026 is a Saturday.
  assert.equal(made.expected_by, '2026-03-02')
  const [entered] = await issuer.list({ isOpen: true, limit: 10 })
  assert.equal(entered?.kind, 'erasure')
  const detail = await issuer.find(entered?.id ?? '', 'to handle it')
  assert.equal(detail.events[0]?.by, 'agent:PERMISSION_SLIP')
  assert.match(
    detail.events[0]?.said ?? '',
    /Through Permission Slip: deletion \(gdpr\)\n.*email_verified: true/s,
  )
  // The person sees who asked in their name.
  const person = openRequestDesk(site.client({ issuer: 'federation', key: trade.federation.signing }))
  const own = await person.ofPerson({ ref: 'p-1@example.org', reason: 'she wants to know' })
  assert.deepEqual(
    own.map(({ id }) => id),
    [entered?.id],
  )
  await issuer.handle(entered?.id ?? '', { event: 'begin' })
  assert.equal((await statusOf(made.request_id)).status, 'in_progress')
  await issuer.handle(entered?.id ?? '', { event: 'extend', said: 'There are many records of yours' })
  const extended = await statusOf(made.request_id)
  assert.equal(extended.expected_by, '2026-04-30')
  assert.equal(extended.processing_details, 'There are many records of yours')
  await issuer.handle(entered?.id ?? '', { event: 'fulfil' })
  assert.equal((await statusOf(made.request_id)).status, 'fulfilled')
})

test('what the agent has not verified waits for the person to show who they are, and its clock stands still', async () => {
  const made = await taken({ email: 'p-2@example.org', email_verified: false, exercise: 'access' })
  assert.deepEqual(
    [made.status, made.reason, made.user_verification_url],
    ['in_progress', 'need_user_verification', 'https://federation.example/verify'],
  )
  const [entered] = (await issuer.list({ isOpen: true, limit: 10 })).filter(({ kind }) => kind === 'access')
  assert.equal(entered?.state, 'waiting_for_identity')
  await assert.rejects(issuer.handle(entered?.id ?? '', { event: 'fulfil' }), { status: 409 })
  await issuer.handle(entered?.id ?? '', {
    event: 'refuse',
    ground: 'identity_not_proven',
    said: 'Nobody came',
  })
  const denied = await statusOf(made.request_id)
  assert.deepEqual(
    [denied.status, denied.reason, denied.processing_details],
    ['denied', 'insuf_verification', 'Nobody came'],
  )
})

test('what is no right here, or nobody’s, is denied in the protocol’s words and enters no desk', async () => {
  const before = (await issuer.list({ isOpen: false, limit: 50 })).length
  const reasons = [
    [{ email: 'stranger@example.org' }, 'no_match'],
    [{ email: undefined }, 'insuf_verification'],
    [{ exercise: 'sale:opt-in' }, 'claim_not_covered'],
    [{ exercise: 'toString' }, 'claim_not_covered'],
    [{ regime: 'ccpa' }, 'outside_jurisdiction'],
  ] as const
  for (const [more, reason] of reasons) {
    const denied = await taken(more)
    assert.deepEqual([denied.status, denied.reason], ['denied', reason])
    assert.deepEqual(await statusOf(denied.request_id), denied)
  }
  assert.equal((await issuer.list({ isOpen: false, limit: 50 })).length, before)
  // Without a regime it is taken.
  assert.equal((await taken({ regime: undefined, email: 'p-3@example.org' })).status, 'open')
})

test('a message counts once, and one that was signed anew under its id is the request that was made', async () => {
  const text = signed(message({ email: 'p-4@example.org', 'agent-request-id': 'again' }))
  const first = await send('POST', '/v1/data-rights-request', { text, token })
  assert.equal(first.status, 200)
  const replayed = await send('POST', '/v1/data-rights-request', { text, token })
  assert.equal(replayed.status, 409)
  assert.ok(drpErrorSchema.safeParse(replayed.body).success)
  clock.advance(1)
  const anew = await taken({ email: 'p-4@example.org', 'agent-request-id': 'again' })
  assert.deepEqual(anew, first.body)
  clock.advance(1)
  const twice = await Promise.all(
    [1, 2].map((nonce) => taken({ email: 'p-5@example.org', 'agent-request-id': 'at-once', nonce })),
  )
  assert.equal(new Set(twice.map(({ request_id: id }) => id)).size, 1)
  // A copy of the message that sets a token up is worth nothing either.
  const setUp = signed(message())
  assert.equal((await send('POST', '/v1/agent/PERMISSION_SLIP', { text: setUp })).status, 200)
  const copied = await send('POST', '/v1/agent/PERMISSION_SLIP', { text: setUp })
  assert.deepEqual(copied, { status: 403, body: undefined })
})

test('forged, foreign, expired and misdirected messages are refused, in the order of the protocol', async () => {
  // The token of before was replaced by the test above.
  const own = await tokenOf()
  const post = (text: string, by: string | undefined = own) =>
    send('POST', '/v1/data-rights-request', { text, ...(by === undefined ? {} : { token: by }) })
  const old = { 'issued-at': formatInstant(later(clock.now(), -700_000)) }
  const cases: readonly (readonly [what: string, status: number, sent: () => ReturnType<typeof post>])[] = [
    ['no token', 401, () => send('POST', '/v1/data-rights-request', { text: signed(message()) })],
    ['a token of nobody', 401, () => post(signed(message()), 'A'.repeat(43))],
    ['the token of before', 401, () => post(signed(message()), token)],
    ['no base64', 400, () => post('{"agent-id": "PERMISSION_SLIP"}')],
    ['nothing', 400, () => post('')],
    ['a signature alone', 403, () => post(signed(message()).slice(0, 84))],
    ['another key', 403, () => post(signed(message(), otherKey))],
    ['another agent', 403, () => post(signed(message({ 'agent-id': 'OTHER_AGENT' })))],
    ['another business', 403, () => post(signed(message({ 'business-id': 'ELSEWHERE' })))],
    [
      'issued after now',
      400,
      () => post(signed(message({ 'issued-at': formatInstant(later(clock.now(), 1)) }))),
    ],
    ['expired', 400, () => post(signed(message({ ...old, 'expires-at': formatInstant(clock.now()) })))],
    [
      'too long',
      400,
      () => post(signed(message({ 'expires-at': formatInstant(later(clock.now(), 90_000_000)) }))),
    ],
    ['another version', 400, () => post(signed(message({ 'drp.version': '0.9' })))],
    ['no times', 400, () => post(signed(message({ 'issued-at': undefined })))],
    ['a callback elsewhere', 400, () => post(signed(message({ status_callback: 'https://evil.example/x' })))],
    [
      'a callback in the clear',
      400,
      () => post(signed(message({ status_callback: 'http://agent.example/x' }))),
    ],
    ['one that is far too long', 400, () => post('A'.repeat(70_000))],
  ]
  for (const [what, status, sent] of cases) {
    clock.advance(1)
    const answered = await sent()
    assert.equal(answered.status, status, `${what}: ${JSON.stringify(answered.body)}`)
    assert.ok(drpErrorSchema.safeParse(answered.body).success, what)
  }
  assert.equal((await send('POST', '/v1/agent/NOBODY', { text: signed(message()) })).status, 403)
  const forged = signed(message(), otherKey)
  assert.deepEqual(await send('POST', '/v1/agent/PERMISSION_SLIP', { text: forged }), {
    status: 403,
    body: undefined,
  })
  const information = (agent: string) => send('GET', `/v1/agent/${agent}`, { token: own })
  assert.deepEqual(await information('PERMISSION_SLIP'), { status: 200, body: {} })
  assert.equal((await information('OTHER_AGENT')).status, 403)
})

test('an agent reads and takes back its own requests only', async () => {
  const own = await tokenOf()
  const other = await tokenOf('OTHER_AGENT', otherKey)
  clock.advance(1)
  const made = (await exercise({ email: 'p-6@example.org' }, own)).body as ExerciseStatus
  const path = `/v1/data-rights-request/${made.request_id}`
  assert.equal((await send('GET', path, { token: other })).status, 403)
  const because = { reason: 'I want to keep my account' }
  assert.equal((await send('DELETE', path, { token: other, text: signed(because, otherKey) })).status, 403)
  assert.equal((await send('DELETE', path, { token: own, text: signed(because, otherKey) })).status, 403)
  const revoked = await send('DELETE', path, { token: own, text: signed(because) })
  assert.equal(exerciseStatusSchema.parse(revoked.body).status, 'revoked')
  assert.deepEqual((await send('DELETE', path, { token: own, text: signed(because) })).body, revoked.body)
  const denied = (await exercise({ email: 'stranger@example.org' }, own)).body as ExerciseStatus
  const ended = await send('DELETE', `/v1/data-rights-request/${denied.request_id}`, {
    token: own,
    text: signed(because),
  })
  assert.equal(ended.status, 409)
  const reads = openPersonRecords(site.client({ issuer: 'federation', key: trade.federation.signing }), {
    ref: 'p-6@example.org',
    reason: 'to see',
  })
  assert.ok((await reads.accesses(10)).length >= 1)
})

test('no byte of a signed message can be changed, whatever it says', () => {
  const key = agentKey.publicJwk
  const open = (text: string) => openMessage(text, { schema: signedMessageSchema, key })
  const text = signed(message())
  assert.ok(open(text).ok)
  const bytes = Buffer.from(text, 'base64')
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const forged = Buffer.from(bytes)
      forged[at] = (forged[at] ?? 0) ^ change
      const opened = open(forged.toString('base64'))
      assert.equal(opened.ok, false)
      assert.equal(opened.ok ? 0 : opened.error.status, 403)
    }),
    { numRuns: 200 },
  )
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (any) => assert.equal(open(any).ok, false)))
})

const shared = sharedDirectory()
const description = shared && join(shared, 'standards', 'data-rights-protocol', 'data-rights-protocol-1.0.md')
const skip =
  description !== undefined && existsSync(description)
    ? false
    : 'needs the text of the protocol beside the checkout'

test(
  'every state and reason is one of the protocol’s text, and none of its reasons is missing',
  { skip },
  () => {
    const text = readFileSync(description ?? '', 'utf8')
    const rows = [
      ...text.matchAll(/^\| (open|in_progress|fulfilled|revoked|denied|expired) +\| ([a-z_]*) *\|/gm),
    ]
    assert.deepEqual(
      [...new Set(rows.map(([, state = '']) => state))].toSorted(),
      [...EXERCISE_STATUSES].toSorted(),
    )
    const reasons = rows.flatMap(([, , reason]) => (reason === '' || reason === undefined ? [] : [reason]))
    assert.deepEqual([...new Set(reasons)].toSorted(), [...STATUS_REASONS].toSorted())
  },
)
