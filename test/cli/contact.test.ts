import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeMemberProfile } from '../../src/cli/member-profile.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { NETWORK_API } from '../../src/protocol/http/network-endpoints.ts'
import { testNetwork } from '../../src/testing/test-network.ts'
import { temporaryHome } from './run-cli.ts'
import { typedHere } from './typed-here.ts'

test('a member says where it is written to, and the operator sees who has not said', async (context) => {
  const home = await temporaryHome(context)
  await using network = await testNetwork({ clock: systemClock, root: join(home, 'network') })
  for (const [member, role] of [
    ['northcare', 'issuer'],
    ['atlas', 'issuer'],
    ['agency', 'regulator'],
  ] as const) {
    const { signing, sealing, country } = await makeMemberProfile(home, { member, country: 'IE' })
    const keys = { signing: signing.publicJwk, sealing: sealing.publicJwk }
    const body = { id: member, name: member, country, roles: [role], keys }
    await network.call(network.operator, NETWORK_API.addMember, { body })
  }
  const typed = (...args: readonly string[]) =>
    typedHere(home, ['member', 'contact', ...args, '--network', network.url])

  const said = await typed('northcare', 'privacy@northcare.example', '--as', 'northcare')
  assert.equal(said.out, 'northcare is written to at privacy@northcare.example\n', said.error)
  const all = await typed('--as', 'operator')
  assert.match(all.out, /atlas +not said/)
  assert.match(all.out, /northcare +privacy@northcare\.example/)
  assert.equal(all.code, 0)
  assert.equal((await typed('atlas', '--as', 'operator')).code, 1)
  const known = await typed('northcare', '--as', 'agency')
  assert.match(known.out, /northcare +privacy@northcare\.example/)
  assert.equal(known.code, 0)
  const unknown = await typed('nosuch', '--as', 'operator')
  assert.deepEqual([unknown.code, unknown.out], [1, 'Where "nosuch" is written to is not known here\n'])
  const own = await typed('--json', '--as', 'northcare')
  assert.deepEqual(
    (JSON.parse(own.out) as readonly { address: string }[]).map(({ address }) => address),
    ['privacy@northcare.example'],
  )
  const standing = async (verb: string, id = 'atlas') =>
    typedHere(home, ['member', verb, id, '--network', network.url])
  for (let twice = 0; twice < 2; twice += 1)
    assert.match((await standing('suspend')).out, /^atlas is suspended: it is let in nowhere/)
  const shut = await typed('--as', 'atlas')
  assert.deepEqual([shut.code, /suspended; ask the operator/.test(shut.error)], [1, true], shut.error)
  assert.equal((await standing('resume')).out, 'atlas is active\n')
  assert.equal((await typed('--as', 'atlas')).code, 0)
  const nobody = await standing('suspend', 'nosuch')
  assert.match(nobody.error, /^There is no member "nosuch"/)
  const limit = async (...words: readonly string[]) =>
    typedHere(home, ['member', 'limit', ...words, '--network', network.url])
  assert.match(
    (await limit('atlas', '500.00EUR', '20.50CHF')).out,
    /^At most 500\.00 EUR and 20\.50 CHF may be held/,
  )
  assert.deepEqual(JSON.parse((await limit('atlas', '1.00EUR', '--json')).out), [
    { amount: 100, currency: 'EUR' },
  ])
  const [ofAtlas, others] = [await limit('atlas', '--as', 'atlas'), await limit('atlas', '--as', 'northcare')]
  assert.match(ofAtlas.out, /^At most 1\.00 EUR may be held for asks of atlas/, ofAtlas.error)
  assert.deepEqual([others.code, /This key may not do that/.test(others.error)], [1, true], others.error)
  assert.match((await limit('atlas', '--as', 'agency')).out, /^At most 1\.00 EUR/)
  const listed = async (...words: readonly string[]) =>
    (await typedHere(home, ['member', 'list', ...words, '--network', network.url])).out
  assert.match(await listed(), /at most a day[^]*atlas .*1\.00 EUR/)
  const limitsIn = async (as: string) =>
    (JSON.parse(await listed('--json', '--as', as)) as { id: string; dailyLimits?: unknown }[])
      .filter(({ dailyLimits }) => dailyLimits !== undefined)
      .map(({ id, dailyLimits }) => [id, dailyLimits])
  const ofIts = [['atlas', [{ amount: 100, currency: 'EUR' }]]]
  assert.deepEqual(await limitsIn('operator'), ofIts)
  assert.deepEqual(await limitsIn('atlas'), ofIts)
  assert.deepEqual(await limitsIn('northcare'), [])
  assert.equal((await limit('atlas', '--none')).out, 'atlas has no daily limit\n')
  assert.equal((await limit('atlas')).out, 'atlas has no daily limit\n')
  assert.doesNotMatch(await listed(), /at most a day/)
  for (const [words, code, says] of [
    [['nosuch'], 1, /^There is no member "nosuch"/],
    [['atlas', '1.00EUR', '--as', 'atlas'], 2, /^Only the operator of the network sets limits/],
    [['atlas', '1.00EUR', '--none'], 2, /^Say the amounts of "atlas"/],
    [['atlas', 'much'], 2, /expected one such as 12\.50EUR/],
    [['atlas', '1.00EUR', '2.00EUR'], 2, /each currency once/],
    [['nosuch', '1.00EUR'], 1, /There is no member|not found/i],
  ] as const) {
    const refused = await limit(...words)
    assert.equal(refused.code, code, refused.error)
    assert.match(refused.error, says)
  }
  const taken = await typed('northcare', '--remove', '--as', 'northcare')
  assert.match(taken.out, /^Where northcare is written to is taken back/)
  assert.match((await typed('--as', 'operator')).out, /northcare +not said/)
  assert.equal((await typed('northcare', '--remove', '--as', 'atlas')).code, 1)
  assert.equal((await typed('--remove', '--as', 'northcare')).code, 2)
  const ofAnother = await typed('northcare', 'info@northcare.example', '--as', 'atlas')
  assert.equal(ofAnother.code, 1)
  const aPersons = await typed('northcare', 'anna@northcare.example', '--as', 'northcare')
  assert.equal(aPersons.code, 2)
  assert.match(aPersons.error, /the mailbox of a role and no person's/)
})
