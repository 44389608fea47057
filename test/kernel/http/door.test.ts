import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { OpenAPIHono, z } from '@hono/zod-openapi'
import { systemClock } from '../../../src/kernel/clock.ts'
import { Fault } from '../../../src/kernel/faults.ts'
import { createDoor } from '../../../src/kernel/http/door.ts'
import type { Door } from '../../../src/kernel/http/door.ts'
import { describeOperation } from '../../../src/kernel/http/describe-operation.ts'
import { listen } from '../../../src/kernel/http/listen.ts'
import { endpoint } from '../../../src/kernel/http/endpoint.ts'
import { idSource } from '../../../src/kernel/id.ts'
import { LIMITS } from '../../../src/kernel/limits.ts'
import { silentLog } from '../../../src/kernel/log.ts'
import type { Log } from '../../../src/kernel/log.ts'
import { systemRandom } from '../../../src/kernel/random.ts'
import { NETWORK_API } from '../../../src/protocol/http/network-endpoints.ts'
import { problemSchema } from '../../../src/protocol/http/problem.ts'
import { SITE_API } from '../../../src/protocol/http/site-api.ts'
import { streamOf } from '../../../src/site/doors/text-stream.ts'
import { recordingLog } from '../../../src/testing/recording-log.ts'
import { idempotencyInMemory } from '../../../src/testing/idempotency-in-memory.ts'

const make = endpoint({
  method: 'post',
  path: '/v1/things/{id}',
  tag: 'things',
  summary: 'Make a thing',
  params: z.object({ id: z.string().regex(/^[a-z]+$/, 'expected lower-case letters') }),
  query: z.object({ size: z.coerce.number('expected a number').default(1) }),
  body: z.strictObject({ amount: z.int('expected a whole number') }),
  response: z.object({ made: z.number() }),
  status: 201,
  isIdempotent: true,
})
const show = endpoint({
  method: 'post',
  path: '/v1/shown',
  tag: 'things',
  summary: 'Show a thing, as anybody',
  body: z.array(z.string()),
  response: z.object({ shown: z.number() }),
  refusal: { produces: 'text/plain', schema: z.string() },
  isPublic: true,
})
const file = endpoint({
  method: 'get',
  path: '/tile/{path}',
  tag: 'log',
  summary: 'A tile',
  params: z.object({ path: z.string() }),
  isPublic: true,
})

const stream = endpoint({
  method: 'get',
  path: '/stream/{path}',
  tag: 'log',
  summary: 'A long text',
  params: z.object({ path: z.string() }),
  isPublic: true,
})

async function* brokenTexts(): AsyncGenerator<string> {
  yield 'a'.repeat(200_000)
  await Promise.resolve()
  throw new Error('marker-4711 of somebody')
}

function door(log: Log = silentLog): { app: Door<string>['app']; acts: { count: number } } {
  const acts = { count: 0 }
  const made = createDoor<string>({
    title: 'Test',
    description: 'A door to test',
    version: '0',
    log,
    clock: systemClock,
    ids: idSource(systemClock, systemRandom),
    authenticate: (request) => {
      const name = request.headers.get('authorization')
      if (name === null)
        throw new Fault('fault.unauthenticated', { what: 'Cannot accept the token: no token' })
      return Promise.resolve(name)
    },
    nameOf: (caller) => caller,
    idempotency: idempotencyInMemory(),
    readiness: () => Promise.resolve({ isReady: false, checks: { database: false } }),
    metrics: () => Promise.resolve('up 1\n'),
  })
  made.serve(stream, ({ broken }) => Promise.resolve(new Response(streamOf(brokenTexts(), { broken }))))
  made.serve(make, ({ body, params, query, signal }) => {
    if (params.id === 'broken') throw new Error('marker-4711 of somebody')
    if (params.id === 'waiting') signal.throwIfAborted()
    if (params.id === 'taken')
      throw new Fault('fault.conflict', { what: 'Cannot make it: the name is taken' })
    acts.count += 1
    return Promise.resolve({ made: body.amount * query.size })
  })
  made.serve(show, ({ body }) => Promise.resolve({ shown: body.length }))
  made.serve(file, ({ params }) => Promise.resolve(new Response(params.path)))
  return { app: made.app, acts }
}

function post(
  path: string,
  body: string | Buffer<ArrayBuffer> | ReadableStream,
  headers: Record<string, string> = {},
): Request {
  const length = body instanceof ReadableStream ? {} : { 'content-length': String(Buffer.byteLength(body)) }
  return new Request(`http://door${path}`, {
    method: 'POST',
    body,
    duplex: 'half',
    headers: { authorization: 'somebody', ...length, ...headers },
  })
}

