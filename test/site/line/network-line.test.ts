import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { systemClock } from '../../../src/kernel/clock.ts'
import { generateKeyPair } from '../../../src/kernel/crypto/keys.ts'
import { idSource } from '../../../src/kernel/id.ts'
import { systemRandom } from '../../../src/kernel/random.ts'
import { siteIdSchema } from '../../../src/protocol/wire.ts'
import { networkLine } from '../../../src/site/line/network-line.ts'

test('a pull whose kept connection was closed is made anew at once, and asks for what was given out in the answer that was lost', async (context) => {
  const pulls: string[] = []
  const server = createServer(({ url = '', socket }, response) => {
    if (url === '/v1/token') {
      response.end(JSON.stringify({ access_token: 'a-token', token_type: 'Bearer', expires_in: 3_600 }))
      return
    }
    pulls.push(url)
    if (pulls.length === 1) socket.destroy()
    else response.end(JSON.stringify({ items: [], batches: {}, members: [] }))
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve()))
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const line = networkLine({
    url: `http://127.0.0.1:${(server.address() as { port: number }).port}`,
    networkName: 'network',
    site: siteIdSchema.parse('galway'),
    key: generateKeyPair('Ed25519'),
    clock: systemClock,
    ids: idSource(systemClock, systemRandom),
  })
  // The token came over the connection on which the pull is lost.
  assert.deepEqual((await line.pullWork({ waitMs: 0, isResuming: false })).items, [])
  assert.deepEqual(pulls, [
    '/v1/sites/galway/work?wait=0&resume=false&directory=',
    '/v1/sites/galway/work?wait=0&resume=true&directory=',
  ])
})
