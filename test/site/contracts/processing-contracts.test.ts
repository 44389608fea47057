import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openPersonRecords } from '../../../src/sdk/person.ts'
import { publicKeys, testParty } from '../../../src/testing/test-network.ts'
import { csvOf, testManifest, testProcessing } from '../../../src/testing/test-population.ts'
import { clock, controller, count, custodian, people, seatOf, site, trade } from './contract-world.ts'

const fill = (dataSet: string) => trade.fill(site, { dataSet, people })

const missing = async () =>
  (await controller().contracts()).missing.map(({ dataSet, needs }) => [dataSet, needs])

test('without a contract nothing is taken in, and what is missing is said', async () => {
  await site.issuer.describe(testManifest('athletes'))
  const body = new Blob([csvOf(people)]).stream()
  await assert.rejects(
    site.issuer.importFile({ dataSet: 'athletes', batch: 'first', format: 'csv', body }),
    (thrown: { status?: number; message?: string }) => {
      assert.equal(thrown.status, 409)
      assert.match(String(thrown.message), /no contract of processing with "federation" is in force/)
      return true
    },
  )
  await assert.rejects(
    site.issuer.importRows({ dataSet: 'athletes', batch: 'rows', rows: [{ id: 'p-1', score: 1 }] }),
    { status: 409 },
  )
  assert.deepEqual(await missing(), [['athletes', 'contract']])
  assert.match(
    (await controller().register()).gaps.join('\n'),
    /"athletes" has no contract of processing with "federation" in force and is declined/,
  )
})

test('under a contract asks are answered; the same again changes nothing, and a restart forgets nothing', async () => {
  const recorded = await controller().recordContract(testProcessing())
  assert.equal(recorded.state, 'in_force')
  assert.equal(recorded.processor, 'edgeworks')
  assert.equal(recorded.recordedBy, 'issuer:federation')
  await fill('athletes')
  assert.deepEqual(await missing(), [])
  assert.equal(await count('athletes'), 60)
  const again = await custodian().recordContract(testProcessing())
  assert.equal(again.contract, recorded.contract)
  await site.stop()
  await site.start()
  assert.deepEqual(
    (await controller().contracts()).items.map(({ contract, state }) => [contract, state]),
    [[recorded.contract, 'in_force']],
  )
  assert.equal(await count('athletes'), 60)
})

test('register, notice and export name the contract, its sub-processors and who keeps the data', async () => {
  const subProcessors = [{ name: 'Rack <GmbH>', country: 'DE', task: 'the machines', from: '2026-06-01' }]
  const changed = await controller().recordContract(testProcessing('federation', { subProcessors }))
  const { items } = await custodian().contracts()
  assert.deepEqual(
    items.map(({ state, endReason }) => [state, endReason]),
    [
      ['ended', `Replaced by ${changed.contract}`],
      ['in_force', undefined],
    ],
  )
  assert.equal(await count('athletes'), 60)

  const register = await controller().register()
  assert.equal(register.controllers[0]?.contract?.reference, 'DPA 2026-014')
  assert.deepEqual(register.processing[0]?.contracts[0]?.subProcessors, subProcessors)
  assert.match(await controller().registerFile('csv'), /DPA 2026-014/)
  assert.match(await controller().registerFile('html'), /Sub-processor: Rack &lt;GmbH&gt;/)
  assert.match(await controller().registerFile('archimate'), /xsi:type="Contract"><name[^>]*>DPA 2026-014/)
  for (const language of ['en', 'de', 'fr'] as const) {
    const request = { dataSet: 'athletes', purpose: 'dpv:ResearchAndDevelopment', language }
    const notice = JSON.stringify(await controller().notice(request))
    assert.match(notice, /DPA 2026-014/)
    assert.match(notice, /Rack <GmbH> \((Germany|Deutschland|Allemagne)\)/)
  }
  const records = openPersonRecords(site.client({ issuer: 'federation', key: trade.federation.signing }), {
    ref: 'p-5',
    reason: 'she asked by telephone',
  })
  const text = await new Response(await records.export({ format: 'jsonl' })).text()
  const dataSet = text.split('\n').find((line) => line.startsWith('{"kind":"dataSet"'))
  assert.deepEqual((JSON.parse(dataSet ?? '{}') as { processing?: unknown }).processing, {
    contract: changed.contract,
    kind: 'processing',
    reference: 'DPA 2026-014',
    concludedOn: '2020-01-15',
    processor: 'edgeworks',
  })
})

test('joint controllers have an arrangement, which people are told of', async () => {
  await fill('study')
  const joint = await custodian().recordContract({
    kind: 'joint_controllers',
    controller: 'federation',
    dataSets: ['study'],
    reference: 'Arrangement of 12 March',
    subject: 'A study of the two',
    concludedOn: '2026-01-12',
    arrangement: 'the federation answers people, the custodian secures the data',
    contactPoint: 'privacy@federation.example',
  })
  await controller().confirmContract(joint.contract)
  const request = { dataSet: 'study', purpose: 'dpv:ResearchAndDevelopment' }
  assert.match(
    JSON.stringify(await controller().notice(request)),
    /the federation answers people.*privacy@federation\.example/,
  )
  await controller().endContract(joint.contract, 'the study is over')
  assert.equal(await count('study'), 60, 'the other contract covers it as well')
})

