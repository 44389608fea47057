import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { z } from 'zod'
import { problemSchema } from '../../../src/protocol/http/problem.ts'
import { memberIdSchema } from '../../../src/protocol/wire.ts'
import { readingBy } from '../../../src/site/doors/reading-by.ts'
import type { SiteActs } from '../../../src/site/doors/site-acts.ts'
import { whileAllowed } from '../../../src/site/doors/text-stream.ts'
import {
  operator,
  issuer,
  openDoor,
  assertion,
  tokens,
  personToken,
  send,
  GRANT,
  REVOCATION,
} from './door-fixture.ts'

const configurationSchema = z.object({ access_evaluation_endpoint: z.string() })

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
  // An erasure is for one of them, which is to be said, and its certificate is there whichever it was.
  const erased = await send(app, {
    method: 'POST',
    path: '/v1/people/me/erasure',
    token,
    body: { reason: 'request' },
  })
  assert.equal(erased.status, 400)
  assert.match(await erased.text(), /expected one of those that know you: play-lab, world-sport/)
  await send(app, { path: '/v1/erasures/erasure_01J00000000000000000000000', token })
  assert.deepEqual(calls.at(-1)?.facts, {
    erasure: 'erasure_01J00000000000000000000000',
    issuers: ['world-sport', 'play-lab'],
  })
})

test('readingBy() follows a guardian’s power, and a long answer ends with it', async () => {
  const parent = { issuer: memberIdSchema.parse('world-sport'), person: 'parent-1' }
  const caller = { kind: 'person', ...parent, identities: [parent] } as const
  let power: string | undefined = 'gsh_1'
  const request = { params: { ref: 'child-1' }, query: {} }
  const acts = {
    principals: { findPower: () => Promise.resolve(power) } as unknown as SiteActs['principals'],
  }
  const { mayStill, by } = await readingBy(caller, request, acts)
  assert.equal(by, 'guardian:gsh_1')
  const pieces = whileAllowed(
    Readable.from(['one', 'two', 'three']).iterator() as AsyncGenerator<string>,
    mayStill,
  )
  assert.equal((await pieces.next()).value, 'one')
  power = undefined
  await assert.rejects(pieces.next(), { code: 'fault.not_found' })
  power = 'gsh_2'
  assert.equal(await mayStill?.(), false, 'another guardianship is another answer')
  const own = await readingBy(caller, { params: { ref: 'me' }, query: {} }, acts)
  assert.equal(own.mayStill, undefined)
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
    ['whose issuer is no text', `e30.${Buffer.from('{"iss":5}').toString('base64url')}.AAAA`, 'malformed'],
    ['a person’s, expired', personToken({ sub: 'athlete-1' }, { expires: '-10m' }), 'expired'],
    [
      'a person’s, for another audience',
      personToken({ sub: 'athlete-1' }, { audience: 'dresden-people' }),
      'wrong-audience',
    ],
    [
      'a person’s, of another provider',
      personToken({ sub: 'athlete-1' }, { issuedBy: 'https://evil.example' }),
      'wrong-issuer',
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

test('siteDoor() says where it is reached: where it was asked, unless the settings know a proxy before it', async () => {
  const pointOf = async ({ app }: ReturnType<typeof openDoor>): Promise<unknown> => {
    const response = await send(app, { path: '/.well-known/authzen-configuration', token: undefined })
    return configurationSchema.parse(await response.json()).access_evaluation_endpoint
  }
  assert.equal(await pointOf(openDoor()), 'http://galway/access/v1/evaluation')
  const behindProxy = openDoor({ publicUrl: 'https://site.example.org' })
  assert.equal(await pointOf(behindProxy), 'https://site.example.org/access/v1/evaluation')
})
