import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { testPeople } from '../../../src/testing/test-population.ts'
import { testTrade } from '../../../src/testing/test-trade.ts'
import { temporaryHome } from '../run-cli.ts'
import { typedHere } from '../typed-here.ts'

test('of several who are named those who are known are erased and shown, and the others are told by their place', async (context) => {
  const home = await temporaryHome(context)
  await using trade = await testTrade({ sites: [{ name: 'galway', root: join(home, 'sites', 'galway') }] })
  await trade.fill(trade.site(), { dataSet: 'athletes', people: testPeople(7) })
  const eraseAt = (url: string, ...words: readonly string[]) =>
    typedHere(home, [
      'person',
      'erase',
      ...words.flatMap((word) => (word.startsWith('--') ? [word] : ['--person', `federation:${word}`])),
      '--url',
      url,
    ])
  const erase = (...words: readonly string[]) => eraseAt(trade.site().url, ...words)
  const some = await erase('nobody-1', 'p-1', 'nobody-2', 'p-2')
  assert.equal(some.code, 1)
  assert.equal(some.out.match(/^erasure_/gm)?.length, 2, some.out)
  assert.match(some.error, /^Not erased: number 1, 3 of those that were named\nThere is no such person at /)
  assert.doesNotMatch(some.error, /nobody-/, 'a key leads to somebody')
  const [data] = await trade.site().operator.dataSets()
  assert.equal(data?.people, 5)

  const none = await erase('p-1', 'p-2')
  assert.deepEqual([none.code, none.out], [1, ''])
  assert.match(none.error, /^There is no such person at /)
  const all = await erase('p-0', 'p-3')
  assert.deepEqual([all.code, all.error], [0, ''])

  const atOnce = await erase('p-4', 'nobody-3', '--now')
  assert.equal(atOnce.code, 1)
  assert.match(atOnce.out, /^erasure_\w+: permanent; in no file of the site since /)

  // A site that fails has perhaps erased; and what was done is shown though it is not seen again.
  await using failing = await atDoor(trade.site().url, (path) => /people\/p-5\/|\/erasures\//.test(path))
  const lost = await eraseAt(failing.url, 'p-5', 'nobody-4', 'p-6')
  assert.equal(lost.out.match(/^erasure_/gm)?.length, 1, lost.out)
  assert.match(
    lost.error,
    /^Not erased: number 2 of those that were named\nNot known whether erased: number 1 of those that were named\n/,
  )
})

/** Before a door: what it answers on some paths is lost, and said to have failed. */
async function atDoor(url: string, isLost: (path: string) => boolean) {
  const server = createServer((request, response) => {
    void (async () => {
      const { method = 'GET', url: path = '/', headers } = request
      const { authorization = '', 'content-type': type = 'application/json' } = headers
      const body = method === 'POST' ? await text(request) : undefined
      const answer = await fetch(new URL(path, url), {
        method,
        headers: { authorization, 'content-type': type },
        ...(body === undefined ? {} : { body }),
      })
      const told = await answer.text()
      response.writeHead(isLost(path) ? 500 : answer.status, {
        'content-type': answer.headers.get('content-type') ?? type,
      })
      response.end(isLost(path) ? '{}' : told)
    })()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
