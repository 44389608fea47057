import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../../src/kernel/clock.ts'
import { Fault } from '../../src/kernel/faults.ts'
import { createDoor } from '../../src/kernel/http/door.ts'
import { memoryIdempotencyStore } from '../../src/kernel/http/idempotency.ts'
import { listen } from '../../src/kernel/http/listen.ts'
import { silentLog } from '../../src/kernel/log.ts'
import { receiptBundleSchema } from '../../src/protocol/decision.ts'
import { verifyReceiptBundle } from '../../src/protocol/proof/verify-receipt.ts'
import { serveReceiptLog } from '../../src/transparency/log-routes.ts'
import type { ReceiptLog } from '../../src/transparency/receipt-log.ts'
import { openTestLog } from './open-test-log.ts'

function openDoor(log: ReceiptLog) {
  let count = 0
  const door = createDoor({
    title: 'Test',
    description: 'A log',
    version: '1',
    log: silentLog,
    clock: systemClock,
    ids: { next: (prefix) => `${prefix}_${(count += 1)}` },
    authenticate: (request) => {
      if (request.headers.get('authorization') === 'Bearer good') return Promise.resolve('auditor')
      throw new Fault('fault.unauthenticated', { what: 'Cannot let this in' })
    },
    nameOf: (caller) => caller,
    idempotency: memoryIdempotencyStore(),
    readiness: () => Promise.resolve({ isReady: true, checks: {} }),
    metrics: () => Promise.resolve(''),
  })
  serveReceiptLog(door, log)
  return listen(door.app, { host: '127.0.0.1', port: 0 })
}

test('the log is served: checkpoint and tiles to anybody, receipts with a token', async () => {
  await using site = await openTestLog()
  await using door = await openDoor(site.log)
  const get = (path: string) => fetch(door.url + path, { headers: { authorization: 'Bearer good' } })
  assert.equal((await fetch(`${door.url}/checkpoint`)).status, 404)
  await site.issue(2, { kind: 'grant' })
  await site.issue(300, { kind: 'ingest', rows: 1 })
  await site.log.publish()

  const checkpoint = await fetch(`${door.url}/checkpoint`)
  assert.equal(await checkpoint.text(), await site.log.checkpoint())
  assert.match(checkpoint.headers.get('content-type') ?? '', /^text\/plain/)
  assert.equal(checkpoint.headers.get('cache-control'), 'no-cache')

  const tile = await fetch(`${door.url}/tile/0/000`)
  assert.equal((await tile.bytes()).length, 256 * 32)
  assert.match(tile.headers.get('cache-control') ?? '', /immutable/)
  assert.equal((await fetch(`${door.url}/tile/0/001.p/46`)).status, 200)
  assert.equal((await fetch(`${door.url}/tile/entries/001.p/46`)).status, 200)
  for (const path of ['/tile/0/001', '/tile/0/001.p/47', '/tile/9/000', '/tile/0/..%2f..%2fcheckpoint']) {
    const missing = await fetch(door.url + path)
    assert.equal(missing.status, 404, path)
    assert.match(missing.headers.get('cache-control') ?? '', /no-store/)
  }

  assert.equal((await fetch(`${door.url}/v1/receipts`)).status, 401)
  assert.equal((await fetch(`${door.url}/v1/receipts/0`)).status, 401)
  const bundle = receiptBundleSchema.parse(await (await get('/v1/receipts/301')).json())
  assert.ok(verifyReceiptBundle(bundle, site).ok)
  assert.equal((await get('/v1/receipts/302')).status, 404)
  for (const path of [
    '/v1/receipts/-1',
    '/v1/receipts/x',
    '/v1/receipts?limit=0',
    '/v1/receipts?limit=501',
    '/v1/receipts?cursor=x',
    '/v1/receipts?kind=none',
  ]) {
    assert.equal((await get(path)).status, 400, path)
  }
})

test('receipts are paged to the end, each once', async () => {
  await using site = await openTestLog()
  await using door = await openDoor(site.log)
  await site.issue(60, { kind: 'grant' })
  await site.issue(60, { kind: 'ingest' })
  const collect = async (query: string) => {
    const seen: number[] = []
    let pages = 0
    for (let cursor: string | undefined = ''; cursor !== undefined; pages += 1) {
      const response = await fetch(`${door.url}/v1/receipts?${query}${cursor && `&cursor=${cursor}`}`, {
        headers: { authorization: 'Bearer good' },
      })
      const page = (await response.json()) as { receipts: readonly { sequence: number }[]; next?: string }
      seen.push(...page.receipts.map(({ sequence }) => sequence))
      cursor = page.next
    }
    return { seen, pages }
  }
  assert.deepEqual(
    (await collect('limit=50')).seen,
    Array.from({ length: 120 }, (_, index) => index),
  )
  assert.deepEqual(
    (await collect('limit=25&kind=ingest')).seen,
    Array.from({ length: 60 }, (_, index) => 60 + index),
  )
})
