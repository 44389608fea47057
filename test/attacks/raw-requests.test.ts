import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { z } from 'zod'
import { SITE_API } from '../../src/protocol/http/site-api.ts'
import { NETWORK_API } from '../../src/protocol/http/network-endpoints.ts'
import { recordingLog } from '../../src/testing/recording-log.ts'
import { tokenOf } from '../../src/testing/test-network.ts'
import { testTrade } from '../../src/testing/test-trade.ts'
import type { TestTrade } from '../../src/testing/test-trade.ts'

/*
 * Requests as no client writes them, byte by byte, to both doors. Measure of success: bytes that a proxy in front takes for one request and
 * the door for two, an answer to another caller's question, a header or a word of the request given back, an address or a method by which
 * one gets where one may not go, a door that is down.
 */

const log = recordingLog()
let trade: TestTrade
before(async () => {
  trade = await testTrade({ log, sites: [{ name: 'galway', log }] })
})
after(async () => {
  assert.doesNotMatch(log.lines.join('\n'), /request\.failed|zqsecret/)
  await trade[Symbol.asyncDispose]()
})

const doors = (): readonly string[] => [trade.network.url, trade.site().url]

/** Sends bytes as they are; gives all that came until the door closed. */
function send(url: string, text: string): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port) })
  let answer = ''
  // A door that has refused may hang up on the rest of what is sent.
  socket.setEncoding('latin1').on('data', (part: string) => (answer += part))
  socket.on('error', () => undefined).write(text, 'latin1')
  return new Promise((resolve) => socket.once('close', () => resolve(answer)))
}

const statuses = (answer: string): readonly string[] =>
  [...answer.matchAll(/HTTP\/1\.1 (\d{3}) [A-Z]/g)].map(([, status = '']) => status)

const CLOSE = 'connection: close\r\n'
const get = (path: string, headers = ''): string => `GET ${path} HTTP/1.1\r\nhost: x\r\n${headers}\r\n`
const post = (headers: string, body: string, version = '1.1'): string =>
  `POST /v1/token HTTP/${version}\r\nhost: x\r\n${headers}\r\n${body}`
/** With this the door closes, if it goes on reading until then. */
const LAST = get('/readyz', CLOSE)

describe('a request that may be read in two ways is refused, and nothing after it is read:', () => {
  const ambiguous: Readonly<Record<string, string>> = {
    'a header that is folded': get('/healthz', 'x-a: 1\r\n folded: 2\r\n'),
    'a length twice, the same': post('content-length: 2\r\ncontent-length: 2\r\n', '{}'),
    'a length twice, two of them': post('content-length: 2\r\ncontent-length: 3\r\n', '{}'),
    'a list of lengths': post('content-length: 2, 2\r\n', '{}'),
    'a length with a sign': post('content-length: +2\r\n', '{}'),
    'a length past all numbers': post('content-length: 99999999999999999999\r\n', '{}'),
    'a length and chunks': post('content-length: 2\r\ntransfer-encoding: chunked\r\n', '0\r\n\r\n'),
    'chunks of HTTP/1.0': post('transfer-encoding: chunked\r\n', '2\r\n{}\r\n0\r\n\r\n', '1.0'),
    'chunks twice': post('transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n', '0\r\n\r\n'),
    'another coding before the chunks': post('transfer-encoding: gzip, chunked\r\n', '0\r\n\r\n'),
    'no coding at all': post('transfer-encoding: identity\r\n', '{}'),
    'a coding that looks like one': post('transfer-encoding: xchunked\r\n', '0\r\n\r\n'),
    'a space before the colon': post('transfer-encoding : chunked\r\n', '0\r\n\r\n'),
    'a chunk past all numbers': post('transfer-encoding: chunked\r\n', 'fffffffffffffffff\r\n{}'),
    'chunks without a return': post('transfer-encoding: chunked\r\n', '2\n{}\n0\n\n'),
    'a chunk in another notation': post('transfer-encoding: chunked\r\n', '0x2\r\n{}\r\n0\r\n\r\n'),
    'no host': 'GET /healthz HTTP/1.1\r\n\r\n',
    'two hosts': get('/healthz', 'host: y\r\n'),
    'a host that is an address': 'GET /healthz HTTP/1.1\r\nhost: evil/v1?\r\n\r\n',
    'lines without a return': 'GET /healthz HTTP/1.1\nhost: x\n\n',
    'a return in a header': get('/healthz', 'x-a: a\rb\r\n'),
    'a NUL in a header': get('/healthz', 'x-a: a\0b\r\n'),
    'a NUL in the address': get('/healthz\0'),
    'an address of bytes': get('/healthz\u00FF'),
    'an address that begins elsewhere': get('healthz'),
    'a backslash in the address': get('/\\evil.example'),
    'an address of another host': get('http://evil.example/healthz'),
    'an address of no host': get('http:///healthz'),
    'an address with a name before the host': get('http://x@evil.example/healthz'),
    'an address that steps up': get('/tile/../v1/offers'),
    'an address that steps up, encoded': get('/tile/%2e%2E/v1/offers'),
    'an address that steps up at its end': get('/tile/.%2e'),
    'an address that stays': get('/v1/./offers'),
    'an address with a fragment': get('/v1/offers#/healthz'),
    'no version': 'GET /healthz\r\n\r\n',
    'another version': 'GET /healthz HTTP/1.2\r\nhost: x\r\n\r\n',
    'the preface of HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'a body of GET': get('/healthz', 'content-length: 2\r\n') + '{}',
    'a body of HEAD in chunks':
      'HEAD /healthz HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n',
  }
  for (const [what, text] of Object.entries(ambiguous)) {
    test(what, async () => {
      for (const url of doors()) assert.deepEqual(statuses(await send(url, text + LAST)), ['400'], what)
    })
  }

  test('and after one that can be read in one way only it is', async () => {
    for (const url of doors())
      assert.deepEqual(
        statuses(await send(url, get('/healthz') + post('content-length: 2\r\n', '{}') + LAST)),
        ['200', '400', '200'],
      )
  })
})

