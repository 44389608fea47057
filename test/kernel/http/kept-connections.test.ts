import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { createServer as createRawServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { z } from 'zod'
import { monotonicMs, systemClock } from '../../../src/kernel/clock.ts'
import { Fault } from '../../../src/kernel/faults.ts'
import { callJson } from '../../../src/kernel/http/call-json.ts'
import { listen } from '../../../src/kernel/http/listen.ts'
import { KeptConnectionClosed, againIfClosed } from '../../../src/kernel/http/send-request.ts'

const answerSchema = z.object({ n: z.number() })

test('a value that no header can carry is told as such, and no server is blamed for it', async () => {
  const asked = (header: string) =>
    callJson({
      url: 'http://127.0.0.1:9/',
      method: 'POST',
      idempotencyKey: header,
      response: answerSchema,
      clock: systemClock,
    })
  await assert.rejects(asked('two\nlines'), {
    code: 'fault.request_malformed',
    message: 'Cannot send the request: idempotency-key holds a character that no header can carry',
  })
  await assert.rejects(asked('one'), { code: 'fault.peer_unreachable' })
})

async function opened(context: TestContext, server: Server): Promise<string> {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve()))
  context.after(() => {
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`
}

function post(url: string): Promise<z.output<typeof answerSchema>> {
  return callJson({ url, method: 'POST', body: {}, response: answerSchema, clock: systemClock })
}

/** Requests as they came, each with the number of its connection; what the server does is told of each. */
async function played(
  context: TestContext,
  play: (socket: Socket, request: { connection: number; ofConnection: number }) => void,
): Promise<{ url: string; requests: number[] }> {
  const requests: number[] = []
  let connections = 0
  const server = createRawServer((socket) => {
    const connection = (connections += 1)
    let ofConnection = 0
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => {
      if (!chunk.toString('latin1').startsWith('POST ')) return
      requests.push(connection)
      play(socket, { connection, ofConnection: (ofConnection += 1) })
    })
    context.after(() => {
      socket.destroy()
    })
  })
  return { url: await opened(context, server), requests }
}

function answerOn(socket: Socket, keepAlive: string): void {
  socket.write(
    `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 7\r\n${keepAlive}\r\n{"n":1}`,
  )
}

const LONG = 'keep-alive: timeout=60\r\n'

test('a connection that the server may have closed while this process computed is not used again', async (context) => {
  let connections = 0
  const server = createServer({ keepAliveTimeout: 2_000, keepAliveTimeoutBuffer: 0 }, (request, response) => {
    request.resume()
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"n":1}')
  })
  server.on('connection', () => {
    connections += 1
  })
  const url = await opened(context, server)
  context.after(() => server.closeAllConnections())
  await post(url)
  // Neither the server's timer nor the agent's runs meanwhile, as where both are in one busy process.
  const until = monotonicMs() + 2_100
  while (monotonicMs() < until);
  assert.deepEqual(await post(url), { n: 1 })
  assert.equal(connections, 2)
})

test('a connection is used again while its server keeps it, and not where it keeps it for no time', async (context) => {
  const long = await played(context, (socket) => answerOn(socket, LONG))
  await post(long.url)
  await post(long.url)
  assert.deepEqual(long.requests, [1, 1])
  const short = await played(context, (socket) => answerOn(socket, 'keep-alive: timeout=0\r\n'))
  await post(short.url)
  await post(short.url)
  assert.deepEqual(short.requests, [1, 2])
})

test('a request on a kept connection that the server closes is sent once, unless it may be sent again', async (context) => {
  for (const ends of ['resetAndDestroy', 'destroy', 'end'] as const) {
    const { url, requests } = await played(context, (socket, { connection, ofConnection }) => {
      if (ofConnection > 1 && connection < 3) socket[ends]()
      else answerOn(socket, LONG)
    })
    await post(url)
    await assert.rejects(post(url), KeptConnectionClosed)
    assert.deepEqual(requests, [1, 1])
    await post(url)
    assert.deepEqual(await againIfClosed(() => post(url)), { n: 1 })
    assert.deepEqual(requests, [1, 1, 2, 2, 3], ends)
  }
})

test('a request is never sent again by itself once a byte of its answer came, nor on a connection of its own', async (context) => {
  const partly = await played(context, (socket, { ofConnection }) => {
    if (ofConnection === 1) answerOn(socket, LONG)
    else socket.write('HTTP/1.1 2', () => socket.destroy())
  })
  await post(partly.url)
  await assert.rejects(
    againIfClosed(() => post(partly.url)),
    isUnreachable,
  )
  assert.deepEqual(partly.requests, [1, 1])
  const atOnce = await played(context, (socket) => socket.destroy())
  await assert.rejects(
    againIfClosed(() => post(atOnce.url)),
    isUnreachable,
  )
  assert.deepEqual(atOnce.requests, [1])
})

test('where one kept connection was closed, none of the others is tried', async (context) => {
  const { url, requests } = await played(context, (socket, { ofConnection }) => {
    if (ofConnection === 1) setImmediate(() => answerOn(socket, LONG))
    else socket.resetAndDestroy()
  })
  await Promise.all([post(url), post(url), post(url)])
  await againIfClosed(() => post(url))
  assert.deepEqual(requests.length, 5)
  assert.equal(new Set(requests).size, 4)
})

test('what is sent again is sent over a connection of its own, also where another call has given one back meanwhile', async (context) => {
  const { url, requests } = await played(context, (socket, { ofConnection }) => {
    if (ofConnection === 1) answerOn(socket, LONG)
    else socket.resetAndDestroy()
  })
  await post(url)
  const answer = await againIfClosed(async (isAgain) => {
    if (isAgain) await post(url)
    return callJson({ url, method: 'POST', body: {}, response: answerSchema, clock: systemClock, isAgain })
  })
  assert.deepEqual(answer, { n: 1 })
  assert.deepEqual(requests, [1, 1, 2, 3])
})

test('a door announces that it keeps connections for longer than proxies do', async () => {
  await using door = await listen({ fetch: () => new Response('{}') }, { host: '127.0.0.1', port: 0 })
  const { headers } = await fetch(door.url)
  assert.equal(headers.get('keep-alive'), 'timeout=75')
})

function isUnreachable(thrown: unknown): boolean {
  return (
    thrown instanceof Fault &&
    thrown.code === 'fault.peer_unreachable' &&
    !(thrown instanceof KeptConnectionClosed)
  )
}
