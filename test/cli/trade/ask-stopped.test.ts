import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { Interrupted } from '../../../src/cli/failures.ts'
import { makeMemberProfile } from '../../../src/cli/member-profile.ts'
import { systemClock } from '../../../src/kernel/clock.ts'
import { NETWORK_API } from '../../../src/protocol/http/network-endpoints.ts'
import { testNetwork, testOffer } from '../../../src/testing/test-network.ts'
import { temporaryHome } from '../run-cli.ts'
import { typedHere } from '../typed-here.ts'

test('Ctrl-C while an ask is waited for tells which goes on, and what to type to see what comes', async (context) => {
  const home = await temporaryHome(context)
  await using network = await testNetwork({ clock: systemClock, root: join(home, 'network') })
  const { signing, sealing } = await makeMemberProfile(home, { member: 'northcare', country: 'IE' })
  const keys = { signing: signing.publicJwk, sealing: sealing.publicJwk }
  const body = { id: 'northcare', name: 'northcare', country: 'IE', roles: ['acquirer' as const], keys }
  await network.call(network.operator, NETWORK_API.addMember, { body })
  const northcare = { name: 'northcare', signing, sealing }
  const issuer = await network.addMember('federation', ['issuer'])
  const custodian = await network.addMember('edgeworks', ['custodian'])
  // It never answers.
  const galway = await network.addSite('galway', { custodian, country: 'IE' })
  await network.publish(galway, [testOffer(galway, { issuer, country: 'IE' })])
  await network.deposit(northcare, 10_000)
  const stop = new AbortController()
  const asking = ['ask', '--network', network.url, '--purpose', 'dpv:AcademicResearch', '--mode', 'aggregate']
  const typed = typedHere(
    home,
    [...asking, '--as', 'northcare', '--sql', 'select count(*) as people from athletes'],
    { signal: stop.signal },
  )
  const held = () => network.call(northcare, NETWORK_API.listAsks, { query: {} })
  for (let looks = 0; (await held()).items.length === 0; looks += 1) {
    assert.ok(looks < 1_000, 'nothing was asked')
    await setTimeout(20)
  }
  const [ask] = (await held()).items
  stop.abort(new Interrupted('SIGINT'))
  const { code, out, error } = await typed
  assert.deepEqual([code, out], [130, ''])
  assert.equal(
    error,
    `Stopped waiting: if it was sent, ${ask?.id} goes on until it expires; see what comes with "hedgerow release show ${ask?.id} --as northcare"\n`,
  )
})