test('createDoor() parses params, query and body by the endpoint and answers with its status', async () => {
  const response = await door().app.request(post('/v1/things/oak?size=3', '{"amount":2}'))
  assert.equal(response.status, 201)
  assert.deepEqual(await response.json(), { made: 6 })
  assert.match(response.headers.get('x-request-id') ?? '', /^req_/)
  assert.equal(response.headers.get('cache-control'), 'no-store')
})

test('createDoor() names every wrong field with what was expected, as a problem document', async () => {
  const { app } = door()
  const cases = [
    {
      path: '/v1/things/oak',
      body: '{"amount":"two"}',
      field: 'amount',
      expected: 'expected a whole number',
    },
    { path: '/v1/things/oak?size=big', body: '{"amount":2}', field: 'size', expected: 'expected a number' },
    { path: '/v1/things/OAK', body: '{"amount":2}', field: 'id', expected: 'expected lower-case letters' },
  ]
  for (const { path, body, field, expected } of cases) {
    const response = await app.request(post(path, body))
    assert.equal(response.status, 400)
    assert.equal(response.headers.get('content-type'), 'application/problem+json')
    const problem = problemSchema.parse(await response.json())
    assert.equal(problem.code, 'fault.request_malformed')
    assert.deepEqual(problem.errors, [{ field, expected }])
    assert.match(problem.instance ?? '', /req_/)
  }
})

test('createDoor() says in one sentence that a body is no JSON', async () => {
  const problem = problemSchema.parse(
    await (await door().app.request(post('/v1/things/oak', '{"amount":'))).json(),
  )
  assert.equal(
    problem.detail,
    'Cannot read the request: its body is not JSON that every reader takes the same: no field twice, no NUL, no half of a pair',
  )
})

test('createDoor() refuses what readers take differently: a parameter twice, a body that is not UTF-8', async () => {
  const { app, acts } = door()
  const bytes = Buffer.concat([Buffer.from('{"amount":2,"'), Buffer.from([0xfc]), Buffer.from('":1}')])
  const inPieces = ReadableStream.from([bytes.subarray(0, 14), bytes.subarray(14)])
  const cases = [
    [
      post('/v1/things/oak?size=3&size=3', '{"amount":2}'),
      /^Cannot read the request: "size" is there twice$/,
    ],
    [post('/v1/things/oak?a=1&%61=2', '{"amount":2}'), /^Cannot read the request: "a" is there twice$/],
    [post('/v1/things/oak', bytes), /^Cannot read the request: its body is not UTF-8$/],
    [post('/v1/things/oak', inPieces), /^Cannot read the request: its body is not UTF-8$/],
  ] as const
  for (const [request, expected] of cases) {
    const response = await app.request(request)
    assert.equal(response.status, 400)
    assert.match(problemSchema.parse(await response.json()).detail ?? '', expected)
  }
  assert.equal(acts.count, 0)
})

test('createDoor() takes a body that begins with a byte order mark, of known length or not', async () => {
  const bytes = Buffer.from('\ufeff{"amount":2}')
  for (const body of [bytes, ReadableStream.from([bytes])])
    assert.equal((await door().app.request(post('/v1/things/oak', body))).status, 201)
})

test('createDoor() refuses a body in more pieces than there is reason for, and takes one in many', async () => {
  const { app } = door()
  const inPieces = (size: number, count: number) =>
    app.request(
      post(
        '/v1/things/oak',
        ReadableStream.from(
          (function* () {
            for (const character of '{"amount":2}') yield Buffer.from(character)
            const space = Buffer.alloc(size, ' ')
            for (let index = 0; index < count; index += 1) yield space
          })(),
        ),
      ),
    )
  assert.equal((await inPieces(1, LIMITS.bodyPiecesMax / 2)).status, 201)
  assert.equal((await inPieces(1_024, LIMITS.requestBytesMax / 1_024 - 1)).status, 201)
  const refused = await inPieces(1, LIMITS.bodyPiecesMax + 1_000)
  assert.equal(refused.status, 400)
  assert.match(await refused.text(), /its body comes in too many pieces/)
})

test('createDoor() refuses a body over the limit, with and without its announced length', async () => {
  const { app } = door()
  const announced = await app.request(post('/v1/things/oak', 'x'.repeat(LIMITS.requestBytesMax + 1)))
  assert.equal(announced.status, 413)
  const chunk = new Uint8Array(1024 * 1024)
  let sent = 0
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += 1
      if (sent > 64) controller.close()
      else controller.enqueue(chunk)
    },
  })
  assert.equal((await app.request(post('/v1/things/oak', stream))).status, 413)
  assert.ok(sent < 64, 'it stopped reading at the limit')
})

