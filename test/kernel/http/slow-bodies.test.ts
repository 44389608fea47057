import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Hono } from 'hono'
import { listen } from '../../../src/kernel/http/listen.ts'

const PACE = { lookMs: 40, bytesMin: 100 }

/** A door that answers with the size of what was sent to it, and begins to read after a while where it is asked to. */
async function opened(context: TestContext): Promise<number> {
  const app = new Hono()
  app.post('/size', async ({ req, text }) => {
    await sleep(Number(req.query('wait') ?? 0))
    return text(String((await req.arrayBuffer()).byteLength))
  })
  app.onError((_, { body }) => body(null, 500))
  const door = await listen(app, { host: '127.0.0.1', port: 0, bodyPace: PACE })
  context.after(() => door[Symbol.asyncDispose]())
  return door.port
}

async function called(
  context: TestContext,
  { port, path, length }: { port: number; path: string; length: number },
) {
  const socket = connect(port, '127.0.0.1')
  context.after(() => {
    socket.destroy()
  })
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  socket.write(
    `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: ${length}\r\nconnection: close\r\n\r\n`,
  )
  return socket
}

/** What came until the connection ended, in whatever way: with what was sent unread, it is reset. */
async function answerOf(socket: Socket): Promise<string> {
  let text = ''
  socket.on('data', (chunk) => (text += chunk.toString('latin1')))
  await new Promise((resolve) => socket.once('close', resolve))
  return text
}

test('a body that comes byte by byte holds no connection', { timeout: 20_000 }, async (context) => {
  const port = await opened(context)
  const socket = await called(context, { port, path: '/size', length: 1_000_000 })
  const dripping = setInterval(() => socket.write('x'), 10)
  context.after(() => {
    clearInterval(dripping)
  })

  assert.equal(await answerOf(socket), '')
})

test('a body of which nothing comes holds none either', { timeout: 20_000 }, async (context) => {
  const port = await opened(context)
  assert.equal(await answerOf(await called(context, { port, path: '/size', length: 5 })), '')
})

test('a sender whom the server keeps waiting is not ended', { timeout: 20_000 }, async (context) => {
  const port = await opened(context)
  const socket = await called(context, { port, path: '/size?wait=600', length: 4_000_000 })
  socket.write(Buffer.alloc(4_000_000))

  assert.match(await answerOf(socket), /\r\n\r\n4000000$/)
})

test('nor is one who waits for a slow answer, with all sent', { timeout: 20_000 }, async (context) => {
  const port = await opened(context)
  const socket = await called(context, { port, path: '/size?wait=600', length: 3 })
  socket.write('abc')

  assert.match(await answerOf(socket), /\r\n\r\n3$/)
})
