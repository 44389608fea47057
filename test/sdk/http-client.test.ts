import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { z } from 'zod'
import { systemClock } from '../../src/kernel/clock.ts'
import { generateKeyPair } from '../../src/kernel/crypto/keys.ts'
import { Fault } from '../../src/kernel/faults.ts'
import { PeerRefusal } from '../../src/kernel/http/call-json.ts'
import { endpoint } from '../../src/kernel/http/endpoint.ts'
import { idSource } from '../../src/kernel/id.ts'
import { systemRandom } from '../../src/kernel/random.ts'
import { verifyClientAssertion } from '../../src/protocol/http/client-assertion.ts'
import { httpClient } from '../../src/sdk/http-client.ts'

const key = generateKeyPair('Ed25519')
const read = endpoint({
  method: 'get',
  path: '/v1/things/{id}',
  tag: 't',
  summary: 's',
  params: z.object({ id: z.string() }),
  query: z.object({ limit: z.number().optional() }),
  response: z.object({ n: z.number() }),
})
const write = endpoint({
  method: 'post',
  path: '/v1/things',
  tag: 't',
  summary: 's',
  body: z.object({ a: z.number() }),
  response: z.object({ n: z.number() }),
})

type Answer = (request: IncomingMessage, response: ServerResponse, count: number) => void

/** A server that answers as it is told, and a client of it; both end with the test. */
async function pair(context: TestContext, answer: Answer) {
  let count = 0
  const server = createServer((request, response) => {
    count += 1
    answer(request, response, count)
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve()))
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as { port: number }
  const client = httpClient({
    server: { url: `http://127.0.0.1:${port}`, name: 'galway' },
    caller: { issuer: 'northcare', key },
    clock: systemClock,
    ids: idSource(systemClock, systemRandom),
  })
  return { client, requests: () => count }
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

const UNAVAILABLE = { type: 't', title: 'Not ready to serve', status: 503, code: 'fault.unavailable' }

test('httpClient() fills the path and query, and parses the answer', async (context) => {
  let asked = ''
  const { client } = await pair(context, (request, response) => {
    asked = request.url ?? ''
    json(response, 200, { n: 7 })
  })
  assert.deepEqual(await client.call(read, { params: { id: 'a b/ä' }, query: { limit: 5 } }), { n: 7 })
  assert.equal(asked, '/v1/things/a%20b%2F%C3%A4?limit=5')
})

test('httpClient() sends a token for this server that is used once, a new one for each attempt', async (context) => {
  const tokens: string[] = []
  const { client } = await pair(context, (request, response, count) => {
    tokens.push(String(request.headers.authorization).replace('Bearer ', ''))
    if (count < 3) json(response, 503, UNAVAILABLE)
    else json(response, 200, { n: 1 })
  })
  await client.call(read, { params: { id: 'x' } })
  const seen = tokens.map((token) =>
    verifyClientAssertion(token, { audience: 'galway', now: systemClock.now(), keyFor: () => key.publicJwk }),
  )
  assert.ok(seen.every(({ ok }) => ok))
  assert.equal(new Set(seen.map((one) => (one.ok ? one.value.jti : ''))).size, 3)
})

test('httpClient() tries a write again only with an idempotency key or when it may be repeated', async (context) => {
  const { client, requests } = await pair(context, (_request, response) => json(response, 503, UNAVAILABLE))
  await assert.rejects(client.call(write, { body: { a: 1 } }), PeerRefusal)
  assert.equal(requests(), 1)
  await assert.rejects(client.call(write, { body: { a: 1 }, idempotencyKey: 'key-0000001' }), PeerRefusal)
  assert.equal(requests(), 4)
  await assert.rejects(client.call(write, { body: { a: 1 }, isRepeatable: true }), PeerRefusal)
  assert.equal(requests(), 7)
})

test('httpClient() does not try again what was refused', async (context) => {
  const { client, requests } = await pair(context, (_request, response) =>
    json(response, 404, { title: 'Not found', code: 'fault.not_found' }),
  )
  await assert.rejects(client.call(read, { params: { id: 'x' } }), (thrown: unknown) => {
    assert.ok(thrown instanceof PeerRefusal)
    assert.equal(thrown.status, 404)
    assert.equal(thrown.problemCode, 'fault.not_found')
    return true
  })
  assert.equal(requests(), 1)
})

test('httpClient() gives up after the time allowed and says whom it could not reach', async (context) => {
  const { client } = await pair(context, () => undefined)
  await assert.rejects(client.call(write, { body: { a: 1 }, timeoutMs: 50 }), (thrown: unknown) => {
    assert.ok(thrown instanceof Fault)
    assert.equal(thrown.code, 'fault.peer_unreachable')
    assert.match(thrown.message, /^Cannot reach 127\.0\.0\.1:\d+$/)
    return true
  })
})

test('httpClient() refuses an answer of another form than the endpoint promises', async (context) => {
  const { client } = await pair(context, (_request, response) => json(response, 200, { n: 'seven' }))
  await assert.rejects(
    client.call(read, { params: { id: 'x' } }),
    (thrown: unknown) => thrown instanceof Fault && thrown.code === 'fault.peer_refused',
  )
})
