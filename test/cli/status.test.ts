import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { test } from 'node:test'
import { systemClock } from '../../src/kernel/clock.ts'
import { testNetwork } from '../../src/testing/test-network.ts'
import { runCli, temporaryHome } from './run-cli.ts'

/** A port on which nothing listens. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

test('status tells a newcomer what to begin with, and makes nothing', async (context) => {
  const home = await temporaryHome(context)
  const run = await runCli(`${home}/none`, ['status'])
  assert.equal(run.code, 0)
  assert.match(
    run.out,
    /^Nothing is under ".*none" yet\n {2}hedgerow demo .*\n.*docs\/tutorial\/first-trade\.md/,
  )
})

test('status shows what serves and what does not, with the command that starts it', async (context) => {
  const home = await temporaryHome(context)
  await using network = await testNetwork({ clock: systemClock })
  const place = ['--territory', 'IE', '--longitude', '-9.0568', '--latitude', '53.2707']
  const port = String(await closedPort())
  const site = ['--custodian', 'brook-edge', '--network', network.url, '--port', port]
  assert.equal((await runCli(home, ['site', 'init', 'brook', ...place, ...site])).code, 0)
  assert.equal((await runCli(home, ['member', 'keys', 'fairfield-research'])).code, 0)
  const run = await runCli(home, ['status'])
  assert.equal(run.code, 3, 'something is not reached')
  assert.match(run.out, new RegExp(`network +\\S+ +${network.url} +serving +version`))
  assert.match(run.out, new RegExp(`site +brook +http://127.0.0.1:${port} +not running +does not answer`))
  assert.match(run.out, /Keys of members: fairfield-research\n/)
  assert.match(run.out, /Next, for brook: {2}hedgerow site serve brook\n/)
  const { servers, members } = JSON.parse((await runCli(home, ['status', '--json'])).out) as {
    servers: { kind: string; state: string; next?: string }[]
    members: string[]
  }
  assert.deepEqual(
    servers.map(({ kind, state, next }) => ({ kind, state, next })),
    [
      { kind: 'network', state: 'serving', next: undefined },
      { kind: 'site', state: 'away', next: 'hedgerow site serve brook' },
    ],
  )
  assert.deepEqual(members, ['fairfield-research'])
})
