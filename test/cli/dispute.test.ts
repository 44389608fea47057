import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeMemberProfile } from '../../src/cli/member-profile.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { NETWORK_API } from '../../src/protocol/http/network-endpoints.ts'
import { testDecision } from '../../src/testing/test-decision.ts'
import { testAsk, testNetwork, testOffer } from '../../src/testing/test-network.ts'
import type { TestParty } from '../../src/testing/test-network.ts'
import { temporaryHome } from './run-cli.ts'
import { typedHere } from './typed-here.ts'

test('a dispute is raised, answered and decided by command line, and money comes back', async (context) => {
  const home = await temporaryHome(context)
  await using network = await testNetwork({ clock: systemClock, root: join(home, 'network') })
  const member = async (name: string, roles: ('acquirer' | 'issuer')[]): Promise<TestParty> => {
    const { signing, sealing } = await makeMemberProfile(home, { member: name, country: 'IE' })
    const keys = { signing: signing.publicJwk, sealing: sealing.publicJwk }
    const body = { id: name, name, country: 'IE', roles, keys }
    await network.call(network.operator, NETWORK_API.addMember, { body })
    return { name, signing, sealing }
  }
  const northcare = await member('northcare', ['acquirer'])
  const federation = await member('federation', ['issuer'])
  const custodian = await network.addMember('edgeworks', ['custodian'])
  const galway = await network.addSite('galway', { custodian, country: 'IE' })
  await network.publish(galway, [testOffer(galway, { issuer: federation, country: 'IE' })])
  await network.deposit(northcare, 10_000)
  const { id: ask } = await network.ask(northcare, testAsk(network, northcare))
  await network.call(galway, NETWORK_API.decide, {
    params: { id: 'galway' },
    body: testDecision(network, galway, {
      ask,
      acquirer: 'northcare',
      issuer: 'federation',
      priceMinor: 200,
    }),
  })
  const typed = (...args: readonly string[]) =>
    typedHere(home, ['dispute', ...args, '--network', network.url])
  const as = ['--as', 'northcare']

  assert.match((await typed('list', ...as)).out, /Nothing is disputed/)
  const raise = ['raise', ask, '--site', 'galway', '--statement', 'It does not open', ...as]
  assert.equal((await typed(...raise, '--reason', 'nonsense')).code, 2)
  assert.equal((await typed(...raise, '--reason', 'wrong_price', '--claim', 'much')).code, 2)
  assert.equal((await typed(...raise, '--reason', 'passed_on')).code, 1, 'a reason of the other side')
  const raised = await typed(...raise, '--reason', 'not_delivered', '--claim', '1.50EUR', '--json')
  assert.equal(raised.code, 0, raised.error)
  const { dispute } = JSON.parse(raised.out) as { dispute: string }
  const listed = await typed('list', '--as', 'federation')
  assert.equal(listed.code, 1, 'something waits')
  assert.match(listed.out, /northcare +not delivered +galway +1\.50 EUR +open +federation, edgeworks\n/)
  assert.equal((await typed('decide', dispute, '--uphold', '--ground', 'too soon')).code, 1)
  assert.equal((await typed('answer', dispute, '--text', 'So it is', '--as', 'federation')).code, 2)
  const answered = await typed('answer', dispute, '--accept', '--text', 'So it is', '--as', 'federation')
  assert.match(
    answered.out,
    /is open: .*\n.*\nfederation accepts: So it is\nedgeworks may answer until /,
    answered.error,
  )
  await network.call(custodian, NETWORK_API.answerDispute, {
    params: { id: dispute },
    body: { answer: 'accepted', text: 'So it is' },
  })
  assert.match((await typed('list', ...as)).out, /accepted +operator\n/)
  assert.equal((await typed('decide', dispute, '--reject', '--deletion', '--ground', 'x')).code, 2)
  const decided = await typed('decide', dispute, '--uphold', '--deletion', '--ground', 'Both say so')
  assert.match(decided.out, /1\.50 EUR went back\nnorthcare has to delete what was released/, decided.error)
  assert.equal((await typed('list', ...as)).code, 1, 'deletion is due')
  const done = await typed('confirm-deletion', dispute, ...as)
  assert.match(done.out, /northcare has deleted what was released/, done.error)
  assert.equal((await typed('list', ...as)).code, 0)
  const removed = await typed('remove-texts', dispute)
  assert.match(removed.out, /Decided on .*: \(the text was removed\)\n/, removed.error)
  const settle = ['ledger', 'settle', '--network', network.url]
  assert.match((await typedHere(home, settle)).out, /\nfederation /)
  const again = await typedHere(home, settle)
  assert.equal(again.code, 0, again.error)
  assert.match(again.out, /^Nothing to settle: nothing was captured since settlement stl_\w+\n$/)
  const statement = await typedHere(home, ['ledger', 'statement', ...as, '--network', network.url])
  assert.match(statement.out, /credit, refund +federation earned +northcare funds/)
})