test('createDoor() takes less from anybody than from a caller whom it knows', async () => {
  const { app } = door()
  const largest = `["${'x'.repeat(LIMITS.unknownBytesMax - 4)}"]`
  assert.equal((await app.request(post('/v1/shown', largest))).status, 200)
  assert.equal((await app.request(post('/v1/shown', ` ${largest}`))).status, 413)
})

test('createDoor() answers the same key and body with the same words, and another body with 409', async () => {
  const { app, acts } = door()
  const key = { 'idempotency-key': 'key-00000001' }
  const first = await app.request(post('/v1/things/oak', '{"amount":2}', key))
  const again = await app.request(post('/v1/things/oak', '{"amount":2}', key))
  assert.equal(again.status, 201)
  assert.equal(await again.text(), await first.text())
  assert.equal(acts.count, 1)
  assert.equal((await app.request(post('/v1/things/oak', '{"amount":3}', key))).status, 409)
  const other = await app.request(
    post('/v1/things/oak', '{"amount":3}', { ...key, authorization: 'another' }),
  )
  assert.equal(other.status, 201, 'keys of two callers are two keys')
  assert.equal(
    (await app.request(post('/v1/things/oak', '{"amount":2}', { 'idempotency-key': 'short' }))).status,
    400,
  )
})

test('createDoor() does not keep an answer that was a failure', async () => {
  const { app } = door()
  const key = { 'idempotency-key': 'key-00000002' }
  assert.equal((await app.request(post('/v1/things/taken', '{"amount":1}', key))).status, 409)
  assert.equal((await app.request(post('/v1/things/taken', '{"amount":1}', key))).status, 409)
})

test('createDoor() keeps to itself what an unforeseen error says', async () => {
  const log = recordingLog()
  const response = await door(log).app.request(post('/v1/things/broken', '{"amount":1}'))
  assert.equal(response.status, 500)
  assert.doesNotMatch(await response.text(), /marker-4711/)
  assert.match(log.lines.join('\n'), /"what":"Error".*door\.test\.ts/)
  assert.doesNotMatch(log.lines.join('\n'), /marker-4711/)
})

test(
  'createDoor() calls it no failure when a sender leaves before all was read',
  { timeout: 20_000 },
  async () => {
    const log = recordingLog()
    await using opened = await listen(door(log).app, { host: '127.0.0.1', port: 0 })
    for (const framing of [
      'content-length: 1000\r\n\r\n{"amount"',
      'transfer-encoding: chunked\r\n\r\n9\r\n{"amount"\r\n',
    ]) {
      const before = log.lines.length
      const socket = connect(opened.port, '127.0.0.1')
      await once(socket, 'connect')
      socket.write(`POST /v1/things/oak HTTP/1.1\r\nhost: door\r\nauthorization: a\r\n${framing}`, () =>
        socket.resetAndDestroy(),
      )
      while (log.lines.length === before) await sleep(5)
    }
    assert.deepEqual(said(log), [
      ['info', 'request.left'],
      ['info', 'request.left'],
    ])
  },
)

test('createDoor() calls it no failure when an act is given up because its sender left', async () => {
  const log = recordingLog()
  const given = new Request(post('/v1/things/waiting', '{"amount":1}'), { signal: AbortSignal.abort() })
  assert.equal((await door(log).app.request(given)).status, 400)
  assert.deepEqual(said(log), [['info', 'request.left']])
})

test('createDoor() calls what fails a failure, also for a sender that has left', async () => {
  const log = recordingLog()
  const left = new Request(post('/v1/things/broken', '{"amount":1}'), { signal: AbortSignal.abort() })
  assert.equal((await door(log).app.request(left)).status, 500)
  assert.deepEqual(said(log), [['error', 'request.failed']])
})

function said({ lines }: { readonly lines: readonly string[] }) {
  return lines.map((line) => /"level":"(\w+)".*"msg":"([\w.]+)"/.exec(line)?.slice(1))
}

test('createDoor() asks for a token everywhere but where an endpoint is public', async () => {
  const { app } = door()
  const without = await app.request('http://door/v1/things/oak', { method: 'POST', body: '{"amount":1}' })
  assert.equal(without.status, 401)
  assert.equal(without.headers.get('www-authenticate'), 'Bearer')
  const open = await app.request('http://door/tile/0/x001/002.p/3')
  assert.equal(await open.text(), '0/x001/002.p/3')
})