test('chunks with extensions and trailers are one body, of which the trailers are no headers', async () => {
  const token = trade.federation.name
  for (const url of doors()) {
    const chunked = 'transfer-encoding: chunked\r\ntrailer: authorization\r\n'
    const body = `2;a=b\r\n{}\r\n0\r\nauthorization: Bearer ${token}\r\n\r\n`
    assert.deepEqual(statuses(await send(url, post(chunked + CLOSE, body))), ['400'])
    const endless = `2;a=${'b'.repeat(200_000)}\r\n{}\r\n0\r\n\r\n`
    assert.deepEqual(statuses(await send(url, post(chunked + CLOSE, endless))), ['413'])
  }
})

test('of requests on one connection each is answered for its own token, in order', async () => {
  const { network } = trade
  const one = (path: string, bearer?: string) =>
    `GET ${path} HTTP/1.1\r\nhost: x\r\n${bearer === undefined ? '' : `authorization: Bearer ${bearer}\r\n`}\r\n`
  const fresh = (audience: string) =>
    tokenOf(network.operator, { audience, now: network.clock.now(), jti: network.ids.next('jti') })
  const member = NETWORK_API.member.path.replace('{id}', 'federation')
  const answer = await send(
    network.url,
    one(member, fresh(network.name)) + one(member) + one(member, 'zqsecret') + LAST,
  )
  assert.deepEqual(statuses(answer), ['200', '401', '401', '200'])
  assert.ok(answer.indexOf('"id":"federation"') < answer.indexOf('HTTP/1.1 401'))
  const data = SITE_API.listDataSets.path
  assert.deepEqual(statuses(await send(trade.site().url, one(data) + one(data, 'zqsecret') + LAST)), [
    '401',
    '401',
    '200',
  ])
})

