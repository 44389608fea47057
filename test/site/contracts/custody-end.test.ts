import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { digestOf } from '../../../src/kernel/digest.ts'
import { HAND_OVER_PARTS } from '../../../src/protocol/http/hand-over-api.ts'
import { openHandOver } from '../../../src/sdk/hand-over.ts'
import { openOfficer } from '../../../src/sdk/officer.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { publicKeys } from '../../../src/testing/test-network.ts'
import { testPeople } from '../../../src/testing/test-population.ts'
import { testTrade } from '../../../src/testing/test-trade.ts'

const clock = new ManualClock(Date.parse('2026-03-02T09:00:00Z'))
const trade = await testTrade({ clock, sites: [{ name: 'galway' }] })
after(() => trade[Symbol.asyncDispose]())
const site = trade.site()
const issuer = () => site.client({ issuer: 'federation', key: trade.federation.signing })
const officer = () => openOfficer(issuer())
const handOver = () => openHandOver(issuer())
const reason = 'the contract has ended'

async function fetched(part: (typeof HAND_OVER_PARTS)[number]): Promise<Uint8Array> {
  return new Uint8Array(await new Response(await handOver().part('athletes', { part, reason })).arrayBuffer())
}

test('what is due after the end is followed until it went back and was deleted', async () => {
  for (const dataSet of ['athletes', 'study']) await trade.fill(site, { dataSet, people: testPeople(3) })
  const confirm = async (part: (typeof HAND_OVER_PARTS)[number]) =>
    handOver().confirm('athletes', { part, digest: digestOf(await fetched(part)) })
  // What arrived while the contract stood is no return.
  for (const part of HAND_OVER_PARTS) await confirm(part)
  clock.advance(1_000)
  const [known] = (await officer().contracts()).items
  await officer().endContract(known?.contract ?? '', 'notice was given')
  const dueOf = async (name: string) =>
    (await officer().contracts()).missing.find(({ dataSet }) => dataSet === name)
  const due = await dueOf('athletes')
  assert.deepEqual([due?.needs, due?.parts], ['return', [...HAND_OVER_PARTS]])

  // What was sent and did not arrive, or arrived as something else, is not back.
  clock.advance(1_000)
  const rows = await fetched('rows')
  assert.deepEqual((await dueOf('athletes'))?.parts, [...HAND_OVER_PARTS])
  await assert.rejects(handOver().confirm('athletes', { part: 'rows', digest: digestOf(rows.slice(1)) }), {
    status: 409,
  })
  await assert.rejects(handOver().confirm('athletes', { part: 'grants', digest: digestOf(rows) }), {
    status: 409,
  })
  const arrived = await handOver().confirm('athletes', { part: 'rows', digest: digestOf(rows) })
  assert.equal(arrived.sizeBytes, rows.length)
  assert.deepEqual(await handOver().confirm('athletes', { part: 'rows', digest: digestOf(rows) }), arrived)
  assert.deepEqual((await dueOf('athletes'))?.parts, ['grants', 'consents', 'receipts'])
  for (const part of ['grants', 'consents', 'receipts'] as const) await confirm(part)
  const back = await dueOf('athletes')
  assert.deepEqual([back?.needs, back?.returnedAt], ['deletion', clock.now()])
  assert.match((await officer().register()).gaps.join('\n'), /and went back on .*: delete it/)

  clock.advance(1_000)
  for (const dataSet of ['athletes', 'study']) await site.issuer.retire(dataSet)
  await site.stop()
  await site.start()
  const { missing, ended } = await officer().contracts()
  assert.deepEqual(missing, [])
  assert.deepEqual(
    ended.map(({ dataSet, afterEnd, returnedAt }) => [dataSet, afterEnd, returnedAt !== undefined]),
    [
      ['athletes', 'return', true],
      ['study', 'return', false],
    ],
  )
})

test('only the issuer says that it arrived, and a transfer that broke off is nothing', async () => {
  await officer().recordContract({
    kind: 'processing',
    controller: 'federation',
    reference: 'next',
    subject: 'keeping',
    concludedOn: '2026-01-01',
    instructions: 'manifests',
    afterEnd: 'return',
  })
  await trade.fill(site, { dataSet: 'again', people: testPeople(2_000) })
  const body = await handOver().part('again', { part: 'rows', reason })
  const reader = body.getReader()
  const { value = new Uint8Array() } = await reader.read()
  await reader.cancel()
  await assert.rejects(handOver().confirm('again', { part: 'rows', digest: digestOf(value) }), {
    status: 409,
  })
  const other = await trade.network.addMember('other-issuer', ['issuer'])
  await site.operator.registerIssuer({ member: other.name, keys: publicKeys(other) })
  const whole = await new Response(await handOver().part('again', { part: 'rows', reason })).arrayBuffer()
  const digest = digestOf(new Uint8Array(whole))
  for (const client of [
    site.client({ issuer: other.name, key: other.signing }),
    site.client({ issuer: 'operator', key: site.operatorKey }),
  ])
    await assert.rejects(openHandOver(client).confirm('again', { part: 'rows', digest }), { status: 404 })
  assert.equal((await handOver().confirm('again', { part: 'rows', digest })).part, 'rows')
})
