import assert from 'node:assert/strict'
import { cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeMemberProfile } from '../../src/cli/member-profile.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { NETWORK_API } from '../../src/protocol/http/network-endpoints.ts'
import { testNetwork } from '../../src/testing/test-network.ts'
import { temporaryHome } from './run-cli.ts'
import { typedHere } from './typed-here.ts'

test('terms are published, read by anybody, accepted by the member that is named, and listed', async (context) => {
  const home = await temporaryHome(context)
  const root = join(home, 'network')
  await using network = await testNetwork({ clock: systemClock, root })
  for (const member of ['northcare', 'atlas']) {
    const { signing, sealing, country } = await makeMemberProfile(home, { member, country: 'IE' })
    await network.call(network.operator, NETWORK_API.addMember, {
      body: {
        id: member,
        name: member,
        country,
        roles: ['acquirer'],
        acquirerClass: 'researcher',
        keys: { signing: signing.publicJwk, sealing: sealing.publicJwk },
      },
    })
  }
  const typed = (...args: readonly string[]) => typedHere(home, ['terms', ...args, '--network', network.url])
  const file = join(home, 'terms.md')

  assert.equal((await typed('show')).code, 1)
  await writeFile(file, 'Be kind.')
  assert.match((await typed('publish', '--file', file)).out, /^Version 1, in force since /)
  await writeFile(file, 'Be kind, and brief.')
  const second = await typed('publish', '--file', file, '--from', '2999-01-01T00:00:00Z')
  assert.match(second.out, /^Version 2, counts from /, second.error)

  const nobody = join(home, 'nobody')
  const read = await typedHere(nobody, ['terms', 'show', '--network', network.url])
  assert.match(read.out, /^Version 2, .*\nVersion 1, .*\n\nBe kind, and brief\.\n$/, read.error)
  assert.match((await typed('show', '--version', '1')).out, /\n\nBe kind\.\n$/)
  assert.equal((await typed('show', '--version', '3')).code, 2)

  const accepted = await typed('accept', 'northcare', '--version', '1')
  assert.match(accepted.out, /^northcare accepted version 1 on /, accepted.error)
  assert.match(
    (await typed('accept')).error,
    /Say which member acts, by its ID: there are atlas, northcare$/m,
  )
  const missing = await typed('publish', '--file', join(home, 'none.md'))
  assert.match(missing.error, /none\.md": it is not there$/m)
  const listed = async (as: string) => {
    const { out } = await typed('list', '--json', '--as', as)
    return (JSON.parse(out) as readonly { member: string; version: number }[]).map((one) => [
      one.member,
      one.version,
    ])
  }
  assert.deepEqual(await listed('operator'), [['northcare', 1]])
  assert.deepEqual(await listed('northcare'), [['northcare', 1]])
  assert.deepEqual(await listed('atlas'), [])

  for (const verb of [['accept'], ['publish', '--file', file], ['show']]) {
    const wrong = await typed(...verb, '--as', 'atlas')
    assert.deepEqual([wrong.code, /unknown option '--as'/.test(wrong.error)], [2, true], verb.join(' '))
  }
  assert.deepEqual(await listed('operator'), [['northcare', 1]])

  await cp(join(home, 'members', 'atlas'), join(nobody, 'members', 'atlas'), { recursive: true })
  const refused = await typedHere(nobody, ['terms', 'publish', '--file', file, '--network', network.url])
  assert.equal(refused.code, 2)
  assert.match(refused.error, /Only the operator of the network may do this/)
})