test('who may record and end what', async () => {
  const other = await trade.network.addMember('other-issuer', ['issuer'])
  await site.operator.registerIssuer({ member: other.name, keys: publicKeys(other) })
  const stranger = seatOf(other)
  const [known] = (await controller().contracts()).items.filter(({ state }) => state === 'in_force')
  const id = known?.contract ?? ''
  await assert.rejects(stranger.recordContract(testProcessing()), { status: 404 })
  await assert.rejects(stranger.endContract(id, 'not mine'), { status: 404 })
  assert.deepEqual(await stranger.contracts(), { items: [], missing: [], ended: [] })
  const wrong: Parameters<typeof testProcessing>[1][] = [
    { dataSets: ['nobody-described-it'] },
    { validFrom: '2027-01-01T00:00:00Z', validUntil: '2026-06-01T00:00:00Z' },
    { afterEnd: 'sale' as never },
    { reference: ' ' },
  ]
  for (const more of wrong)
    await assert.rejects(controller().recordContract(testProcessing('federation', more)), { status: 400 })
  // One issuer's contract covers nothing of another's.
  await assert.rejects(stranger.recordContract(testProcessing('other-issuer', { dataSets: ['athletes'] })), {
    status: 400,
  })
  const regulator = testParty('dpc')
  await custodian().registerRegulator({ member: 'dpc', keys: publicKeys(regulator) })
  assert.ok((await seatOf(regulator).contracts()).items.length > 0)
  await assert.rejects(seatOf(regulator).endContract(id, 'no'), { status: 403 })
})

test('a contract ends by its date, and one that begins later carries nothing yet', async () => {
  await fill('dated')
  for (const { contract, state } of (await controller().contracts()).items)
    if (state === 'in_force') await controller().endContract(contract, 'to see dates alone')
  assert.equal(await count('dated'), 'declined.contract')
  const reference = 'DPA 2026-020'
  const validFrom = '2026-03-03T00:00:00Z'
  const validUntil = '2026-03-04T00:00:00Z'
  await controller().recordContract(testProcessing('federation', { reference, validFrom, validUntil }))
  assert.equal(await count('dated'), 'declined.contract')
  clock.advance(Date.parse(validFrom) - clock.now())
  assert.equal(await count('dated'), 60)
  clock.advance(Date.parse(validUntil) - clock.now() - 1)
  assert.equal(await count('dated'), 60)
  clock.advance(1)
  assert.equal(await count('dated'), 'declined.contract')
  assert.deepEqual((await missing()).at(-1), ['study', 'return'])
  const [expired] = (await controller().contracts()).items.filter((item) => item.reference === reference)
  assert.equal(expired?.state, 'expired')
})

test('nothing is released after the end of a contract is acknowledged, whatever was under way', async () => {
  await controller().recordContract(testProcessing('federation', { afterEnd: 'deletion' }))
  const acquirers = []
  for (let index = 0; index < 8; index += 1) acquirers.push(await trade.addAcquirer(`crowd-${index}`))
  const asked = acquirers.map((acquirer) => acquirer.ask('select count(*) from athletes'))
  await Promise.race(asked)
  const seat = controller()
  const [known] = (await seat.contracts()).items.filter(({ state }) => state === 'in_force')
  await seat.endContract(known?.contract ?? '', 'notice was given')
  const policies = await site.operator.receipts({ kind: 'policy', limit: 200 })
  const end = policies.toSorted((left, right) => right.sequence - left.sequence)[0]
  const answered = await Promise.all(asked)
  const released = await site.operator.receipts({ kind: 'release', limit: 200 })
  const reasons = new Set(answered.map(({ sites }) => sites[0]?.reason))
  assert.ok(
    reasons.has('approved') && [...reasons].every((one) => one === 'approved' || one === 'declined.contract'),
  )
  assert.ok(end && released.every(({ sequence }) => sequence < end.sequence))
  assert.equal(await count('athletes'), 'declined.contract')
  assert.deepEqual(await missing(), [
    ['athletes', 'deletion'],
    ['dated', 'deletion'],
    ['study', 'deletion'],
  ])
  // What people are owed goes on.
  const records = openPersonRecords(site.client({ issuer: 'federation', key: trade.federation.signing }), {
    ref: 'p-5',
    reason: 'she asked by telephone',
  })
  assert.match(await new Response(await records.export({ format: 'jsonl' })).text(), /"kind":"row"/)
  for (const dataSet of ['athletes', 'dated', 'study']) await site.issuer.retire(dataSet)
  assert.deepEqual(await missing(), [])
})
