import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../../src/kernel/clock.ts'
import { Fault } from '../../src/kernel/faults.ts'
import { createDoor } from '../../src/kernel/http/door.ts'
import { silentLog } from '../../src/kernel/log.ts'
import { serveLog } from '../../src/transparency/serve-log.ts'
import type { ReceiptLog } from '../../src/transparency/receipt-log.ts'
import { openTestLog } from './open-test-log.ts'
import { idempotencyInMemory } from '../../src/testing/idempotency-in-memory.ts'

function openDoor(log: ReceiptLog) {
  let count = 0
  const door = createDoor<never>({
    title: 'Test',
    description: 'A log',
    version: '1',
    log: silentLog,
    clock: systemClock,
    ids: { next: (prefix) => `${prefix}_${(count += 1)}` },
    authenticate: () => {
      throw new Fault('fault.unauthenticated', { what: 'Cannot let this in' })
    },
    nameOf: (caller) => caller,
    idempotency: idempotencyInMemory(),
    readiness: () => Promise.resolve({ isReady: true, checks: {} }),
    metrics: () => Promise.resolve(''),
  })
  serveLog(door, { checkpoint: () => log.checkpoint(), tile: (path) => log.readTile(`tile/${path}`) })
  return door.app
}

test('the log is served to anybody: checkpoint and tiles', async () => {
  await using site = await openTestLog()
  const door = openDoor(site.log)
  assert.equal((await door.request('/checkpoint')).status, 404)
  await site.issue(302, { kind: 'grant' })
  await site.log.publish()

  const checkpoint = await door.request('/checkpoint')
  assert.equal(await checkpoint.text(), await site.log.checkpoint())
  assert.match(checkpoint.headers.get('content-type') ?? '', /^text\/plain/)
  assert.equal(checkpoint.headers.get('cache-control'), 'no-cache')

  const tile = await door.request('/tile/0/000')
  assert.equal((await tile.bytes()).length, 256 * 32)
  assert.match(tile.headers.get('cache-control') ?? '', /immutable/)
  assert.equal((await door.request('/tile/0/001.p/46')).status, 200)
  assert.equal((await door.request('/tile/entries/001.p/46')).status, 200)
  for (const [path, status] of [
    ['/tile/0/001', 404],
    ['/tile/0/001.p/47', 404],
    ['/tile/9/000', 404],
    ['/tile/0/..%2f..%2fcheckpoint', 400],
  ] as const) {
    const missing = await door.request(path)
    assert.equal(missing.status, status, path)
    assert.match(missing.headers.get('cache-control') ?? '', /no-store/)
  }
})