test('createDoor() tells which methods an address takes, and that there is no other address', async () => {
  const { app, acts } = door()
  const cases = [
    { method: 'DELETE', path: '/v1/things/oak', status: 405, allow: 'POST' },
    { method: 'GET', path: '/v1/things/oak', status: 405, allow: 'POST' },
    { method: 'PUT', path: '/tile/0/x001/002', status: 405, allow: 'GET, HEAD' },
    { method: 'POST', path: '/healthz', status: 405, allow: 'GET, HEAD' },
    { method: 'OPTIONS', path: '/docs', status: 405, allow: 'GET, HEAD' },
    { method: 'POST', path: '/v1/things', status: 404, allow: null },
    { method: 'DELETE', path: '/nowhere', status: 404, allow: null },
  ]
  for (const { method, path, status, allow } of cases) {
    // Without a token: what the interface takes is no secret.
    const response = await app.request(`http://door${path}`, { method })
    assert.equal(response.status, status, `${method} ${path}`)
    assert.equal(response.headers.get('allow'), allow, `${method} ${path}`)
    assert.equal(response.headers.get('content-type'), 'application/problem+json')
    const problem = problemSchema.parse(await response.json())
    assert.equal(problem.code, status === 405 ? 'fault.method_not_allowed' : 'fault.not_found')
    assert.match(problem.instance ?? '', /req_/)
  }
  assert.equal(acts.count, 0)
})

test('createDoor() serves health, readiness, metrics, its OpenAPI document and a page without scripts', async () => {
  const { app } = door()
  assert.equal((await app.request('http://door/healthz')).status, 200)
  const ready = await app.request('http://door/readyz')
  assert.equal(ready.status, 503)
  assert.deepEqual(await ready.json(), { status: 'not ready', checks: { database: false } })
  assert.equal(await (await app.request('http://door/metrics')).text(), 'up 1\n')
  const document = z
    .object({
      openapi: z.string(),
      paths: z.record(
        z.string(),
        z.record(
          z.string(),
          z.object({
            summary: z.string(),
            responses: z.looseObject({ default: z.object({ content: z.record(z.string(), z.unknown()) }) }),
          }),
        ),
      ),
    })
    .parse(await (await app.request('http://door/openapi.json')).json())
  assert.equal(document.openapi, '3.1.0')
  assert.equal(document.paths['/v1/things/{id}']?.['post']?.summary, 'Make a thing')
  const refused = document.paths['/v1/shown']?.['post']?.responses.default.content
  assert.deepEqual(Object.keys(refused ?? {}), ['text/plain', 'application/problem+json'])
  const page = await app.request('http://door/docs')
  assert.match(page.headers.get('content-security-policy') ?? '', /default-src 'none'/)
  assert.doesNotMatch(await page.text(), /<script/)
})

test('an answer that breaks on its way is told to the log, without what was in it, and to nobody else', async (context) => {
  const printed = context.mock.method(console, 'error', () => undefined)
  const log = recordingLog()
  const { app } = door(log)
  await using open = await listen(app, { host: '127.0.0.1', port: 0 })
  const response = await fetch(`${open.url}/stream/x`)
  assert.equal(response.status, 200)
  await assert.rejects(response.text())
  assert.equal(printed.mock.callCount(), 0)
  const failed = log.lines.filter((line) => line.includes('request.failed'))
  assert.equal(failed.length, 1)
  assert.doesNotMatch(log.lines.join(), /marker-4711/)
})

test('without a connection to end it fails, without what was in it', async () => {
  const { app } = door()
  const response = await app.request('/stream/x')
  await assert.rejects(response.text(), /^Fault: Cannot go on with the answer$/)
})

test('every parameter in OpenAPI is of the kind that an address can carry, and one in a path is required', () => {
  for (const api of [NETWORK_API, SITE_API]) {
    const app = new OpenAPIHono()
    for (const endpoint of Object.values(api)) app.openAPIRegistry.registerPath(describeOperation(endpoint))
    const { paths = {} } = app.getOpenAPI31Document({ openapi: '3.1.0', info: { title: 'x', version: '1' } })
    const parameters = Object.values(paths).flatMap((methods) =>
      Object.values(methods).flatMap((operation) =>
        z.array(parameterSchema).parse(operation.parameters ?? []),
      ),
    )
    assert.ok(parameters.length > 10)
    for (const { name, in: place, required, schema } of parameters) {
      assert.notEqual(Array.isArray(schema.type), true, `${name} may be null`)
      assert.ok(place !== 'path' || required === true, `${name} is not required`)
    }
  }
})

const parameterSchema = z.object({
  name: z.string(),
  in: z.string(),
  required: z.boolean().optional(),
  schema: z.object({ type: z.unknown() }),
})