describe('a way in that is none', () => {
  const tries: Readonly<Record<string, readonly [text: string, status: string]>> = {
    'TRACE gives no header back': [
      'TRACE / HTTP/1.1\r\nhost: x\r\nauthorization: zqsecret\r\n' + CLOSE,
      '405',
    ],
    'another method in a header is not taken': [
      `GET /v1/token HTTP/1.1\r\nhost: x\r\nx-http-method-override: POST\r\nx-method-override: POST\r\n${CLOSE}`,
      '405',
    ],
    'an address may name its host': [`GET http://X/healthz HTTP/1.1\r\nhost: x\r\n${CLOSE}`, '200'],
    'points that are no steps are part of a name': [
      `GET /v1/..offers/...?a=/../b HTTP/1.1\r\nhost: x\r\n${CLOSE}`,
      '404',
    ],
    'another address in a header is not taken': [
      `GET /nothing HTTP/1.1\r\nhost: x\r\nx-original-url: /healthz\r\nx-rewrite-url: /healthz\r\n${CLOSE}`,
      '404',
    ],
    'a method that nobody knows': [`PURGE /healthz HTTP/1.1\r\nhost: x\r\n${CLOSE}`, '405'],
    'an encoded slash is no slash': [`GET /v1%2foffers HTTP/1.1\r\nhost: x\r\n${CLOSE}`, '404'],
    'two slashes are no host': [`GET //evil.example/healthz HTTP/1.1\r\nhost: x\r\n${CLOSE}`, '404'],
    'a page from elsewhere is allowed nothing': [
      `OPTIONS /v1/offers HTTP/1.1\r\nhost: x\r\norigin: https://evil.example\r\naccess-control-request-method: POST\r\naccess-control-request-headers: authorization\r\n${CLOSE}`,
      '405',
    ],
    'nor by a plain GET': [
      `GET /v1/offers HTTP/1.1\r\nhost: x\r\norigin: https://evil.example\r\n${CLOSE}`,
      '200',
    ],
    'no other protocol is changed to': [
      `GET /healthz HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade, close\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n`,
      '200',
    ],
    'nor to HTTP/2': [
      'GET /healthz HTTP/1.1\r\nhost: x\r\nupgrade: h2c\r\nconnection: upgrade, http2-settings, close\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n',
      '200',
    ],
    'a part of a file is the whole of it': [
      `GET /healthz HTTP/1.1\r\nhost: x\r\nrange: bytes=0-0,0-0,0-0\r\n${CLOSE}`,
      '200',
    ],
    'what nobody knows is not waited for': [
      `POST /v1/token HTTP/1.1\r\nhost: x\r\nexpect: 200-maybe\r\ncontent-length: 2\r\n${CLOSE}`,
      '417',
    ],
    'thousands of headers': [
      `GET /healthz HTTP/1.1\r\nhost: x\r\n${'a:\r\n'.repeat(5_000)}authorization: zqsecret\r\n${CLOSE}`,
      '431',
    ],
  }
  for (const [what, [text, status]] of Object.entries(tries)) {
    test(what, async () => {
      for (const url of doors()) {
        const answer = await send(url, `${text}\r\n`)
        assert.deepEqual(statuses(answer), [status], what)
        assert.doesNotMatch(answer, /zqsecret|^access-control|^upgrade:|^content-range/im)
      }
    })
  }

  test('CONNECT leads nowhere', async () => {
    for (const url of doors()) {
      const target = new URL(url).host
      assert.equal(
        await send(url, `CONNECT ${target} HTTP/1.1\r\nhost: ${target}\r\n\r\n${get('/healthz')}`),
        '',
      )
    }
  })
})

const APIS = [NETWORK_API, SITE_API] as const

test('HEAD says of every address what GET says, without a body, and needs the same token', async () => {
  for (const [index, url] of doors().entries())
    for (const { method, path } of Object.values(APIS[index] ?? {})) {
      if (method !== 'get') continue
      const address = path.replaceAll(/\{\w+\}/g, 'x')
      const head = await fetch(url + address, { method: 'HEAD', redirect: 'manual' })
      const body = await fetch(url + address, { redirect: 'manual' })
      assert.equal(head.status, body.status, address)
      assert.equal(await head.text(), '', address)
      await body.body?.cancel()
    }
})

test('a method that an address does not take is told with those it takes, at every address', async () => {
  const wrong = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'] as const
  for (const [index, url] of doors().entries()) {
    const endpoints = Object.values(APIS[index] ?? {})
    const taken = z
      .array(z.string())
      .parse(endpoints.map(({ method, path }) => `${method.toUpperCase()} ${path}`))
    for (const path of new Set(endpoints.map((one) => one.path))) {
      const method = wrong.find((each) => !taken.includes(`${each} ${path}`))
      if (method === undefined) continue
      const address = path.replaceAll(/\{\w+\}/g, 'x')
      const { status, headers } = await fetch(url + address, { method })
      // Another address of the same form may take it: then it asks for a token or a body.
      if (status === 405) assert.match(headers.get('allow') ?? '', /^[A-Z]+(, [A-Z]+)*$/, address)
      else assert.ok([400, 401, 404].includes(status), `${method} ${address}: ${status}`)
      if (status === 404) assert.equal(headers.get('allow'), null)
    }
  }
})
