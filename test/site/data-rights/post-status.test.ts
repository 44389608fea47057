import assert from 'node:assert/strict'
import https from 'node:https'
import type { RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { systemClock } from '../../../src/kernel/clock.ts'
import type { ExerciseStatus } from '../../../src/protocol/http/data-rights-protocol.ts'
import { isPrivateAddress, postStatus } from '../../../src/site/data-rights/post-status.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { testAuthority } from '../../../src/testing/test-certificates.ts'
import type { TestCertificate } from '../../../src/testing/test-certificates.ts'

const authority = testAuthority()
const local = authority.issue({ names: ['localhost'], addresses: ['127.0.0.1'] })
const STATUS = { request_id: 'drp_1', status: 'open' } as ExerciseStatus
const { signal } = new AbortController()

/** A server of an agent on this machine, with what it was sent. */
async function agentServer(
  certificate: TestCertificate,
  answer: RequestListener = (_, response) => response.end(),
): Promise<{ port: number; sent: string[]; close(): void } & Disposable> {
  const sent: string[] = []
  const server = https.createServer(certificate, (request, response) => {
    let text = ''
    request.on('data', (chunk: Buffer) => (text += chunk.toString()))
    request.on('end', () => {
      sent.push(`${request.method} ${request.url} ${text}`)
      answer(request, response)
    })
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  const close = () => {
    server.closeAllConnections()
    server.close()
  }
  return { port, sent, close, [Symbol.dispose]: close }
}

const post = (facts: { ca?: string; mayBePrivate?: boolean } = {}) =>
  postStatus({ clock: systemClock, signal, mayBePrivate: true, ca: authority.ca, ...facts })

test('a status reaches an agent over HTTPS whose certificate a trusted authority made', async () => {
  using agent = await agentServer(local)
  assert.equal(await post()(`https://localhost:${agent.port}/told`, STATUS), true)
  assert.deepEqual(agent.sent, [`POST /told ${JSON.stringify(STATUS)}`])
})

test('nothing is sent to a server that no trusted authority vouches for, of another name, or whose time is over', async () => {
  const stranger = testAuthority('Made for a test')
  for (const [certificate, host] of [
    [stranger.issue({ names: ['localhost'] }), 'localhost'],
    [authority.issue({ names: ['another.example'] }), 'localhost'],
    [authority.issue({ names: ['localhost'], years: -1 }), 'localhost'],
    [authority.issue({ names: ['localhost'] }), '127.0.0.1'],
  ] as const) {
    using agent = await agentServer(certificate)
    assert.equal(await post()(`https://${host}:${agent.port}/`, STATUS), false)
    assert.deepEqual(agent.sent, [])
  }
  using agent = await agentServer(local)
  const unknowing = postStatus({ clock: systemClock, signal, mayBePrivate: true })
  assert.equal(await unknowing(`https://localhost:${agent.port}/`, STATUS), false)
  assert.equal(await post()(`http://localhost:${agent.port}/`, STATUS), false)
  assert.deepEqual(agent.sent, [])
})

test('a redirection is not followed, and whatever is not 200 was not taken', async () => {
  using elsewhere = await agentServer(local)
  for (const code of [301, 302, 307, 308, 201, 204, 404, 500]) {
    using agent = await agentServer(local, (_, response) => {
      response.writeHead(code, { location: `https://localhost:${elsewhere.port}/stolen` }).end()
    })
    assert.equal(await post()(`https://localhost:${agent.port}/`, STATUS), false, String(code))
    assert.equal(agent.sent.length, 1)
  }
  assert.deepEqual(elsewhere.sent, [])
})

test('an agent that says nothing is given up after five seconds, and one that says too much is not listened to', async () => {
  const clock = new ManualClock(Date.parse('2026-03-02T09:00:00Z'))
  let asked = () => {}
  const isAsked = new Promise<void>((resolve) => (asked = resolve))
  using silent = await agentServer(local, () => asked())
  const sending = postStatus({ clock, signal, mayBePrivate: true, ca: authority.ca })
  const taken = sending(`https://localhost:${silent.port}/`, STATUS)
  await isAsked
  clock.advance(5_000)
  assert.equal(await taken, false)
  let written = 0
  using talker = await agentServer(local, (_, response) => {
    const more = () => {
      while (written < 1e9 && response.writable) {
        written += 65_536
        if (!response.write(Buffer.alloc(65_536))) return void response.once('drain', more)
      }
    }
    more()
  })
  assert.equal(await post()(`https://localhost:${talker.port}/`, STATUS), true)
  assert.ok(written < 100e6, `${written} bytes were written`)
})

test('a name or an address that leads inside is not called unless a setting allows it', async () => {
  using agent = await agentServer(local)
  const names = ['localhost', '127.0.0.1', '[::1]', '[::ffff:127.0.0.1]', '2130706433', '0x7f.1', '0']
  for (const name of names)
    assert.equal(await post({ mayBePrivate: false })(`https://${name}:${agent.port}/`, STATUS), false, name)
  assert.deepEqual(agent.sent, [])
  assert.equal(await post()(`https://127.0.0.1:${agent.port}/`, STATUS), true)
})

test('addresses of the open network are told from all others', () => {
  const inside = ['10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.1', '127.0.0.1', '169.254.169.254']
  const special = ['0.0.0.0', '100.64.0.1', '198.18.0.1', '224.0.0.1', '255.255.255.255', '192.0.2.1']
  const sixes = ['::', '::1', 'fe80::1', 'fc00::1', 'fd12::1', '::ffff:8.8.8.8', '64:ff9b::a00:1', 'ff02::1']
  const carrying = ['2002:a00:1::', '2001::1', '2001:db8::1']
  for (const address of [...inside, ...special, ...sixes, ...carrying, 'localhost', ''])
    assert.equal(isPrivateAddress(address), true, address)
  for (const address of [
    '8.8.8.8',
    '172.15.0.1',
    '172.32.0.1',
    '100.128.0.1',
    '193.0.0.1',
    '2606:4700::1',
    '2a00::1',
  ])
    assert.equal(isPrivateAddress(address), false, address)
})
