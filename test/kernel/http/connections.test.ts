import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { HttpBindings } from '@hono/node-server'
import { Hono } from 'hono'
import type { ConnectionBounds } from '../../../src/kernel/http/bound-connections.ts'
import { listen } from '../../../src/kernel/http/listen.ts'
import { LIMITS } from '../../../src/kernel/limits.ts'

const LARGE = 'a'.repeat(8_000_000)
const REQUEST = 'GET /large HTTP/1.1\r\nhost: x\r\n\r\n'

/** A door with an answer that is larger than what any connection takes unread, and one that comes when it is told to. */
async function opened(
  context: TestContext,
  { answerLookMs, ...bounds }: Partial<Record<'answerLookMs' | keyof ConnectionBounds, number>> = {},
) {
  const counts = { made: 0, acts: 0 }
  const waiting = Promise.withResolvers<void>()
  const answering = Promise.withResolvers<Socket>()
  const app = new Hono<{ Bindings: HttpBindings }>()
  app.get('/large', ({ text, env }) => {
    counts.made += 1
    answering.resolve(env.incoming.socket)
    return text(LARGE)
  })
  app.get('/late', async ({ text }) => {
    await waiting.promise
    return text('late')
  })
  app.get('/number/:number', ({ text, req }) => text(`number ${req.param('number')};`))
  app.post('/act', ({ text }) => {
    counts.acts += 1
    return text('done')
  })
  app.get('/last', ({ text }) => text('last', 200, { connection: 'close' }))
  const door = await listen(app, {
    host: '127.0.0.1',
    port: 0,
    bounds: { ...LIMITS, ...bounds },
    ...(answerLookMs === undefined ? {} : { answerLookMs }),
  })
  context.after(() => door[Symbol.asyncDispose]())
  return { port: door.port, counts, answering, answerLate: waiting.resolve }
}

