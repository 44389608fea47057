import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { NETWORK_API } from '../../src/protocol/http/network-endpoints.ts'
import { PERSON_API } from '../../src/protocol/http/person-api.ts'
import { SITE_API } from '../../src/protocol/http/site-api.ts'
import { recordingLog } from '../../src/testing/recording-log.ts'
import { testManifest, testPeople } from '../../src/testing/test-population.ts'
import { testTrade } from '../../src/testing/test-trade.ts'
import type { TestTrade } from '../../src/testing/test-trade.ts'

/*
 * What a stranger, a member or an issuer may send to the doors to stop them, to read files, or to have values written where
 * they do not belong. Success would be a server that is down, an answer of 5xx, or the marker in a log.
 */

const MARKER = 'zqmarker'
const log = recordingLog()
let trade: TestTrade

before(async () => {
  trade = await testTrade({ log, sites: [{ name: 'galway', log }] })
  await trade.fill(trade.site(), { dataSet: 'athletes', people: testPeople(60) })
})

after(async () => {
  assert.doesNotMatch(log.lines.join('\n'), new RegExp(MARKER))
  await trade[Symbol.asyncDispose]()
})

function doors(): readonly string[] {
  return [trade.network.url, trade.site().url]
}

async function isServing(): Promise<void> {
  for (const url of doors()) assert.equal((await fetch(`${url}/readyz`)).status, 200)
}

/** Sends bytes as they are, and gives the first line of the answer. */
async function sendRaw(url: string, text: string): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port) })
  let answer = ''
  // A server that has refused may hang up on the rest of what is sent.
  socket.setEncoding('utf8').on('data', (part: string) => (answer += part))
  socket.on('error', () => undefined).end(text)
  await new Promise((resolve) => socket.once('close', resolve))
  return answer.slice(0, answer.indexOf('\r\n'))
}

describe('a body', () => {
  const hostile: readonly (readonly [
    what: string,
    body: string | Buffer,
    headers?: Record<string, string>,
  ])[] = [
    ['of a million nested lists', '['.repeat(1_000_000)],
    ['of a million nested lists that are closed', '['.repeat(1_000_000) + ']'.repeat(1_000_000)],
    [
      'of a hundred thousand nested objects in a field',
      `{"assertion":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`,
    ],
    [
      'that names a prototype',
      `{"__proto__":{"${MARKER}":true},"constructor":{"prototype":{"${MARKER}":true}}}`,
    ],
    ['that is packed', gzipSync(Buffer.alloc(64 * 1024 * 1024)), { 'content-encoding': 'gzip' }],
    ['that is no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])],
    ['with a NUL and half a surrogate', `{"grant_type":"${MARKER}\\u0000\\ud800","assertion":"a.b.c"}`],
    ['with numbers beyond all bounds', '{"grant_type":1e999,"assertion":-1e-999}'],
  ]
  for (const [what, body, headers] of hostile) {
    test(`${what} is refused, and the server goes on`, async () => {
      const sent = { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } }
      const ofStranger = await fetch(`${trade.network.url}/v1/token`, sent)
      assert.ok(
        [400, 401, 413].includes(ofStranger.status),
        `${ofStranger.status} ${await ofStranger.text()}`,
      )
      assert.equal(Reflect.get({}, MARKER), undefined)
      await isServing()
    })
  }

  test('of an issuer, as deep, is refused too', async () => {
    const issuer = trade.site().client({ issuer: 'federation', key: trade.federation.signing })
    const nested = JSON.parse(`${'['.repeat(5_000)}${']'.repeat(5_000)}`) as unknown
    const manifest = { ...testManifest('deep'), perimeter: nested, [MARKER]: nested }
    await assert.rejects(issuer.call(SITE_API.describeDataSet, { body: manifest as never }), { status: 400 })
    await isServing()
  })
})

describe('an address', () => {
  test('that climbs out of the log reads nothing', async () => {
    const climbs = [
      '../keys/signing.jwk',
      '%2e%2e/keys/signing.jwk',
      '..%2fkeys%2fsigning.jwk',
      '0/%2e%2e/%2e%2e/config.yaml',
      '0/000%00',
      '....//keys/signing.jwk',
    ]
    for (const url of doors()) {
      for (const path of climbs) {
        const first = await sendRaw(url, `GET /tile/${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)
        assert.match(first, /^HTTP\/1\.1 (400|404) /, path)
      }
    }
  })

  test('with a NUL, a quote or a page too large is refused or names nobody, and never fails', async () => {
    const issuer = trade.site().client({ issuer: 'federation', key: trade.federation.signing })
    for (const ref of [`${MARKER}\0`, `${MARKER}' or 1=1 --`, '%', '..', '\u{1F41D}'.repeat(60)]) {
      const looked = issuer.call(PERSON_API.listUses, { params: { ref }, query: { reason: MARKER } })
      await assert.rejects(looked, ({ status }: { status?: number }) => status === 400 || status === 404, ref)
    }
    const officer = trade.site().client({ issuer: 'operator', key: trade.site().operatorKey })
    const odd = officer.call(SITE_API.incident, { params: { incident: `${MARKER}\0` } })
    await assert.rejects(odd, { status: 400 })
    for (const query of ['limit=-1', 'limit=1e9', 'limit=NaN', `cursor=${MARKER}%00`, `site=${MARKER}%00`]) {
      const { status } = await fetch(`${trade.network.url}/v1/offers?${query}`)
      assert.ok(status < 500, `${query}: ${status}`)
    }
    for (const id of [`${MARKER}%00`, `${MARKER}'--`, '%F0%9F%90%9D']) {
      const refused = trade.network.refusal(trade.network.operator, NETWORK_API.member, { params: { id } })
      assert.ok((await refused).status < 500, id)
    }
  })
})

describe('a line', () => {
  test('that sends its head slowly, or none, keeps nobody else out', async () => {
    const { hostname, port } = new URL(trade.site().url)
    const slow = Array.from({ length: 200 }, () => connect({ host: hostname, port: Number(port) }))
    for (const socket of slow) socket.on('error', () => undefined).write(`GET /${MARKER} HTTP/1.1\r\nx-a: `)
    await isServing()
    for (const socket of slow) socket.destroy()
  })

  test('with a head beyond all bounds, or two lengths, is refused', async () => {
    for (const url of doors()) {
      const large = `GET / HTTP/1.1\r\nhost: x\r\nx-a: ${'a'.repeat(100_000)}\r\n\r\n`
      assert.match(await sendRaw(url, large), /^HTTP\/1\.1 431 /)
      const two =
        'POST /v1/token HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'
      assert.match(await sendRaw(url, two), /^HTTP\/1\.1 400 /)
    }
    await isServing()
  })
})
