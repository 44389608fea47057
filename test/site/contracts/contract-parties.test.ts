import assert from 'node:assert/strict'
import { test } from 'node:test'
import { subProcessorText } from '../../../src/site/officer/register-contracts.ts'
import { publicKeys, testParty } from '../../../src/testing/test-network.ts'
import { testProcessing } from '../../../src/testing/test-population.ts'
import { clock, controller, count, custodian, people, seatOf, site, trade } from './contract-world.ts'

const DAY_MS = 86_400_000

const states = async () =>
  (await controller().contracts()).items.map(({ contract, state, confirmedBy }) => [
    contract,
    state,
    confirmedBy,
  ])

test('what the custodian records alone carries nothing until the controller confirms it', async () => {
  const first = await controller().recordContract(testProcessing())
  await trade.fill(site, { dataSet: 'athletes', people })
  await controller().endContract(first.contract, 'to begin anew')
  const proposed = await custodian().recordContract(testProcessing())
  assert.equal(proposed.state, 'unconfirmed')
  assert.equal(await count(), 'declined.contract')
  assert.deepEqual((await controller().contracts()).missing, [
    { dataSet: 'athletes', controller: 'federation', needs: 'confirmation', contract: proposed.contract },
  ])
  assert.match((await controller().register()).gaps.join('\n'), /"federation" confirms what the custodian/)
  await assert.rejects(custodian().confirmContract(proposed.contract), { status: 409 })
  assert.equal(await count(), 'declined.contract')
  const confirmed = await controller().confirmContract(proposed.contract)
  assert.equal(confirmed.state, 'in_force')
  assert.equal(confirmed.confirmedBy, 'issuer:federation')
  assert.equal(await count(), 60)
})

test('a change by the custodian waits, and what was agreed before carries on until then', async () => {
  const [, standing] = await states()
  const changed = await custodian().recordContract(
    testProcessing('federation', { instructions: 'letters', noticeDays: 30 }),
  )
  assert.equal(changed.state, 'unconfirmed')
  assert.equal((await states()).find(([id]) => id === standing?.[0])?.[1], 'in_force')
  assert.equal(await count(), 60)
  // The same from the other party is its confirmation.
  const agreed = await controller().recordContract(
    testProcessing('federation', { instructions: 'letters', noticeDays: 30 }),
  )
  assert.equal(agreed.contract, changed.contract)
  assert.equal(agreed.confirmedBy, 'issuer:federation')
  assert.equal((await states()).find(([id]) => id === standing?.[0])?.[1], 'ended')
  await site.stop()
  await site.start()
  assert.deepEqual((await states()).at(-1), [changed.contract, 'in_force', 'issuer:federation'])
  assert.equal(await count(), 60)
  await assert.rejects(controller().confirmContract(standing?.[0] ?? ''), { status: 409 })
})

test('what the controller records is confirmed by the custodian, for the record', async () => {
  const own = await controller().recordContract(
    testProcessing('federation', { reference: 'Annex', dataSets: ['athletes'] }),
  )
  assert.equal(own.state, 'in_force')
  await assert.rejects(controller().confirmContract(own.contract), { status: 409 })
  const confirmed = await custodian().confirmContract(own.contract)
  assert.equal(confirmed.confirmedBy, 'operator')
  const again = await custodian().confirmContract(own.contract)
  assert.deepEqual(again, confirmed)
  await controller().endContract(own.contract, 'it was only an annex')
})

const subProcessors = async () =>
  ((await controller().register()).processing[0]?.contracts[0]?.subProcessors ?? [])
    .map(subProcessorText)
    .join('\n')
const inForce = async () =>
  (await controller().contracts()).items.find(({ state }) => state === 'in_force')?.contract ?? ''
const day = (days: number) => new Date(clock.now() + days * DAY_MS).toISOString().slice(0, 10)

test('a general authorisation: announced in time, in use on its day, kept out by an objection', async () => {
  const contract = await inForce()
  const announce = (name: string, days: number) =>
    custodian().announceSubProcessor({ contract, name, country: 'DE', task: 'machines', from: day(days) })
  await assert.rejects(announce('Hasty GmbH', 29), { status: 400 })
  const rack = await announce('Rack GmbH', 30)
  const night = await announce('Night Watch', 30)
  assert.equal(rack.state, 'announced')
  assert.match(await subProcessors(), /Rack GmbH \(DE\): machines, from 2026-04-01/)
  const notice = { dataSet: 'athletes', purpose: 'dpv:ResearchAndDevelopment' }
  assert.match(JSON.stringify(await controller().notice(notice)), /Rack GmbH/)

  const objected = await controller().answerSubProcessor(night.change, {
    answer: 'objected',
    reason: 'no night shifts',
  })
  assert.equal(objected.state, 'objected')
  assert.doesNotMatch(await subProcessors(), /Night Watch/)
  await assert.rejects(controller().answerSubProcessor(night.change, { answer: 'approved' }), { status: 409 })

  clock.advance(30 * DAY_MS)
  const listed = await custodian().subProcessors()
  assert.deepEqual(
    listed.map(({ name, state, reason }) => [name, state, reason]),
    [
      ['Night Watch', 'objected', 'no night shifts'],
      ['Rack GmbH', 'in_use', undefined],
    ],
  )
  await assert.rejects(
    controller().answerSubProcessor(rack.change, { answer: 'objected', reason: 'too late' }),
    { status: 409 },
  )
  assert.match(await subProcessors(), /Rack GmbH/)
  assert.doesNotMatch(await subProcessors(), /Night Watch/)
})