async function connected(context: TestContext, port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  context.after(() => {
    socket.destroy()
  })
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

function textOf(socket: Socket): Promise<string> {
  let text = ''
  socket.on('data', (chunk) => (text += chunk.toString('latin1')))
  return new Promise((resolve) => socket.once('close', () => resolve(text)))
}

test('of many requests at once on a connection that reads nothing one answer is made', async (context) => {
  const { port, counts } = await opened(context)
  const socket = await connected(context, port)
  socket.pause()
  socket.write(REQUEST.repeat(20))
  const other = await fetch(`http://127.0.0.1:${port}/number/1`)
  assert.equal(await other.text(), 'number 1;')
  assert.equal(counts.made, 1)
})

test('more of them than there is reason for end the connection', async (context) => {
  const { port, counts } = await opened(context)
  const socket = await connected(context, port)
  socket.write(REQUEST.repeat(2_000))
  await textOf(socket)
  assert.ok(counts.made <= 1, `${counts.made} were made`)
})

test('those that are sent one after the other, unanswered, are answered in order', async (context) => {
  const { port } = await opened(context)
  const socket = await connected(context, port)
  const numbers = Array.from({ length: LIMITS.requestsWaitingOnConnectionMax }, (_, index) => index)
  socket.write(numbers.map((number) => `GET /number/${number} HTTP/1.1\r\nhost: x\r\n\r\n`).join(''))
  socket.write('GET /number/last HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
  const bodies = [...(await textOf(socket)).matchAll(/number (\w+);/g)].map(([, number]) => number)
  assert.deepEqual(bodies, [...numbers.map(String), 'last'])
})

const ACT = 'POST /act HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n'
const BEFORE_NOTHING: Readonly<Record<string, readonly [request: string, statuses: readonly string[]]>> = {
  'a GET with a body': ['GET /number/1 HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}', ['400']],
  'two hosts': ['GET /number/1 HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n', ['400']],
  'chunks of HTTP/1.0': [
    'POST /act HTTP/1.0\r\nhost: x\r\nconnection: keep-alive\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    ['400'],
  ],
  'another coding before the chunks': [
    'POST /act HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
    ['400'],
  ],
  'a refusal that waits for the answer before it': [
    'GET /number/1 HTTP/1.1\r\nhost: x\r\n\r\nGET /number/2 HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n',
    ['200', '400'],
  ],
  'an answer that ends the connection': ['GET /last HTTP/1.1\r\nhost: x\r\n\r\n', ['200']],
}
for (const [what, [request, statuses]] of Object.entries(BEFORE_NOTHING)) {
  test(`what comes in one piece after ${what} is not carried out`, async (context) => {
    const { port, counts } = await opened(context)
    const socket = await connected(context, port)
    socket.write(request + ACT.repeat(2))
    const answer = await textOf(socket)
    assert.deepEqual(
      [...answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => status),
      statuses,
    )
    // What ran beside the answer would have been counted by the time that another connection is answered.
    await (await fetch(`http://127.0.0.1:${port}/number/1`)).text()
    assert.equal(counts.acts, 0)
  })
}

test('of a large answer one slice waits at a time, so that it is seen how much was taken', async (context) => {
  const { port, answering } = await opened(context)
  const socket = await connected(context, port)
  socket.pause()
  socket.write('GET /large HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
  const theirs = await answering.promise
  let taken = -1
  while (theirs.writableLength === 0 || taken !== theirs.bytesWritten) {
    taken = theirs.bytesWritten
    await sleep(20)
  }
  assert.ok(taken < LARGE.length, 'the system holds all of it: make it larger')
  assert.ok(theirs.writableLength < 100_000, `${theirs.writableLength} wait`)
  const all = textOf(socket)
  socket.resume()
  const [head = '', body = ''] = (await all).split('\r\n\r\n')
  assert.match(head, new RegExp(`^content-length: ${LARGE.length}$`, 'im'))
  assert.ok(body === LARGE)
})

/** A connection on which an answer is asked for and nothing read, while more is sent; resolves when the door ends it. */
async function endedUnread(context: TestContext, port: number): Promise<void> {
  const socket = await connected(context, port)
  socket.pause()
  socket.write(REQUEST)
  // What the system holds back until it is read, the end too, is found only by writing on.
  const writing = setInterval(() => socket.write('\r\n'), 20)
  context.after(() => {
    clearInterval(writing)
  })
  await new Promise<void>((resolve) => socket.once('close', () => resolve()))
}

test('whoever takes nothing of an answer is let go', { timeout: 20_000 }, async (context) => {
  const { port, counts } = await opened(context, { answerLookMs: 100 })
  await endedUnread(context, port)
  assert.equal(counts.made, 1)
})

test('whoever waits for an answer that is not there yet is not', { timeout: 20_000 }, async (context) => {
  const { port, answerLate } = await opened(context, { answerLookMs: 50 })
  const waiting = fetch(`http://127.0.0.1:${port}/late`)
  await endedUnread(context, port)
  await endedUnread(context, port)
  answerLate()
  assert.equal(await (await waiting).text(), 'late')
})

test('one address has so many connections, and a place again when one ends', async (context) => {
  const { port } = await opened(context, { connectionsOfAddressMax: 3 })
  const held = [
    await connected(context, port),
    await connected(context, port),
    await connected(context, port),
  ]
  assert.equal(await textOf(await connected(context, port)), '')
  const [first] = held
  assert.ok(first)
  first.write('GET /number/7 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
  assert.match(await textOf(first), /number 7;$/)
  const next = await connected(context, port)
  next.write('GET /number/8 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
  assert.match(await textOf(next), /number 8;$/)
})

test('all addresses together have so many', async (context) => {
  const { port } = await opened(context, { connectionsMax: 2 })
  await connected(context, port)
  await connected(context, port)
  assert.equal(await textOf(await connected(context, port)), '')
})
