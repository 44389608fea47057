import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { after, test } from 'node:test'
import { SignJWT, exportJWK, generateKeyPair as generateJoseKeyPair } from 'jose'
import { instant, systemClock } from '../../../src/kernel/clock.ts'
import { generateKeyPair } from '../../../src/kernel/crypto/keys.ts'
import type { KeyPair } from '../../../src/kernel/crypto/keys.ts'
import { AccessTokens } from '../../../src/kernel/http/access-tokens.ts'
import { memoryIdempotencyStore } from '../../../src/kernel/http/idempotency.ts'
import { memoryUsedTokens } from '../../../src/kernel/http/used-tokens.ts'
import { idSource } from '../../../src/kernel/id.ts'
import { silentLog } from '../../../src/kernel/log.ts'
import { systemRandom } from '../../../src/kernel/random.ts'
import { signClientAssertion } from '../../../src/protocol/http/client-assertion.ts'
import { problemSchema } from '../../../src/protocol/http/problem.ts'
import { siteDoor } from '../../../src/site/doors/http.ts'
import { memberIdSchema } from '../../../src/protocol/wire.ts'
import { fakeActs, unusedAgentDesk, wireManifest } from './fake-acts.ts'
import type { Calls } from './fake-acts.ts'

const operator = generateKeyPair('Ed25519')
const issuer = generateKeyPair('Ed25519')
const otherIssuer = generateKeyPair('Ed25519')
const ids = idSource(systemClock, systemRandom)

// An OpenID Connect provider on this machine: discovery and keys over real HTTP.
const { privateKey, publicKey } = await generateJoseKeyPair('ES256', { extractable: true })
const jwk = { ...(await exportJWK(publicKey)), kid: 'provider-1', alg: 'ES256' }
const provider = createServer((request, response) => {
  response.setHeader('content-type', 'application/json')
  const { port } = provider.address() as { port: number }
  const base = `http://127.0.0.1:${port}`
  const body = request.url === '/jwks' ? { keys: [jwk] } : { issuer: base, jwks_uri: `${base}/jwks` }
  response.end(JSON.stringify(body))
})
await new Promise<void>((resolve) => void provider.listen(0, '127.0.0.1', () => resolve()))
const providerUrl = `http://127.0.0.1:${(provider.address() as { port: number }).port}`
after(() => {
  provider.closeAllConnections()
  provider.close()
})

function openDoor() {
  const calls: Calls = []
  const acts = fakeActs({ issuerKeys: { 'world-sport': issuer, 'play-lab': otherIssuer }, calls })
  const app = siteDoor(acts, {
    site: 'galway',
    version: '0',
    log: silentLog,
    clock: systemClock,
    ids,
    operatorKey: operator.publicJwk,
    idempotency: memoryIdempotencyStore(),
    usedTokens: memoryUsedTokens(),
    accessTokens: new AccessTokens({ clock: systemClock, random: systemRandom }),
    agentDesk: unusedAgentDesk,
    signIn: {
      issuer: providerUrl,
      audience: 'galway-people',
      personClaim: 'sub',
      member: memberIdSchema.parse('world-sport'),
      otherClaims: { 'play-lab': 'player' },
    },
  })
  return { app, calls }
}

function assertion(
  name: string,
  key: KeyPair,
  facts: { audience?: string; ageMs?: number; jti?: string } = {},
): string {
  const { audience = 'galway', ageMs = 0, jti = ids.next('jti') } = facts
  return signClientAssertion({ issuer: name, audience, now: instant(systemClock.now() - ageMs), jti, key })
}

const tokens = {
  operator: () => assertion('operator', operator),
  issuer: () => assertion('world-sport', issuer),
  otherIssuer: () => assertion('play-lab', otherIssuer),
  person: () => personToken({ sub: 'athlete-1' }),
  nobody: () => Promise.resolve(undefined),
} as const
type Who = keyof typeof tokens

function personToken(
  claims: { sub: string; player?: string },
  facts: { audience?: string; expires?: string; issuedBy?: string } = {},
): Promise<string> {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'ES256', kid: 'provider-1' })
    .setIssuer(facts.issuedBy ?? providerUrl)
    .setAudience(facts.audience ?? 'galway-people')
    .setIssuedAt()
    .setExpirationTime(facts.expires ?? '5m')
    .sign(privateKey)
}