test('without a general authorisation it comes in only where the controller approves', async () => {
  const recorded = await controller().recordContract(
    testProcessing('federation', { instructions: 'letters' }),
  )
  const announce = (name: string) =>
    custodian().announceSubProcessor({
      contract: recorded.contract,
      name,
      country: 'IE',
      task: 'support',
      from: day(0),
    })
  const asked = await announce('Helpdesk Ltd')
  assert.equal(asked.state, 'asked')
  clock.advance(DAY_MS)
  assert.doesNotMatch(await subProcessors(), /Helpdesk/)
  assert.match(await subProcessors(), /Rack GmbH/, 'what came in before is of the same paper')
  assert.equal((await controller().answerSubProcessor(asked.change, { answer: 'approved' })).state, 'in_use')
  assert.match(await subProcessors(), /Helpdesk/)
  const other = await announce('Other Ltd')
  assert.equal(
    (await custodian().answerSubProcessor(other.change, { answer: 'withdrawn', reason: 'too dear' })).state,
    'withdrawn',
  )
})

test('nothing goes to a sub-processor in a third country without a ground, from the moment on in which none stands', async () => {
  const support = { name: 'Dusk Inc', country: 'US', task: 'support at night' }
  const refused = { status: 400, message: /transferBasis.*dpf-certified, scc:REFERENCE.*Art\. 44/ }
  const withHelp = (subProcessors: NonNullable<Parameters<typeof testProcessing>[1]>['subProcessors']) =>
    controller().recordContract(testProcessing('federation', { noticeDays: 30, subProcessors }))
  await assert.rejects(withHelp([support]), refused)
  await assert.rejects(withHelp([{ ...support, transferBasis: 'a promise' }]), refused)
  const { contract } = await withHelp([
    { ...support, transferBasis: 'scc:2026-118' },
    { name: 'Alp AG', country: 'CH', task: 'backups' },
  ])
  const announced = { ...support, contract, name: 'Dawn Inc', from: day(30) }
  await assert.rejects(custodian().announceSubProcessor(announced), refused)
  const dawn = await custodian().announceSubProcessor({ ...announced, transferBasis: 'dpf-certified' })
  assert.equal(dawn.state, 'announced')
  const notice = async (language: 'en' | 'de') => {
    const { sections } = await controller().notice({
      dataSet: 'athletes',
      purpose: 'dpv:ResearchAndDevelopment',
      language,
    })
    return sections.find(({ article }) => article === '13(1)(f)')?.text.join('\n') ?? ''
  }
  assert.match(await subProcessors(), /Dusk Inc \(US\).*ground of scc:2026-118\n.*ground of adequacy-ch\n/)
  assert.match(
    await notice('de'),
    /Vereinigte Staaten \(Dusk Inc\).*Standardvertragsklauseln \(scc:2026-118\)/,
  )

  await custodian().removeTransfer('scc', 'annulled')
  await custodian().removeTransfer('adequacy-us', 'annulled')
  const [barred] = await custodian().subProcessors()
  assert.deepEqual([barred?.name, barred?.state], ['Dawn Inc', 'barred'])
  assert.match(
    await subProcessors(),
    /Dusk Inc.*nothing may go there\nAlp AG.*adequacy-ch\n[\s\S]*Dawn Inc.*nothing may/,
  )
  assert.match(await notice('en'), /nothing may go to Dusk Inc today/)
  const { gaps } = await controller().register()
  assert.match(gaps.join('\n'), /"Dusk Inc" \(US\).*may be given nothing[\s\S]*"Dawn Inc"/)
  await assert.rejects(custodian().announceSubProcessor({ ...announced, name: 'Noon' }), {
    message: /expected bcr:REFERENCE/,
  })
  await custodian().restoreTransfer('adequacy-us')
  assert.equal((await custodian().subProcessors())[0]?.state, 'announced')
  await custodian().restoreTransfer('scc')
  await controller().answerSubProcessor(dawn.change, { answer: 'objected', reason: 'too far' })
})

test('who may announce and answer what', async () => {
  const contract = await inForce()
  const announced = { contract, name: 'Planted', country: 'DE', task: 'none', from: day(40) }
  await assert.rejects(controller().announceSubProcessor(announced), { status: 403 })
  await assert.rejects(custodian().announceSubProcessor({ ...announced, contract: 'contract_none' }), {
    status: 400,
  })
  const { change } = await custodian().announceSubProcessor(announced)
  // Whoever announces does not approve.
  await assert.rejects(custodian().answerSubProcessor(change, { answer: 'approved' }), { status: 403 })
  await assert.rejects(custodian().answerSubProcessor(change, { answer: 'objected', reason: 'no' }), {
    status: 403,
  })
  await assert.rejects(controller().answerSubProcessor(change, { answer: 'withdrawn', reason: 'no' }), {
    status: 403,
  })
  const other = await trade.network.addMember('other-issuer', ['issuer'])
  await site.operator.registerIssuer({ member: other.name, keys: publicKeys(other) })
  assert.deepEqual(await seatOf(other).subProcessors(), [])
  await assert.rejects(seatOf(other).answerSubProcessor(change, { answer: 'approved' }), { status: 404 })
  await assert.rejects(seatOf(other).confirmContract(contract), { status: 404 })
  const regulator = testParty('dpc')
  await custodian().registerRegulator({ member: 'dpc', keys: publicKeys(regulator) })
  assert.ok((await seatOf(regulator).subProcessors()).length > 0)
  await assert.rejects(seatOf(regulator).answerSubProcessor(change, { answer: 'approved' }), { status: 403 })
  await controller().endContract(contract, 'it is over')
  assert.equal((await custodian().subProcessors()).find((one) => one.change === change)?.state, 'void')
})