async function send(
  app: ReturnType<typeof openDoor>['app'],
  {
    method = 'GET',
    path,
    token,
    body,
  }: { method?: string; path: string; token: string | undefined; body?: unknown },
) {
  return app.request(`http://galway${path}`, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      'content-type': 'application/json',
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
}

const GRANT = {
  dataSet: 'athletes',
  person: 'athlete-1',
  grantee: { anyone: true },
  purposes: ['dpv:AcademicResearch'],
  modes: ['aggregate'],
}
const REVOCATION = { dataSet: 'athletes', person: 'athlete-1' }
const CARRIED = {
  kind: 'access',
  site: 'zurich',
  time: '2026-11-24T10:00:00Z',
  by: 'person',
  what: 'uses',
  receipt: 3,
}
const KEYS = { signing: issuer.publicJwk, sealing: generateKeyPair('X25519').publicJwk }

/** Who gets through where: the whole table of roles, the refused ones with how they are refused. */
const TABLE: readonly {
  what: string
  method?: string
  path: string
  body?: unknown
  answers: Readonly<Record<Who, number>>
}[] = [
  {
    what: 'the site itself',
    path: '/v1/site',
    answers: { operator: 200, issuer: 200, otherIssuer: 200, person: 200, nobody: 200 },
  },
  {
    what: 'the checkpoint',
    path: '/checkpoint',
    answers: { operator: 200, issuer: 200, otherIssuer: 200, person: 200, nobody: 200 },
  },
  {
    what: 'data sets',
    path: '/v1/datasets',
    answers: { operator: 200, issuer: 200, otherIssuer: 200, person: 403, nobody: 401 },
  },
  {
    what: 'a data set',
    path: '/v1/datasets/athletes',
    answers: { operator: 200, issuer: 200, otherIssuer: 404, person: 403, nobody: 401 },
  },
  {
    what: 'a data set that is not there',
    path: '/v1/datasets/unknown',
    answers: { operator: 404, issuer: 404, otherIssuer: 404, person: 403, nobody: 401 },
  },
  {
    what: 'describing',
    method: 'POST',
    path: '/v1/datasets',
    body: { manifest: wireManifest('athletes', 'world-sport') },
    answers: { operator: 201, issuer: 201, otherIssuer: 403, person: 403, nobody: 401 },
  },
  {
    what: 'retiring',
    method: 'DELETE',
    path: '/v1/datasets/athletes',
    answers: { operator: 200, issuer: 200, otherIssuer: 404, person: 403, nobody: 401 },
  },
  {
    what: 'importing',
    method: 'POST',
    path: '/v1/datasets/athletes/batches?batch=b1&format=csv',
    body: 'id\n1\n',
    answers: { operator: 201, issuer: 201, otherIssuer: 404, person: 403, nobody: 401 },
  },
  {
    what: 'batches',
    path: '/v1/datasets/athletes/batches',
    answers: { operator: 200, issuer: 200, otherIssuer: 404, person: 403, nobody: 401 },
  },
  {
    what: 'giving a grant',
    method: 'POST',
    path: '/v1/grants',
    body: GRANT,
    answers: { operator: 403, issuer: 201, otherIssuer: 404, person: 201, nobody: 401 },
  },
  {
    what: 'giving another’s grant',
    method: 'POST',
    path: '/v1/grants',
    body: { ...GRANT, person: 'athlete-2' },
    answers: { operator: 403, issuer: 201, otherIssuer: 404, person: 403, nobody: 401 },
  },
  {
    what: 'giving as a guardian',
    method: 'POST',
    path: '/v1/grants',
    body: { ...GRANT, givenBy: 'guardian' },
    answers: { operator: 403, issuer: 201, otherIssuer: 404, person: 403, nobody: 401 },
  },
  {
    what: 'giving two, one of another',
    method: 'POST',
    path: '/v1/grants',
    body: { grants: [GRANT, { ...GRANT, person: 'athlete-2' }] },
    answers: { operator: 403, issuer: 201, otherIssuer: 404, person: 403, nobody: 401 },
  },
  {
    what: 'giving to another issuer’s data set',
    method: 'POST',
    path: '/v1/grants',
    body: { ...GRANT, dataSet: 'players' },
    answers: { operator: 403, issuer: 404, otherIssuer: 201, person: 404, nobody: 401 },
  },
  {
    what: 'revoking',
    method: 'POST',
    path: '/v1/grants/revocations',
    body: REVOCATION,
    answers: { operator: 200, issuer: 200, otherIssuer: 404, person: 200, nobody: 401 },
  },
  {
    what: 'revoking another’s',
    method: 'POST',
    path: '/v1/grants/revocations',
    body: { ...REVOCATION, person: 'athlete-2' },
    answers: { operator: 200, issuer: 200, otherIssuer: 404, person: 403, nobody: 401 },
  },
  {
    what: 'grants',
    path: '/v1/grants',
    answers: { operator: 200, issuer: 200, otherIssuer: 200, person: 200, nobody: 401 },
  },
  {
    what: 'another’s grants',
    path: '/v1/grants?person=athlete-2',
    answers: { operator: 200, issuer: 200, otherIssuer: 200, person: 404, nobody: 401 },
  },
  {
    what: 'evidence',
    path: '/v1/evidence',
    answers: { operator: 200, issuer: 403, otherIssuer: 403, person: 403, nobody: 401 },
  },
  {
    what: 'giving evidence',
    method: 'POST',
    path: '/v1/evidence',
    body: { evidence: 'a.b.c' },
    answers: { operator: 201, issuer: 403, otherIssuer: 403, person: 403, nobody: 401 },
  },
  {
    what: 'receipts',
    path: '/v1/receipts',
    answers: { operator: 200, issuer: 200, otherIssuer: 200, person: 403, nobody: 401 },
  },
  {
    what: 'one’s own uses',
    path: '/v1/people/me/uses',
    answers: { operator: 400, issuer: 400, otherIssuer: 400, person: 200, nobody: 401 },
  },
  {
    what: 'another’s uses, without a reason',
    path: '/v1/people/athlete-2/uses?issuer=world-sport',
    answers: { operator: 400, issuer: 400, otherIssuer: 404, person: 404, nobody: 401 },
  },
  {
    what: 'another’s uses, with a reason',
    path: '/v1/people/athlete-2/uses?issuer=world-sport&reason=asked+for+by+telephone',
    answers: { operator: 200, issuer: 200, otherIssuer: 404, person: 404, nobody: 401 },
  },
  {
    what: 'one’s own earnings',
    path: '/v1/people/me/earnings',
    answers: { operator: 400, issuer: 400, otherIssuer: 400, person: 200, nobody: 401 },
  },
  {
    what: 'another’s earnings, without a reason',
    path: '/v1/people/athlete-2/earnings?issuer=world-sport',
    answers: { operator: 400, issuer: 400, otherIssuer: 404, person: 404, nobody: 401 },
  },
  {
    what: 'another’s earnings, with a reason',
    path: '/v1/people/athlete-2/earnings?issuer=world-sport&reason=asked+for+by+telephone',
    answers: { operator: 200, issuer: 200, otherIssuer: 404, person: 404, nobody: 401 },
  },
  {
    what: 'one’s own accesses',
    path: '/v1/people/me/accesses',
    answers: { operator: 400, issuer: 400, otherIssuer: 400, person: 200, nobody: 401 },
  },
  {
    what: 'another’s accesses, without a reason',
    path: '/v1/people/athlete-2/accesses?issuer=world-sport',
    answers: { operator: 400, issuer: 400, otherIssuer: 404, person: 404, nobody: 401 },
  },
  {
    what: 'another’s accesses, with a reason',
    path: '/v1/people/athlete-2/accesses?issuer=world-sport&reason=asked+for+by+telephone',
    answers: { operator: 200, issuer: 200, otherIssuer: 404, person: 404, nobody: 401 },
  },
  {
    what: 'one’s own export',
    path: '/v1/people/me/export',
    answers: { operator: 400, issuer: 400, otherIssuer: 400, person: 200, nobody: 401 },
  },
  {
    what: 'another’s export, without a reason',
    path: '/v1/people/athlete-2/export?issuer=world-sport',
    answers: { operator: 400, issuer: 400, otherIssuer: 404, person: 404, nobody: 401 },
  },
  {
    what: 'another’s export, with a reason',
    path: '/v1/people/athlete-2/export?issuer=world-sport&reason=asked+for+by+telephone',
    answers: { operator: 200, issuer: 200, otherIssuer: 404, person: 404, nobody: 401 },
  },
  {
    what: 'carrying a history over',
    method: 'POST',
    path: '/v1/people/athlete-1/history',
    body: { records: [CARRIED] },
    answers: { operator: 403, issuer: 200, otherIssuer: 200, person: 200, nobody: 401 },
  },
  {
    what: 'carrying a history over to another',
    method: 'POST',
    path: '/v1/people/athlete-2/history',
    body: { records: [CARRIED] },
    answers: { operator: 403, issuer: 200, otherIssuer: 200, person: 404, nobody: 401 },
  },
  {
    what: 'making a request',
    method: 'POST',
    path: '/v1/people/me/requests',
    body: { kind: 'access' },
    answers: { operator: 400, issuer: 400, otherIssuer: 400, person: 201, nobody: 401 },
  },
  {
    what: 'making a request for somebody',
    method: 'POST',
    path: '/v1/people/athlete-2/requests?issuer=world-sport&reason=a+letter',
    body: { kind: 'access', receivedAt: '2026-11-20T09:00:00Z' },
    answers: { operator: 201, issuer: 201, otherIssuer: 404, person: 404, nobody: 401 },
  },
  {
    what: 'the desk',
    path: '/v1/requests',
    answers: { operator: 200, issuer: 200, otherIssuer: 200, person: 403, nobody: 401 },
  },
  {
    what: 'answering a request',
    method: 'POST',
    path: '/v1/requests/req_01ARZ3NDEKTSV4RRFFQ69G5FAV/events',
    body: { event: 'fulfil' },
    answers: { operator: 200, issuer: 200, otherIssuer: 200, person: 403, nobody: 401 },
  },
  {
    what: 'objecting',
    method: 'PUT',
    path: '/v1/people/athlete-1/objections/dpv:Marketing',
    answers: { operator: 403, issuer: 200, otherIssuer: 200, person: 200, nobody: 401 },
  },
  {
    what: 'a preview',
    method: 'POST',
    path: '/v1/grants/preview',
    body: {
      dataSet: 'athletes',
      grantee: { anyone: true },
      purposes: ['dpv:AcademicResearch'],
      modes: ['aggregate'],
    },
    answers: { operator: 200, issuer: 200, otherIssuer: 404, person: 200, nobody: 401 },
  },
  {
    what: 'the schema of exports',
    path: '/v1/schemas/person-export',
    answers: { operator: 200, issuer: 200, otherIssuer: 200, person: 200, nobody: 200 },
  },
  {
    what: 'registering an issuer',
    method: 'PUT',
    path: '/v1/issuers/world-sport',
    body: { keys: KEYS },
    answers: { operator: 200, issuer: 403, otherIssuer: 403, person: 403, nobody: 401 },
  },
]

for (const { what, method, path, body, answers } of TABLE) {
  test(`siteDoor() lets through who may, and nobody else: ${what}`, async () => {
    for (const who of Object.keys(tokens) as Who[]) {
      const { app } = openDoor()
      const response = await send(app, {
        ...(method === undefined ? {} : { method }),
        path,
        token: await tokens[who](),
        body,
      })
      assert.equal(response.status, answers[who], `${who}: ${await response.text()}`)
    }
  })
}

const SELF = { identities: [{ issuer: 'world-sport', person: 'athlete-1' }], by: 'person' }

test('siteDoor() narrows lists to what the caller may see', async () => {
  const { app, calls } = openDoor()
  await send(app, { path: '/v1/datasets', token: tokens.issuer() })
  await send(app, { path: '/v1/grants', token: await tokens.person() })
  await send(app, { path: '/v1/receipts', token: tokens.operator() })
  await send(app, { path: '/v1/people/me/uses', token: await tokens.person() })
  assert.deepEqual(calls, [
    { act: 'listDataSets', facts: { limit: 50, issuer: 'world-sport' } },
    { act: 'listGrants', facts: { limit: 50, reading: SELF } },
    { act: 'listReceipts', facts: { limit: 50 } },
    { act: 'listUses', facts: SELF },
  ])
})

test('siteDoor() knows a person by the keys of several issuers, each from its own claim of the token', async () => {
  const { app, calls } = openDoor()
  const token = await personToken({ sub: 'athlete-1', player: 'player-9' })
  const both = [
    { issuer: 'world-sport', person: 'athlete-1' },
    { issuer: 'play-lab', person: 'player-9' },
  ]
  for (const [ref, identities] of [
    ['me', both],
    ['player-9', both.slice(1)],
    ['me?issuer=world-sport', both.slice(0, 1)],
  ] as const) {
    const path = ref.includes('?') ? `/v1/people/${ref.replace('?', '/uses?')}` : `/v1/people/${ref}/uses`
    assert.equal((await send(app, { path, token })).status, 200)
    assert.deepEqual(calls.at(-1)?.facts, { identities, by: 'person' })
  }
  const grant = (dataSet: string, person: string) =>
    send(app, { method: 'POST', path: '/v1/grants', token, body: { ...GRANT, dataSet, person } })
  assert.equal((await grant('players', 'player-9')).status, 201)
  assert.equal(
    (await grant('players', 'athlete-1')).status,
    403,
    'the key of one issuer says nothing at another',
  )
  assert.equal((await send(app, { path: '/v1/people/me/uses?issuer=nobody-here', token })).status, 404)
})

test('siteDoor() tells the acts who changes grants, without the key of a person', async () => {
  const { app, calls } = openDoor()
  await send(app, { method: 'POST', path: '/v1/grants', token: tokens.issuer(), body: GRANT })
  await send(app, {
    method: 'POST',
    path: '/v1/grants/revocations',
    token: await tokens.person(),
    body: REVOCATION,
  })
  assert.deepEqual(
    calls.map(({ facts }) => facts),
    [
      { people: ['athlete-1'], change: { by: 'issuer:world-sport' } },
      { people: ['athlete-1'], change: { by: 'person' } },
    ],
  )
})

test('siteDoor() refuses every token that is not good now, with one word of reason', async () => {
  const used = assertion('operator', operator, { jti: 'used-token-000001' })
  const { app } = openDoor()
  await send(app, { path: '/v1/evidence', token: used })
  const cases: readonly [string, string | Promise<string>, string][] = [
    ['used before', used, 'replayed'],
    ['for another server', assertion('operator', operator, { audience: 'dresden' }), 'wrong-audience'],
    ['expired', assertion('operator', operator, { ageMs: 10 * 60_000 }), 'expired'],
    ['from the future', assertion('operator', operator, { ageMs: -60 * 60_000 }), 'not-yet-valid'],
    ['of a key that is not the operator’s', assertion('operator', issuer), 'unknown-key'],
    ['of an issuer that is not known', assertion('stranger', issuer), 'unknown-key'],
    ['no token at all', 'nonsense', 'malformed'],
    ['a person’s, expired', personToken({ sub: 'athlete-1' }, { expires: '-10m' }), 'expired'],
    [
      'a person’s, for another audience',
      personToken({ sub: 'athlete-1' }, { audience: 'dresden-people' }),
      'wrong-audience',
    ],
    [
      'a person’s, of another provider',
      personToken({ sub: 'athlete-1' }, { issuedBy: 'https://evil.example' }),
      'malformed',
    ],
    [
      'a person’s, changed',
      `${(await personToken({ sub: 'athlete-1' })).slice(0, -8)}AAAAAAAA`,
      'bad-signature',
    ],
  ]
  for (const [what, token, reason] of cases) {
    const response = await send(app, { path: '/v1/evidence', token: await token })
    assert.equal(response.status, 401, what)
    assert.equal(
      problemSchema.parse(await response.json()).detail,
      `Cannot accept the token: ${reason}`,
      what,
    )
  }
})

test('siteDoor() accepts a clock that differs by less than a minute', async () => {
  const { app } = openDoor()
  for (const ageMs of [150_000, -50_000]) {
    const response = await send(app, {
      path: '/v1/evidence',
      token: assertion('operator', operator, { ageMs }),
    })
    assert.equal(response.status, 200)
  }
})

test('siteDoor() reads an import as it comes, beyond the size of a request', async () => {
  const { app, calls } = openDoor()
  const chunk = new Uint8Array(1024 * 1024).fill(65)
  let left = 12
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      left -= 1
      if (left < 0) controller.close()
      else controller.enqueue(chunk)
    },
  })
  const response = await app.request(
    new Request('http://galway/v1/datasets/athletes/batches?batch=b1&format=csv', {
      method: 'POST',
      body,
      duplex: 'half',
      headers: { authorization: `Bearer ${tokens.issuer()}` },
    }),
  )
  assert.equal(response.status, 201)
  assert.deepEqual(calls, [
    {
      act: 'importBatch',
      facts: { dataSet: 'athletes', batch: 'b1', format: 'csv', sizeBytes: 12 * 1024 * 1024 },
    },
  ])
})

test('siteDoor() serves tiles as they are and only by their paths', async () => {
  const { app } = openDoor()
  const tile = await send(app, { path: '/tile/0/000', token: undefined })
  assert.deepEqual([...new Uint8Array(await tile.arrayBuffer())], [1, 2, 3])
  assert.match(tile.headers.get('cache-control') ?? '', /immutable/)
  for (const path of ['/tile/0/001', '/tile/../keys', '/tile/0/..%2F..%2Fkeys%2Foperator.jwk']) {
    const response = await send(app, { path, token: undefined })
    assert.ok([400, 404].includes(response.status), path)
  }
})
